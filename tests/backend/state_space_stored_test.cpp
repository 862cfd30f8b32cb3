// The state-space layers with activations stored in bf16: the bits of float, then rounded. (Many shapes are judged so
// in shapes_test.cpp, too, all of rows that start anywhere.)
#include <array>

#include "tests/support/catch.hpp"
#include "tests/support/judge.hpp"
#include "tests/support/mixer_operations.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

/// With rows that start at an odd number, and with ones that a GPU moves in packs.
void check_layer(Operation operation) {
    check_stored(operation);
    align_rows(operation);
    check_stored(operation);
}

}  // namespace

TEST_CASE("mamba3 stored in bf16 has the bits of float, rounded, in both forms", "[backend][mamba3][stored]") {
    for (const FormChoice& form : {FormChoice{}, FormChoice{Form::recurrent, 1}, FormChoice{Form::chunked, 7}})
        for (const std::int64_t rank : {0, 1, 2, 3}) {
            check_layer(mamba3(mamba3_config(5, rank ? 6 : 7, 1, rank), {2, 33, 3}, form));
            check_layer(mamba3(mamba3_config(8, 12, 2, rank), {2, 19, 4}, form));
        }
}

TEST_CASE("mamba3 stored in bf16 has the bits of float, rounded, at sizes that have kernels of their own and others",
          "[backend][mamba3][stored]") {
    for (const auto& [headdim, state, length] :  // gpu/state_space/state_space_strips.cuh lists the former
         {std::array{16, 64, 101}, {32, 64, 53}, {64, 64, 71}, {64, 128, 100}, {100, 72, 50}, {128, 128, 65}})
        check_layer(mamba3(mamba3_config(headdim, state), {1, length, 2}));
    check_layer(mamba3(mamba3_config(64, 128, 1, 4), {1, 40, 2}));
    for (const std::int64_t rank : {0, 2})  // more channels than a warp keeps in registers
        check_layer(mamba3(mamba3_config(8, 260, 1, rank), {1, 20, 2}));
}

TEST_CASE("mamba3 stored in bf16 has the bits of float, rounded, with every option", "[backend][mamba3][stored]") {
    std::vector<Mamba3Config> configs;
    for (const std::int64_t rank : {0, 2}) {
        const auto with = [&](const auto& change) {
            configs.push_back(mamba3_config(16, rank ? 24 : 64, 1, rank));
            change(configs.back());
        };
        for (const OutprojNorm norm : {OutprojNorm::pre_gate, OutprojNorm::post_gate})
            with([&](Mamba3Config& c) { c.outproj_norm = norm; });
        for (const Rotation rotation : {Rotation::standard, Rotation::none})
            with([&](Mamba3Config& c) { c.rotation = rotation; });
        for (const RotaryPairing pairing : {RotaryPairing::neighbours, RotaryPairing::halves})
            with([&](Mamba3Config& c) { c.rotary_pairing = pairing; });
        with([](Mamba3Config& c) { c.discretization = Discretization::trapezoidal_half; });
        with([](Mamba3Config& c) { c.bc_norm = false; });
        with([](Mamba3Config& c) { c.bc_bias = BcBias::none; });
        with([](Mamba3Config& c) { c.a_activation = AActivation::heavy_tail; });
        with([](Mamba3Config& c) { c.a_source = ASource::per_head; });
    }
    for (const Mamba3Config& config : configs) check_layer(mamba3(config, {1, 53, 2}));
}

TEST_CASE("mamba2 stored in bf16 has the bits of float, rounded, in both forms", "[backend][mamba2][stored]") {
    Mamba2Config config;
    for (const auto& [headdim, state, groups, length] :
         {std::array{5, 7, 1, 33}, {3, 4, 2, 17}, {16, 64, 1, 101}, {64, 128, 1, 100}, {40, 260, 1, 20}})
        for (const FormChoice& form : {FormChoice{}, FormChoice{Form::recurrent, 1}, FormChoice{Form::chunked, 7}}) {
            config.headdim = headdim;
            config.d_state = state;
            config.ngroups = groups;
            check_layer(mamba2(config, {2, length, 2}, form));
        }
}
