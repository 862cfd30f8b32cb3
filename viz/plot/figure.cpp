#include "viz/plot/figure.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>

#include "core/base/error.hpp"
#include "viz/plot/mark_faults.hpp"

namespace whorl::plot {

namespace {

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
    throw UserError("figure '" + where + "': " + what);
}

void check_axis(const std::string& where, const std::string& name, const Axis& axis) {
    const bool low = !std::isnan(axis.low), high = !std::isnan(axis.high);
    if (std::isinf(axis.low) || std::isinf(axis.high)) refuse(where, "an end of its " + name + " axis is infinite");
    if (low && high && axis.low == axis.high) refuse(where, "its " + name + " axis is empty");
    for (const Tick& tick : axis.ticks)
        if (!std::isfinite(tick.at)) refuse(where, "a tick of its " + name + " axis is not finite");
    if (axis.scale != Scale::log) return;
    if ((low && axis.low <= 0) || (high && axis.high <= 0))
        refuse(where, "its " + name + " axis is logarithmic and cannot reach 0 or below");
}

bool any_not_positive(const std::vector<double>& values) {
    for (const double value : values)
        if (value <= 0) return true;  // not finite ones are left to fault_of()
    return false;
}

void check_logs(const std::string& where, const Panel& panel, const Mark& mark) {
    const MarkValues places = values_of(mark);
    if (panel.x.scale == Scale::log && any_not_positive(places.x)) refuse(where, "a value ≤ 0 on a logarithmic x axis");
    if (panel.y.scale == Scale::log && any_not_positive(places.y)) refuse(where, "a value ≤ 0 on a logarithmic y axis");
}

void check_panel(const std::string& where, const Panel& panel) {
    if (panel.row < 0 || panel.column < 0 || panel.rows < 1 || panel.columns < 1)
        refuse(where, "it stands outside the grid of panels");
    check_axis(where, "x", panel.x);
    check_axis(where, "y", panel.y);
    std::set<std::string> ids;
    for (const Mark& mark : panel.marks) {
        const std::string& id = id_of(mark);
        if (id.empty()) refuse(where, "a mark has no id");
        const std::string at = where + "." + id;
        if (!ids.insert(id).second) refuse(at, "a panel has two marks of this id");
        const std::string found = fault_of(mark);
        if (!found.empty()) refuse(at, found);
        check_logs(at, panel, mark);
    }
}

void check_shares(const Figure& figure, const std::vector<double>& shares, const char* name, int needed) {
    if (shares.empty()) return;
    if (static_cast<int>(shares.size()) != needed)
        refuse(figure.id, "it has " + std::to_string(needed) + " " + name + "s and " + std::to_string(shares.size()) +
                              " shares of them");
    for (const double share : shares)
        if (!std::isfinite(share) || share <= 0)
            refuse(figure.id, std::string("a share of a ") + name + " must be > 0");
}

}  // namespace

const std::string& id_of(const Mark& mark) {
    return std::visit([](const auto& m) -> const std::string& { return m.id; }, mark);
}

void check(const Figure& figure) {
    if (figure.id.empty()) refuse("", "it has no id");
    if (figure.panels.empty()) refuse(figure.id, "it has no panel");
    if (!(figure.width >= 80 && figure.width <= 20000 && figure.height >= 80 && figure.height <= 20000))
        refuse(figure.id, "width and height must lie between 80 and 20,000 pixels");
    std::set<std::string> ids;
    int rows = 0, columns = 0;
    for (const Panel& panel : figure.panels) {
        if (panel.id.empty()) refuse(figure.id, "a panel has no id");
        if (!ids.insert(panel.id).second) refuse(figure.id + "." + panel.id, "two panels have this id");
        check_panel(figure.id + "." + panel.id, panel);
        rows = std::max(rows, panel.row + panel.rows);
        columns = std::max(columns, panel.column + panel.columns);
    }
    check_shares(figure, figure.row_shares, "row", rows);
    check_shares(figure, figure.column_shares, "column", columns);
}

}  // namespace whorl::plot
