// Timing: medians over repetitions, and the machine's own limits measured in the same run.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace whorl {

struct Timing {
    double median = 0, fastest = 0, slowest = 0;  // seconds a call
};

Timing summarise(std::vector<double> seconds);

/// Calls `body` for about `budget` seconds after one warm-up call, at least five times.
template <class Body>
Timing time_calls(double budget, const Body& body) {
    using Clock = std::chrono::steady_clock;
    body();
    std::vector<double> seconds;
    for (double spent = 0; spent < budget || seconds.size() < 5; spent += seconds.back()) {
        const auto start = Clock::now();
        body();
        seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    }
    return summarise(std::move(seconds));
}

/// GFLOP/s of float32 matrix products (384×384×384) on `threads` threads at once: the ceiling that shares refer to.
double measured_gemm_rate(int threads);

}  // namespace whorl
