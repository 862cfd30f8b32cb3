// What a benchmark is asked for, and the list of benchmarks: one file each.
#pragma once

#include <string>
#include <vector>

#include "app/bench/report.hpp"
#include "app/bench/sizes.hpp"
#include "core/backend/backend.hpp"
#include "core/config/model_config.hpp"

namespace whorl {

struct BenchRequest {
    Backend& backend;
    std::vector<std::string> models;  // presets
    BenchSizes sizes;
    FormChoice form;
    double seconds = 1;  // for each figure
};

struct Benchmark {
    const char *name, *summary;
    std::vector<std::string> models;  // that are measured when none is named; empty: those make no difference
    BenchSizes sizes;                 // defaults on a GPU; sizes of 0 are not the benchmark's
    BenchSizes cpu_sizes;             // on a processor
    /// Adds its rows, and perhaps notes.
    void (*run)(const BenchRequest& request, BenchReport& report);
};
const std::vector<Benchmark>& benchmarks();

/// One layer of a preset with exactly these sizes: heads, headdim, d_state, and the rank of MIMO. Gated DeltaNet: keys
/// of d_state, values of headdim, so that its state has as many elements as the others'; attention reads no d_state.
ModelConfig layer_of(const std::string& preset, const BenchSizes& sizes);

/// The sizes that make a difference to this layer.
BenchSizes sizes_of_layer(const ModelConfig& config, const BenchSizes& sizes);

void bench_train(const BenchRequest& request, BenchReport& report);
void bench_decode(const BenchRequest& request, BenchReport& report);
void bench_read(const BenchRequest& request, BenchReport& report);
void bench_sequence(const BenchRequest& request, BenchReport& report);
void bench_rule(const BenchRequest& request, BenchReport& report);
void bench_update(const BenchRequest& request, BenchReport& report);
void bench_gemm(const BenchRequest& request, BenchReport& report);

}  // namespace whorl
