#include "viz/desk/difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.hpp"
#include "viz/plot/text_runs.hpp"

namespace whorl::viz {
namespace {

using namespace plot;

/// The line's y at x; NaN outside of it, and where it is broken.
double value_at(const Line& line, double x) {
    for (std::size_t i = 0; i + 1 < line.points.size(); ++i) {
        const Point a = line.points[i], b = line.points[i + 1];
        if (!(x >= a.x && x <= b.x)) continue;
        if (x == a.x) return a.y;
        return a.y + (b.y - a.y) * (x - a.x) / (b.x - a.x);
    }
    return !line.points.empty() && line.points.back().x == x ? line.points.back().y
                                                             : std::numeric_limits<double>::quiet_NaN();
}

const Line* line_of(const Figure& figure, const std::string& panel, const std::string& id) {
    for (const Panel& one : figure.panels)
        if (one.id == panel)
            for (const Mark& mark : one.marks)
                if (const auto* line = std::get_if<Line>(&mark); line != nullptr && line->id == id) return line;
    return nullptr;
}

struct Largest {
    double size = 0, value = 0, at = 0;
    std::string where, unit;
};

/// The area between a line and zero, purple where A is above B and brown where it is below; the zero line says it, too.
void add_areas(Panel& panel, const Line& less) {
    std::vector<Point> run;
    int sign = 0, count = 0;
    const auto close = [&](double end) {
        if (!run.empty() && end > run.front().x) {
            const Role role = sign > 0 ? Role::accent : Role::backward_euler;
            std::vector<Point> outline = {{run.front().x, 0}};
            outline.insert(outline.end(), run.begin(), run.end());
            outline.push_back({end, 0});
            panel.marks.push_back(
                Region{fmt::format("area.{}.{}", less.id, count++), std::move(outline), {role, Weight::data, 0.2}});
        }
        run.clear();
    };
    for (const Point& point : less.points) {
        if (!std::isfinite(point.y)) {
            close(run.empty() ? 0 : run.back().x);
            continue;
        }
        const int now = point.y > 0 ? 1 : -1;
        if (!run.empty() && now != sign) {
            const Point last = run.back();
            const double zero = last.x + (point.x - last.x) * last.y / (last.y - point.y);
            close(zero);
            run.push_back({zero, 0});
        }
        sign = now;
        run.push_back(point);
    }
    close(run.empty() ? 0 : run.back().x);
}

/// What a label says besides its numbers, which were A's: "pair 2 +39°" is about pair 2.
std::string without_value(const std::string& label) {
    const std::size_t value = label.find_first_of("+−");
    std::string name = label.substr(0, value);
    while (!name.empty() && name.back() == ' ') name.pop_back();
    return name;
}

std::optional<Panel> difference_panel(const Panel& panel, const Figure& b, Largest& largest) {
    Panel result = panel;
    result.marks.clear();
    result.y.low = result.y.high = kFitted;
    result.y.scale = Scale::linear;
    result.y.ticks.clear();
    result.subtitle = "A less B";
    for (const Mark& mark : panel.marks) {
        const auto* line = std::get_if<Line>(&mark);
        const Line* other = line == nullptr ? nullptr : line_of(b, panel.id, line->id);
        if (other == nullptr) continue;
        Line less = *line;
        for (Point& point : less.points) {
            point.y -= value_at(*other, point.x);
            if (!std::isfinite(point.y) || std::abs(point.y) <= largest.size) continue;
            largest = {std::abs(point.y), point.y, point.x, panel.title.empty() ? panel.id : panel.title,
                       panel.y.unit.empty() ? panel.y.label : panel.y.unit};
        }
        const bool any =
            std::any_of(less.points.begin(), less.points.end(), [](Point p) { return std::isfinite(p.y); });
        less.label = without_value(less.label);
        if (!any) continue;
        add_areas(result, less);
        result.marks.push_back(std::move(less));
    }
    if (result.marks.empty()) return std::nullopt;
    result.marks.push_back(Rule{"zero.difference", Direction::y, 0, {Role::secondary, Weight::context}});
    return result;
}

}  // namespace

Figure difference_figure(const Figure& a, const Figure& b) {
    Figure result = a;
    result.panels.clear();
    result.words.clear();
    result.row_shares.clear();
    result.column_shares.clear();
    Largest largest;
    for (const Panel& panel : a.panels)
        if (auto less = difference_panel(panel, b, largest)) {
            less->row = static_cast<int>(result.panels.size());
            less->column = 0;
            less->rows = less->columns = 1;
            result.panels.push_back(std::move(*less));
        }
    if (result.panels.empty()) throw UserError("A and B have no line in common: there is no difference to draw.");
    result.id = a.id + "-difference";
    result.claim = largest.size == 0 ? "A and B are the same"
                                     : fmt::format("A less B is {:+.3g}{}{} at most, at {:g}", largest.value,
                                                   largest.unit.empty() || largest.unit == "°" ? "" : " ",
                                                   plain_text(largest.unit), largest.at);
    result.subtitle = "A less B: " + plain_text(a.claim) + "; " + plain_text(b.claim);
    result.words = {result.claim + "."};
    return result;
}

}  // namespace whorl::viz
