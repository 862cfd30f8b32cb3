#include "app/bench/limits.hpp"

#include <algorithm>
#include <cstring>

#include "app/bench/measure.hpp"
#include "core/backend/ceilings.hpp"
#include "core/base/philox.hpp"
#include "core/cpu/gemm.hpp"
#include "core/cpu/parallel.hpp"

namespace whorl {
namespace {

constexpr double kSeconds = 0.5;  // for each limit

double matrix_rate(int threads) {
    constexpr std::int64_t n = 384, repeats = 8;
    std::vector<float> a(static_cast<std::size_t>(n * n));
    Random random(1, Purpose::sampling, 0, 0);
    for (float& value : a) value = static_cast<float>(random.uniform(-1, 1));
    const std::vector<float> b(a.rbegin(), a.rend());
    std::vector<std::vector<float>> c(static_cast<std::size_t>(threads), a);
    const Timing timing = time_calls(kSeconds, [&] {
        cpu::parallel_for(threads, threads, [&](std::int64_t task, int) {
            for (std::int64_t i = 0; i < repeats; ++i)
                cpu::gemm_nn<float>({a.data(), n, n, n}, {b.data(), n, n, n},
                                    {c[static_cast<std::size_t>(task)].data(), n, n, n}, cpu::Write::assign);
        });
    });
    return 2e-9 * n * n * n * repeats * threads / timing.median;
}

double copy_rate(int threads) {
    constexpr std::size_t bytes = std::size_t{256} << 20;  // beyond any cache
    std::vector<char> from(bytes, 1), to(bytes);
    const std::size_t part = bytes / static_cast<std::size_t>(threads);
    const Timing timing = time_calls(kSeconds, [&] {
        cpu::parallel_for(threads, threads, [&](std::int64_t task, int) {
            const std::size_t begin = static_cast<std::size_t>(task) * part;
            std::memcpy(to.data() + begin, from.data() + begin, part);
        });
    });
    return 2e-9 * static_cast<double>(part) * threads / timing.median;
}

}  // namespace

MachineLimits measure_limits(const Backend& backend) {
    if (backend.device() == Device::cpu)
        return {matrix_rate(backend.processors()), 0, 0, copy_rate(backend.processors())};
    const Ceilings c = measure_cuda_ceilings();
    return {c.gflops, c.tf32_gflops, c.bf16_gflops, c.gbytes};
}

}  // namespace whorl
