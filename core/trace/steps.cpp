#include "core/trace/steps.hpp"

#include <cmath>
#include <stdexcept>

#include "core/numerics/rotation.hpp"
#include "core/trace/recurrence.hpp"

namespace whorl::trace {
namespace {

constexpr double kSingular = 1e-12;  // of |det(I - M)|: below it no fixed point can be told

std::unique_ptr<Recurrence> recurrence_of(const Trace& trace, const PlaneChoice& choice) {
    const TraceLayer& layer = trace.layers.at(choice.layer);
    if (layer.type == "mamba3") return make_mamba3_recurrence(trace.config, layer, choice.head, choice.pair);
    if (layer.type == "mamba2") return make_mamba2_recurrence(layer, choice.head);
    if (layer.type == "gated_delta_net") return make_gated_delta_recurrence(layer, choice.head);
    throw std::invalid_argument(layer.type + " carries no state that a step turns, shrinks or flips");
}

/// Σ_t sᵀ s [P,P]: the energy of the channels.
Numbers channel_energy(const Recurrence& recurrence) {
    const std::int64_t n = recurrence.rows(), p = recurrence.channels();
    Numbers state = zeros(n * p), energy = zeros(p * p);
    for (std::int64_t t = 0; t < recurrence.length(); ++t) {
        recurrence.advance(t, {}, state);
        add_outer_products(energy, 1, state, state, n);
    }
    return energy;
}

double trace_of(const Numbers& matrix, std::int64_t n) {
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += matrix[static_cast<std::size_t>(i * n + i)];
    return sum;
}

/// Σ_t s sᵀ [rows,rows] along w.
Numbers row_energy(const Recurrence& recurrence, const Numbers& w) {
    const std::int64_t n = recurrence.rows();
    Numbers state = zeros(n), energy = zeros(n * n);
    for (std::int64_t t = 0; t < recurrence.length(); ++t) {
        recurrence.advance(t, w, state);
        add_outer_products(energy, 1, state, state);
    }
    return energy;
}

/// xᵀ matrix x
double form(const Numbers& matrix, const Numbers& x) {
    return dot(read(matrix, x), x);
}

void choose_channel(const Recurrence& recurrence, const PlaneChoice& choice, Steps& result) {
    const std::int64_t p = recurrence.channels();
    const Numbers energy = channel_energy(recurrence);
    result.channel = choice.channel.empty() ? directions(energy, p)[0] : choice.channel;
    if (static_cast<std::int64_t>(result.channel.size()) != p) throw std::invalid_argument("a direction of P channels");
    scale(result.channel, 1 / std::sqrt(sum_of_squares(result.channel)));
    const double all = trace_of(energy, p);
    result.channel_share = all > 0 ? form(energy, result.channel) / all : 1;
}

}  // namespace

double length(PlanePoint a) {
    return std::sqrt(a.x * a.x + a.y * a.y);
}

PlanePoint turned(PlanePoint a, double angle) {
    const auto turn = numerics::sincos(angle);
    return {turn.cos * a.x - turn.sin * a.y, turn.sin * a.x + turn.cos * a.y};
}

std::optional<PlanePoint> fixed_point_of(const StepPieces& step) {
    const PlaneMap& m = step.linear;
    const PlanePoint c = step.before + step.now + step.hidden;
    const double a = 1 - m[0], b = -m[1], d = -m[2], e = 1 - m[3], det = a * e - b * d;
    if (std::abs(det) < kSingular) return std::nullopt;
    return PlanePoint{(e * c.x - b * c.y) / det, (a * c.y - d * c.x) / det};
}

Steps steps_of(const Trace& trace, const PlaneChoice& choice) {
    const std::unique_ptr<Recurrence> recurrence = recurrence_of(trace, choice);
    Steps result;
    choose_channel(*recurrence, choice, result);
    const Numbers energy = row_energy(*recurrence, result.channel);
    const Plane plane = recurrence->plane(energy);
    const double all = trace_of(energy, recurrence->rows());
    if (all > 0) result.plane_share = (form(energy, plane.first) + form(energy, plane.second)) / all;
    result.first = plane.first;
    result.second = plane.second;
    Numbers state = zeros(recurrence->rows());
    for (std::int64_t t = 0; t < recurrence->length(); ++t) {
        StepPieces step = recurrence->pieces(t, result.channel, plane, state);
        step.u = step.kept + step.before + step.now + step.hidden;
        step.fixed_point = fixed_point_of(step);
        recurrence->advance(t, result.channel, state);
        result.steps.push_back(step);
    }
    result.phase = recurrence->phase();
    return result;
}

}  // namespace whorl::trace
