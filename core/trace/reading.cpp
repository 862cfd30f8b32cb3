#include "core/trace/reading.hpp"

#include <algorithm>
#include <stdexcept>

namespace whorl {
namespace {

const TraceQuantity& found(const TraceLayer& layer, const std::string& name) {
    const TraceQuantity* quantity = layer.find(name);
    if (quantity == nullptr) throw std::out_of_range("no quantity " + name);
    return *quantity;
}

}  // namespace

Reading::Reading(const TraceLayer& layer, const std::string& name)
    : quantity_(found(layer, name)), shape_(quantity_.shape()) {}

std::size_t Reading::offset(const std::int64_t* at, std::size_t count) const {
    if (count != shape_.size()) throw std::out_of_range(quantity_.name + ": wrong number of indices");
    return row_offset(at, count);
}

std::size_t Reading::row_offset(const std::int64_t* at, std::size_t count) const {
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < shape_.size(); ++axis) {
        const std::int64_t index = axis < count ? at[axis] : 0;
        if (index < 0 || (axis < count && index >= shape_[axis]))
            throw std::out_of_range(quantity_.name + ": index out of range");
        offset = offset * shape_[axis] + index;
    }
    return static_cast<std::size_t>(offset);
}

std::int64_t head_index(const TraceLayer& layer, std::int64_t head) {
    for (const TraceQuantity& quantity : layer.quantities)
        for (const TraceAxis& axis : quantity.axes) {
            if (axis.name != "head") continue;
            const auto at = std::find(axis.labels.begin(), axis.labels.end(), head);
            if (at == axis.labels.end()) throw std::out_of_range("head " + std::to_string(head) + " was not kept");
            return at - axis.labels.begin();
        }
    throw std::out_of_range("the layer keeps no heads");
}

}  // namespace whorl
