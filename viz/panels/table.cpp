#include "viz/panels/table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "viz/panels/wording.hpp"

namespace whorl::viz {
namespace {

using namespace plot;

constexpr double kNear = 2.5 / 112;  // of the axis: dots that lie closer are put beside each other, across it
constexpr double kShift = 0.1;       // of a row
constexpr double kReach = 0.36;

bool in_bits(const DotsColumn& column) {
    return column.measure == DotsMeasure::bits;
}

/// From a number to its place on the axis: bits as they are, all else in percent.
double scale_of(const DotsColumn& column) {
    return in_bits(column) ? 1 : 100;
}

std::string value_text(const DotsColumn& column, double value) {
    return in_bits(column) ? number(value) + " bits" : percent(value);
}

struct Range {
    double low = 0, high = 0;
};

/// Of the axis. Panels of shares have one and the same, panels of bits their own.
Range range_of(const ResultDots& table, const DotsColumn& column) {
    double low = 0, high = 0;
    for (const DotsColumn& other : table.columns) {
        if (in_bits(column) ? &other != &column : in_bits(other)) continue;
        for (const DotsRow& row : other.rows) {
            std::vector<double> values = row.replicas;
            if (row.published) values.push_back(*row.published);
            for (const double value : values)
                low = std::min(low, value * scale_of(column)), high = std::max(high, value * scale_of(column));
        }
    }
    if (!in_bits(column)) return {low - 6, 106};
    const double rest = 0.05 * (high > low ? high - low : 1);
    return {low - rest, high + rest};
}

/// Dots of one row at height `y`: those that would cover each other in a column, up and down in turn. `near`: on the
/// axis.
std::vector<Point> swarm(std::vector<double> values, double scale, double near, double y) {
    std::vector<Point> dots;
    for (double& value : values) value *= scale;
    std::sort(values.begin(), values.end());
    std::size_t first = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] - values[first] > near) first = i;
        const auto place = static_cast<double>(i - first);
        const double side = (i - first) % 2 == 0 ? 1 : -1, steps = (place + (side < 0 ? 1 : 0)) / 2;
        dots.push_back({values[i], y + side * std::min(kReach, kShift * steps)});
    }
    return dots;
}

double height_of(const DotsColumn& column, std::size_t row) {
    return static_cast<double>(column.rows.size() - row) - 0.5;
}

void add_row(Panel& panel, const DotsColumn& column, std::size_t index) {
    const DotsRow& row = column.rows[index];
    const double scale = scale_of(column), near = kNear * (panel.x.high - panel.x.low);
    const double y = height_of(column, index);
    const std::string id = std::to_string(index);
    if (row.replicas.empty()) {
        panel.marks.push_back(
            Text{"status." + id, {0, y}, row.status.empty() ? "–" : row.status, {Role::secondary, Weight::data}});
        return;
    }
    panel.marks.push_back(
        Points{"replicas." + id, swarm(row.replicas, scale, near, y), {row.role, Weight::data, 0.85}});
    if (row.chosen)
        panel.marks.push_back(Line{"chosen." + id,
                                   {{scale * *row.chosen, y - 0.42}, {scale * *row.chosen, y + 0.42}},
                                   {Role::ink, Weight::chosen, 1, Dash::solid},
                                   ""});
    if (row.published)
        panel.marks.push_back(Points{
            "published." + id, {{scale * *row.published, y}}, {Role::accent, Weight::data}, Shape::cross, false, ""});
}

void label(Axis& axis, DotsMeasure measure) {
    axis.label = measure == DotsMeasure::accuracy ? "scaled accuracy"
                 : measure == DotsMeasure::found  ? "answers found"
                                                  : "a token, above the best possible where known";
    axis.unit = measure == DotsMeasure::bits ? "bits" : "%";
}

Panel panel_of(const ResultDots& table, std::size_t index) {
    const DotsColumn& column = table.columns[index];
    Panel panel;
    panel.id = column.key.empty() ? "results" : column.key;
    panel.title = column.label;
    panel.subtitle = column.read_at;
    panel.column = static_cast<int>(index);
    label(panel.x, column.measure);
    const Range range = range_of(table, column);
    panel.x.low = range.low, panel.x.high = range.high;
    panel.y.low = 0, panel.y.high = static_cast<double>(column.rows.size());
    for (std::size_t r = 0; r < column.rows.size(); ++r)
        panel.y.ticks.push_back({height_of(column, r), index == 0 ? column.rows[r].label : ""});
    const char* zero = in_bits(column) ? "best-possible" : "guessing";
    panel.marks.push_back(Rule{zero, Direction::x, 0, {Role::secondary, Weight::context, 1, Dash::dotted}, ""});
    for (std::size_t r = 0; r < column.rows.size(); ++r) add_row(panel, column, r);
    return panel;
}

std::int64_t solved(const DotsRow& row, double pass) {
    return std::count_if(row.replicas.begin(), row.replicas.end(), [&](double share) { return share >= pass; });
}

