// Faults that public code of these models has had. Each test shows that an implementation with the fault would be off
// by far more than any tolerance of this suite, while the operation itself agrees with the equations.
#include "tests/support/catch.hpp"
#include "tests/support/judge.hpp"
#include "tests/support/mixer_operations.hpp"
#include "tests/support/reference.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

constexpr double kAgrees = 1e-12;     // two orders of the same sums
constexpr double kMeasurable = 1e-3;  // a hundred times the widest limit on outputs, float at L = 1024

/// The operation follows the equations, and differs from the faulty variant.
void check_fault(const Mamba3Config& config, const Mamba3Fault& fault, std::int64_t length = 33) {
    const Operation operation = mamba3(config, {1, length, 3});
    const Values values = random_values(operation, 31);
    RunOptions forward_only;
    forward_only.backward = false;
    for (Backend* backend : judged_backends()) {
        const auto y = run(*backend, DType::f64, operation, values, forward_only).y;
        CHECK(relative_error(y, mamba3_reference(operation, values, config)) <= kAgrees);
        CHECK(relative_error(mamba3_reference(operation, values, config, fault), y) >= kMeasurable);
    }
}

/// Every position, head and channel of the gradient is there: the part that blocks of four would leave out is not zero.
void check_tail(const Operation& operation, std::size_t input) {
    const Values values = random_values(operation, 32);
    for (Backend* backend : judged_backends()) {
        const std::vector<double> gradient = run(*backend, DType::f32, operation, values).gradients[input];
        const Shape shape = operation.inputs[input].shape;
        const auto width = static_cast<std::size_t>(shape[3]), length = static_cast<std::size_t>(shape[2]);
        REQUIRE((length % 4 != 0 && width % 4 != 0));
        for (std::size_t t = 0; t < length; ++t)
            for (std::size_t f = 0; f < width; ++f) CHECK(gradient[t * width + f] != 0);
    }
}

}  // namespace

TEST_CASE("fault: the trapezoid's previous term without its decay", "[backend][faults]") {
    check_fault(mamba3_config(5, 6), {true, false, false});
    check_fault(mamba3_config(5, 6, 1, 2), {true, false, false});
}

TEST_CASE("fault: minus before the clamp makes A positive, so that the state grows", "[backend][faults]") {
    for (const AActivation activation : {AActivation::softplus, AActivation::heavy_tail}) {
        Mamba3Config config = mamba3_config(5, 6);
        config.a_activation = activation;
        check_fault(config, {false, true, false});
    }
}

TEST_CASE("fault: cumulative angles in bf16", "[backend][faults]") {
    check_fault(mamba3_config(5, 6), {false, false, true});
    check_fault(mamba3_config(5, 6, 1, 2), {false, false, true}, 129);
}

TEST_CASE("fault: decoding that assumes heads of at least 64 channels", "[backend][faults]") {
    // Such code reads 64 channels a head; with 4 heads of 16 it would take other heads' channels for this one's. The
    // carried state here differs from head to head, and decoding equals the whole sequence.
    for (const std::int64_t headdim : {1, 2, 16, 63}) {
        check_parts(
            [=](std::int64_t length, FormChoice form) {
                return mamba3(mamba3_config(headdim, 6), {1, length, 4}, form);
            },
            {1, 1, 1});
        check_parts(
            [=](std::int64_t length, FormChoice form) {
                return mamba3(mamba3_config(headdim, 6, 1, 2), {1, length, 4}, form);
            },
            {1, 1, 1});
    }
}

TEST_CASE("fault: backward passes that assume lengths and heads divisible by four", "[backend][faults]") {
    for (const std::int64_t length : {1, 5, 7, 49, 51}) {  // with chunks of 48, a tail of 1 and of 3 as well
        const Operation siso = mamba3(mamba3_config(5, 6), {1, length, 3});
        for (const char* input : {"z", "ddt", "u"}) check_tail(siso, siso.index(input));
        const Operation mimo = mamba3(mamba3_config(5, 6, 1, 3), {1, length, 3});
        check_tail(mimo, mimo.index("z"));
        Mamba2Config mamba2_config;
        mamba2_config.headdim = 5;
        mamba2_config.d_state = 6;
        const Operation two = mamba2(mamba2_config, {1, length, 3});
        check_tail(two, two.index("ddt"));
        GatedDeltaNetConfig delta;
        delta.num_heads = 3;
        delta.head_dim = 5;
        delta.expand_v = 1;
        check_tail(gated_delta(delta, {1, length}), 2);
    }
}
