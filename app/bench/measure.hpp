// Timing: medians over repetitions.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/backend/backend.hpp"

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

/// Times body(), which asks the backend for work: on a GPU as many calls as take two milliseconds (64 at most) are
/// under way at a time, as in training, so that what the host does between them hides; on a processor one.
Timing time_calls_under_way(Backend& backend, double budget, const std::function<void()>& body);

struct RecordedTiming {
    Timing call;             // of one call
    std::int64_t nodes = 0;  // that one call hands to a GPU
};

/// Records work(0), …, work(calls-1) once (Backend::record: on a GPU one graph) and times its replays.
RecordedTiming time_recorded(Backend& backend, double budget, std::int64_t calls,
                             const std::function<void(std::int64_t)>& work);

}  // namespace whorl
