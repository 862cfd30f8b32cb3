// Recurrent, dense and chunked forms of each recurrence: outputs and gradients.
#include "tests/support/catch.hpp"
#include "tests/support/judge.hpp"
#include "tests/support/mixer_operations.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

constexpr std::int64_t kDense = 1 << 20;  // one chunk, whatever the length

/// The backend's choice, dense, and chunks that divide some lengths and not others.
const std::vector<FormChoice> kForms = {{},
                                        {Form::chunked, kDense},
                                        {Form::chunked, 1},
                                        {Form::chunked, 2},
                                        {Form::chunked, 7},
                                        {Form::chunked, 16},
                                        {Form::chunked, 64},
                                        {Form::recurrent, 1},
                                        {Form::recurrent, 5}};
const std::vector<FormChoice> kFewForms = {{}, {Form::chunked, kDense}, {Form::chunked, 24}};

struct Sizes {
    std::int64_t length, headdim, state;
};
const Sizes kSmall[] = {{1, 4, 4}, {2, 4, 6}, {3, 5, 4}, {17, 7, 10}, {33, 12, 5}, {65, 4, 9}};
const Sizes kLarge[] = {{300, 4, 20}, {129, 128, 16}, {96, 24, 128}, {70, 33, 100}};

/// Δ|A| around 50: nothing survives a step, and e^Λ over a chunk is zero in double as well.
constexpr DecayRange kStrong{3, 5, 8, 12};
constexpr DecayRange kStrongLog{1, 3, 2, 2.9};
/// Δ|A| around 10⁻⁴: everything survives. Δ stays of the size of one, so that values keep coming in.
constexpr DecayRange kTiny{-1, 1, -12, -9};

Maker mamba3_maker(const Mamba3Config& config, std::int64_t batch, std::int64_t heads, const DecayRange& range = {}) {
    return [=](std::int64_t length, FormChoice form) { return mamba3(config, {batch, length, heads}, form, range); };
}
Maker mamba2_maker(std::int64_t headdim, std::int64_t state, std::int64_t batch, const DecayRange& range = {}) {
    Mamba2Config config;
    config.headdim = headdim;
    config.d_state = state;
    return [=](std::int64_t length, FormChoice form) { return mamba2(config, {batch, length, 2}, form, range); };
}
Maker delta_maker(std::int64_t keys, double expand, std::int64_t batch, const DecayRange& range = {}) {
    GatedDeltaNetConfig config;
    config.num_heads = 1;
    config.num_v_heads = 2;
    config.head_dim = keys;
    config.expand_v = expand;
    return [=](std::int64_t length, FormChoice form) { return gated_delta(config, {batch, length}, form, range); };
}

}  // namespace

TEST_CASE("all forms of mamba3 agree, SISO and MIMO", "[backend][mamba3][forms]") {
    for (const std::int64_t rank : {0, 1, 3}) {
        for (const Sizes& s : kSmall)
            check_forms(mamba3_maker(mamba3_config(s.headdim, rank ? s.state + s.state % 2 : s.state, 1, rank), 2, 2),
                        s.length, kForms);
        for (const Sizes& s : kLarge)
            if (rank != 1)
                check_forms(mamba3_maker(mamba3_config(s.headdim, s.state, 1, rank), 1, 1), s.length, kFewForms);
    }
}

TEST_CASE("all forms of mamba3 agree at ranks that fit no block of a matrix product", "[backend][mamba3][forms]") {
    for (const std::int64_t rank : {5, 7, 25})
        check_forms(mamba3_maker(mamba3_config(3, 4, 1, rank), 1, 1), 31,
                    {{}, {Form::chunked, kDense}, {Form::chunked, 9}});
}

TEST_CASE("all forms of mamba3 agree under strong and under tiny decay", "[backend][mamba3][forms]") {
    for (const std::int64_t rank : {0, 2})
        for (const DecayRange& range : {kStrong, kTiny}) {
            check_forms(mamba3_maker(mamba3_config(6, 8, 1, rank), 1, 2, range), 67, kForms);
            check_forms(mamba3_maker(mamba3_config(6, 8, 1, rank), 1, 1, range), 300, kFewForms);
        }
}

TEST_CASE("all forms of mamba2 agree, also under strong and tiny decay", "[backend][mamba2][forms]") {
    for (const Sizes& s : kSmall) check_forms(mamba2_maker(s.headdim, s.state, 2), s.length, kForms);
    for (const Sizes& s : kLarge) check_forms(mamba2_maker(s.headdim, s.state, 1), s.length, kFewForms);
    for (const DecayRange& range : {kStrongLog, kTiny}) check_forms(mamba2_maker(6, 8, 1, range), 131, kForms);
}

TEST_CASE("all forms of the gated delta rule agree, also under strong and tiny decay",
          "[backend][gated_delta][forms]") {
    for (const Sizes& s : kSmall) check_forms(delta_maker(s.headdim, 2, 2), s.length, kForms);
    // Not dense: 300 keys of 4 channels are close to dependent, and float loses 10⁻⁴ in one triangular system of that
    // size.
    check_forms(delta_maker(4, 1, 1), 300, {{}, {Form::chunked, 24}, {Form::chunked, 64}});
    check_forms(delta_maker(128, 1, 1), 65, kFewForms);
    check_forms(delta_maker(24, 2, 1), 129, kFewForms);
    check_forms(delta_maker(33, 1, 1), 70, kFewForms);
    // Many value channels: in two panels on a GPU, and of a number that no panel divides.
    check_forms(delta_maker(64, 2, 1), 150, {{}, {Form::chunked, 64}, {Form::chunked, 33}});
    check_forms(delta_maker(67, 1, 1), 70, kFewForms);
    for (const DecayRange& range : {kStrongLog, kTiny}) check_forms(delta_maker(6, 2, 1, range), 131, kForms);
}
