// Stands in for the GPU backend in a build without CUDA.
#include "core/backend/ceilings.hpp"
#include "core/backend/communicator.hpp"
#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "tasks/registry.hpp"

namespace whorl {

std::string why_no_cuda(int) {
    return "no CUDA in this build";
}

int cuda_device_count() {
    return 0;
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

std::unique_ptr<Backend> make_cuda_backend(int) {
    throw UserError("--device cuda: " + why_no_cuda() +
                    "; choose --device cpu, or build with -DWHORL_CUDA=ON where the CUDA Toolkit 12.4 or newer is "
                    "installed");
}

std::string why_no_communicator() {
    return why_no_cuda();
}

std::vector<std::unique_ptr<Communicator>> make_communicators(const Devices&, std::int64_t) {
    throw UserError("data_parallel: " + why_no_communicator());
}

}  // namespace whorl
