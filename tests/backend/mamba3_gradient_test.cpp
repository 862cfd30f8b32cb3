// The backward pass of the Mamba-3 recurrence under every ablation, alone and in the pairs that meet in the code.
#include "tests/support/catch.hpp"
#include "tests/support/judge.hpp"
#include "tests/support/mixer_operations.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

constexpr FormChoice kForms[] = {{Form::recurrent, 3}, {Form::chunked, 4}};

/// Gradients of a small layer in both forms; sizes are odd where the options allow.
void check_layer(const Mamba3Config& config, const MixerShape& shape = {2, 9, 3}) {
    for (const FormChoice& form : kForms) check_gradients(mamba3(config, shape, form));
}

Mamba3Config siso() {
    return mamba3_config(5, 7);
}
Mamba3Config mimo() {
    return mamba3_config(3, 6, 1, 2);
}

}  // namespace

TEST_CASE("gradients of mamba3 with each rotation, discretization and pairing", "[backend][mamba3]") {
    for (const Rotation rotation : {Rotation::data_dependent, Rotation::standard, Rotation::none})
        for (const Discretization weight :
             {Discretization::trapezoidal, Discretization::trapezoidal_half, Discretization::euler})
            for (const bool halves : {false, true}) {
                Mamba3Config config = mamba3_config(5, halves ? 6 : 7);
                config.rotation = rotation;
                config.discretization = weight;
                config.rotary_pairing = halves ? RotaryPairing::halves : RotaryPairing::neighbours;
                check_layer(config);
            }
}

TEST_CASE("gradients of mamba3 with each bias, with and without norm of B and C", "[backend][mamba3]") {
    for (const BcBias bias : {BcBias::both, BcBias::b, BcBias::c, BcBias::none})
        for (const bool normed : {false, true})
            for (Mamba3Config config : {siso(), mimo()}) {
                config.bc_bias = bias;
                config.bc_norm = normed;
                check_layer(config);
            }
}

TEST_CASE("gradients of mamba3 with each activation and source of A, also where the floor bites", "[backend][mamba3]") {
    for (const AActivation activation : {AActivation::softplus, AActivation::heavy_tail})
        for (const double floor : {1e-4, 0.6}) {
            Mamba3Config config = siso();
            config.a_activation = activation;
            config.a_floor = floor;
            check_layer(config);
        }
    for (Mamba3Config config : {siso(), mimo()}) {
        config.a_source = ASource::per_head;
        check_layer(config);
    }
}

TEST_CASE("gradients of mamba3 with each output norm, SISO and MIMO", "[backend][mamba3]") {
    for (const OutprojNorm norm : {OutprojNorm::none, OutprojNorm::pre_gate, OutprojNorm::post_gate})
        for (Mamba3Config config : {siso(), mimo()}) {
            config.outproj_norm = norm;
            check_layer(config);
        }
}

TEST_CASE("gradients of mamba3 with each MIMO rank and pairing", "[backend][mamba3]") {
    for (const std::int64_t rank : {1, 2, 3, 5})
        for (const RotaryPairing pairing : {RotaryPairing::halves, RotaryPairing::neighbours})
            for (const Rotation rotation : {Rotation::data_dependent, Rotation::none}) {
                Mamba3Config config = mamba3_config(3, pairing == RotaryPairing::halves ? 4 : 5, 1, rank);
                config.rotary_pairing = pairing;
                config.rotation = rotation;
                check_layer(config, {1, 7, 2});
            }
}

TEST_CASE("gradients of mamba3 with groups of heads", "[backend][mamba3]") {
    for (const std::int64_t groups : {1, 2, 4}) {
        check_layer(mamba3_config(3, 5, groups), {1, 6, 4});
        check_layer(mamba3_config(3, 4, groups, 2), {1, 6, 4});
    }
}

TEST_CASE("gradients of mamba3 with a part of the channels rotated", "[backend][mamba3]") {
    for (const double fraction : {0.25, 0.5, 0.75})
        for (const RotaryPairing pairing : {RotaryPairing::halves, RotaryPairing::neighbours}) {
            Mamba3Config config = mamba3_config(3, pairing == RotaryPairing::halves ? 10 : 9);
            config.rope_fraction = fraction;
            config.rotary_pairing = pairing;
            check_layer(config, {1, 6, 2});
        }
}

TEST_CASE("gradients of mamba3 at the smallest and at odd sizes", "[backend][mamba3]") {
    struct Sizes {
        std::int64_t batch, length, heads, headdim, state, rank;
    };
    for (const Sizes& s : {Sizes{1, 1, 1, 1, 2, 0},
                           {1, 1, 1, 1, 2, 1},
                           {1, 2, 1, 1, 3, 0},
                           {3, 1, 2, 2, 5, 0},
                           {1, 3, 1, 17, 2, 0},
                           {1, 13, 1, 4, 33, 0},
                           {17, 2, 1, 2, 3, 0},
                           {1, 5, 3, 7, 2, 3}})
        check_layer(mamba3_config(s.headdim, s.state, 1, s.rank), {s.batch, s.length, s.heads});
    Mamba3Config still = mamba3_config(3, 1);
    still.rotation = Rotation::none;
    check_layer(still);
}

TEST_CASE("mamba3 in float and from replica to replica, thread to thread", "[backend][mamba3]") {
    Mamba3Config gated = mimo();
    gated.outproj_norm = OutprojNorm::pre_gate;
    for (const Mamba3Config& config : {siso(), mimo(), gated})
        for (const FormChoice& form : kForms) {
            check_float(mamba3(config, {2, 33, 3}, form), 33);
            check_same_bits(mamba3(config, {2, 17, 3}, form));
        }
    check_same_bits(mamba3(siso(), {19, 5, 2}));  // more sequences than blocks
}
