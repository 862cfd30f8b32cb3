#include "tests/support/reference.hpp"

#include <cmath>
#include <cstring>

#include "tests/support/mixer_operations.hpp"

namespace whorl::test {
namespace {

constexpr double kPi = 3.14159265358979323846;

double round_to_bf16(double x) {
    const auto single = static_cast<float>(x);
    std::uint32_t bits;
    std::memcpy(&bits, &single, sizeof bits);
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000U;
    float rounded;
    std::memcpy(&rounded, &bits, sizeof rounded);
    return static_cast<double>(rounded);
}

/// One head of one sequence of a Mamba-3 layer.
struct Mamba3Head {
    Mamba3Head(const Operation& op, const Values& values, const Mamba3Config& config, const Mamba3Fault& wrong)
        : c(config),
          fault(wrong),
          z(op, values, "z"),
          xbc(op, values, "xbc"),
          ddt(op, values, "ddt"),
          da(op, values, "da"),
          u(op, values, "u"),
          angle(op, values, "angle"),
          dt_bias(op, values, "dt_bias"),
          d(op, values, "d"),
          a_log(op, values, "a_log"),
          b_bias(op, values, "b_bias"),
          c_bias(op, values, "c_bias"),
          b_norm(op, values, "b_norm"),
          c_norm(op, values, "c_norm"),
          mimo_x(op, values, "mimo_x"),
          mimo_z(op, values, "mimo_z"),
          mimo_o(op, values, "mimo_o"),
          norm(op, values, "norm"),
          heads(op.output[3] / config.headdim),
          p(config.headdim),
          n(config.d_state),
          rank(config.rank()),
          s(config.angles()) {}

    const Mamba3Config& c;
    Mamba3Fault fault;
    NumberView z, xbc, ddt, da, u, angle, dt_bias, d, a_log, b_bias, c_bias, b_norm, c_norm, mimo_x, mimo_z, mimo_o,
        norm;
    std::int64_t heads, p, n, rank, s;

    double step_size(std::int64_t b, std::int64_t t, std::int64_t h) const {
        return softplus_reference(ddt(b, t, h) + dt_bias(h));
    }
    double decay_rate(std::int64_t b, std::int64_t t, std::int64_t h) const {
        if (a_log) return -std::exp(a_log(h));
        const double v = da(b, t, h);
        const double f = c.a_activation == AActivation::softplus ? softplus_reference(v) : v >= 0 ? 1 + v : 1 / (1 - v);
        return fault.clamp_before_minus ? std::max(-f, c.a_floor) : -std::max(f, c.a_floor);
    }
    double trapezoid_weight(std::int64_t b, std::int64_t t, std::int64_t h) const {
        if (c.discretization == Discretization::euler) return 1;
        return c.discretization == Discretization::trapezoidal_half ? 0.5 : sigmoid_reference(u(b, t, h));
    }
    /// How far pair j turns in the step to position t.
    double turn(std::int64_t b, std::int64_t t, std::int64_t h, std::int64_t j) const {
        if (c.rotation == Rotation::none) return 0;
        if (c.rotation == Rotation::standard)
            return std::pow(10000.0, -static_cast<double>(j) / static_cast<double>(s));
        return step_size(b, t, h) * kPi * std::tanh(angle(b, t, j));
    }
    /// B or C of rank r as the head sees it, normed and biased, not rotated.
    std::vector<double> key(std::int64_t b, std::int64_t t, std::int64_t h, std::int64_t r, bool is_c) const {
        const std::int64_t group = h / (heads / c.ngroups), all = rank * c.ngroups * n;
        const std::int64_t first = heads * p + (is_c ? all : 0) + (r * c.ngroups + group) * n;
        std::vector<double> row, weight;
        for (std::int64_t i = 0; i < n; ++i) row.push_back(xbc(b, t, first + i));
        for (std::int64_t i = 0; i < n; ++i) weight.push_back(is_c ? c_norm(i) : b_norm(i));
        if (c.bc_norm) rms_norm_reference(row.data(), weight.data(), n, kMixerEpsilon);
        const NumberView& bias = is_c ? c_bias : b_bias;
        for (std::int64_t i = 0; bias && i < n; ++i) row[static_cast<std::size_t>(i)] += bias(h, r, i);
        return row;
    }
    double value(std::int64_t b, std::int64_t t, std::int64_t h, std::int64_t r, std::int64_t i) const {
        return xbc(b, t, h * p + i) * mimo_x(h, r, i);
    }
    /// Turns the pairs of a row by `sign` times the angles of the step to t (or of `phase` when given).
    void rotate(std::vector<double>& row, const std::vector<double>& angles, double sign) const {
        for (std::int64_t j = 0; j < s; ++j) {
            const bool halves = c.pairing() == RotaryPairing::halves;
            double &x = row[static_cast<std::size_t>(halves ? j : 2 * j)],
                   &y = row[static_cast<std::size_t>(halves ? j + n / 2 : 2 * j + 1)];
            const double co = std::cos(angles[static_cast<std::size_t>(j)]),
                         si = sign * std::sin(angles[static_cast<std::size_t>(j)]);
            const double turned = co * x - si * y;
            y = si * x + co * y;
            x = turned;
        }
    }
    std::vector<double> gated(std::int64_t b, std::int64_t t, std::int64_t h, std::int64_t r,
                              std::vector<double> y) const {
        std::vector<double> weight;
        for (std::int64_t i = 0; i < p; ++i) weight.push_back(norm(h * p + i));
        if (c.outproj_norm == OutprojNorm::pre_gate) rms_norm_reference(y.data(), weight.data(), p, kMixerEpsilon);
        for (std::int64_t i = 0; i < p; ++i)
            y[static_cast<std::size_t>(i)] *= silu_reference(z(b, t, h * p + i) * mimo_z(h, r, i));
        if (c.outproj_norm == OutprojNorm::post_gate) rms_norm_reference(y.data(), weight.data(), p, kMixerEpsilon);
        return y;
    }

