// Steps taken apart: their pieces add up to the recorded state, and turn, slide or flip about their fixed points.
#include "core/trace/steps.hpp"

#include <cmath>

#include "core/model/constructed/constructed.hpp"
#include "core/trace/layer_tracer.hpp"
#include "core/trace/recurrence.hpp"
#include "core/trace/source_weights.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/traced_model.hpp"

using namespace whorl;
using namespace whorl::test;
using trace::PlanePoint;
using trace::StepPieces;
using trace::Steps;

namespace {

constexpr double kPi = 3.14159265358979323846;

/// Recorded state rows [rows,P] of `quantity` along w, at position t: one number a row.
std::vector<double> recorded(const TraceLayer& layer, const char* quantity, std::int64_t t, std::int64_t head,
                             const std::vector<double>& w) {
    const Reading state(layer, quantity);
    std::vector<double> result;
    for (std::int64_t n = 0; n < state.extent(2); ++n) {
        double sum = 0;
        for (std::size_t p = 0; p < w.size(); ++p) sum += state(t, head, n, p) * w[p];
        result.push_back(sum);
    }
    return result;
}

double inner(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
}

/// Where the state was recorded to be in the plane of `steps`.
PlanePoint recorded_point(const Trace& trace, std::size_t layer, std::int64_t head, std::int64_t pair,
                          const Steps& steps, std::int64_t t) {
    const TraceLayer& of = trace.layers[layer];
    const bool mamba3 = of.type == "mamba3";
    const std::vector<double> rows =
        recorded(of, of.find("still_state") ? "still_state" : "state", t, head, steps.channel);
    if (!mamba3) return {inner(rows, steps.first), inner(rows, steps.second)};
    const auto& config = std::get<Mamba3Config>(trace.config.layers[layer]);
    const auto channels = trace::pair_channels(pair, config.d_state, config.pairing());
    return {rows[static_cast<std::size_t>(channels[0])],
            channels.size() > 1 ? rows[static_cast<std::size_t>(channels[1])] : 0};
}

std::vector<std::int32_t> bits(const std::string& text) {
    std::vector<std::int32_t> tokens;
    for (const char bit : text) tokens.push_back(bit == '1' ? 2 : 1);
    return tokens;
}

const std::string kBits = "0110100110010110";

Steps steps_of_constructed(const char* name, const std::vector<std::int32_t>& tokens) {
    const ConstructedModel& model = constructed_model(name);
    TraceSelection selection;
    selection.state = false;
    return trace::steps_of(record_trace(model.config, model.slice, tokens, selection), {});
}

}  // namespace

TEST_CASE("the pieces of a step add up to the recorded state, in every model", "[trace][steps]") {
    std::vector<Subject> subjects = preset_subjects();
    for (Subject& golden : golden_subjects()) subjects.push_back(std::move(golden));
    std::int64_t seen = 0;
    for (const Subject& subject : subjects) {
        const Trace trace = record_trace(subject.config, subject.slice, subject.tokens);
        for (std::size_t layer = 0; layer < trace.layers.size(); ++layer) {
            if (trace.layers[layer].type == "attention") continue;
            INFO(subject.name << " layer " << layer);
            const std::int64_t pair = 1;
            const Steps steps = trace::steps_of(trace, {layer, 0, pair, {}});
            double worst = 0, size = 1e-30;
            for (std::size_t t = 0; t < steps.steps.size(); ++t) {
                const PlanePoint expected = recorded_point(trace, layer, 0, pair, steps, static_cast<std::int64_t>(t));
                worst = std::max(worst, length(steps.steps[t].u - expected));
                size = std::max(size, length(expected));
            }
            CHECK(worst <= 1e-11 * size);
            CHECK(steps.channel_share <= 1 + 1e-12);
            CHECK(steps.plane_share <= 1 + 1e-12);
            ++seen;
        }
    }
    CHECK(seen > 20);
}

