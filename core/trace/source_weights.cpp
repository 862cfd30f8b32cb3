#include "core/trace/source_weights.hpp"

#include "core/trace/reading.hpp"

namespace whorl::trace {

SourceWeights source_weights(const TraceLayer& layer, std::int64_t head) {
    const Reading dt(layer, "dt"), lambda(layer, "lambda");
    const std::int64_t h = head_index(layer, head), length = dt.extent(0);
    SourceWeights weights;
    for (std::int64_t t = 0; t < length; ++t) {
        weights.own.push_back(lambda(t, h) * dt(t, h));
        weights.next.push_back(t + 1 < length ? (1 - lambda(t + 1, h)) * dt(t + 1, h) : 0);
    }
    return weights;
}

}  // namespace whorl::trace
