#include "core/base/lfs_pointer.hpp"

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl {

void refuse_lfs_pointer(std::string_view beginning, const std::string& path) {
    if (beginning.rfind("version https://git-lfs.github.com/spec/", 0) == 0)
        throw UserError(one_line(path + ": is a Git LFS pointer, not the file itself; fetch it with 'git lfs pull'"));
}

}  // namespace whorl
