// What distinguishes the members of a population from one another.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/config/config_binding.hpp"
#include "core/training/grid.hpp"

namespace whorl {

struct ReplicaHyper {
    double learning_rate = 1e-3;
    double weight_decay = 0.1;
    std::uint64_t init_seed = 0, data_seed = 0;
    DtRange dt;
    bool alive = true;  // false: keeps its parameters, takes no more steps
};

/// Why a replica takes no more steps.
enum class StopReason {
    none,        // it does
    not_finite,  // its loss or gradient was NaN or infinite: it keeps the parameters from before
    solved,      // early_stop
    held,        // ReplicaHyper::alive was false from the beginning
};
constexpr auto enum_names(StopReason) {
    return std::to_array<EnumName<StopReason>>({{StopReason::none, "none"},
                                                {StopReason::not_finite, "not_finite"},
                                                {StopReason::solved, "solved"},
                                                {StopReason::held, "held"}});
}

/// Where each replica stands.
struct Standing {
    std::vector<std::int64_t> stopped_at;  // steps done when it was stopped, -1: it goes on
    std::vector<StopReason> reason;
    std::vector<std::int64_t> solved;  // validations in a row that early_stop counts

    explicit Standing(std::size_t replicas = 0)
        : stopped_at(replicas, -1), reason(replicas, StopReason::none), solved(replicas, 0) {}
    std::int64_t count(StopReason which) const { return std::count(reason.begin(), reason.end(), which); }
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
void describe(V& v, ReplicaGrid& c) {
    NumberGrid rates{c.learning_rates}, decays{c.weight_decays};
    RangeGrid dt{c.dt_ranges};
    v.field("learning_rate", rates, above(0).at_most(10));
    v.renamed("learning_rates", "learning_rate", rates, above(0).at_most(10));
    v.field("weight_decay", decays, range(0, 100));
    v.renamed("weight_decays", "weight_decay", decays, range(0, 100));
    v.field("dt_range", dt);
    v.renamed("dt_ranges", "dt_range", dt);
    v.field("seeds", c.seeds, at_most(kMostReplicas));
    v.field("first_seed", c.first_seed, at_least(0));
    v.require(c.seeds >= 1, "seeds", "must be at least 1: a population of no replicas trains nothing");
    // In double, as the product of four large counts overflows.
    const double count = static_cast<double>(c.learning_rates.size()) * static_cast<double>(c.weight_decays.size()) *
                         static_cast<double>(c.dt_ranges.size()) * static_cast<double>(c.seeds);
    v.require(count <= kMostReplicas, "seeds", "makes more than 65536 replicas");
}

}  // namespace whorl
