// The backward passes of Mamba-2, the gated delta rule and attention.
#include "tests/support/catch.hpp"
#include "tests/support/judge.hpp"
#include "tests/support/mixer_operations.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

constexpr FormChoice kForms[] = {{Form::recurrent, 3}, {Form::chunked, 4}};

Mamba2Config mamba2_config(std::int64_t headdim, std::int64_t d_state, std::int64_t groups = 1) {
    Mamba2Config config;
    config.headdim = headdim;
    config.d_state = d_state;
    config.ngroups = groups;
    return config;
}

GatedDeltaNetConfig delta_config(std::int64_t heads, std::int64_t value_heads, std::int64_t keys, double expand,
                                 bool negative) {
    GatedDeltaNetConfig config;
    config.num_heads = heads;
    config.num_v_heads = value_heads;
    config.head_dim = keys;
    config.expand_v = expand;
    config.allow_neg_eigval = negative;
    return config;
}

}  // namespace

TEST_CASE("gradients of mamba2 with groups, at the smallest and at odd sizes", "[backend][mamba2]") {
    for (const FormChoice& form : kForms) {
        check_gradients(mamba2(mamba2_config(5, 7), {2, 9, 3}, form));
        check_gradients(mamba2(mamba2_config(3, 4, 2), {2, 8, 4}, form));
        check_gradients(mamba2(mamba2_config(2, 3, 4), {1, 5, 4}, form));
        check_gradients(mamba2(mamba2_config(1, 1), {1, 1, 1}, form));
        check_gradients(mamba2(mamba2_config(1, 2), {17, 2, 1}, form));
        check_gradients(mamba2(mamba2_config(19, 33), {1, 13, 1}, form));
    }
}

TEST_CASE("gradients of the gated delta rule, shared keys, both ranges of beta", "[backend][gated_delta]") {
    for (const FormChoice& form : kForms)
        for (const bool negative : {false, true}) {
            check_gradients(gated_delta(delta_config(2, 2, 5, 2, negative), {2, 9}, form));
            check_gradients(gated_delta(delta_config(2, 6, 3, 1, negative), {2, 7}, form));
            check_gradients(gated_delta(delta_config(1, 3, 4, 0.5, negative), {1, 8}, form));
            check_gradients(gated_delta(delta_config(1, 1, 1, 1, negative), {1, 1}, form));
            check_gradients(gated_delta(delta_config(1, 1, 2, 1, negative), {17, 2}, form));
            check_gradients(gated_delta(delta_config(1, 1, 17, 1, negative), {1, 13}, form));
        }
}

TEST_CASE("gradients of attention, with rope and without, over more than one block of queries",
          "[backend][attention]") {
    for (const Positions positions : {Positions::rope, Positions::none}) {
        check_gradients(attention({3, 6, positions}, {2, 9}));
        check_gradients(attention({1, 2, positions}, {1, 1}));
        check_gradients(attention({2, 4, positions}, {1, 67}));
    }
    check_gradients(attention({2, 5, Positions::none}, {17, 2}));
    check_gradients(attention({1, 1, Positions::none}, {1, 3}));
}

TEST_CASE("mamba2, the gated delta rule and attention in float and to the bit",
          "[backend][mamba2][gated_delta][attention]") {
    for (const FormChoice& form : kForms) {
        check_float(mamba2(mamba2_config(5, 7), {2, 33, 3}, form), 33);
        check_same_bits(mamba2(mamba2_config(5, 7), {3, 17, 3}, form));
        check_float(gated_delta(delta_config(2, 4, 5, 2, true), {2, 33}, form), 33);
        check_same_bits(gated_delta(delta_config(2, 4, 5, 2, true), {3, 17}, form));
    }
    check_same_bits(mamba2(mamba2_config(5, 7), {19, 5, 2}));
    check_same_bits(gated_delta(delta_config(1, 2, 5, 1, false), {19, 5}));
    check_float(attention({3, 6, Positions::rope}, {2, 67}), 67);
    check_same_bits(attention({3, 6, Positions::rope}, {19, 5}));
    check_same_bits(attention({3, 5, Positions::none}, {2, 67}));
}

TEST_CASE("the gated delta rule and attention of activations that are stored in bf16",
          "[backend][gated_delta][attention]") {
    for (const FormChoice& form : kForms) {
        check_stored(gated_delta(delta_config(2, 4, 5, 2, true), {2, 33}, form));    // heads share keys
        check_stored(gated_delta(delta_config(2, 2, 8, 1, false), {2, 33}, form));   // none do
        check_stored(gated_delta(delta_config(1, 1, 64, 2, false), {1, 35}, form));  // several panels
        check_stored(gated_delta(delta_config(1, 1, 67, 1, false), {19, 9}, form));  // odd rows
    }
    struct Rule {
        std::int64_t keys;
        double expand;
    };
    for (const Rule& rule : {Rule{16, 2}, Rule{32, 2}, Rule{32, 0.5}, Rule{64, 0.5}}) {  // by warps
        Operation operation = gated_delta(delta_config(2, 2, rule.keys, rule.expand, true), {5, 41});
        align_rows(operation);
        check_stored(operation);
        check_same_bits(operation);
    }
    for (const std::int64_t headdim : {8, 16, 32, 64})
        for (const std::int64_t length : {64, 67, 130})
            check_stored(attention({2, headdim, Positions::rope}, {2, length}));
}
