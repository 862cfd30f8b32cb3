// JSON as Python's json module writes it: with NaN, Infinity and -Infinity among the numbers.
#pragma once

#include <string>
#include <string_view>

#include "core/config/value.hpp"

namespace whorl::interchange {

/// As parse_json; the three words become doubles, so that a key's own reader says whether it takes them.
Document parse_python_json(std::string_view text, const std::string& source);

}  // namespace whorl::interchange
