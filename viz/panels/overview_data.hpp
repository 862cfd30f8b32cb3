// What a sweep found, as data: every replica of every run a dot, and all that is known of it by key.
//
//     key            learning_rate   model.headdim   accuracy   …
//     runs/a@0            0.002            8          99.8 %
//     runs/a@1            0.004            8          51.2 %
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "viz/plot/figure.hpp"

namespace whorl::viz {

/// Empty: nothing is known there, and the dot stands nowhere.
using Known = std::variant<std::monostate, double, std::string>;

struct OverviewKey {
    std::string name;                           // in links and filters: "model.headdim"
    std::string label{};                        // on an axis and in sentences; "": the name
    std::string unit{};                         // "%"
    bool result = false;                        // came out of the training rather than went into it
    std::map<std::string, plot::Role> roles{};  // values with a hue of their own, as models have

    const std::string& title() const { return label.empty() ? name : label; }
};

struct OverviewDot {
    std::string name;          // "headdim=8@3"
    std::string opens{};       // what shows it, as `whorl view` takes it; "": its weights were not kept
    std::vector<Known> known;  // [key]
};

struct OverviewData {
    std::string title;
    std::vector<OverviewKey> keys;
    std::vector<OverviewDot> dots;
    std::string missing{};  // what has no dots: "2 runs are not finished"
    double pass = 90;       // percent of scaled accuracy that counts as solved
};

/// Throws UserError with the nearest name.
std::size_t key_named(const OverviewData& data, const std::string& name);
/// "0.004", "mamba3", "99.8 %"; "–" where nothing is known.
std::string known_text(const OverviewKey& key, const Known& value);
/// The values of a key that are known, each once: numbers ascend, then texts.
std::vector<Known> values_of(const OverviewData& data, std::size_t key);
/// Keys with at least two values, in the data's order.
std::vector<std::string> varying_keys(const OverviewData& data);

/// The dots for which every condition of `filter` holds, as in "accuracy>=90 and model=mamba3": KEY OP VALUE, OP one of
/// = != < <= > >=; "" is all. Of what is not known only != holds. Throws UserError for what is no such condition, an
/// unknown key, or an order among texts.
std::vector<std::size_t> filtered(const OverviewData& data, const std::string& filter);
/// In ascending order of a key, with "-KEY" in descending order; "" as they are. What is not known comes last.
std::vector<std::size_t> sorted(const OverviewData& data, std::vector<std::size_t> dots, const std::string& by);

}  // namespace whorl::viz
