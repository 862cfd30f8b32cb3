#include "gpu/emulated/grid.hpp"

#include "gpu/emulated/block.hpp"

constinit thread_local uint3 threadIdx{}, blockIdx{};
constinit thread_local dim3 blockDim{}, gridDim{};

namespace whorl::gpu {
alignas(16) thread_local std::byte shared_bytes[emulated::kSharedLimit + emulated::kSharedGuard];
}

namespace whorl::emulated {
namespace {

constexpr std::int64_t kWorthSharing = 2048;  // threads of a grid that several OS threads run

/// The block that this OS thread runs: made once, its stacks are used for every later one.
Block& block() {
    thread_local Block own;
    return own;
}

}  // namespace

void run_grid(const Grid& grid, const std::function<void()>& kernel) {
    const std::int64_t plane = std::int64_t{grid.blocks.x} * grid.blocks.y, count = plane * grid.blocks.z;
    const std::int64_t threads = std::int64_t{grid.threads.x} * grid.threads.y * grid.threads.z;
#pragma omp parallel for schedule(dynamic) if (count > 1 && count * threads >= kWorthSharing)
    for (std::int64_t turn = 0; turn < count; ++turn) {
        const std::int64_t index = order().of_block(turn, count);
        block().run(grid, kernel,
                    {static_cast<unsigned>(index % grid.blocks.x), static_cast<unsigned>(index % plane / grid.blocks.x),
                     static_cast<unsigned>(index / plane)});
    }
}

}  // namespace whorl::emulated
