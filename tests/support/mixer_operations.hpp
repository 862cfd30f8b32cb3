// The recurrences and attention, as descriptions for judge.hpp.
#pragma once

#include "core/config/model_config.hpp"
#include "tests/support/operation.hpp"

namespace whorl::test {

/// What a config leaves open.
struct MixerShape {
    std::int64_t batch = 1, length = 1, heads = 1;  // heads: of the Mambas
};

/// Ranges of the raw inputs that decide the decay: softplus(ddt + dt_bias) = Δ, softplus(da) or exp(a_log) = |A|.
struct DecayRange {
    double ddt_low = -2, ddt_high = 1, a_low = -2, a_high = 2;
};

inline constexpr double kMixerEpsilon = 1e-5;

Operation mamba3(const Mamba3Config& config, const MixerShape& shape, FormChoice form = {},
                 const DecayRange& range = {});
Operation mamba2(const Mamba2Config& config, const MixerShape& shape, FormChoice form = {},
                 const DecayRange& range = {});
Operation gated_delta(const GatedDeltaNetConfig& config, const MixerShape& shape, FormChoice form = {},
                      const DecayRange& range = {});
/// With a carried state: a cache of `capacity` positions (default: the length).
Operation attention(const AttentionConfig& config, const MixerShape& shape, std::int64_t capacity = 0);

/// A Mamba-3 layer of these sizes, everything else at its default.
Mamba3Config mamba3_config(std::int64_t headdim, std::int64_t d_state, std::int64_t ngroups = 1,
                           std::int64_t mimo_rank = 0);

}  // namespace whorl::test
