#include "viz/panels/overview_axis.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/plot/text_runs.hpp"

namespace whorl::viz {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMostEven = 8;  // numbers that stand at even places; texts always do
constexpr double kCovering = 0.025;   // of the axis: dots that lie closer are put beside each other
constexpr double kReachAside = 0.4;   // of a place, to each side
constexpr double kDot = 0.01;         // of the axis

/// Numbers whose ratios are more alike than their differences.
bool is_geometric(const std::vector<double>& values) {
    if (values.size() < 3 || values.front() <= 0 || values.back() < 4 * values.front()) return false;
    double least_ratio = values.back(), most_ratio = 0, least_step = values.back(), most_step = 0;
    for (std::size_t i = 1; i < values.size(); ++i) {
        const double ratio = std::log(values[i] / values[i - 1]), step = values[i] - values[i - 1];
        least_ratio = std::min(least_ratio, ratio), most_ratio = std::max(most_ratio, ratio);
        least_step = std::min(least_step, step), most_step = std::max(most_step, step);
    }
    return most_ratio / least_ratio < most_step / least_step;
}

std::vector<double> numbers_among(const std::vector<Known>& values) {
    std::vector<double> numbers;
    for (const Known& value : values)
        if (const auto* number = std::get_if<double>(&value)) numbers.push_back(*number);
    return numbers;
}

void set_scale(OverviewAxis& placed, const OverviewKey& key, const std::vector<double>& numbers) {
    const double low = numbers.front(), high = numbers.back();
    if (key.unit == "%") {
        placed.axis.low = std::min(0.0, low) - 4, placed.axis.high = std::max(100.0, high) + 4;
    } else if (is_geometric(numbers)) {
        const double room = std::pow(high / low, 0.04);
        placed.axis.scale = plot::Scale::log;
        placed.axis.low = low / room, placed.axis.high = high * room;
    } else {
        const double room = high > low ? 0.04 * (high - low) : 0.5;
        placed.axis.low = low - room, placed.axis.high = high + room;
    }
}

/// A long name in two lines, broken behind the separator nearest to its middle.
std::string in_two_lines(const std::string& name) {
    constexpr std::size_t kLong = 9;
    if (name.size() <= kLong) return plot::literal(name);
    const auto off_middle = [&](std::size_t at) {
        return std::fabs(static_cast<double>(at) - static_cast<double>(name.size()) / 2);
    };
    std::size_t best = std::string::npos;
    for (std::size_t i = 0; i + 1 < name.size(); ++i)
        if (std::string(" -_.,/").find(name[i]) != std::string::npos &&
            (best == std::string::npos || off_middle(i + 1) < off_middle(best)))
            best = i + 1;
    if (best == std::string::npos || best == 0) return plot::literal(name);
    return plot::literal(name.substr(0, best)) + "\n" + plot::literal(name.substr(best));
}

void set_places(OverviewAxis& placed, const OverviewKey& key) {
    for (std::size_t p = 0; p < placed.places.size(); ++p)
        placed.axis.ticks.push_back({static_cast<double>(p), in_two_lines(known_text(key, placed.places[p]))});
    placed.axis.low = -0.5, placed.axis.high = static_cast<double>(placed.places.size()) - 0.5;
}

std::vector<Known> known_among(const OverviewData& data, const std::vector<std::size_t>& dots, std::size_t key,
                               bool ordered) {
    std::vector<Known> values;
    for (const std::size_t dot : dots) {
        const Known& value = data.dots[dot].known[key];
        if (value.index() != 0 && std::find(values.begin(), values.end(), value) == values.end())
            values.push_back(value);
    }
    if (!ordered) std::sort(values.begin(), values.end());
    return values;
}

}  // namespace

OverviewAxis overview_axis(const OverviewData& data, const std::vector<std::size_t>& dots, std::size_t which,
                           bool ordered) {
    const OverviewKey& key = data.keys[which];
    OverviewAxis placed;
    placed.axis.label = plot::literal(key.title()), placed.axis.unit = key.unit;
    const std::vector<Known> values = known_among(data, dots, which, ordered);
    std::vector<double> numbers = numbers_among(values);
    const bool all_numbers = !values.empty() && numbers.size() == values.size();
    if (all_numbers && (key.result || values.size() > kMostEven)) {
        std::sort(numbers.begin(), numbers.end());
        set_scale(placed, key, numbers);
    } else {
        placed.places = values;
        set_places(placed, key);
    }
    for (const std::size_t dot : dots) {
        const Known& value = data.dots[dot].known[which];
        const auto place = std::find(placed.places.begin(), placed.places.end(), value);
        const auto* number = std::get_if<double>(&value);
        placed.at.push_back(place != placed.places.end() ? static_cast<double>(place - placed.places.begin())
                            : number != nullptr          ? *number
                                                         : kNaN);
    }
    return placed;
}

void spread(std::vector<double>& x, const std::vector<double>& y, std::size_t places) {
    const double aside = kDot * static_cast<double>(places);
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < x.size(); ++i)
        if (std::isfinite(x[i]) && std::isfinite(y[i])) order.push_back(i);
    if (order.empty()) return;
    const auto [low, high] =
        std::minmax_element(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return y[a] < y[b]; });
    const double near = kCovering * (y[*high] - y[*low]);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return x[a] != x[b] ? x[a] < x[b] : y[a] < y[b]; });
    for (std::size_t first = 0; first < order.size();) {
        std::size_t end = first + 1;
        const double place = x[order[first]], from = y[order[first]];
        while (end < order.size() && x[order[end]] == place && y[order[end]] - from <= near) ++end;
        const double count = static_cast<double>(end - first), step = std::min(aside, 2 * kReachAside / count);
        for (std::size_t i = first; i < end; ++i)
            x[order[i]] = place + step * (static_cast<double>(i - first) - (count - 1) / 2);
        first = end;
    }
}

}  // namespace whorl::viz
