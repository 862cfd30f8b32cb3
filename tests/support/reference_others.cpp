// Mamba-2, the gated delta rule and attention in plain loops.
#include <cmath>

#include "tests/support/reference.hpp"

namespace whorl::test {

std::vector<double> mamba2_reference(const Operation& operation, const Values& values, const Mamba2Config& c) {
    const NumberView xbc(operation, values, "xbc"), ddt(operation, values, "ddt"),
        dt_bias(operation, values, "dt_bias"), d(operation, values, "d"), a_log(operation, values, "a_log");
    const std::int64_t p = c.headdim, n = c.d_state, heads = operation.output[3] / p, length = operation.output[2];
    std::vector<double> out;
    out.resize(static_cast<std::size_t>(count_of(operation.output)));
    for (std::int64_t b = 0; b < operation.output[1]; ++b)
        for (std::int64_t h = 0; h < heads; ++h) {
            const std::int64_t first = heads * p + h / (heads / c.ngroups) * n;
            Matrix state = matrix(p, n);
            for (std::int64_t t = 0; t < length; ++t) {
                const double dt = softplus_reference(ddt(b, t, h) + dt_bias(h)),
                             decay = std::exp(-dt * std::exp(a_log(h)));
                for (std::int64_t i = 0; i < p; ++i) {
                    const double x = xbc(b, t, h * p + i);
                    double y = d(h) * x;
                    for (std::int64_t m = 0; m < n; ++m) {
                        double& cell = state[static_cast<std::size_t>(i)][static_cast<std::size_t>(m)];
                        cell = decay * cell + dt * x * xbc(b, t, first + m);
                        y += cell * xbc(b, t, first + c.ngroups * n + m);
                    }
                    out[static_cast<std::size_t>(((b * length + t) * heads + h) * p + i)] = y;
                }
            }
        }
    return out;
}

std::vector<double> gated_delta_reference(const Operation& operation, const Values& values,
                                          const GatedDeltaNetConfig& c) {
    const NumberView q(operation, values, "q"), k(operation, values, "k"), v(operation, values, "v"),
        a(operation, values, "a"), b_raw(operation, values, "b"), dt_bias(operation, values, "dt_bias"),
        a_log(operation, values, "a_log");
    const std::int64_t keys = c.head_dim, width = c.head_v_dim(), heads = c.v_heads(), length = operation.output[2];
    std::vector<double> out(static_cast<std::size_t>(count_of(operation.output)));
    const auto unit = [&](const NumberView& x, std::int64_t b, std::int64_t t, std::int64_t head) {
        std::vector<double> row;
        double square = 1e-6;
        for (std::int64_t i = 0; i < keys; ++i) row.push_back(x(b, t, head * keys + i));
        for (const double each : row) square += each * each;
        for (double& each : row) each /= std::sqrt(square);
        return row;
    };
    for (std::int64_t b = 0; b < operation.output[1]; ++b)
        for (std::int64_t j = 0; j < heads; ++j) {
            const std::int64_t head = j / (heads / c.num_heads);
            Matrix state = matrix(keys, width);
            for (std::int64_t t = 0; t < length; ++t) {
                const double g = -std::exp(a_log(j)) * softplus_reference(a(b, t, j) + dt_bias(j));
                const double beta = (c.allow_neg_eigval ? 2 : 1) * sigmoid_reference(b_raw(b, t, j));
                const std::vector<double> query = unit(q, b, t, head), key = unit(k, b, t, head);
                Matrix next = matrix(keys, width);
                for (std::size_t row = 0; row < next.size(); ++row)
                    for (std::size_t col = 0; col < next[row].size(); ++col) {
                        for (std::size_t m = 0; m < next.size(); ++m)
                            next[row][col] +=
                                std::exp(g) * ((row == m ? 1 : 0) - beta * key[row] * key[m]) * state[m][col];
                        next[row][col] += beta * key[row] * v(b, t, j * width + static_cast<std::int64_t>(col));
                    }
                state = next;
                for (std::size_t col = 0; col < static_cast<std::size_t>(width); ++col) {
                    double o = 0;
                    for (std::size_t m = 0; m < state.size(); ++m)
                        o += state[m][col] * query[m] / std::sqrt(static_cast<double>(keys));
                    out[static_cast<std::size_t>(((b * length + t) * heads + j) * width) + col] = o;
                }
            }
        }
    return out;
}

std::vector<double> attention_reference(const Operation& operation, const Values& values, const AttentionConfig& c) {
    const NumberView qkv(operation, values, "qkv");
    const std::int64_t k = c.head_dim, width = c.num_heads * k, half = k / 2, length = operation.output[2];
    std::vector<double> out(static_cast<std::size_t>(count_of(operation.output)));
    const auto turned = [&](std::int64_t b, std::int64_t t, std::int64_t first, std::int64_t i) {
        if (c.positions == Positions::none) return qkv(b, t, first + i);
        const std::int64_t j = i % half;
        const double angle =
            static_cast<double>(t) * std::pow(10000.0, -2.0 * static_cast<double>(j) / static_cast<double>(k));
        const double x = qkv(b, t, first + j), y = qkv(b, t, first + j + half);
        return i < half ? x * std::cos(angle) - y * std::sin(angle) : x * std::sin(angle) + y * std::cos(angle);
    };
    for (std::int64_t b = 0; b < operation.output[1]; ++b)
        for (std::int64_t h = 0; h < c.num_heads; ++h)
            for (std::int64_t t = 0; t < length; ++t) {
                double total = 0;
                double* row = out.data() + (b * length + t) * width + h * k;
                for (std::int64_t s = 0; s <= t; ++s) {
                    double score = 0;
                    for (std::int64_t i = 0; i < k; ++i)
                        score += turned(b, t, h * k, i) * turned(b, s, width + h * k, i);
                    const double weight = std::exp(score / std::sqrt(static_cast<double>(k)));
                    total += weight;
                    for (std::int64_t i = 0; i < k; ++i) row[i] += weight * qkv(b, s, 2 * width + h * k + i);
                }
                for (std::int64_t i = 0; i < k; ++i) row[i] /= total;
            }
    return out;
}

}  // namespace whorl::test
