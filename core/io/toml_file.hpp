// TOML as a file.
#pragma once

#include <string>

#include "core/config/value.hpp"

namespace whorl {

/// parse_toml of the file at `path`. Throws UserError when it is missing or unreadable as well.
Document load_toml(const std::string& path);

}  // namespace whorl
