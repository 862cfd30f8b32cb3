#include "viz/desk/pointing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/desk/needles.hpp"
#include "viz/plot/text_runs.hpp"
#include "viz/state/controls.hpp"
#include "viz/views/sandbox_view.hpp"

namespace whorl::viz {
namespace {

using namespace plot;

double distance(Point a, Point b) {
    return std::hypot(a.x - b.x, a.y - b.y);
}

bool within(const Box& box, Point at) {
    return at.x >= box.low.x && at.x <= box.high.x && at.y >= box.low.y && at.y <= box.high.y;
}

std::string number_text(double value) {
    return fmt::format("{:.4g}", value);
}

/// "Δ|A| = 0.8", and without a name the number alone.
std::string named(const Axis& axis, double value) {
    const std::string label = plain_text(axis.label);
    return (label.empty() ? "" : label + " ") + number_text(value) + axis.unit;
}

/// The nearest place so far.
class Nearest {
public:
    Nearest(const PlacedPanel& panel, Point mouse, double reach) : panel_(panel), mouse_(mouse), best_(reach) {}

    void offer(Point data, const std::string& name) {
        offer_said(data, (name.empty() ? "" : name + ": ") + named(panel_.x, data.x) + ", " + named(panel_.y, data.y));
    }
    void offer_said(Point data, const std::string& text) {
        if (!std::isfinite(data.x) || !std::isfinite(data.y)) return;
        const Point paper = panel_.to_paper(data);
        const double far = distance(paper, mouse_);
        if (far >= best_ || !within(panel_.frame, paper)) return;
        best_ = far;
        hit_ = Hit{text, paper};
    }
    void offer_cell(const Grid& grid, Point data) {
        if (hit_) return;
        const auto place = [](const std::vector<double>& edges, double value) {
            return std::upper_bound(edges.begin(), edges.end(), value) - edges.begin() - 1;
        };
        const auto columns = static_cast<std::ptrdiff_t>(grid.x_edges.size()) - 1,
                   rows = static_cast<std::ptrdiff_t>(grid.y_edges.size()) - 1;
        const std::ptrdiff_t column = place(grid.x_edges, data.x), row = place(grid.y_edges, data.y);
        if (column < 0 || row < 0 || column >= columns || row >= rows) return;
        const double value = grid.values[static_cast<std::size_t>(row * columns + column)];
        hit_ = Hit{named(panel_.x, data.x) + ", " + named(panel_.y, data.y) + ": " + number_text(value), mouse_};
    }
    const std::optional<Hit>& hit() const { return hit_; }

private:
    const PlacedPanel& panel_;
    Point mouse_;
    double best_;
    std::optional<Hit> hit_;
};

/// Marks without a label of their own are called by their id, where that is a word.
std::string name_of(const std::string& id, const std::string& label) {
    if (!label.empty()) return plain_text(label);
    return id.find('.') == std::string::npos ? id : "";
}

void offer(Nearest& nearest, const Mark& mark) {
    std::visit(
        [&](const auto& m) {
            using M = std::decay_t<decltype(m)>;
            if constexpr (std::is_same_v<M, Points>) {
                for (std::size_t i = 0; i < m.points.size(); ++i)
                    if (m.names.empty())
                        nearest.offer(m.points[i], name_of(m.id, m.label));
                    else
                        nearest.offer_said(m.points[i], plain_text(m.names[i]));
            } else if constexpr (std::is_same_v<M, Line> || std::is_same_v<M, Stems>) {
                for (const Point& point : m.points) nearest.offer(point, name_of(m.id, m.label));
            } else if constexpr (std::is_same_v<M, Arrow>) {
                nearest.offer(m.to, name_of(m.id, m.label));
            } else if constexpr (std::is_same_v<M, Handle>) {
                nearest.offer(m.at, "drag " + plain_text(m.label));
            } else if constexpr (std::is_same_v<M, Bars>) {
                for (const Bar& bar : m.bars)
                    nearest.offer(m.along == Direction::y ? Point{bar.at, bar.to} : Point{bar.to, bar.at},
                                  name_of(m.id, m.label));
            }
        },
        mark);
}

const PlacedPanel* panel_at(const Placed& placed, Point paper) {
    for (const PlacedPanel& panel : placed.panels)
        if (within(panel.frame, paper)) return &panel;
    return nullptr;
}

const Panel* panel_named(const Figure& figure, const std::string& id) {
    for (const Panel& panel : figure.panels)
        if (panel.id == id) return &panel;
    return nullptr;
}

/// "other.3" stands for the pair in its title, "pair 5: 3 %".
std::optional<std::int64_t> pair_of(const Panel& panel) {
    const std::string title = plain_text(panel.title.empty() ? panel.subtitle : panel.title), begin = "pair ";
    if (title.compare(0, begin.size(), begin) != 0) return std::nullopt;
    return std::atoll(title.c_str() + begin.size());
}

ViewState at_cursor(ViewState state, double position) {
    state.cursor = std::max<std::int64_t>(1, std::llround(position));
    return state;
}

/// Of the tape's first row.
std::int64_t tokens_on(const Panel& tape) {
    return std::count_if(tape.marks.begin(), tape.marks.end(),
                         [](const Mark& mark) { return id_of(mark).rfind("cell.0.", 0) == 0; });
}

double rate_of(const ViewState& state) {
    return std::hypot(value_of(state, "decay"), value_of(state, "rotation"));
}

/// A control that its handle's place follows at an even pace.
ViewState moved_along(const ViewState& state, const Handle& handle, Point to) {
    const double value = value_of(state, handle.id) + (to.x - handle.at.x) / handle.pace;
    return by_hand(state, handle.id, std::round(100 * value) / 100);
}

}  // namespace

std::optional<Hit> hit_at(const Figure& figure, const Placed& placed, Point paper, double reach) {
    const PlacedPanel* at = panel_at(placed, paper);
    const Panel* panel = at == nullptr ? nullptr : panel_named(figure, at->id);
    if (panel == nullptr) return std::nullopt;
    Nearest nearest(*at, paper, reach);
    for (const Mark& mark : panel->marks) offer(nearest, mark);
    for (const Mark& mark : panel->marks)
        if (const auto* grid = std::get_if<Grid>(&mark)) nearest.offer_cell(*grid, at->to_data(paper));
    return nearest.hit();
}

std::optional<Grip> grip_at(const Figure& figure, const Placed& placed, Point paper, double reach) {
    std::optional<Grip> nearest;
    for (const PlacedPanel& at : placed.panels) {  // one at a panel's edge is held from beyond it, too
        const Panel* panel = panel_named(figure, at.id);
        if (panel == nullptr) continue;
        for (const Mark& mark : panel->marks) {
            const auto* handle = std::get_if<Handle>(&mark);
            if (handle == nullptr) continue;
            const Grip grip{handle->id, at.to_paper(handle->at)};
            const double far = distance(grip.paper, paper);
            if (far < reach) reach = far, nearest = grip;
        }
    }
    return nearest;
}

ViewState with_handle_at(const ViewState& state, const Figure& figure, const Placed& placed, const std::string& handle,
                         Point paper) {
    for (const Panel& panel : figure.panels)
        for (const Mark& mark : panel.marks) {
            const auto* held = std::get_if<Handle>(&mark);
            if (held == nullptr || held->id != handle) continue;
            for (const PlacedPanel& at : placed.panels) {
                if (at.id != panel.id) continue;
                const Point to = at.to_data(paper);
                return state.view == "sandbox" ? dragged(state, handle, to) : moved_along(state, *held, to);
            }
        }
    return state;
}

std::optional<std::string> opened_at(const Figure& figure, const Placed& placed, Point paper, double reach) {
    const PlacedPanel* at = panel_at(placed, paper);
    const Panel* panel = at == nullptr ? nullptr : panel_named(figure, at->id);
    std::optional<std::string> opens;
    if (panel == nullptr) return opens;
    for (const Mark& mark : panel->marks)
        if (const auto* points = std::get_if<Points>(&mark))
            for (std::size_t i = 0; i < points->opens.size(); ++i) {
                const double far = distance(at->to_paper(points->points[i]), paper);
                if (far < reach) reach = far, opens = points->opens[i];
            }
    return opens;
}

std::optional<ViewState> pointed(const ViewState& state, const Figure& figure, const Placed& placed, Point paper,
                                 std::int64_t read, bool begins) {
    const PlacedPanel* at = panel_at(placed, paper);
    if (at == nullptr) return std::nullopt;
    const Point data = at->to_data(paper);
    if (state.view == "needle" || (state.view == "ledger" && (at->id == "drift" || at->id == "margin")))
        return at_cursor(state, data.x);
    if (state.view == "error" && rate_of(state) > 0) return with_value(state, "dt", data.x / rate_of(state));
    if (state.view == "train") {
        ViewState next = state;
        next.moment = std::max<std::int64_t>(0, std::llround(data.x));
        return next;
    }
    const Panel* panel = panel_named(figure, at->id);
    if (!begins) return std::nullopt;
    if (panel != nullptr && state.view == "needle-map") return text_of_cell(state, *panel, data);
    if (panel != nullptr && at->id == "tape") {
        const std::int64_t shown = tokens_on(*panel), which = std::llround(data.x);
        if (which < 0 || which >= shown) return std::nullopt;
        return at_cursor(state, static_cast<double>(read - shown + which + 1));
    }
    if (state.view == "dials" && panel != nullptr && at->id.compare(0, 6, "other.") == 0)
        if (const auto pair = pair_of(*panel)) return with_value(state, "pair", static_cast<double>(*pair));
    return std::nullopt;
}

}  // namespace whorl::viz
