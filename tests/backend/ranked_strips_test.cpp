// The layers that gpu/state_space/ranked_strips.cuh has kernels for: several ranks, channels that turn together half a
// row apart, norms in the gate, carried states. A chunk's room is filled wholly, partly and several times.
#include "tests/support/catch.hpp"
#include "tests/support/judge.hpp"
#include "tests/support/mixer_operations.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

struct Sizes {
    std::int64_t headdim, state, rank, length;
};

/// With rows that start anywhere, which other kernels read, and with rows of pairs.
void check_layer(const Mamba3Config& config, const MixerShape& shape, std::int64_t replicas = 1) {
    Operation operation = mamba3(config, shape);
    align_rows(operation);
    check_backends(operation, shape.length, 3, replicas);
}

}  // namespace

TEST_CASE("every size and rank that ranked strips have agrees between backends", "[backend][mamba3][ranked]") {
    for (const Sizes& s : {Sizes{16, 64, 4, 37},
                           {32, 16, 4, 37},
                           {32, 32, 4, 37},
                           {32, 64, 4, 37},
                           {32, 128, 4, 37},
                           {64, 64, 4, 37},
                           {64, 128, 4, 37}})
        check_layer(mamba3_config(s.headdim, s.state, 1, s.rank), {1, s.length, 2});
    for (const std::int64_t rank : {1, 2, 3, 5, 8, 9, 16})
        check_layer(mamba3_config(32, 32, 1, rank), {1, rank > 4 ? 19 : 70, 1});
    check_layer(mamba3_config(32, 64, 2, 4), {2, 16, 4}, 2);  // one chunk; groups, replicas
    check_layer(mamba3_config(32, 16, 1, 4), {1, 1, 1});
}

TEST_CASE("ranked strips agree between backends with every option", "[backend][mamba3][ranked]") {
    std::vector<Mamba3Config> configs;
    for (const std::int64_t rank : {0, 2}) {
        const auto with = [&](const auto& change) {
            configs.push_back(mamba3_config(32, 32, 1, rank));
            change(configs.back());
        };
        for (const RotaryPairing pairing : {RotaryPairing::neighbours, RotaryPairing::halves})
            for (const double fraction : {1.0, 0.5, 0.3})
                with([&](Mamba3Config& c) { c.rotary_pairing = pairing, c.rope_fraction = fraction; });
        for (const OutprojNorm norm : {OutprojNorm::pre_gate, OutprojNorm::post_gate})
            with([&](Mamba3Config& c) { c.outproj_norm = norm; });
        for (const Rotation rotation : {Rotation::standard, Rotation::none})
            with([&](Mamba3Config& c) { c.rotation = rotation; });
        with([](Mamba3Config& c) { c.bc_norm = false; });
        for (const BcBias bias : {BcBias::none, BcBias::b, BcBias::c}) with([&](Mamba3Config& c) { c.bc_bias = bias; });
        with([](Mamba3Config& c) { c.a_activation = AActivation::heavy_tail; });
        with([](Mamba3Config& c) { c.a_source = ASource::per_head; });
        with([](Mamba3Config& c) { c.discretization = Discretization::euler; });
    }
    for (const Mamba3Config& config : configs) check_layer(config, {1, 75, 2});
    Mamba3Config shared = mamba3_config(64, 128, 1, 2);  // two warps a strip
    shared.outproj_norm = OutprojNorm::pre_gate;
    check_layer(shared, {1, 70, 1});
    shared.rotary_pairing = RotaryPairing::neighbours;
    shared.rotation = Rotation::standard;
    check_layer(shared, {1, 40, 1});
}

TEST_CASE("ranked strips go on from a carried state", "[backend][mamba3][ranked]") {
    const auto check = [](const Mamba3Config& config) {
        check_parts(
            [&](std::int64_t length, FormChoice form) {
                Operation operation = mamba3(config, {2, length, 2}, form);
                align_rows(operation);
                return operation;
            },
            {33, 1, 20, 64});
    };
    for (const std::int64_t rank : {0, 4, 3}) {
        Mamba3Config config = mamba3_config(32, 64, 1, rank);
        check(config);
        config.rotary_pairing = rank ? RotaryPairing::neighbours : RotaryPairing::halves;
        config.outproj_norm = OutprojNorm::post_gate;
        check(config);
        config.rotation = Rotation::standard;
        check(config);
    }
    Mamba2Config mamba2_config;
    mamba2_config.headdim = 64;
    mamba2_config.d_state = 128;
    check_parts(
        [&](std::int64_t length, FormChoice form) {
            return mamba2(mamba2_config, {1, length, 2}, form);
        },
        {70, 1, 9});
}

// Few heads and a thousand positions: a block a span.
TEST_CASE("long sequences of few heads agree in spans", "[backend][mamba3][ranked]") {
    for (const std::int64_t rank : {0, 2}) {
        Mamba3Config config = mamba3_config(32, 16, 1, rank);
        check_layer(config, {2, 1100, 1}, 2);
        config.rotary_pairing = RotaryPairing::neighbours;
        config.rotation = rank ? Rotation::standard : Rotation::none;
        check_layer(config, {1, 1031, 1});
        check_parts(
            [&](std::int64_t length, FormChoice form) {
                Operation operation = mamba3(config, {1, length, 1}, form);
                align_rows(operation);
                return operation;
            },
            {1030, 1, 20});
    }
    Operation siso = mamba3(mamba3_config(16, 64), {1, 1056, 1});  // strips otherwise
    align_rows(siso);
    check_backends(siso, 1056);
    check_same_bits(siso);
}

TEST_CASE("ranked strips have the same bits alone and among replicas, and with activations stored in bf16",
          "[backend][mamba3][ranked][stored]") {
    for (const Sizes& s : {Sizes{32, 64, 4, 37}, {64, 128, 4, 20}, {32, 32, 3, 40}, {16, 64, 0, 70}}) {
        Mamba3Config config = mamba3_config(s.headdim, s.state, 1, s.rank);
        config.outproj_norm = s.rank ? OutprojNorm::none : OutprojNorm::pre_gate;
        Operation operation = mamba3(config, {2, s.length, 2});
        align_rows(operation);
        check_same_bits(operation);
        check_stored(operation);
    }
}
