// The sizes that benchmarks have, by the names of their options.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/config/value.hpp"

namespace whorl {

/// 0: the benchmark has no such size.
struct BenchSizes {
    std::int64_t replicas = 0, batch = 0, length = 0, d_model = 0, n_layer = 0, vocab_size = 0, heads = 0, headdim = 0,
                 d_state = 0, rank = 0, piece = 0;
};

struct BenchSizeName {
    const char *name, *meaning;
    std::int64_t BenchSizes::*member;
};

inline constexpr std::array kBenchSizeNames = {
    BenchSizeName{"replicas", "models trained together", &BenchSizes::replicas},
    BenchSizeName{"batch", "sequences a replica", &BenchSizes::batch},
    BenchSizeName{"length", "tokens a sequence (decode: tokens behind the first timed one)", &BenchSizes::length},
    BenchSizeName{"d-model", "width", &BenchSizes::d_model},
    BenchSizeName{"n-layer", "layers", &BenchSizes::n_layer},
    BenchSizeName{"vocab-size", "tokens there are", &BenchSizes::vocab_size},
    BenchSizeName{"heads", "H", &BenchSizes::heads},
    BenchSizeName{"headdim", "P, or head_dim", &BenchSizes::headdim},
    BenchSizeName{"d-state", "N", &BenchSizes::d_state},
    BenchSizeName{"rank", "of MIMO layers", &BenchSizes::rank},
    BenchSizeName{"piece", "positions that are read at a time", &BenchSizes::piece},
};

/// The sizes that are there, as a table.
inline Value to_value(const BenchSizes& sizes) {
    Table table;
    for (const BenchSizeName& size : kBenchSizeNames)
        if (sizes.*size.member > 0) table.push_back({size.name, {sizes.*size.member}});
    return {std::move(table)};
}

}  // namespace whorl
