// The explorer's program, which stands beside this one so that this one loads nothing graphical.
#pragma once

#include <string>
#include <vector>

namespace whorl::cli {

/// Its path. Throws UserError, beginning with `what`, where it is not there.
std::string view_program(const std::string& what);

/// Starts it with those arguments beside this process, in a process group of its own: Ctrl-C in the terminal ends a
/// training, not the window on it. Throws RuntimeFailure.
void start_beside(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace whorl::cli
