// XXH3-128 checksums, as 32 lower-case hexadecimal digits: they find damage, they do not prove authorship.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace whorl {

std::string checksum(std::span<const std::byte> bytes);

/// Reads the file in pieces. Throws UserError when it cannot be opened, RuntimeFailure when reading fails.
std::string file_checksum(const std::string& path);

}  // namespace whorl
