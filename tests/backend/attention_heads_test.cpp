// Attention at the heads that have kernels of their own on a GPU (gpu/attention/flash.cuh), which begin behind 64
// positions, by bf16 products behind 16: lengths that fill and exceed a block's 128 queries and a step's 64 keys.
#include "tests/support/catch.hpp"
#include "tests/support/judge.hpp"
#include "tests/support/mixer_operations.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

constexpr std::int64_t kHeadDims[] = {32, 64, 128};

/// `before`: 0 lets a GPU read the rows as they are, 4 the floats among them, 1 none.
Operation attention_from(std::int64_t before, const AttentionConfig& config, const MixerShape& shape) {
    Operation operation = attention(config, shape);
    operation.inputs[0].before = before;
    operation.name += ", behind " + std::to_string(before);
    return operation;
}

}  // namespace

TEST_CASE("attention of wide heads agrees between backends wherever its rows lie", "[backend][attention][shapes]") {
    for (const std::int64_t head_dim : kHeadDims)
        for (const std::int64_t length : {65, 128, 193})
            for (const Positions positions : {Positions::rope, Positions::none}) {
                const std::int64_t before = length == 65 ? 1 : length == 128 ? 4 : 0;
                check_backends(attention_from(before, {1, head_dim, positions}, {1, length}), length, 3, 2);
            }
    check_backends(attention_from(0, {3, 32, Positions::rope}, {7, 70}), 70);  // more heads than begin together
    for (const std::int64_t length : {16, 17, 40})
        for (const std::int64_t head_dim : kHeadDims)
            check_stored(attention_from(0, {2, head_dim, Positions::rope}, {2, length}));
}

TEST_CASE("attention of wide heads has the bits of a replica alone", "[backend][attention]") {
    for (const std::int64_t head_dim : kHeadDims) check_same_bits(attention({1, head_dim, Positions::rope}, {2, 131}));
}

TEST_CASE("attention of wide heads is as exact as its products", "[backend][attention][precision]") {
    struct Limits {
        Matmul matmul;
        double output, gradient;
    };
    for (const Limits& limits : {Limits{Matmul::tf32, 2e-3, 2e-3}, {Matmul::bf16, 3e-2, 3e-2}})
        for (const std::int64_t head_dim : kHeadDims) {
            const Operation operation = attention({2, head_dim, Positions::rope}, {1, 260});
            const Values values = random_values(operation, 5);
            const Outcome exact = run(*judged_backends().front(), DType::f64, operation, values);
            for (Backend* backend : judged_backends()) {
                if (backend->device() == Device::cpu) continue;
                backend->set_precision({limits.matmul});
                const Outcome outcome = run(*backend, DType::f32, operation, values);
                backend->set_precision({});
                INFO("heads of " << head_dim << " on " << backend->describe());
                CHECK(outcome.damage == "");
                CHECK(relative_error(outcome.y, exact.y) <= limits.output);
                CHECK(gradient_error(operation, outcome, exact, 0) <= limits.gradient);
            }
        }
}

// On a GPU, operands are scaled by their head's largest number (flash_operands.cu): what is small beside it must not
// lose digits of its own.
TEST_CASE("attention of wide heads keeps small gradients beside large ones", "[backend][attention]") {
    constexpr std::int64_t length = 150, width = 64, small = 100;
    const Operation operation = attention({1, width, Positions::none}, {1, length});
    Values values = random_values(operation, 6);
    for (std::size_t i = 0; i < small * width; ++i) values.d_y[i] *= 1e-7;
    const auto queries = [&](const Outcome& outcome) {
        std::vector<double> d_q;  // of those whose output's gradient is small
        for (std::int64_t t = 0; t < small; ++t)
            for (std::int64_t c = 0; c < width; ++c)
                d_q.push_back(outcome.gradients[0][static_cast<std::size_t>(3 * t * width + c)]);
        return d_q;
    };
    const Outcome exact = run(*judged_backends().front(), DType::f64, operation, values);
    for (Backend* backend : judged_backends()) {
        INFO(backend->describe());
        CHECK(relative_error(queries(run(*backend, DType::f32, operation, values)), queries(exact)) <=
              kFloatGradientLimit);
    }
    for (double& x : values.d_y) x = 0;
    for (double& x : values.inputs[0]) x = 0;
    for (Backend* backend : judged_backends()) {
        INFO(backend->describe());
        CHECK(norm(run(*backend, DType::f32, operation, values).gradients[0]) == 0);
    }
}

TEST_CASE("attention of wide heads reads long prompts against its cache", "[backend][attention][decoding]") {
    for (const std::int64_t head_dim : kHeadDims)
        for (const Positions positions : {Positions::rope, Positions::none}) {
            const Maker maker = [=](std::int64_t length, FormChoice) {
                return attention({2, head_dim, positions}, {2, length}, 245);
            };
            check_parts(maker, {70, 1, 133, 5, 36});
        }
}

TEST_CASE("attention of wide heads reads a cache by bf16 products, and one that begins anywhere",
          "[backend][attention][decoding]") {
    for (const std::int64_t before : {0, 1}) {
        const Maker maker = [=](std::int64_t length, FormChoice) {
            Operation operation = attention({2, 64, Positions::rope}, {2, length}, 203);
            operation.state_before = before;
            return operation;
        };
        const Values values = random_values(maker(203, {}), 8, 2);
        const Outcome exact = run(*judged_backends().front(), DType::f64, maker(203, {}), values, {false});
        for (Backend* backend : judged_backends())
            for (const Matmul matmul : {Matmul::float32, Matmul::bf16}) {
                if (backend->device() == Device::cpu) continue;
                backend->set_precision({matmul});
                const Outcome outcome = run_in_parts(*backend, DType::f32, maker, values, {70, 133});
                backend->set_precision({});
                CHECK(outcome.damage == "");
                CHECK(relative_error(outcome.y, exact.y) <= (matmul == Matmul::bf16 ? 3e-2 : kFloatOutputLimit));
            }
    }
}
