// Stands in for the GPU backend in a build without CUDA.
#include "core/backend/backend.hpp"
#include "core/base/error.hpp"

namespace whorl {

bool cuda_in_this_build() {
    return false;
}

std::unique_ptr<Backend> make_cuda_backend() {
    throw UserError(
        "--device cuda: no CUDA in this build; choose --device cpu, or build where the CUDA Toolkit 12.4 or newer is "
        "installed");
}

}  // namespace whorl
