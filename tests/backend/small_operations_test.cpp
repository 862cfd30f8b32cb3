// embed, linear, swiglu, the norms, the convolution: plain loops, differences, bits.
#include "tests/support/small_operations.hpp"

#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/support/judge.hpp"
#include "tests/support/reference.hpp"
#include "tests/support/ulp.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

/// y[row][f] = value(row, f) for every row of the output.
template <class Value>
std::vector<double> rows_of(const Operation& operation, const Value& value) {
    std::vector<double> y;
    for (std::int64_t row = 0; row < operation.output[1] * operation.output[2]; ++row)
        for (std::int64_t f = 0; f < operation.output[3]; ++f)
            y.push_back(value(static_cast<std::size_t>(row), static_cast<std::size_t>(f)));
    return y;
}

}  // namespace

TEST_CASE("embed looks rows up, and a row used twice gets both gradients", "[backend]") {
    const Operation operation = embed(2, 7, 5, 11);
    const Values values = random_values(operation, 1);
    check_reference(operation, values, rows_of(operation, [&](std::size_t row, std::size_t f) {
                        return values.inputs[0][static_cast<std::size_t>(values.indices[0][row]) * 11 + f];
                    }));
    check_operation(operation);
}

TEST_CASE("embed has the same bits where threads share rows or features", "[backend]") {
    check_same_bits(embed(3, 50, 5, 150));
    check_same_bits(embed(3, 130, 700, 6));  // a table too large for parts
}

TEST_CASE("a token outside the vocabulary reads row 0 and nothing beyond", "[backend]") {
    const Operation operation = embed(1, 3, 4, 5);
    Values values = random_values(operation, 1);
    values.indices[0] = {-7, 4, 2147483647};
    check_reference(operation, values,
                    rows_of(operation, [&](std::size_t, std::size_t f) { return values.inputs[0][f]; }));
    CHECK(run(*judged_backends()[0], DType::f32, operation, values).damage == "");
}

TEST_CASE("linear is x times W transposed", "[backend]") {
    for (const Operation& operation :
         {linear(2, 5, 13, 3), linear(1, 1, 1, 1), linear(1, 1, 9, 17), linear(3, 300, 5, 2)}) {
        const Values values = random_values(operation, 2);
        const auto in = static_cast<std::size_t>(operation.inputs[0].shape[3]);
        check_reference(operation, values, rows_of(operation, [&](std::size_t row, std::size_t f) {
                            double sum = 0;
                            for (std::size_t i = 0; i < in; ++i)
                                sum += values.inputs[0][row * in + i] * values.inputs[1][f * in + i];
                            return sum;
                        }));
        check_operation(operation);
    }
}

TEST_CASE("linear leaves out the input's gradient when nobody asks for it", "[backend]") {
    Operation operation = linear(2, 5, 13, 3);
    const Values values = random_values(operation, 2);
    const Outcome both = run(*judged_backends()[0], DType::f64, operation, values);
    operation.backward = [](Backend& b, const Call& c) {
        b.linear_backward(c.in[0], c.in[1], c.d_y, {}, c.gradient[1], c.scratch);
    };
    const Outcome one = run(*judged_backends()[0], DType::f64, operation, values);
    CHECK((one.gradients[1] == both.gradients[1]));
    CHECK(std::isnan(one.gradients[0][0]));
}

TEST_CASE("silu of every element of a slice", "[backend]") {
    const Operation operation = silu(2, 9, 11);
    const Values values = random_values(operation, 3);
    check_reference(operation, values, rows_of(operation, [&](std::size_t row, std::size_t f) {
                        return silu_reference(values.inputs[0][row * 11 + f]);
                    }));
    check_gradients(operation);
    check_same_bits(silu(3, 131, 5));  // more rows than one task takes
    for (const std::int64_t features : {6, 8, 64}) check_operation(silu(2, 9, features));
}

TEST_CASE("swiglu gates the first half by silu of the second", "[backend]") {
    const Operation operation = swiglu(2, 9, 11);
    const Values values = random_values(operation, 4);
    check_reference(operation, values, rows_of(operation, [&](std::size_t row, std::size_t f) {
                        return values.inputs[0][row * 22 + f] * silu_reference(values.inputs[0][row * 22 + 11 + f]);
                    }));
    check_operation(operation);
    check_same_bits(swiglu(3, 131, 5));  // more rows than one task takes
    for (const std::int64_t features : {6, 8, 64}) check_operation(swiglu(2, 9, features));  // packs, 6 of double alone
}

