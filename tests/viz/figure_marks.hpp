// Marks of a figure by their names, for tests that read a claim off them.
#pragma once

#include <cmath>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <variant>

#include "viz/plot/figure.hpp"

namespace whorl::test {

inline const plot::Panel& panel_of(const plot::Figure& figure, const std::string& id) {
    for (const plot::Panel& panel : figure.panels)
        if (panel.id == id) return panel;
    throw std::logic_error("no panel " + id);
}

/// The mark of that kind and id.
template <class Mark>
const Mark& mark_of(const plot::Panel& panel, const std::string& id) {
    for (const plot::Mark& mark : panel.marks)
        if (const Mark* found = std::get_if<Mark>(&mark); found && found->id == id) return *found;
    throw std::logic_error("no such mark " + id);
}

template <class Mark>
bool has_mark(const plot::Panel& panel, const std::string& id) {
    for (const plot::Mark& mark : panel.marks)
        if (const Mark* found = std::get_if<Mark>(&mark); found && found->id == id) return true;
    return false;
}

inline bool inside(const plot::Axis& axis, double value) {
    const double room = 1e-12 * (std::fabs(axis.low) + std::fabs(axis.high));
    return !(value < axis.low - room) && !(value > axis.high + room);  // no limit: everything
}

/// True where a mark's numbers lie in the panel; of lines, those that are not a break.
inline bool inside(const plot::Panel& panel, const plot::Mark& mark) {
    return std::visit(
        [&](const auto& m) {
            using Mark = std::decay_t<decltype(m)>;
            if constexpr (std::is_same_v<Mark, plot::Line> || std::is_same_v<Mark, plot::Points> ||
                          std::is_same_v<Mark, plot::Stems>) {
                for (const plot::Point p : m.points) {
                    const bool breaks = std::is_same_v<Mark, plot::Line> && !(std::isfinite(p.x) && std::isfinite(p.y));
                    if (breaks) continue;
                    if (!std::isfinite(p.x) || !std::isfinite(p.y)) return false;
                    if (!inside(panel.x, p.x) || !inside(panel.y, p.y)) return false;
                }
                return true;
            } else if constexpr (std::is_same_v<Mark, plot::Band>) {
                const plot::Axis& axis = m.along == plot::Direction::x ? panel.x : panel.y;
                return (std::isinf(m.low) || inside(axis, m.low)) && (std::isinf(m.high) || inside(axis, m.high));
            } else if constexpr (std::is_same_v<Mark, plot::Rule>) {
                return inside(m.along == plot::Direction::x ? panel.x : panel.y, m.at);
            } else if constexpr (std::is_same_v<Mark, plot::Text> || std::is_same_v<Mark, plot::Handle>) {
                return inside(panel.x, m.at.x) && inside(panel.y, m.at.y);
            } else if constexpr (std::is_same_v<Mark, plot::Grid>) {
                for (const double value : m.values)
                    if (!std::isfinite(value) || value < m.low || value > m.high) return false;
                return true;
            } else {
                return true;
            }
        },
        mark);
}

/// All marks in, and something to read: a claim, a subtitle, words.
inline bool sound(const plot::Figure& figure) {
    if (figure.id.empty() || figure.claim.empty() || figure.subtitle.empty() || figure.words.empty()) return false;
    for (const plot::Panel& panel : figure.panels)
        for (const plot::Mark& mark : panel.marks)
            if (!inside(panel, mark)) return false;
    return !figure.panels.empty();
}

}  // namespace whorl::test
