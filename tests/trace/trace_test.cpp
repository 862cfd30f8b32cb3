// A trace tells the truth: its logits are the model's, its numbers obey the equations of each layer, and what they say
// is read from the state is what the model's operation returned for the whole sequence at once (another algorithm).
#include "core/trace/trace.hpp"

#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/support/operation.hpp"
#include "tests/support/reference.hpp"
#include "tests/support/traced_model.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

constexpr double kLimit = 1e-10;  // the contract between implementations, in double
constexpr double kSame = 1e-12;   // one formula in another order

std::vector<Subject> all_subjects() {
    std::vector<Subject> subjects = golden_subjects();
    CHECK(subjects.size() == 25);
    for (Subject& subject : preset_subjects()) subjects.push_back(std::move(subject));
    return subjects;
}

/// Two rows of numbers, gathered and compared once.
struct Pair {
    std::vector<double> found, expected;
    void add(double a, double b) {
        found.push_back(a);
        expected.push_back(b);
    }
    double error() const { return relative_error(found, expected); }
};

// --- Mamba-3 ---------------------------------------------------------------------------------------------------------

/// b, c, x and readout with or without the axis of ranks.
double ranked(const Reading& of, std::int64_t t, std::int64_t h, std::int64_t r, std::int64_t i) {
    return of.axes() == 4 ? of(t, h, r, i) : of(t, h, i);
}

void check_coefficients(const TraceLayer& layer) {
    const Reading dt(layer, "dt"), a(layer, "a"), lambda(layer, "lambda");
    const Reading alpha(layer, "alpha"), beta(layer, "beta"), gamma(layer, "gamma");
    Pair weights;
    for (std::int64_t t = 0; t < dt.extent(0); ++t)
        for (std::int64_t h = 0; h < dt.extent(1); ++h) {
            CHECK(dt(t, h) > 0);
            CHECK(a(t, h) < 0);
            const double decay = std::exp(dt(t, h) * a(t, h));
            weights.add(alpha(t, h), decay);
            weights.add(beta(t, h), (1 - lambda(t, h)) * dt(t, h) * decay);
            weights.add(gamma(t, h), lambda(t, h) * dt(t, h));
        }
    CHECK(weights.error() <= kSame);
}

void check_state(const TraceLayer& layer, std::int64_t rank) {
    const Reading alpha(layer, "alpha"), beta(layer, "beta"), gamma(layer, "gamma");
    const Reading b(layer, "b"), c(layer, "c"), x(layer, "x"), state(layer, "state"), readout(layer, "readout");
    Pair states, readouts;
    for (std::int64_t t = 0; t < state.extent(0); ++t)
        for (std::int64_t h = 0; h < state.extent(1); ++h)
            for (std::int64_t p = 0; p < state.extent(3); ++p) {
                std::vector<double> read(static_cast<std::size_t>(rank), 0.0);
                for (std::int64_t n = 0; n < state.extent(2); ++n) {
                    double next = t > 0 ? alpha(t, h) * state(t - 1, h, n, p) : 0;
                    for (std::int64_t r = 0; r < rank; ++r) {
                        if (t > 0) next += beta(t, h) * ranked(b, t - 1, h, r, n) * ranked(x, t - 1, h, r, p);
                        next += gamma(t, h) * ranked(b, t, h, r, n) * ranked(x, t, h, r, p);
                        read[static_cast<std::size_t>(r)] += state(t, h, n, p) * ranked(c, t, h, r, n);
                    }
                    states.add(state(t, h, n, p), next);
                }
                for (std::int64_t r = 0; r < rank; ++r)
                    readouts.add(ranked(readout, t, h, r, p), read[static_cast<std::size_t>(r)]);
            }
    CHECK(states.error() <= kSame);
    CHECK(readouts.error() <= kSame);
}

/// φ sums Δθ (or is the position's), and the still state is the turning one, turned back.
void check_rotation(const TraceLayer& layer, const Mamba3Config& config) {
    const Reading dt(layer, "dt"), phase(layer, "phase"), state(layer, "state"), still(layer, "still_state");
    const std::int64_t angles = config.angles(), n = config.d_state;
    const bool halves = config.pairing() == RotaryPairing::halves;
    double worst = 0;
    Pair turned;
    for (std::int64_t t = 0; t < phase.extent(0); ++t)
        for (std::int64_t h = 0; h < phase.extent(1); ++h)
            for (std::int64_t j = 0; j < angles; ++j) {
                const double before = t > 0 ? phase(t - 1, h, j) : 0;
                const double expected =
                    config.rotation == Rotation::standard
                        ? static_cast<double>(t) *
                              std::pow(10000.0, -static_cast<double>(j) / static_cast<double>(angles))
                        : before + dt(t, h) * Reading(layer, "theta")(t, j);
                worst = std::max(worst, std::abs(std::sin((phase(t, h, j) - expected) / 2)));
                const std::int64_t first = halves ? j : 2 * j, second = halves ? j + n / 2 : 2 * j + 1;
                const double cos = std::cos(phase(t, h, j)), sin = std::sin(phase(t, h, j));
                for (std::int64_t p = 0; p < state.extent(3); ++p) {
                    const double u = still(t, h, first, p), v = still(t, h, second, p);
                    turned.add(state(t, h, first, p), cos * u - sin * v);
                    turned.add(state(t, h, second, p), sin * u + cos * v);
                }
            }
    CHECK(worst <= kLimit);
    CHECK(turned.error() <= kSame);
}

