#include "experiments/bench/measure.hpp"

#include <algorithm>

#include "core/cpu/gemm.hpp"
#include "core/cpu/parallel.hpp"

namespace whorl {

Timing summarise(std::vector<double> seconds) {
    std::sort(seconds.begin(), seconds.end());
    return {seconds[seconds.size() / 2], seconds.front(), seconds.back()};
}

double measured_gemm_rate(int threads) {
    constexpr std::int64_t n = 384, repeats = 8;
    std::vector<float> a(static_cast<std::size_t>(n * n), 0.5f), b(a);
    std::vector<std::vector<float>> c(static_cast<std::size_t>(threads), a);
    const Timing timing = time_calls(0.5, [&] {
        cpu::parallel_for(threads, threads, [&](std::int64_t task, int) {
            for (std::int64_t i = 0; i < repeats; ++i)
                cpu::gemm_nn<float>({a.data(), n, n, n}, {b.data(), n, n, n},
                                    {c[static_cast<std::size_t>(task)].data(), n, n, n}, cpu::Write::assign);
        });
    });
    return 2e-9 * n * n * n * repeats * threads / timing.median;
}

}  // namespace whorl
