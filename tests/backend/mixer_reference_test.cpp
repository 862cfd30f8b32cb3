// Each mixer against plain loops from its equations. Mamba-3's loops turn the state itself, step by step, where the
// operation turns B and C by cumulative angles: that the two agree is the rotary form of a complex state.
#include "tests/support/catch.hpp"
#include "tests/support/judge.hpp"
#include "tests/support/mixer_operations.hpp"
#include "tests/support/reference.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

/// Two orders of the same sums over some dozen steps of a stable recurrence: a few hundred roundings.
constexpr double kRecurrenceLimit = 1e-12;

constexpr FormChoice kForms[] = {{Form::recurrent, 0}, {Form::chunked, 5}, {Form::chunked, 1000}};

void check_mamba3(const Mamba3Config& config, const MixerShape& shape = {2, 23, 3}) {
    for (const FormChoice& form : kForms) {
        const Operation operation = mamba3(config, shape, form);
        const Values values = random_values(operation, 11);
        check_reference(operation, values, mamba3_reference(operation, values, config), kRecurrenceLimit);
    }
}

}  // namespace

TEST_CASE("mamba3 is the complex state that turns and decays", "[backend][mamba3]") {
    for (const Rotation rotation : {Rotation::data_dependent, Rotation::standard, Rotation::none})
        for (const Discretization weight :
             {Discretization::trapezoidal, Discretization::trapezoidal_half, Discretization::euler}) {
            Mamba3Config config = mamba3_config(5, 7);
            config.rotation = rotation;
            config.discretization = weight;
            check_mamba3(rotation == Rotation::none ? [&] { config.rope_fraction = 1; return config; }() : config);
        }
}

TEST_CASE("mamba3 with every other option is what its equations say", "[backend][mamba3]") {
    for (const RotaryPairing pairing : {RotaryPairing::neighbours, RotaryPairing::halves})
        for (const double fraction : {0.5, 1.0})
            for (const std::int64_t rank : {0, 1, 3}) {
                Mamba3Config config = mamba3_config(3, 10, 2, rank);
                config.rotary_pairing = pairing;
                config.rope_fraction = fraction;
                check_mamba3(config, {1, 11, 4});
            }
    for (const BcBias bias : {BcBias::b, BcBias::c, BcBias::none})
        for (const bool normed : {false, true}) {
            Mamba3Config config = mamba3_config(4, 5);
            config.bc_bias = bias;
            config.bc_norm = normed;
            check_mamba3(config);
        }
    for (const OutprojNorm norm : {OutprojNorm::pre_gate, OutprojNorm::post_gate})
        for (const std::int64_t rank : {0, 2}) {
            Mamba3Config config = mamba3_config(4, 6, 1, rank);
            config.outproj_norm = norm;
            config.a_activation = AActivation::heavy_tail;
            config.a_floor = 0.6;
            check_mamba3(config);
            config.a_source = ASource::per_head;
            check_mamba3(config);
        }
}

TEST_CASE("mamba2 is its recurrence", "[backend][mamba2]") {
    for (const std::int64_t groups : {1, 2, 4})
        for (const FormChoice& form : kForms) {
            Mamba2Config config;
            config.headdim = 5;
            config.d_state = 7;
            config.ngroups = groups;
            const Operation operation = mamba2(config, {2, 23, 4}, form);
            const Values values = random_values(operation, 12);
            check_reference(operation, values, mamba2_reference(operation, values, config), kRecurrenceLimit);
        }
}

TEST_CASE("the gated delta rule multiplies the state by a decayed reflection", "[backend][gated_delta]") {
    for (const bool negative : {false, true})
        for (const std::int64_t value_heads : {2, 6})
            for (const FormChoice& form : kForms) {
                GatedDeltaNetConfig config;
                config.num_heads = 2;
                config.num_v_heads = value_heads;
                config.head_dim = 5;
                config.expand_v = 1.4;
                config.allow_neg_eigval = negative;
                const Operation operation = gated_delta(config, {2, 23}, form);
                const Values values = random_values(operation, 13);
                check_reference(operation, values, gated_delta_reference(operation, values, config), kRecurrenceLimit);
            }
}

TEST_CASE("attention weighs the values of all earlier positions by their softmax", "[backend][attention]") {
    for (const Positions positions : {Positions::rope, Positions::none})
        for (const std::int64_t length : {1, 9, 64, 65, 130}) {
            const AttentionConfig config{3, 6, positions};
            const Operation operation = attention(config, {2, length});
            const Values values = random_values(operation, 14);
            check_reference(operation, values, attention_reference(operation, values, config), kRecurrenceLimit);
        }
}
