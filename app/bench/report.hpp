// What a benchmark found: rows of one kind for all of them, as text, as JSON and back.
#pragma once

#include <string>
#include <vector>

#include "app/bench/limits.hpp"
#include "app/bench/measure.hpp"
#include "app/bench/sizes.hpp"
#include "core/config/config_binding.hpp"

namespace whorl {

/// One timed piece of work. What it does not have is 0.
struct BenchRow {
    std::string name;  // "mamba3 forward"
    Value sizes{Table{}};
    double ms = 0, ms_fastest = 0, ms_slowest = 0;  // median of all measurements
    double tokens_per_second = 0;                   // over all replicas
    double gflops = 0;                              // 10⁹ operations a second, those of the definition
    double gbytes = 0;                              // 10⁹ bytes a second, those that must move at least
    double share_of_matrix = 0, share_of_copy = 0;  // of the limits measured in the same run
    std::int64_t graph_nodes = 0, memory_bytes = 0;
};

/// What one call did.
struct BenchWork {
    double tokens = 0, flops = 0, bytes = 0;
};
BenchRow make_row(const std::string& name, const BenchSizes& sizes, const RecordedTiming& timing,
                  const BenchWork& work);

struct BenchReport {
    std::string bench, device, arithmetic = "float32";
    MachineLimits limits;
    std::vector<BenchRow> rows;
    std::vector<std::string> notes;
};

/// Adds a row with its shares of the report's limits.
void add_row(BenchReport& report, BenchRow row);

/// A table for people; `axis` names a size that the rows differ in (--scale): then each row also shows it and tokens/s
/// relative to the first row of its name.
void print_report(const BenchReport& report, const std::string& axis);

template <class V>
void describe(V& v, BenchRow& c) {
    v.field("name", c.name, required());
    v.field("sizes", c.sizes, required());
    v.field("ms", c.ms, above(0).required());
    v.field("ms_fastest", c.ms_fastest, at_least(0));
    v.field("ms_slowest", c.ms_slowest, at_least(0));
    v.field("tokens_per_second", c.tokens_per_second, at_least(0));
    v.field("gflops", c.gflops, at_least(0));
    v.field("gbytes", c.gbytes, at_least(0));
    v.field("share_of_matrix", c.share_of_matrix, at_least(0));
    v.field("share_of_copy", c.share_of_copy, at_least(0));
    v.field("graph_nodes", c.graph_nodes, at_least(0));
    v.field("memory_bytes", c.memory_bytes, at_least(0));
}
template <class V>
void describe(V& v, BenchReport& c) {
    v.field("bench", c.bench, required());
    v.field("device", c.device, required());
    v.field("arithmetic", c.arithmetic);
    v.field("limits", c.limits);
    v.field("rows", c.rows, required());
    v.field("notes", c.notes);
}

}  // namespace whorl
