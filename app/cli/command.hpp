// A subcommand of `whorl`: one file each, listed in commands.cpp.
#pragma once

#include <string>
#include <vector>

namespace whorl::cli {

using Arguments = std::vector<std::string>;  // what follows the subcommand's name

struct Command {
    const char* name;
    const char* summary;  // one line for `whorl --help`
    /// The program's exit status: 0 success, 1 a result that fails its gate. Throws UserError (exit 2), RuntimeFailure
    /// (exit 3).
    int (*run)(const Arguments& arguments);
};

/// In the order in which `whorl --help` shows them.
const std::vector<Command>& commands();

}  // namespace whorl::cli
