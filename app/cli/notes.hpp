// Lines that people should see beside a result, such as a damaged checkpoint that was passed over.
#pragma once

#include <string>
#include <vector>

#include "core/config/value.hpp"

namespace whorl::cli {

/// "whorl: …" on stderr for each.
void print_notes(const std::vector<std::string>& notes);

/// The same for programs: the value of the key `notes` in what --json prints.
Value notes_value(const std::vector<std::string>& notes);

}  // namespace whorl::cli
