#include "app/bench/measure.hpp"

#include <algorithm>

namespace whorl {
namespace {

void scale(Timing& timing, double by) {
    for (double* value : {&timing.median, &timing.fastest, &timing.slowest}) *value *= by;
}

}  // namespace

Timing summarise(std::vector<double> seconds) {
    std::sort(seconds.begin(), seconds.end());
    return {seconds[seconds.size() / 2], seconds.front(), seconds.back()};
}

Timing time_calls_under_way(Backend& backend, double budget, const std::function<void()>& body) {
    constexpr double kLeast = 2e-3;  // seconds
    constexpr std::int64_t kMost = 64;
    const auto some = [&](std::int64_t calls) {
        for (std::int64_t i = 0; i < calls; ++i) body();
        backend.synchronize();
    };
    std::int64_t calls = 1;
    if (backend.device() != Device::cpu) {
        const double once = time_calls(0, [&] { some(1); }).fastest;
        calls = std::clamp<std::int64_t>(static_cast<std::int64_t>(kLeast / once), 1, kMost);
    }
    Timing timing = time_calls(budget, [&] { some(calls); });
    scale(timing, 1 / static_cast<double>(calls));
    return timing;
}

RecordedTiming time_recorded(Backend& backend, double budget, std::int64_t calls,
                             const std::function<void(std::int64_t)>& work) {
    const auto all = [&] {
        for (std::int64_t call = 0; call < calls; ++call) work(call);
    };
    all();  // whatever happens only the first time
    backend.synchronize();
    const std::unique_ptr<Recording> recording = backend.record(all);
    RecordedTiming timing{time_calls_under_way(backend, budget, [&] { recording->run(); }), recording->nodes() / calls};
    scale(timing.call, 1 / static_cast<double>(calls));
    return timing;
}

}  // namespace whorl
