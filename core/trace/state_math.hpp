// The few loops that the tracers share: plain, in double, in the order of their indices.
#pragma once

#include <cstdint>
#include <vector>

#include "core/trace/layer_tracer.hpp"

namespace whorl::trace {

using Numbers = std::vector<double>;

inline Numbers zeros(std::int64_t count) {
    return Numbers(static_cast<std::size_t>(count), 0.0);
}
inline void scale(Numbers& values, double factor) {
    for (double& value : values) value *= factor;
}
/// values[i] *= by[i]
inline void multiply(Numbers& values, const double* by) {
    for (double& value : values) value *= *by++;
}
inline void add(Numbers& values, const double* other) {
    for (double& value : values) value += *other++;
}
inline double dot(const Numbers& a, const Numbers& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
}
inline double sum_of_squares(const Numbers& values) {
    return dot(values, values);
}

/// state [N,P] += weight · Σ_r k_r x_rᵀ, k [rank,N], x [rank,P].
inline void add_outer_products(Numbers& state, double weight, const Numbers& k, const Numbers& x,
                               std::int64_t rank = 1) {
    const auto ranks = static_cast<std::size_t>(rank);
    const std::size_t n = k.size() / ranks, p = x.size() / ranks;
    for (std::size_t r = 0; r < ranks; ++r)
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < p; ++j) state[i * p + j] += weight * k[r * n + i] * x[r * p + j];
}

/// What each q_r [N] reads from the state [N,P]: stateᵀ q_r, [rank,P].
inline Numbers read(const Numbers& state, const Numbers& q, std::int64_t rank = 1) {
    const auto ranks = static_cast<std::size_t>(rank);
    const std::size_t n = q.size() / ranks, p = state.size() / n;
    Numbers result(ranks * p, 0.0);
    for (std::size_t r = 0; r < ranks; ++r)
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < p; ++j) result[r * p + j] += q[r * n + i] * state[i * p + j];
    return result;
}

/// The chosen rows of a state [N,width].
inline void put_rows(Series& series, const Numbers& state, const std::vector<std::int64_t>& rows, std::int64_t width) {
    for (const std::int64_t row : rows) series.put(state.data() + row * width, width);
}

}  // namespace whorl::trace
