#include "viz/panels/needle_map.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "viz/panels/wording.hpp"

namespace whorl::viz {
namespace {

using namespace plot;

constexpr double kMost = 0.9;          // of the needles: "found"
constexpr std::size_t kNumbers = 260;  // cells that have room for their numbers

std::string length_text(std::int64_t length) {
    const std::string digits = std::to_string(length);
    return length < 1000 ? digits : digits.substr(0, digits.size() - 3) + " " + digits.substr(digits.size() - 3);
}

/// The least depth, as a row, from which on at least half of the needles are found down to the end; depths.size() where
/// not even the last is.
std::size_t reach(const NeedleMap& map, std::size_t length) {
    std::size_t row = map.depths.size();
    while (row > 0 && map.found[row - 1][length] >= 0.5) --row;
    return row;
}

/// Up to chance, no needle that lies later is found less often than one before it.
bool later_is_easier(const NeedleMap& map, std::size_t length) {
    constexpr double kChance = 0.1;
    for (std::size_t d = 1; d < map.depths.size(); ++d)
        if (map.found[d][length] < map.found[d - 1][length] - kChance) return false;
    return true;
}

/// Whether the needles that are found lie later in each longer text, and it shows: some length has both kinds.
bool later_and_later(const NeedleMap& map) {
    constexpr double kShown = 0.3;
    bool shown = false;
    for (std::size_t l = 0; l < map.lengths.size(); ++l) {
        if (!later_is_easier(map, l) || (l > 0 && reach(map, l) < reach(map, l - 1))) return false;
        shown = shown || map.found.back()[l] - map.found.front()[l] > kShown;
    }
    return shown && reach(map, map.lengths.size() - 1) > reach(map, 0);
}

double mean_at(const NeedleMap& map, std::size_t length) {
    double sum = 0;
    for (const auto& row : map.found) sum += row[length];
    return sum / static_cast<double>(map.found.size());
}

std::string claim_of_one(const NeedleMap& map) {
    const std::int64_t safe = found_up_to(map, kMost), longest = map.lengths.back();
    if (safe == longest)
        return fmt::format("{} finds {:.0f} % of needles or more at every depth of {} tokens", map.name, 100 * kMost,
                           length_text(longest));
    if (later_and_later(map)) return "The longer the text, the later the needle must stand";
    if (safe > 0)
        return fmt::format("{} finds {:.0f} % of needles or more at every depth up to {} tokens, not beyond", map.name,
                           100 * kMost, length_text(safe));
    return fmt::format("{} finds {} of the needles in {} tokens", map.name, percent(mean_at(map, 0)),
                       length_text(map.lengths.front()));
}

std::string claim_of(const std::vector<NeedleMap>& maps) {
    if (maps.size() == 1) return claim_of_one(maps[0]);
    std::vector<std::string> parts;
    for (const NeedleMap& map : maps) {
        const std::int64_t safe = found_up_to(map, kMost);
        parts.push_back(safe > 0 ? fmt::format("{} up to {} tokens", map.name, length_text(safe))
                                 : fmt::format("{} at no length", map.name));
    }
    return fmt::format("{:.0f} % of needles at every depth are found by {}", 100 * kMost, list(parts));
}

void add_ticks(Panel& panel, const NeedleMap& map) {
    for (std::size_t l = 0; l < map.lengths.size(); ++l)
        panel.x.ticks.push_back({static_cast<double>(l) + 0.5, length_text(map.lengths[l])});
    for (std::size_t d = 0; d < map.depths.size(); ++d)
        panel.y.ticks.push_back({static_cast<double>(map.depths.size() - d) - 0.5, fmt::format("{} %", map.depths[d])});
}

Grid cells_of(const NeedleMap& map) {
    Grid grid;
    grid.id = "found";
    for (std::size_t l = 0; l <= map.lengths.size(); ++l) grid.x_edges.push_back(static_cast<double>(l));
    for (std::size_t d = 0; d <= map.depths.size(); ++d)
        grid.y_edges.push_back(static_cast<double>(map.depths.size() - d));  // the beginning on top
    for (const auto& row : map.found) grid.values.insert(grid.values.end(), row.begin(), row.end());
    grid.numbers = grid.values.size() <= kNumbers;
    grid.label = "found";
    grid.low_text = "0 none";
    grid.high_text = "1 all";
    return grid;
}

/// Behind the last length that training knew.
void mark_trained(Panel& panel, const NeedleMap& map) {
    if (map.trained == 0) return;
    const auto known = std::count_if(map.lengths.begin(), map.lengths.end(),
                                     [&](std::int64_t length) { return length <= map.trained; });
    if (known == 0 || known == static_cast<std::ptrdiff_t>(map.lengths.size())) return;
    panel.marks.push_back(
        Rule{"trained", Direction::x, static_cast<double>(known), {Role::accent, Weight::data, 1, Dash::dashed}, ""});
}

std::string trained_text(const std::vector<NeedleMap>& maps) {
    const bool known = std::any_of(maps.begin(), maps.end(), [](const NeedleMap& map) { return map.trained > 0; });
    const bool alike =
        std::all_of(maps.begin(), maps.end(), [&](const NeedleMap& map) { return map.trained == maps[0].trained; });
    if (!known) return "";
    return "; dashed: the longest text in training" +
           (alike ? fmt::format(", {} tokens", length_text(maps[0].trained)) : "");
}

Panel panel_of(const NeedleMap& map, int row, bool titled) {
    Panel panel;
    panel.id = "map." + std::to_string(row);
    panel.row = row;
    if (titled) panel.title = map.name;
    if (titled && map.about != map.name) panel.subtitle = map.about;
    panel.x.label = "text", panel.x.unit = "tokens";
    panel.y.label = "depth of the needle";
    panel.x.low = 0, panel.x.high = static_cast<double>(map.lengths.size());
    panel.y.low = 0, panel.y.high = static_cast<double>(map.depths.size());
    add_ticks(panel, map);
    panel.marks.push_back(cells_of(map));
    mark_trained(panel, map);
    return panel;
}

std::string range_text(const NeedleMap& map, std::size_t length) {
    std::size_t least = 0, most = 0;
    for (std::size_t d = 0; d < map.depths.size(); ++d) {
        if (map.found[d][length] < map.found[least][length]) least = d;
        if (map.found[d][length] > map.found[most][length]) most = d;
    }
    const double low = map.found[least][length], high = map.found[most][length];
    if (low == high) return percent(low) + " at every depth";
    return fmt::format("{} at depth {} % to {} at depth {} %", percent(low), map.depths[least], percent(high),
                       map.depths[most]);
}

std::string sentence(const NeedleMap& map) {
    std::string text = map.name + (map.about.empty() ? "" : " (" + map.about + ")") + " finds";
    for (std::size_t l = 0; l < map.lengths.size(); ++l)
        text += fmt::format("{} of {} tokens {}",
                            l == 0                        ? " in texts"
                            : l + 1 == map.lengths.size() ? "; and"
                                                          : ";",
                            length_text(map.lengths[l]), range_text(map, l));
    return text + ".";
}

void check_cells(const NeedleMap& map) {
    bool whole = !map.lengths.empty() && !map.depths.empty() && map.found.size() == map.depths.size();
    for (const auto& row : map.found) whole = whole && row.size() == map.lengths.size();
    if (!whole) throw UserError("needle-map: needs a share for each depth and length");
}

}  // namespace

std::int64_t found_up_to(const NeedleMap& map, double share) {
    std::int64_t longest = 0;
    for (std::size_t l = 0; l < map.lengths.size(); ++l) {
        for (const auto& row : map.found)
            if (row[l] < share) return longest;
        longest = map.lengths[l];
    }
    return longest;
}

Figure needle_map_figure(const std::vector<NeedleMap>& maps) {
    if (maps.empty()) throw UserError("needle-map: no model was asked");
    Figure figure;
    figure.id = "needle-map";
    for (const NeedleMap& map : maps) check_cells(map);
    figure.claim = claim_of(maps);
    figure.subtitle = fmt::format("Share of needles found{}, {} texts a cell",
                                  maps.size() == 1 ? " by " + maps[0].name : "", maps[0].count);
    if (maps.size() == 1 && !maps[0].about.empty()) figure.subtitle += "; " + maps[0].about;
    figure.subtitle += trained_text(maps);
    int row = 0;
    for (const NeedleMap& map : maps) {
        figure.panels.push_back(panel_of(map, row++, maps.size() > 1));
        figure.words.push_back(sentence(map));
    }
    figure.height =
        120 + 60 * static_cast<double>(maps.size()) + 26 * static_cast<double>(maps.size() * maps[0].depths.size());
    return figure;
}

}  // namespace whorl::viz
