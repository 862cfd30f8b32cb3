// What a run's precision means: matrix products of a GPU against the processor's in double.
#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/judge.hpp"
#include "tests/support/small_operations.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

/// The contract of the models (e = ‖a-b‖/‖b‖), outputs and gradients.
struct Limits {
    Matmul matmul;
    double output, gradient;
};
constexpr Limits kLimits[] = {
    {Matmul::float32, kFloatOutputLimit, kFloatGradientLimit}, {Matmul::tf32, 2e-3, 2e-3}, {Matmul::bf16, 3e-2, 3e-2}};

/// Sizes of real layers, and ones that end inside every tile and panel.
std::vector<Operation> projections() {
    return {linear(3, 50, 64, 210), linear(5, 64, 128, 64), linear(2, 70, 32, 16), linear(2, 67, 37, 45),
            linear(7, 130, 24, 9)};
}

}  // namespace

TEST_CASE("products on a GPU are as exact as their precision says", "[backend][precision]") {
    for (Backend* backend : judged_backends()) {
        if (backend->device() == Device::cpu) continue;
        for (const Limits& limits : kLimits)
            for (const Operation& operation : projections()) {
                const Values values = random_values(operation, 3, 2);
                const Outcome exact = run(*judged_backends().front(), DType::f64, operation, values);
                backend->set_precision({limits.matmul});
                const Outcome outcome = run(*backend, DType::f32, operation, values);
                backend->set_precision({});
                INFO(operation.name << " on " << backend->describe() << ", limit " << limits.output);
                CHECK(outcome.damage == "");
                CHECK(relative_error(outcome.y, exact.y) <= limits.output);
                CHECK(gradient_error(operation, outcome, exact, 0) <= limits.gradient);
            }
    }
}

TEST_CASE("projections of any size have the processor's values, and the bits of a replica alone",
          "[backend][precision]") {
    for (const Operation& operation : {linear(3, 50, 40, 70), linear(5, 61, 37, 9)}) {
        check_backends(operation, operation.output[2], 4, 2);
        check_same_bits(operation);
    }
}

TEST_CASE("projections of activations that are stored in bf16", "[backend][precision]") {
    for (const bool to_stream : {false, true})
        for (const Operation& operation :
             {linear(3, 50, 64, 210, to_stream), linear(2, 67, 37, 45, to_stream), linear(7, 130, 24, 9, to_stream),
              linear(65, 63, 19, 570, to_stream), linear(65, 65, 70, 9, to_stream)})
            check_stored(operation, 6);
}

TEST_CASE("projections large enough for wide tiles have the processor's values", "[backend][precision]") {
    const bool with_gradient[] = {false, true};
    for (const bool gradient : with_gradient) {  // forward and backward want them at different sizes
        const Operation operation = gradient ? linear(65, 65, 70, 9) : linear(65, 63, 19, 570);
        const Values values = random_values(operation, 5);
        RunOptions options;
        options.backward = gradient;
        const Outcome exact = run(*judged_backends().front(), DType::f64, operation, values, options);
        for (Backend* backend : judged_backends()) {
            const Outcome outcome = run(*backend, DType::f32, operation, values, options);
            INFO(operation.name << " on " << backend->describe());
            CHECK(outcome.damage == "");
            CHECK(relative_error(outcome.y, exact.y) <= kFloatOutputLimit);
            for (std::size_t i = 0; gradient && i < 2; ++i)
                CHECK(relative_error(outcome.gradients[i], exact.gradients[i]) <= kFloatGradientLimit);
        }
    }
}

TEST_CASE("a processor multiplies in float32 and says so", "[backend][precision]") {
    const auto backend = make_cpu_backend(1);
    CHECK_NOTHROW(backend->set_precision({}));
    for (const Matmul matmul : {Matmul::tf32, Matmul::bf16})
        CHECK_THROWS_WITH(backend->set_precision({matmul}), Catch::Matchers::ContainsSubstring("precision.matmul"));
    CHECK_THROWS_WITH(backend->set_precision({Matmul::float32, Storage::bf16}),
                      Catch::Matchers::ContainsSubstring("precision.storage"));
}