/// y from the traced readout and x, and from z and the parameters.
void check_output(const TraceLayer& layer, const Mamba3Config& config, const OperationPass<Mamba3Tensors>& pass) {
    const Reading readout(layer, "readout"), x(layer, "x"), y(layer, "y");
    const std::int64_t rank = config.rank(), width = config.headdim;
    const Mamba3Tensors& in = pass.in;
    const auto normed = [&](std::vector<double>& row, std::int64_t h) {
        rms_norm_reference(row.data(), in.norm.at<double>() + h * width, width, in.epsilon);
    };
    Pair outputs, returned;
    for (std::int64_t t = 0; t < y.extent(0); ++t)
        for (std::int64_t h = 0; h < y.extent(1); ++h) {
            std::vector<double> sum(static_cast<std::size_t>(width), 0.0);
            for (std::int64_t r = 0; r < rank; ++r) {
                std::vector<double> row;
                for (std::int64_t p = 0; p < width; ++p)
                    row.push_back(ranked(readout, t, h, r, p) + in.d.at<double>()[h] * ranked(x, t, h, r, p));
                if (config.outproj_norm == OutprojNorm::pre_gate) normed(row, h);
                for (std::int64_t p = 0; p < width; ++p) {
                    const double z = in.z.at<double>(0, 0, t)[h * width + p];
                    row[static_cast<std::size_t>(p)] *=
                        silu_reference(in.mimo_z ? z * in.mimo_z.at<double>(0, h, r)[p] : z);
                }
                if (config.outproj_norm == OutprojNorm::post_gate) normed(row, h);
                for (std::int64_t p = 0; p < width; ++p)
                    sum[static_cast<std::size_t>(p)] +=
                        row[static_cast<std::size_t>(p)] * (in.mimo_o ? in.mimo_o.at<double>(0, h, r)[p] : 1.0);
            }
            for (std::int64_t p = 0; p < width; ++p) {
                outputs.add(sum[static_cast<std::size_t>(p)], pass.y.at<double>(0, 0, t)[h * width + p]);
                returned.add(y(t, h, p), pass.y.at<double>(0, 0, t)[h * width + p]);
            }
        }
    CHECK(outputs.error() <= kLimit);
    CHECK(returned.error() <= kLimit);
}

void check_layer(const TraceLayer& layer, const Mamba3Config& config, const MixerPass& pass) {
    check_coefficients(layer);
    check_state(layer, config.rank());
    if (config.rotation != Rotation::none) check_rotation(layer, config);
    CHECK((layer.find("phase") != nullptr) == (config.rotation != Rotation::none));
    CHECK((layer.find("still_state") != nullptr) == (config.rotation != Rotation::none));
    CHECK((layer.find("theta") != nullptr) == (config.rotation == Rotation::data_dependent));
    check_output(layer, config, std::get<OperationPass<Mamba3Tensors>>(pass));
}

// --- Mamba-2 ---------------------------------------------------------------------------------------------------------

void check_layer(const TraceLayer& layer, const Mamba2Config&, const MixerPass& pass) {
    const auto& [in, y_whole] = std::get<OperationPass<Mamba2Tensors>>(pass);
    const Reading dt(layer, "dt"), a(layer, "a"), decay(layer, "decay"), b(layer, "b"), c(layer, "c"), x(layer, "x"),
        state(layer, "state"), readout(layer, "readout"), y(layer, "y");
    Pair decays, states, readouts, outputs;
    const std::int64_t width = state.extent(3);
    for (std::int64_t t = 0; t < state.extent(0); ++t)
        for (std::int64_t h = 0; h < state.extent(1); ++h) {
            decays.add(decay(t, h), std::exp(dt(t, h) * a(t, h)));
            for (std::int64_t p = 0; p < width; ++p) {
                double read = 0;
                for (std::int64_t n = 0; n < state.extent(2); ++n) {
                    const double before = t > 0 ? decay(t, h) * state(t - 1, h, n, p) : 0;
                    states.add(state(t, h, n, p), before + dt(t, h) * b(t, h, n) * x(t, h, p));
                    read += state(t, h, n, p) * c(t, h, n);
                }
                const double whole = y_whole.at<double>(0, 0, t)[h * width + p];
                readouts.add(readout(t, h, p), read);
                outputs.add(readout(t, h, p) + in.d.at<double>()[h] * x(t, h, p), whole);
                outputs.add(y(t, h, p), whole);
            }
        }
    CHECK(decays.error() <= kSame);
    CHECK(states.error() <= kSame);
    CHECK(readouts.error() <= kSame);
    CHECK(outputs.error() <= kLimit);
}

// --- Gated DeltaNet --------------------------------------------------------------------------------------------------

