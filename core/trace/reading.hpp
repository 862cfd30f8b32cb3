// One quantity of a trace by indices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/trace/trace.hpp"

namespace whorl {

/// By indices (positions in the arrays, not labels); the position and, where there is one, the head first. The layer
/// must outlive it.
class Reading {
public:
    /// Throws std::out_of_range when the layer has no such quantity.
    Reading(const TraceLayer& layer, const std::string& name);
    template <class... Index>
    double operator()(Index... index) const {
        const std::int64_t at[] = {static_cast<std::int64_t>(index)...};
        return quantity_.values.at(offset(at, sizeof...(index)));
    }
    /// The numbers that follow the given leading indices.
    template <class... Index>
    const double* row(Index... index) const {
        const std::int64_t at[] = {static_cast<std::int64_t>(index)...};
        return quantity_.values.data() + row_offset(at, sizeof...(index));
    }
    std::int64_t extent(std::size_t axis) const { return shape_.at(axis); }
    std::size_t axes() const { return shape_.size(); }

private:
    std::size_t offset(const std::int64_t* at, std::size_t count) const;
    std::size_t row_offset(const std::int64_t* at, std::size_t count) const;

    const TraceQuantity& quantity_;
    std::vector<std::int64_t> shape_;
};

/// Where `head` stands among the layer's kept heads. Throws std::out_of_range when it was not kept.
std::int64_t head_index(const TraceLayer& layer, std::int64_t head);

}  // namespace whorl
