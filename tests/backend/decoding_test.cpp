// A state carried from part to part gives what the whole sequence gives: token by token, and a prompt followed by
// tokens.
#include "core/backend/factories.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/judge.hpp"
#include "tests/support/mixer_operations.hpp"

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

/// The same, with rows that a GPU copies 16 bytes at a time.
Maker aligned(const Maker& maker) {
    return [=](std::int64_t length, FormChoice form) {
        Operation operation = maker(length, form);
        align_rows(operation);
        return operation;
    };
}

}  // namespace

TEST_CASE("mamba3 decodes with each rotation, discretization and rank", "[backend][mamba3][decoding]") {
    for (const Rotation rotation : {Rotation::data_dependent, Rotation::standard, Rotation::none})
        for (const Discretization weight : {Discretization::trapezoidal, Discretization::euler})
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

TEST_CASE("mamba3 decodes where a GPU reads its state four numbers at a time", "[backend][mamba3][decoding]") {
    // States whose rows begin at multiples of four floats; more rows than threads, fewer, and a last group that is not
    // full; ranks up to one that only the general kernel takes.
    struct Size {
        std::int64_t headdim, state, rank, groups = 1;
    };
    for (const Size s : {Size{64, 64, 0},
                         {20, 128, 0},
                         {8, 8, 1},
                         {8, 16, 2},
                         {12, 24, 3},
                         {64, 32, 4},
                         {4, 136, 4},
                         {12, 16, 5},
                         {128, 128, 8},
                         {8, 8, 9},
                         {16, 32, 0, 2},
                         {16, 32, 2, 2},
                         {8, 16, 4, 2},
                         {8, 16, 5, 2}}) {
        const Maker maker = mamba3_maker(mamba3_config(s.headdim, s.state, s.groups, s.rank));
        check_parts(maker, {3, 1, 1});
        check_parts(aligned(maker), {3, 1, 1});
    }
}

TEST_CASE("mamba3 decodes with each norm, bias and decay", "[backend][mamba3][decoding]") {
    const auto check = [](const Mamba3Config& config) { check_parts(mamba3_maker(config), {2, 1, 1}); };
    for (const auto& [headdim, state, rank] : {std::array{5, 6, 0}, {5, 6, 2}, {8, 8, 0}, {8, 8, 2}}) {
        const Mamba3Config plain = mamba3_config(headdim, state, 1, rank);
        for (const OutprojNorm norm : {OutprojNorm::pre_gate, OutprojNorm::post_gate}) {
            Mamba3Config config = plain;
            config.outproj_norm = norm;
            check(config);
        }
        for (const BcBias bias : {BcBias::b, BcBias::c, BcBias::none}) {
            Mamba3Config config = plain;
            config.bc_bias = bias;
            config.bc_norm = bias == BcBias::b;
            check(config);
        }
        Mamba3Config config = plain;
        config.a_activation = AActivation::heavy_tail;
        config.rope_fraction = 0.5;
        check(config);
        config.a_source = ASource::per_head;
        config.discretization = Discretization::trapezoidal_half;
        check(config);
    }
}

TEST_CASE("the gated delta rule decodes at unequal sizes of keys and values", "[backend][gated_delta][decoding]") {
    struct Size {
        std::int64_t key, value;
    };
    for (const Size s : {Size{16, 48}, {128, 64}, {5, 40}, {64, 4}, {130, 8}, {33, 70}}) {
        GatedDeltaNetConfig config;
        config.num_heads = 2;
        config.head_dim = s.key;
        config.expand_v = static_cast<double>(s.value) / static_cast<double>(s.key);
        const Maker maker = [=](std::int64_t length, FormChoice form) {
            return gated_delta(config, {3, length}, form);
        };
        check_parts(maker, {2, 1, 1});
        check_parts(aligned(maker), {2, 1, 1});
    }
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

namespace {

/// The same in one form, whatever the caller asks for.
Maker in_form(const Maker& maker, FormChoice form) {
    return [=](std::int64_t length, FormChoice) { return maker(length, form); };
}

std::vector<Maker> recurrences() {
    std::vector<Maker> makers;
    for (const std::int64_t rank : {0, 1, 4}) {
        Mamba3Config config = mamba3_config(8, 16, 1, rank);
        makers.push_back(mamba3_maker(config));
        config.rotation = Rotation::standard;
        config.outproj_norm = OutprojNorm::pre_gate;
        makers.push_back(mamba3_maker(config));
    }
    Mamba2Config second;
    second.headdim = 8, second.d_state = 12;
    makers.push_back([=](std::int64_t length, FormChoice form) { return mamba2(second, {1, length, 3}, form); });
    GatedDeltaNetConfig delta;
    delta.num_heads = 3;
    delta.head_dim = 12;
    delta.expand_v = 0.75;
    makers.push_back([=](std::int64_t length, FormChoice form) { return gated_delta(delta, {1, length}, form); });
    return makers;
}

}  // namespace

TEST_CASE("recurrences go on from a state in chunks of any length",
          "[backend][mamba3][mamba2][gated_delta][decoding]") {
    // Parts that end inside a chunk, at its end, and one position behind it.
    const std::vector<std::int64_t> parts = {37, 1, 90, 48, 49, 3, 7, 65};
    for (const Maker& maker : recurrences()) {
        check_parts(maker, parts);
        for (const FormChoice form : {FormChoice{Form::recurrent, 0}, FormChoice{Form::chunked, 0},
                                      FormChoice{Form::chunked, 1}, FormChoice{Form::chunked, 16}})
            check_parts(in_form(maker, form), parts, 3);
    }
}

TEST_CASE("threads that share the heads of a long sequence change no bit", "[backend][decoding]") {
    std::vector<Maker> makers = recurrences();
    makers.push_back([](std::int64_t length, FormChoice) {
        return attention({3, 4, Positions::rope}, {1, length}, 300);
    });
    const auto one = make_cpu_backend(1), three = make_cpu_backend(3);
    const std::vector<std::int64_t> parts = {100, 1, 199};
    for (const Maker& maker : makers)
        for (const DType dtype : {DType::f64, DType::f32}) {
            const Values values = random_values(maker(300, {}), 5);
            const Outcome expected = run_in_parts(*one, dtype, maker, values, parts),
                          shared = run_in_parts(*three, dtype, maker, values, parts);
            INFO(maker(300, {}).name);
            CHECK(shared.damage.empty());
            CHECK(shared.y == expected.y);
            RunOptions whole;
            whole.backward = false;
            CHECK(run(*one, dtype, maker(300, {}), values, whole).y ==
                  run(*three, dtype, maker(300, {}), values, whole).y);
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
