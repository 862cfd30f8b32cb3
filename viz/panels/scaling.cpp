#include "viz/panels/scaling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.hpp"
#include "core/numerics/linear_ode.hpp"
#include "viz/panels/wording.hpp"

namespace whorl::viz {
namespace {

using namespace plot;

std::string bytes_text(double bytes) {
    if (bytes < 1024) return fmt::format("{:.0f} B", bytes);
    if (bytes < 1024 * 1024) return fmt::format("{:.3g} kB", bytes / 1024);
    return fmt::format("{:.3g} MB", bytes / (1024 * 1024));
}

std::pair<double, double> range_of(const std::vector<double>& values, std::pair<double, double> range) {
    for (const double value : values) range = {std::min(range.first, value), std::max(range.second, value)};
    return range;
}

constexpr std::pair<double, double> kNothing = {std::numeric_limits<double>::infinity(), 0.0};

/// Powers of two inside the range, a few of them.
void add_powers(Axis& axis, std::pair<double, double> range, std::string (*text)(double)) {
    axis.scale = Scale::log;
    axis.low = range.first / 1.3, axis.high = range.second * 1.3;
    const int first = static_cast<int>(std::ceil(std::log2(axis.low))), last = static_cast<int>(std::log2(axis.high));
    const int every = std::max(1, (last - first) / 6 + ((last - first) % 6 > 0 ? 1 : 0));
    for (int power = first; power <= last; power += every) {
        const double at = std::ldexp(1.0, power);
        axis.ticks.push_back({at, text(at)});
    }
}

std::string whole_text(double value) {
    return fmt::format("{:.0f}", value);
}

/// Variants of one model share its hue and shape; each further one gets another dash and is fainter.
template <class Curves>
Style pair_style(const Curves& curves, std::size_t index) {
    std::size_t before = 0;
    for (std::size_t i = 0; i < index; ++i) before += curves[i].role == curves[index].role ? 1 : 0;
    constexpr Dash dashes[] = {Dash::by_role, Dash::dashed, Dash::dotted, Dash::dash_dot};
    return {curves[index].role, before == 0 ? Weight::chosen : Weight::data, before == 0 ? 1 : 0.75,
            dashes[std::min<std::size_t>(before, 3)]};
}

Panel state_panel(const ScalingData& data) {
    Panel panel;
    panel.id = "state";
    panel.title = "Accuracy by size of the state";
    panel.subtitle = data.task;
    panel.y.label = "scaled accuracy", panel.y.unit = "%";
    panel.x.label = "state of one sequence";
    auto range = kNothing;
    for (const StateCurve& curve : data.states) range = range_of(curve.bytes, range);
    add_powers(panel.x, range, bytes_text);
    for (std::size_t i = 0; i < data.states.size(); ++i) {
        const StateCurve& curve = data.states[i];
        std::vector<Point> dots, line;
        for (std::size_t k = 0; k < curve.bytes.size(); ++k) {
            for (const double share : curve.replicas[k]) dots.push_back({curve.bytes[k], 100 * share});
            line.push_back({curve.bytes[k], 100 * curve.chosen[k]});
        }
        panel.marks.push_back(Points{fmt::format("replicas.{}", i), dots, {curve.role, Weight::context, 0.5}});
        panel.marks.push_back(Line{fmt::format("chosen.{}", i), line, pair_style(data.states, i), curve.name});
    }
    return panel;
}

Panel time_panel(const ScalingData& data) {
    Panel panel;
    panel.id = "time";
    panel.title = "Time by length of the text";
    panel.subtitle = data.work;
    panel.x.label = "length", panel.x.unit = "tokens";
    panel.y.label = "time", panel.y.unit = "ms", panel.y.scale = Scale::log;
    auto range = kNothing;
    for (const TimeCurve& curve : data.times) range = range_of(curve.lengths, range);
    add_powers(panel.x, range, whole_text);
    for (std::size_t i = 0; i < data.times.size(); ++i) {
        const TimeCurve& curve = data.times[i];
        std::vector<Point> line;
        for (std::size_t k = 0; k < curve.lengths.size(); ++k) line.push_back({curve.lengths[k], curve.ms[k]});
        panel.marks.push_back(Line{fmt::format("time.{}", i), line, pair_style(data.times, i), curve.name});
        panel.marks.push_back(Points{fmt::format("measured.{}", i), line, {curve.role, Weight::data}});
    }
    return panel;
}

// --- what it says ----------------------------------------------------------------------------------------------------

std::string time_text(const TimeCurve& curve) {
    const double power = growth(curve);
    if (std::isnan(power)) return fmt::format("{} takes {} ms", curve.name, number(curve.ms.front()));
    return fmt::format("{} grows with length^{{{:.2f}}}", curve.name, power);
}

std::string state_text(const StateCurve& curve) {
    const double gain = 100 * (curve.chosen.back() - curve.chosen.front());
    if (curve.bytes.size() < 2 || std::fabs(gain) < 1)
        return fmt::format("{} stays at {}", curve.name, percent(curve.chosen.back()));
    return fmt::format("{} goes from {} to {}", curve.name, percent(curve.chosen.front()),
                       percent(curve.chosen.back()));
}

template <class Curves, class Text>
std::vector<std::string> texts(const Curves& curves, const Text& text) {
    std::vector<std::string> all;
    for (const auto& curve : curves) all.push_back(text(curve));
    return all;
}

std::string claim_of(const ScalingData& data) {
    constexpr std::size_t kMostNamed = 3;
    if (data.states.empty()) {
        if (data.times.size() <= kMostNamed) return "Time: " + list(texts(data.times, time_text));
        const auto steeper = [](const TimeCurve& a, const TimeCurve& b) { return growth(a) < growth(b); };
        const auto [low, high] = std::minmax_element(data.times.begin(), data.times.end(), steeper);
        return fmt::format("Time grows with length^{{{:.2f}}} to length^{{{:.2f}}}", growth(*low), growth(*high));
    }
    if (data.states.size() <= kMostNamed) return "With more state, " + list(texts(data.states, state_text));
    const auto gain = [](const StateCurve& curve) { return curve.chosen.back() - curve.chosen.front(); };
    const auto most = std::max_element(data.states.begin(), data.states.end(),
                                       [&](const StateCurve& a, const StateCurve& b) { return gain(a) < gain(b); });
    return gain(*most) > 0.05
               ? "More state helps " + most->name + " most: from " + percent(most->chosen.front()) + " to " +
                     percent(most->chosen.back())
               : "More state helps none of these models by more than " + percent(std::max(0.0, gain(*most)));
}

std::string sentence(const StateCurve& curve) {
    std::string text = curve.name + ":";
    for (std::size_t k = 0; k < curve.bytes.size(); ++k)
        text += fmt::format("{} {} with {} of state ({} replicas)", k == 0 ? "" : ",", percent(curve.chosen[k]),
                            bytes_text(curve.bytes[k]), curve.replicas[k].size());
    return text + ".";
}

std::string sentence(const TimeCurve& curve) {
    std::string text = curve.name + ":";
    for (std::size_t k = 0; k < curve.lengths.size(); ++k)
        text += fmt::format("{} {} ms at {:.0f} tokens", k == 0 ? "" : ",", number(curve.ms[k]), curve.lengths[k]);
    return text + ".";
}

void check_curves(const ScalingData& data) {
    if (data.states.empty() && data.times.empty())
        throw UserError("scaling: neither results of several widths nor timings were given");
    for (const StateCurve& curve : data.states)
        if (curve.bytes.empty() || curve.chosen.size() != curve.bytes.size() ||
            curve.replicas.size() != curve.bytes.size())
            throw UserError("scaling: " + curve.name + " needs an accuracy for each size");
    for (const TimeCurve& curve : data.times)
        if (curve.lengths.empty() || curve.ms.size() != curve.lengths.size())
            throw UserError("scaling: " + curve.name + " needs a time for each length");
}

}  // namespace

double growth(const TimeCurve& curve) {
    const std::size_t count = curve.lengths.size(), used = std::max<std::size_t>(2, (count + 1) / 2);
    if (count < 2) return std::numeric_limits<double>::quiet_NaN();
    const auto longer = [&](const std::vector<double>& all) {
        return std::vector<double>(all.end() - static_cast<std::ptrdiff_t>(used), all.end());
    };
    return numerics::power_law(longer(curve.lengths), longer(curve.ms));
}

Figure scaling_figure(const ScalingData& data) {
    check_curves(data);
    Figure figure;
    figure.id = "scaling";
    figure.claim = claim_of(data);
    if (!data.states.empty()) {
        figure.subtitle = "line: " + data.chosen_is + "; dots: all replicas";
        figure.panels.push_back(state_panel(data));
    }
    if (!data.times.empty()) figure.panels.push_back(time_panel(data));
    for (std::size_t i = 0; i < figure.panels.size(); ++i) figure.panels[i].column = static_cast<int>(i);
    if (figure.panels.size() == 2) figure.column_shares = {1.5, 1};  // its lines have the more labels
    for (const StateCurve& curve : data.states) figure.words.push_back(sentence(curve));
    for (const TimeCurve& curve : data.times) figure.words.push_back(sentence(curve));
    return figure;
}

}  // namespace whorl::viz
