// The small text that Git LFS leaves in place of a large file until that is fetched.
#pragma once

#include <string>
#include <string_view>

namespace whorl {

/// Throws UserError, saying how to fetch the file, when `beginning`, the first bytes of the file at `path`, is such a
/// text's.
void refuse_lfs_pointer(std::string_view beginning, const std::string& path);

/// As many bytes of a file as refuse_lfs_pointer needs to see.
inline constexpr std::size_t kLfsPointerBytes = 64;

}  // namespace whorl
