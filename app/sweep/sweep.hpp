// A sweep: one recipe, and axes along which its keys change. Every combination is a run, every run a cell of a table.
//
//     name = "ablation"
//     recipe = "parity-quick"        # a file, beside this one or here, or a recipe built into the program
//     size = 64                      # where the table is read; default: the largest of the recipe's test.sizes
//     threshold = 0.9                # scaled accuracy with which a replica passes
//     [set]                          # for every run
//     steps = 300
//     [axes]
//     model.preset = ["mamba3", "mamba2"]
//     "model.config.layers[*].d_state" = [16, 64]      # a deeper key stands in quotes
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/run/setup.hpp"

namespace whorl {

/// A key of the recipe and a value for it.
struct Assignment {
    std::string key;
    Value value;
};

struct SweepAxis {
    std::string key;
    std::vector<Value> values;
};

struct Sweep {
    std::string name = "sweep";
    std::string recipe;
    std::optional<std::int64_t> size;
    double threshold = 0.9;
    std::vector<Assignment> set;
    std::vector<SweepAxis> axes;
    std::string source;  // the file, for messages
};

/// Throws UserError naming file, line and key.
Sweep read_sweep(const Document& document);

/// The recipe's file beside the sweep's, or the name as it is written.
std::string recipe_path(const Sweep& sweep);

struct SweepRun {
    std::string folder;               // inside the sweep's: "preset=mamba3,d_state=16"
    std::vector<std::string> values;  // one an axis, as people write them
    RunSetup setup;
};

/// Every combination, the last axis fastest, with `more` (--set) on top. Throws UserError that names the combination
/// for one that is no valid run, that is not tested at the sweep's size, or that trains what another one does.
std::vector<SweepRun> runs_of(const Sweep& sweep, const std::vector<std::string>& more);

/// What a sweep's folder says about itself (runs.toml): enough to make its table from the runs beside it.
struct SweepRecord {
    struct Run {
        std::string folder;
        std::vector<std::string> values;
    };
    std::string name;
    double threshold = 0.9;
    std::optional<std::int64_t> size;
    std::vector<std::string> axes;
    std::vector<Run> runs;
};

SweepRecord record_of(const Sweep& sweep, const std::vector<SweepRun>& runs);

template <class V>
void describe(V& v, SweepRecord::Run& c) {
    v.field("folder", c.folder, required());
    v.field("values", c.values);
}

template <class V>
void describe(V& v, SweepRecord& c) {
    v.field("name", c.name, required());
    v.field("threshold", c.threshold);
    v.field("size", c.size);
    v.field("axes", c.axes);
    v.field("runs", c.runs);
}

}  // namespace whorl