TEST_CASE("directions are eigenvectors, the largest first", "[trace][steps]") {
    const std::int64_t n = 9;
    std::vector<double> matrix(81);
    for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < n; ++j)
            matrix[static_cast<std::size_t>(i * n + j)] = std::cos(double(i * j)) + (i == j ? double(i) : 0);
    const auto found = trace::directions(matrix, n);
    double before = 1e9;
    for (const auto& v : found) {
        const auto image = trace::read(matrix, v);
        const double value = inner(image, v);
        for (std::size_t i = 0; i < v.size(); ++i) CHECK(image[i] == Approx(value * v[i]).margin(1e-10));
        CHECK(value <= before);
        before = value;
        for (const auto& other : found) CHECK(inner(v, other) == Approx(&v == &other ? 1 : 0).margin(1e-12));
    }
}

TEST_CASE("any fixed direction of the channels obeys the same steps", "[trace][steps]") {
    const Subject subject = preset_subjects()[0];
    const Trace trace = record_trace(subject.config, subject.slice, subject.tokens);
    const std::int64_t channels = Reading(trace.layers[0], "x").extent(2);
    std::vector<double> w(static_cast<std::size_t>(channels));
    for (std::size_t p = 0; p < w.size(); ++p) w[p] = std::cos(3.0 * static_cast<double>(p)) + 0.2;
    const Steps steps = trace::steps_of(trace, {0, 0, 2, w});
    for (std::size_t t = 0; t < steps.steps.size(); ++t) {
        const PlanePoint expected = recorded_point(trace, 0, 0, 2, steps, static_cast<std::int64_t>(t));
        CHECK(length(steps.steps[t].u - expected) <= 1e-12);
    }
}

TEST_CASE("a fixed point is where the step would leave the state", "[trace][steps]") {
    for (const Subject& subject : preset_subjects()) {
        const Trace trace = record_trace(subject.config, subject.slice, subject.tokens);
        if (trace.layers[0].type == "attention") continue;
        INFO(subject.name);
        std::int64_t found = 0;
        for (const StepPieces& step : trace::steps_of(trace, {}).steps) {
            if (!step.fixed_point) continue;
            const PlanePoint there = *step.fixed_point;
            const PlanePoint after = step.linear * there + step.before + step.now + step.hidden;
            CHECK(length(after - there) <= 1e-9 * (1 + length(there)));
            ++found;
        }
        CHECK(found > 0);
    }
}

TEST_CASE("constructed Mamba-3 turns about its hinge by half a turn at each one", "[trace][steps][constructed]") {
    const Steps steps = steps_of_constructed("parity-mamba3", bits(kBits));
    double kept = 1, ones = 0;
    const double unit = length(steps.steps[1].u) / (1 + steps.steps[1].retention);  // 0 → -(1 + α) of it
    for (std::size_t t = 0; t < kBits.size(); ++t) {
        const StepPieces& step = steps.steps[t];
        if (kBits[t] == '0') {
            CHECK(std::abs(step.turn) < 1e-12);
            CHECK_FALSE(step.fixed_point.has_value());
        } else {
            ++ones;
            kept *= step.retention;
            CHECK(std::abs(std::cos(step.turn) + 1) < 1e-12);
            REQUIRE(step.fixed_point.has_value());
            // The hinge of every one is the same: -1 in units of what the construction writes.
            CHECK(length(*step.fixed_point) == Approx(unit).epsilon(1e-12));
            const PlanePoint arm = step.u - *step.fixed_point;
            CHECK(length(arm) == Approx(kept * unit).epsilon(1e-12));
            // Half a turn for each one so far, from where the first arm points.
            const PlanePoint hinge = *step.fixed_point, start = PlanePoint{} - hinge;
            const double angle = std::atan2(arm.y, arm.x) - std::atan2(start.y, start.x);
            CHECK(std::cos(angle - kPi * ones) == Approx(1).epsilon(1e-12));
        }
    }
}

TEST_CASE("constructed Gated DeltaNet flips across its mirror at each one", "[trace][steps][constructed]") {
    const Steps steps = steps_of_constructed("parity-gdn", bits(kBits));
    PlanePoint before;
    for (std::size_t t = 0; t < kBits.size(); ++t) {
        const StepPieces& step = steps.steps[t];
        CHECK(step.eigenvalue == Approx(kBits[t] == '1' ? -1 : 1).epsilon(1e-8));
        CHECK(length(step.hidden) < 1e-12);
        // det(I - M) = 0: the step keeps what lies across the key, so there is a line of fixed points, not one.
        CHECK_FALSE(step.fixed_point.has_value());
        if (kBits[t] == '1') CHECK(std::abs(step.u.x + before.x) == Approx(std::abs(step.now.x)).epsilon(1e-8));
        CHECK(std::abs(step.u.y) < 1e-12);
        before = step.u;
    }
}