    void run(std::int64_t b, std::int64_t h, std::int64_t length, std::vector<double>& out) const {
        Matrix state = matrix(p, n), last_input = matrix(p, n);
        std::vector<double> phase(static_cast<std::size_t>(s));
        for (std::int64_t t = 0; t < length; ++t) {
            const double dt = step_size(b, t, h), a = decay_rate(b, t, h), lambda = trapezoid_weight(b, t, h);
            const double alpha = std::exp(dt * a),
                         beta = (1 - lambda) * dt * (fault.previous_term_undecayed ? 1 : alpha);
            std::vector<double> angles;
            for (std::int64_t j = 0; j < s; ++j) angles.push_back(turn(b, t, h, j));
            for (std::int64_t j = 0; j < s; ++j)
                phase[static_cast<std::size_t>(j)] += angles[static_cast<std::size_t>(j)];
            std::vector<double> coarse;
            for (const double x : phase) coarse.push_back(round_to_bf16(std::remainder(x, 2 * kPi)));
            Matrix input = matrix(p, n);
            for (std::int64_t r = 0; r < rank; ++r) {
                std::vector<double> k = key(b, t, h, r, false);
                if (fault.coarse_angles) rotate(k, coarse, 1);
                for (std::int64_t i = 0; i < p; ++i)
                    for (std::int64_t m = 0; m < n; ++m)
                        input[static_cast<std::size_t>(i)][static_cast<std::size_t>(m)] +=
                            value(b, t, h, r, i) * k[static_cast<std::size_t>(m)];
            }
            for (std::size_t i = 0; i < state.size(); ++i) {
                for (std::size_t m = 0; m < state[i].size(); ++m)
                    state[i][m] = alpha * state[i][m] + beta * last_input[i][m];
                if (!fault.coarse_angles) rotate(state[i], angles, -1);
                for (std::size_t m = 0; m < state[i].size(); ++m) state[i][m] += lambda * dt * input[i][m];
            }
            last_input = input;
            for (std::int64_t r = 0; r < rank; ++r) {
                std::vector<double> q = key(b, t, h, r, true), y;
                if (fault.coarse_angles) rotate(q, coarse, 1);
                for (std::int64_t i = 0; i < p; ++i) {
                    y.push_back(d(h) * value(b, t, h, r, i));
                    for (std::size_t m = 0; m < q.size(); ++m) y.back() += state[static_cast<std::size_t>(i)][m] * q[m];
                }
                y = gated(b, t, h, r, y);
                for (std::int64_t i = 0; i < p; ++i)
                    out[static_cast<std::size_t>(((b * length + t) * heads + h) * p + i)] +=
                        y[static_cast<std::size_t>(i)] * mimo_o(h, r, i);
            }
        }
    }
};

}  // namespace

std::vector<double> mamba3_reference(const Operation& operation, const Values& values, const Mamba3Config& config,
                                     const Mamba3Fault& fault) {
    std::vector<double> out(static_cast<std::size_t>(count_of(operation.output)));
    const Mamba3Head head(operation, values, config, fault);
    for (std::int64_t b = 0; b < operation.output[1]; ++b)
        for (std::int64_t h = 0; h < head.heads; ++h) head.run(b, h, operation.output[2], out);
    return out;
}

void rms_norm_reference(double* x, const double* weight, std::int64_t count, double epsilon) {
    double square = 0;
    for (std::int64_t i = 0; i < count; ++i) square += x[i] * x[i];
    for (std::int64_t i = 0; i < count; ++i)
        x[i] *= weight[i] / std::sqrt(square / static_cast<double>(count) + epsilon);
}

double softplus_reference(double x) {
    return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}
double sigmoid_reference(double x) {
    return 1 / (1 + std::exp(-x));
}
Matrix matrix(std::int64_t rows, std::int64_t columns) {
    return Matrix(static_cast<std::size_t>(rows), std::vector<double>(static_cast<std::size_t>(columns)));
}

double silu_reference(double x) {
    return x * sigmoid_reference(x);
}

NumberView::NumberView(const Operation& operation, const Values& values, const std::string& name) {
    for (std::size_t i = 0; i < operation.inputs.size(); ++i)
        if (operation.inputs[i].name == name) {
            data_ = values.inputs[i].data();
            shape_ = operation.inputs[i].shape;
        }
}

}  // namespace whorl::test
