#include "core/training/replica.hpp"

namespace whorl {

std::vector<ReplicaHyper> replicas_of(const ReplicaGrid& grid) {
    std::vector<ReplicaHyper> replicas;
    for (const double rate : grid.learning_rates)
        for (const double decay : grid.weight_decays)
            for (const DtRange& dt : grid.dt_ranges)
                for (std::int64_t s = 0; s < grid.seeds; ++s) {
                    const auto seed = static_cast<std::uint64_t>(grid.first_seed + s);
                    replicas.push_back({rate, decay, seed, seed, dt, true});
                }
    return replicas;
}

}  // namespace whorl