TEST_CASE("constructed Mamba-2 slides towards its hinge and never past it", "[trace][steps][constructed]") {
    const ConstructedModel model = sliding_mamba2();
    const Steps steps = trace::steps_of(record_trace(model.config, model.slice, bits(kBits)), {});
    PlanePoint before;
    for (std::size_t t = 0; t < kBits.size(); ++t) {
        const StepPieces& step = steps.steps[t];
        if (kBits[t] == '1') {
            CHECK(step.retention == Approx(0.62).epsilon(1e-9));
            REQUIRE(step.fixed_point.has_value());
            CHECK(length(step.u - *step.fixed_point) ==
                  Approx(0.62 * length(before - *step.fixed_point)).epsilon(1e-9));
        } else {
            CHECK(length(step.u - before) < 1e-9);
        }
        before = step.u;
    }
}

TEST_CASE("both frames read the same", "[trace][steps]") {
    for (const Subject& subject : preset_subjects()) {
        if (subject.name != "mamba3") continue;
        const Trace trace = record_trace(subject.config, subject.slice, subject.tokens);
        const Reading c(trace.layers[0], "c");
        const Steps steps = trace::steps_of(trace, {0, 0, 2, {}});
        REQUIRE(steps.phase.size() == steps.steps.size());
        for (std::size_t t = 0; t < steps.steps.size(); ++t) {
            const StepPieces& step = steps.steps[t];
            const double cos = std::cos(steps.phase[t]), sin = std::sin(steps.phase[t]);
            const PlanePoint turning{cos * step.u.x - sin * step.u.y, sin * step.u.x + cos * step.u.y};
            const double there = turning.x * c(t, 0, 4) + turning.y * c(t, 0, 5);
            CHECK(step.u.x * step.read.x + step.u.y * step.read.y == Approx(there).epsilon(1e-12).margin(1e-12));
        }
    }
}

TEST_CASE("source weights make the whole trapezoid in one sum", "[trace][steps]") {
    for (const Subject& subject : preset_subjects()) {
        if (subject.name != "mamba3") continue;
        const Trace trace = record_trace(subject.config, subject.slice, subject.tokens);
        const TraceLayer& layer = trace.layers[0];
        const Reading dt(layer, "dt"), a(layer, "a"), b(layer, "b"), x(layer, "x"), state(layer, "state");
        const std::int64_t head = 1, last = dt.extent(0) - 1;
        const trace::SourceWeights weights = trace::source_weights(layer, head);
        for (std::int64_t n = 0; n < state.extent(2); ++n)
            for (std::int64_t p = 0; p < state.extent(3); ++p) {
                double sum = 0, log_decay = 0;
                for (std::int64_t j = last; j >= 0; --j) {
                    const auto i = static_cast<std::size_t>(j);
                    sum += std::exp(log_decay) * (weights.own[i] + weights.next[i]) * b(j, head, n) * x(j, head, p);
                    log_decay += dt(j, head) * a(j, head);
                }
                CHECK(state(last, head, n, p) == Approx(sum).epsilon(1e-10).margin(1e-12));
            }
    }
}

TEST_CASE("source weights hold where a decay underflows", "[trace][steps]") {
    TraceLayer layer{0, "mamba3", {}};
    const auto heads = trace::axis("head", 1), positions = trace::axis("position", 2);
    layer.quantities.push_back({"dt", {positions, heads}, {0.5, 1000}});
    layer.quantities.push_back({"lambda", {positions, heads}, {0.25, 0.75}});
    layer.quantities.push_back({"alpha", {positions, heads}, {1, 0}});
    layer.quantities.push_back({"beta", {positions, heads}, {0, 0}});
    const trace::SourceWeights weights = trace::source_weights(layer, 0);
    CHECK(weights.own == std::vector<double>{0.125, 750});
    CHECK(weights.next == std::vector<double>{250, 0});
}
