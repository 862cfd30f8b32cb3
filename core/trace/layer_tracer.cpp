#include "core/trace/layer_tracer.hpp"

#include <numeric>

namespace whorl::trace {

std::int64_t Series::numbers_per_position() const {
    std::int64_t count = 1;
    for (const TraceAxis& axis : quantity_.axes) count *= static_cast<std::int64_t>(axis.labels.size());
    return count;
}

TraceQuantity Series::take(std::int64_t length) {
    quantity_.axes.insert(quantity_.axes.begin(), axis("position", length));
    return std::move(quantity_);
}

TraceAxis axis(std::string name, std::int64_t count) {
    std::vector<std::int64_t> labels(static_cast<std::size_t>(count));
    std::iota(labels.begin(), labels.end(), 0);
    return {std::move(name), std::move(labels)};
}
TraceAxis axis(std::string name, std::vector<std::int64_t> labels) {
    return {std::move(name), std::move(labels)};
}

std::vector<std::int64_t> pair_channels(std::int64_t pair, std::int64_t channels, RotaryPairing pairing) {
    if (pairing == RotaryPairing::halves) return {pair, pair + channels / 2};
    if (2 * pair + 1 == channels) return {2 * pair};
    return {2 * pair, 2 * pair + 1};
}

}  // namespace whorl::trace