TEST_CASE("silu is within two ulp, on a GPU three, and its derivative within four of one", "[backend]") {
    constexpr std::int64_t rows = 500, features = 64;
    const Operation operation = swiglu(1, rows, features);
    Values values = random_values(operation, 4);
    std::vector<double> x;
    for (std::int64_t i = 0; i < rows * features; ++i) {
        const auto across = static_cast<std::size_t>(i / features * 2 * features + i % features);
        x.push_back(static_cast<float>(-80 + 160 * static_cast<double>(i) / (rows * features - 1)));
        values.inputs[0][across] = 1;
        values.inputs[0][across + features] = x.back();
    }
    values.d_y.assign(x.size(), 1);
    for (Backend* backend : judged_backends()) {
        const Outcome outcome = run(*backend, DType::f32, operation, values);
        long double worst = 0, worst_slope = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const long double at = x[i], sigma = 1 / (1 + std::exp(-at)), slope = sigma * (1 + at * (1 - sigma));
            const std::size_t gate = i / features * 2 * features + features + i % features;
            larger_of(worst, ulp_error<float>(static_cast<float>(outcome.y[i]), at * sigma));
            larger_of(worst_slope, std::fabs(outcome.gradients[0][gate] - slope) * 0x1p23L);
        }
        INFO(backend->describe());
        CHECK(worst <= (backend->device() == Device::cuda ? 3 : 2));
        CHECK(worst_slope <= 4);
    }
}

TEST_CASE("rms_norm adds the residual first", "[backend]") {
    for (const bool residual : {false, true}) {
        const Operation operation = rms_norm(2, 7, 19, residual, 1e-3);
        const Values values = random_values(operation, 5);
        std::vector<double> sum = values.inputs[0];
        for (std::size_t i = 0; residual && i < sum.size(); ++i) sum[i] += values.inputs[2][i];
        std::vector<double> expected = sum;
        for (std::size_t row = 0; row < 14; ++row)
            rms_norm_reference(expected.data() + row * 19, values.inputs[1].data(), 19, 1e-3);
        check_reference(operation, values, expected);
        if (residual)
            CHECK(relative_error(run(*judged_backends()[0], DType::f64, operation, values).kept[0], sum) == 0);
        check_operation(operation);
    }
    check_operation(rms_norm(1, 1, 1, true));
    check_same_bits(rms_norm(3, 131, 5, true));
}

TEST_CASE("rms_norm of rows that lie in one piece, in several, and in more than registers hold", "[backend]") {
    for (const std::int64_t features : {4, 64, 200, 520}) check_operation(rms_norm(2, 5, features, true));
    check_same_bits(rms_norm(3, 131, 64, true));
}

TEST_CASE("rms_norm of chosen rows has zeros for a slot without one, and no gradient where none was chosen",
          "[backend]") {
    for (const bool residual : {false, true}) {
        const Operation operation = chosen_rms_norm(2, 5, 9, 7, residual, 1e-3);
        const Values values = random_values(operation, 3);
        std::vector<double> expected(9 * 7);
        for (std::size_t slot = 0; slot < 9; ++slot) {
            const std::int32_t from = values.indices[0][slot];
            for (std::size_t f = 0; from >= 0 && f < 7; ++f) {
                const std::size_t at = static_cast<std::size_t>(from) * 7 + f;
                expected[slot * 7 + f] = values.inputs[0][at] + (residual ? values.inputs[2][at] : 0);
            }
            rms_norm_reference(expected.data() + slot * 7, values.inputs[1].data(), 7, 1e-3);
        }
        check_reference(operation, values, expected);
        check_operation(operation);
    }
    for (const std::int64_t features : {64, 200, 520}) check_operation(chosen_rms_norm(2, 4, 8, features, true));
    check_same_bits(chosen_rms_norm(3, 300, 500, 8, true));
    check_same_bits(chosen_rms_norm(3, 300, 3, 5, false));
}

