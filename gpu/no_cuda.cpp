// Stands in for the GPU backend in a build without CUDA.
#include "core/backend/backend.hpp"
#include "core/base/error.hpp"
#include "tasks/registry.hpp"

namespace whorl {

std::string why_no_cuda() {
    return "no CUDA in this build";
}

bool cuda_is_emulated() {
    return false;
}

Ceilings measure_cuda_ceilings() {
    return {};
}

std::unique_ptr<DeviceBatch> make_device_batch(const Task&, Backend&, std::int64_t) {
    return nullptr;
}

std::unique_ptr<Backend> make_cuda_backend() {
    throw UserError("--device cuda: " + why_no_cuda() +
                    "; choose --device cpu, or build where the CUDA Toolkit 12.4 or newer is installed");
}

}  // namespace whorl
