// A baseline: what a build must still be able to learn, as bounds on how many seeds succeed.
//
// One number of one training run says little: another compiler or processor changes the last bits and with them every
// run. A gate therefore trains a population and bounds its pass rate with a stated confidence.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/run/session.hpp"

namespace whorl {

struct Gate {
    std::string name;
    std::vector<std::string> set;  // assignments to the recipe, as on the command line
    std::int64_t size = 0;         // one of the recipe's test.sizes
    double threshold = 0.9;        // scaled accuracy with which a replica passes
    std::optional<double> min_pass_rate, max_pass_rate;
};

struct Baseline {
    std::string name = "baseline";
    std::string recipe;
    double confidence = 0.95;
    std::vector<Gate> gates;
};

/// Throws UserError naming file, line and key.
Baseline read_baseline(const Document& document);

struct GateResult {
    std::int64_t passed = 0, count = 0;
    double lower = 0, upper = 1;  // of the pass rate, each with the baseline's confidence
    double seconds = 0;
    bool holds = false;
};

/// The recipe with the gate's assignments. Throws UserError when it does not test at the gate's size.
RunSetup gate_setup(const Baseline& baseline, const Gate& gate);

/// A gate holds when the pass rate is at least min_pass_rate, and at most max_pass_rate, with the given confidence.
GateResult judge(const Gate& gate, double confidence, const RunSetup& setup, const SessionResult& run);

template <class V>
void describe(V& v, Gate& c) {
    v.field("name", c.name, required());
    v.require(names_a_folder(c.name), "name", kFolderNameRule);
    v.field("set", c.set);
    v.field("size", c.size, range(2, kLargestSize).required());
    v.field("threshold", c.threshold, range(0, 1));
    v.field("min_pass_rate", c.min_pass_rate, above(0).below(1));
    v.field("max_pass_rate", c.max_pass_rate, above(0).below(1));
    v.require(c.min_pass_rate || c.max_pass_rate, "min_pass_rate",
              "a gate needs this, or max_pass_rate: else it cannot fail");
}

template <class V>
void describe(V& v, Baseline& c) {
    v.field("name", c.name);
    v.field("recipe", c.recipe, required());
    v.field("confidence", c.confidence, above(0.5).below(1));
    v.field("gates", c.gates);
    v.require(!c.gates.empty(), "gates", "must list at least one [[gates]]");
    for (std::size_t i = 0; i < c.gates.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            v.require(c.gates[i].name != c.gates[j].name, "gates", "two gates have the same name");
}

}  // namespace whorl