TEST_CASE("rms_norm of a zero row is zero, with a finite gradient", "[backend]") {
    const Operation operation = rms_norm(1, 1, 8, false);
    Values values = random_values(operation, 5);
    values.inputs[0].assign(8, 0.0);
    check_reference(operation, values, std::vector<double>(8, 0.0));
    CHECK(std::isfinite(norm(run(*judged_backends()[0], DType::f32, operation, values).gradients[0])));
}

TEST_CASE("gated_rms_norm in every mode: group by group, norm or gate first, weights shared or not", "[backend]") {
    for (const bool norm_first : {false, true})
        for (const bool shared : {false, true}) {
            const GatedNormShape shape{5, norm_first, shared, 1e-4};
            const Operation operation = gated_rms_norm(2, 6, 15, shape);
            const Values values = random_values(operation, 6);
            std::vector<double> expected = values.inputs[0];
            for (std::size_t at = 0; at < expected.size(); at += 5) {
                const double* weight = values.inputs[2].data() + (shared ? 0 : at % 15);
                if (norm_first) rms_norm_reference(expected.data() + at, weight, 5, 1e-4);
                for (std::size_t i = at; i < at + 5; ++i) expected[i] *= silu_reference(values.inputs[1][i]);
                if (!norm_first) rms_norm_reference(expected.data() + at, weight, 5, 1e-4);
            }
            check_reference(operation, values, expected);
            check_operation(operation);
            check_gradients(gated_rms_norm(1, 1, 15, {15, norm_first, shared, 1e-5}));
            check_gradients(gated_rms_norm(1, 2, 3, {1, norm_first, shared, 1e-2}));
        }
    check_same_bits(gated_rms_norm(3, 131, 6, {3, true, true, 1e-5}));
}

TEST_CASE("gated_rms_norm of groups in packs of 16 bytes, in several of them a lane, and of more than a warp keeps",
          "[backend]") {
    for (const bool norm_first : {false, true})
        for (const bool shared : {false, true}) {
            check_operation(gated_rms_norm(3, 37, 24, {8, norm_first, shared, 1e-5}));
            check_operation(gated_rms_norm(1, 5, 520, {260, norm_first, shared, 1e-5}));
            check_operation(gated_rms_norm(1, 3, 1040, {520, norm_first, shared, 1e-5}));
            check_operation(gated_rms_norm(1, 3, 131, {131, norm_first, shared, 1e-5}));
        }
}

TEST_CASE("short_conv is causal, depthwise, biased or not, of any width", "[backend]") {
    for (const std::int64_t width : {2, 3, 4, 8})
        for (const bool bias : {false, true})
            for (const std::int64_t length : {1, 3, 9}) {
                const Operation operation = short_conv(2, length, 7, width, bias);
                const Values values = random_values(operation, 7);
                check_reference(operation, values, rows_of(operation, [&](std::size_t row, std::size_t f) {
                                    double sum = bias ? values.inputs[2][f] : 0;
                                    const auto t = static_cast<std::int64_t>(row) % length;
                                    for (std::int64_t w = 0; w < width; ++w)
                                        if (const std::int64_t from = t - width + 1 + w; from >= 0)
                                            sum += values.inputs[1][f * static_cast<std::size_t>(width) +
                                                                    static_cast<std::size_t>(w)] *
                                                   values.inputs[0][(row - static_cast<std::size_t>(t - from)) * 7 + f];
                                    return silu_reference(sum);
                                }));
                check_gradients(operation);
            }
    check_operation(short_conv(19, 5, 7, 4, true));
}

TEST_CASE("short_conv of channels in packs, along several runs of positions", "[backend]") {
    for (const std::int64_t width : {3, 4, 8})
        for (const bool bias : {false, true})
            for (const std::int64_t length : {17, 33, 50}) check_operation(short_conv(3, length, 40, width, bias));
    check_operation(short_conv(2, 50, 9, 4, true));
}

TEST_CASE("short_conv goes on from its state, also when a part is shorter than the filter", "[backend]") {
    for (const bool bias : {false, true}) {
        for (const std::int64_t features : {7, 8})
            for (const std::int64_t width : {2, 4, 5}) {
                const Maker maker = [&](std::int64_t length, FormChoice) {
                    return short_conv(2, length, features, width, bias);
                };
                check_parts(maker, {1, 1, 1, 1, 1, 1});
                check_parts(maker, {2, 1, 5, 3, 19, 1});
            }
    }
}