void check_layer(const TraceLayer& layer, const GatedDeltaNetConfig& config, const MixerPass& pass) {
    const Tensor y_whole = std::get<OperationPass<GatedDeltaTensors>>(pass).y;
    const Reading decay(layer, "decay"), beta(layer, "beta"), eigenvalue(layer, "eigenvalue"), key(layer, "key"),
        query(layer, "query"), value(layer, "value"), state(layer, "state"), readout(layer, "readout"), y(layer, "y");
    Pair states, readouts, outputs, eigenvalues;
    const std::int64_t keys = state.extent(2), width = state.extent(3);
    for (std::int64_t t = 0; t < state.extent(0); ++t)
        for (std::int64_t h = 0; h < state.extent(1); ++h) {
            CHECK((decay(t, h) > 0 && decay(t, h) <= 1));
            CHECK((beta(t, h) > 0 && beta(t, h) < (config.allow_neg_eigval ? 2 : 1)));
            // The transition matrix, written out: M = e^g (I - β k kᵀ), and M k = eigenvalue · k.
            const auto transition = [&](std::int64_t i, std::int64_t j) {
                return decay(t, h) * ((i == j ? 1.0 : 0.0) - beta(t, h) * key(t, h, i) * key(t, h, j));
            };
            for (std::int64_t i = 0; i < keys; ++i) {
                double along = 0;
                for (std::int64_t j = 0; j < keys; ++j) along += transition(i, j) * key(t, h, j);
                eigenvalues.add(eigenvalue(t, h) * key(t, h, i), along);
            }
            for (std::int64_t p = 0; p < width; ++p) {
                double read = 0;
                for (std::int64_t i = 0; i < keys; ++i) {
                    double next = beta(t, h) * key(t, h, i) * value(t, h, p);
                    for (std::int64_t j = 0; t > 0 && j < keys; ++j) next += transition(i, j) * state(t - 1, h, j, p);
                    states.add(state(t, h, i, p), next);
                    read += state(t, h, i, p) * query(t, h, i);
                }
                const double whole = y_whole.at<double>(0, 0, t)[h * width + p];
                readouts.add(readout(t, h, p), read);
                outputs.add(readout(t, h, p), whole);
                outputs.add(y(t, h, p), whole);
            }
        }
    CHECK(states.error() <= kSame);
    CHECK(readouts.error() <= kSame);
    CHECK(eigenvalues.error() <= kSame);
    CHECK(outputs.error() <= kLimit);
}

// --- attention -------------------------------------------------------------------------------------------------------

void check_layer(const TraceLayer& layer, const AttentionConfig& config, const MixerPass& pass) {
    const auto& [in, y_whole] = std::get<OperationPass<AttentionTensors>>(pass);
    const Reading weight(layer, "weight"), y(layer, "y");
    const std::int64_t width = config.head_dim, values = 2 * config.num_heads * width;
    Pair outputs;
    for (std::int64_t t = 0; t < weight.extent(0); ++t)
        for (std::int64_t h = 0; h < weight.extent(1); ++h) {
            double total = 0;
            for (std::int64_t s = 0; s < weight.extent(2); ++s) {
                CHECK((weight(t, h, s) > 0) == (s <= t));
                total += weight(t, h, s);
            }
            CHECK(total == Approx(1).epsilon(kSame));
            for (std::int64_t p = 0; p < width; ++p) {
                double sum = 0;
                for (std::int64_t s = 0; s <= t; ++s)
                    sum += weight(t, h, s) * in.qkv.at<double>(0, 0, s)[values + h * width + p];
                const double whole = y_whole.at<double>(0, 0, t)[h * width + p];
                outputs.add(sum, whole);
                outputs.add(y(t, h, p), whole);
            }
        }
    CHECK(outputs.error() <= kLimit);
}

}  // namespace

TEST_CASE("a trace's logits are the golden ones, and the whole sequence's", "[trace]") {
    for (const Subject& subject : all_subjects()) {
        INFO(subject.name);
        const Trace trace = record_trace(subject.config, subject.slice, subject.tokens);
        const WholeRun whole(subject.config, subject.slice, subject.tokens);
        CHECK(relative_error(trace.logits.values, whole.logits()) <= kLimit);
        if (!subject.expected.empty()) CHECK(relative_error(trace.logits.values, subject.expected) <= kLimit);
        CHECK(trace.tokens == subject.tokens);
        CHECK(trace.layers.size() == subject.config.layers.size());
    }
}

TEST_CASE("a trace's numbers obey each layer's equations and give the operation's output", "[trace]") {
    for (const Subject& subject : all_subjects()) {
        const Trace trace = record_trace(subject.config, subject.slice, subject.tokens);
        const WholeRun whole(subject.config, subject.slice, subject.tokens);
        for (const TraceLayer& layer : trace.layers) {
            INFO(subject.name << ", layer " << layer.layer);
            std::visit([&](const auto& config) { check_layer(layer, config, whole.pass(layer.layer)); },
                       subject.config.layers[static_cast<std::size_t>(layer.layer)]);
        }
    }
}
