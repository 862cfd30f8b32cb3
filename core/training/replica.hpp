// What distinguishes the members of a population from one another.
#pragma once

#include <cstdint>
#include <vector>

#include "core/io/config_binding.hpp"

namespace whorl {

/// A range of step sizes Δ at initialisation; 0, 0: as the model's config says.
struct DtRange {
    double min = 0, max = 0;
};

struct ReplicaHyper {
    double learning_rate = 1e-3;
    double weight_decay = 0.1;
    std::uint64_t init_seed = 0, data_seed = 0;
    DtRange dt;
    bool alive = true;  // false: keeps its parameters, takes no more steps
};

/// A population as a product: every learning rate with every decay, every Δ range and every seed.
struct ReplicaGrid {
    std::vector<double> learning_rates = {1e-3};
    std::vector<double> weight_decays = {0.1};
    std::vector<DtRange> dt_ranges = {{}};
    std::int64_t seeds = 1;  // seeds first_seed, first_seed + 1, …, for initialisation and data
    std::int64_t first_seed = 0;

    std::int64_t count() const {
        return static_cast<std::int64_t>(learning_rates.size() * weight_decays.size() * dt_ranges.size()) * seeds;
    }
};

/// The members in order; the seed changes fastest, then Δ range, decay and learning rate. The same seed with another
/// learning rate starts from the same parameters and sees the same data, so that the two differ in nothing else.
std::vector<ReplicaHyper> replicas_of(const ReplicaGrid& grid);

template <class V>
void describe(V& v, DtRange& c) {
    v.field("min", c.min, at_least(0));
    v.field("max", c.max, at_least(0));
    v.require(c.min <= c.max && (c.min > 0 || c.max == 0), "min",
              "need 0 < min ≤ max, or 0 for both: as the model says");
}

inline constexpr std::int64_t kMostReplicas = 65536;

template <class V>
void describe(V& v, ReplicaGrid& c) {
    v.field("learning_rates", c.learning_rates, above(0).at_most(10));
    v.field("weight_decays", c.weight_decays, range(0, 100));
    v.field("dt_ranges", c.dt_ranges);
    v.field("seeds", c.seeds, range(1, kMostReplicas));
    v.field("first_seed", c.first_seed, at_least(0));
    v.require(!c.learning_rates.empty(), "learning_rates", "must list at least one");
    v.require(!c.weight_decays.empty(), "weight_decays", "must list at least one");
    v.require(!c.dt_ranges.empty(), "dt_ranges", "must list at least one");
    v.require(c.count() <= kMostReplicas, "seeds", "makes more than 65536 replicas");
}

}  // namespace whorl