/// The models of which some replica reaches the pass mark, each once.
std::vector<std::string> passing(const DotsColumn& column, double pass) {
    std::vector<std::string> names;
    for (const DotsRow& row : column.rows) {
        const std::string& name = row.model.empty() ? row.label : row.model;
        if (solved(row, pass) > 0 && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return names;
}

std::size_t models_in(const DotsColumn& column) {
    std::vector<std::string> names;
    for (const DotsRow& row : column.rows) names.push_back(row.model.empty() ? row.label : row.model);
    std::sort(names.begin(), names.end());
    return static_cast<std::size_t>(std::unique(names.begin(), names.end()) - names.begin());
}

std::string some_or_none(const std::vector<std::string>& names, std::size_t all) {
    if (names.empty()) return "none";
    if (names.size() == all) return all == 1 ? names.front() : all == 2 ? "both" : fmt::format("all {}", count(all));
    return names.size() <= 3 ? list(names) : fmt::format("{} of {}", count(names.size()), count(all));
}

/// The model with the fewest bits, by the median of its chosen replicas.
std::string fewest_text(const DotsColumn& column) {
    const DotsRow* best = nullptr;
    for (const DotsRow& row : column.rows)
        if (row.chosen && (best == nullptr || *row.chosen < *best->chosen)) best = &row;
    if (best == nullptr) return "";
    return fmt::format("{}: the fewest bits has {}, {}", column.label, best->label, number(*best->chosen));
}

std::string pass_text(const ResultDots& table) {
    const std::string mark = percent(table.pass);
    const std::vector<std::string> first = passing(table.columns[0], table.pass);
    const bool alike = std::all_of(table.columns.begin(), table.columns.end(), [&](const DotsColumn& column) {
        return passing(column, table.pass) == first && models_in(column) == models_in(table.columns[0]);
    });
    const std::string who = some_or_none(first, models_in(table.columns[0]));
    const bool only = !first.empty() && first.size() <= 3 && first.size() < models_in(table.columns[0]);
    const std::string start = mark + " is reached " + table.rows_are + " ";
    if (alike) return start + who + (only ? " alone" : "") + (table.columns.size() > 1 ? ", in every task" : "");
    // Tasks with the same models are named together.
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < table.columns.size();) {
        const std::string these = some_or_none(passing(table.columns[i], table.pass), models_in(table.columns[i]));
        std::vector<std::string> tasks;
        for (; i < table.columns.size() &&
               these == some_or_none(passing(table.columns[i], table.pass), models_in(table.columns[i]));
             ++i)
            tasks.push_back(table.columns[i].label);
        parts.push_back(fmt::format("{} at {}", these, list(tasks)));
    }
    std::string text = start + parts.front();
    for (std::size_t i = 1; i < parts.size(); ++i) text += "; " + table.rows_are + " " + parts[i];
    return text;
}

std::string claim_of(const ResultDots& table) {
    ResultDots shares = table;
    shares.columns.clear();
    std::string text;
    for (const DotsColumn& column : table.columns)
        if (!in_bits(column)) shares.columns.push_back(column);
    if (!shares.columns.empty()) text = pass_text(shares);
    for (const DotsColumn& column : table.columns) {
        const std::string more = in_bits(column) ? fewest_text(column) : "";
        text += (text.empty() || more.empty() ? "" : "; ") + more;
    }
    return capital(text);
}

/// Row labels stand before the first panel only: it gets the room for them on top of what each has for its dots.
std::vector<double> shares_of(const ResultDots& table, double width) {
    std::size_t longest = 0;
    for (const DotsRow& row : table.columns[0].rows) longest = std::max(longest, row.label.size());
    const double labels = std::min(0.45 * width, 7.5 * static_cast<double>(longest));
    const double each = (width - labels) / static_cast<double>(table.columns.size());
    std::vector<double> shares(table.columns.size(), each);
    shares[0] += labels;
    return shares;
}

std::string sentence(const DotsColumn& column, const DotsRow& row, double pass) {
    const std::string head = (column.label.empty() ? "" : column.label + ", ") + row.label + ": ";
    if (row.replicas.empty()) return head + (row.status.empty() ? "no result" : row.status) + ".";
    const auto [low, high] = std::minmax_element(row.replicas.begin(), row.replicas.end());
    const std::string reach = in_bits(column) ? fmt::format("{} replicas", row.replicas.size())
                                              : fmt::format("{} of {} replicas reach {}; they", solved(row, pass),
                                                            row.replicas.size(), percent(pass));
    std::string text =
        head + fmt::format("{} lie between {} and {}", reach, value_text(column, *low), value_text(column, *high));
    if (row.chosen) text += ", the median is " + value_text(column, *row.chosen);
    if (row.published) text += ", published are " + value_text(column, *row.published);
    return text + ".";
}

void check_any(const ResultDots& table) {
    for (const DotsColumn& column : table.columns)
        for (const DotsRow& row : column.rows)
            if (!row.replicas.empty()) return;
    throw UserError("table: there is no finished result to draw");
}

bool any_published(const ResultDots& table) {
    for (const DotsColumn& column : table.columns)
        for (const DotsRow& row : column.rows)
            if (row.published) return true;
    return false;
}

std::string dotted_text(const ResultDots& table) {
    const auto bits = std::count_if(table.columns.begin(), table.columns.end(), in_bits);
    if (bits == 0) return "guessing";
    return bits == static_cast<std::ptrdiff_t>(table.columns.size()) ? "the best possible predictor"
                                                                     : "guessing, of bits the best possible";
}

}  // namespace

Figure table_figure(const ResultDots& table) {
    check_any(table);
    Figure figure;
    figure.id = "table";
    figure.claim = claim_of(table);
    figure.subtitle = table.title + (table.about.empty() ? "" : ", " + table.about) +
                      "; a mark is a replica, the line the " + table.chosen_is +
                      (any_published(table) ? ", ✗ the published value" : "") + "; dotted: " + dotted_text(table);
    std::size_t rows = 0;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        figure.panels.push_back(panel_of(table, i));
        rows = std::max(rows, table.columns[i].rows.size());
        for (const DotsRow& row : table.columns[i].rows)
            figure.words.push_back(sentence(table.columns[i], row, table.pass));
    }
    figure.column_shares = shares_of(table, figure.width);
    figure.height = 170 + 34 * static_cast<double>(rows);
    return figure;
}

}  // namespace whorl::viz
