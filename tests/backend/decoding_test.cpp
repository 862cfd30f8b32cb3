// A state carried from part to part gives what the whole sequence gives: token by token, and a prompt followed by
// tokens.
#include "tests/backend/judge.hpp"
#include "tests/backend/mixer_operations.hpp"
#include "tests/catch.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

const std::vector<std::vector<std::int64_t>> kParts = {{1, 1, 1, 1, 1, 1, 1}, {5, 1, 1}, {1, 4, 2}, {70, 1, 1, 3}};

void check_decoding(const Maker& maker) {
    for (const auto& parts : kParts) check_parts(maker, parts);
}

Maker mamba3_maker(const Mamba3Config& config, std::int64_t heads = 2) {
    return [=](std::int64_t length, FormChoice form) { return mamba3(config, {3, length, heads}, form); };
}

}  // namespace

TEST_CASE("mamba3 decodes with each rotation, discretization and rank", "[backend][mamba3][decoding]") {
    for (const Rotation rotation : {Rotation::data_dependent, Rotation::standard, Rotation::none})
        for (const TrapezoidWeight weight : {TrapezoidWeight::trapezoidal, TrapezoidWeight::euler})
            for (const std::int64_t rank : {0, 1, 3}) {
                Mamba3Config config = mamba3_config(3, 6, 1, rank);
                config.rotation = rotation;
                config.discretization = weight;
                check_decoding(mamba3_maker(config));
            }
}

TEST_CASE("mamba3 decodes at head dimensions from 1 to 128 and with groups", "[backend][mamba3][decoding]") {
    for (const std::int64_t headdim : {1, 4, 20, 64, 128})
        check_parts(mamba3_maker(mamba3_config(headdim, 5)), {2, 1, 1, 1});
    for (const std::int64_t state : {4, 33, 128}) check_parts(mamba3_maker(mamba3_config(4, state)), {2, 1, 1, 1});
    check_decoding(mamba3_maker(mamba3_config(3, 6, 2, 2), 4));
}

TEST_CASE("mamba2 and the gated delta rule decode", "[backend][mamba2][gated_delta][decoding]") {
    for (const std::int64_t size : {1, 4, 33, 128}) {
        Mamba2Config config;
        config.headdim = size;
        config.d_state = size == 1 ? 7 : 5;
        const Maker maker = [=](std::int64_t length, FormChoice form) { return mamba2(config, {3, length, 2}, form); };
        GatedDeltaNetConfig delta;
        delta.num_heads = 2;
        delta.num_v_heads = 4;
        delta.head_dim = size;
        delta.expand_v = 1;
        const Maker delta_maker = [=](std::int64_t length, FormChoice form) {
            return gated_delta(delta, {3, length}, form);
        };
        if (size <= 4) {
            check_decoding(maker);
            check_decoding(delta_maker);
        } else {
            check_parts(maker, {2, 1, 1, 1});
            check_parts(delta_maker, {2, 1, 1, 1});
        }
    }
}

TEST_CASE("attention decodes from its cache, which is read only where it is filled", "[backend][attention][decoding]") {
    for (const Positions positions : {Positions::rope, Positions::none}) {
        const AttentionConfig config{3, 4, positions};
        check_decoding([=](std::int64_t length, FormChoice) { return attention(config, {3, length}, 75); });
    }
}

TEST_CASE("two sequences of one batch keep their states apart", "[backend][decoding]") {
    // The second sequence of a batch decodes as it does alone, whatever the first one holds.
    const Maker both = [](std::int64_t length, FormChoice form) {
        return mamba3(mamba3_config(3, 6, 1, 2), {2, length, 2}, form);
    };
    const Operation whole = both(6, {});
    Values values = random_values(whole, 21), other = values;
    for (std::size_t i = 0; i < whole.inputs.size(); ++i)
        for (std::size_t k = 0; !whole.inputs[i].parameter && k < values.inputs[i].size() / 2; ++k)
            other.inputs[i][k] *= -0.5;
    for (Backend* backend : judged_backends()) {
        const Outcome first = run_in_parts(*backend, DType::f64, both, values, {2, 1, 1, 1, 1});
        const Outcome second = run_in_parts(*backend, DType::f64, both, other, {2, 1, 1, 1, 1});
        const auto half = static_cast<std::ptrdiff_t>(first.y.size() / 2);
        CHECK(std::equal(first.y.begin() + half, first.y.end(), second.y.begin() + half));
        CHECK_FALSE(std::equal(first.y.begin(), first.y.begin() + half, second.y.begin()));
    }
}
