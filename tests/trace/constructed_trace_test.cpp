// What the state of a constructed model does is what its comments say.
#include <cmath>
#include <complex>

#include "core/model/constructed/constructed.hpp"
#include "core/trace/trace.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/traced_model.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

constexpr double kPi = 3.14159265358979323846;

Trace trace_of(const ConstructedModel& model, const std::vector<std::int32_t>& tokens) {
    return record_trace(model.config, model.slice, tokens);
}

/// Digits 0 … modulus-1 as tokens.
std::vector<std::int32_t> some_digits(std::int64_t modulus, std::int64_t count) {
    std::vector<std::int32_t> tokens;
    for (std::int64_t t = 0; t < count; ++t) tokens.push_back(static_cast<std::int32_t>(1 + (t * t / 3 + t) % modulus));
    return tokens;
}

/// The state of head 0 in the still frame, as a complex number per unit of what channel 0 writes.
std::complex<double> state_at(const Trace& trace, std::int64_t t) {
    const Reading still(trace.layers[0], "still_state");
    return {still(t, 0, 0, 0), still(t, 0, 1, 0)};
}

}  // namespace

TEST_CASE("the state of the constructed sum walks on a circle through the origin", "[trace][constructed]") {
    for (const std::int64_t modulus : {2, 5}) {
        const auto tokens = some_digits(modulus, 64);
        const Trace trace = trace_of(cyclic_mamba3(modulus), tokens);
        const Reading dt(trace.layers[0], "dt"), alpha(trace.layers[0], "alpha");
        std::int64_t sum = 0;
        double length = 1, worst = 0;
        for (std::int64_t t = 0; t < 64; ++t) {
            const std::int64_t digit = tokens[static_cast<std::size_t>(t)] - 1;
            sum = (sum + digit) % modulus;
            length *= alpha(t, 0);
            CHECK(dt(t, 0) == Approx(digit == 0 ? 0 : 1.25).margin(1e-15));
            const auto expected =
                std::polar(length, 2 * kPi * static_cast<double>(sum) / static_cast<double>(modulus)) - 1.0;
            worst = std::max(worst, std::abs(state_at(trace, t) - expected));
        }
        INFO("modulus " << modulus);
        CHECK(worst < 1e-12);
        CHECK(length > 0.98);
    }
}

TEST_CASE("a one makes half a turn, a zero none", "[trace][constructed]") {
    const auto tokens = some_digits(2, 32);
    const Trace trace = trace_of(constructed_model("parity-mamba3"), tokens);
    const Reading phase(trace.layers[0], "phase");
    for (std::int64_t t = 0; t < 32; ++t) {
        const double turn = phase(t, 0, 0) - (t > 0 ? phase(t - 1, 0, 0) : 0);
        // half a turn has cosine -1
        CHECK(std::cos(turn) == Approx(tokens[static_cast<std::size_t>(t)] == 2 ? -1 : 1).epsilon(1e-12));
    }
}

TEST_CASE("the constructed reflection has eigenvalue -1 at a one and 1 at a zero", "[trace][constructed]") {
    const auto tokens = some_digits(2, 32);
    const Trace trace = trace_of(constructed_model("parity-gdn"), tokens);
    const Reading eigenvalue(trace.layers[0], "eigenvalue"), decay(trace.layers[0], "decay"),
        state(trace.layers[0], "state");
    bool odd = false;
    for (std::int64_t t = 0; t < 32; ++t) {
        const bool one = tokens[static_cast<std::size_t>(t)] == 2;
        odd = odd != one;
        CHECK(eigenvalue(t, 0) == Approx(one ? -1 : 1).epsilon(1e-8));
        CHECK(decay(t, 0) == 1);
        CHECK(state(t, 0, 0, 0) == Approx(odd ? 2 / (1 + std::exp(-1.0)) : 0).margin(1e-7));
    }
}
