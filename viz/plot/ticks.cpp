#include "viz/plot/ticks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>

#include "viz/plot/extent.hpp"

namespace whorl::plot {

namespace {

const char* const kMinus = "−";

std::string power_of_ten(int exponent) {
    return exponent < 0 ? fmt::format("10^{{{}{}}}", kMinus, -exponent) : fmt::format("10^{{{}}}", exponent);
}

/// Commas between thousands of the digits before the point.
std::string with_commas(std::string digits) {
    const std::size_t point = std::min(digits.find('.'), digits.size());
    for (std::size_t at = point; at > 3; at -= 3) digits.insert(at - 3, 1, ',');
    return digits;
}

std::string without_end_zeros(std::string digits) {
    if (digits.find('.') == std::string::npos) return digits;
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
    return digits;
}

/// "1.5·10^{7}"; the mantissa is left out where it is 1.
std::string scientific(double size, int digits) {
    int exponent = static_cast<int>(std::floor(std::log10(size)));
    std::string mantissa = without_end_zeros(fmt::format("{:.{}f}", size / std::pow(10.0, exponent), digits - 1));
    if (mantissa == "10") mantissa = "1", ++exponent;
    return (mantissa == "1" ? "" : mantissa + "·") + power_of_ten(exponent);
}

}  // namespace

std::string number_text(double value, int digits) {
    if (std::isnan(value)) return "–";
    const std::string sign = value < 0 ? kMinus : "";
    const double size = std::abs(value);
    if (std::isinf(size)) return sign + "∞";
    if (size == 0) return "0";
    if (size >= 1e7 || size < 1e-4) return sign + scientific(size, std::min(digits, 3));
    const int before = std::max(1, static_cast<int>(std::floor(std::log10(size))) + 1);
    const int after =
        std::max(0, size < 1 ? digits - static_cast<int>(std::floor(std::log10(size))) - 1 : digits - before);
    return sign + with_commas(without_end_zeros(fmt::format("{:.{}f}", size, after)));
}

namespace {

/// By ratio.
double nearest_step(double raw, const std::vector<double>& steps) {
    double best = steps.front();
    for (const double step : steps)
        if (std::abs(std::log(step / raw)) < std::abs(std::log(best / raw))) best = step;
    return best;
}

double round_step(double length, int count) {
    const double raw = length / std::max(1, count), power = std::pow(10.0, std::floor(std::log10(raw)));
    return nearest_step(raw, {power, 2 * power, 5 * power, 10 * power});
}

double angle_step(double length, int count) {
    const double raw = length / std::max(1, count);
    if (raw > 540) return 360 * round_step(length / 360, count);
    return nearest_step(raw, {1, 2, 5, 10, 15, 30, 45, 90, 180, 360});
}

std::string signed_degrees(double value, bool signs) {
    return (signs && value > 0 ? "+" : "") + number_text(value);
}

std::string text_of(const Axis& axis, double value) {
    if (axis.unit == "°") return signed_degrees(value, axis.low < 0 && axis.high > 0) + "°";
    return number_text(value) + (axis.unit == "%" ? " %" : "");
}

std::vector<Tick> linear_ticks(const Axis& axis, int count) {
    const double low = std::min(axis.low, axis.high), high = std::max(axis.low, axis.high);
    const bool small_angle = axis.unit == "°" && high - low < 3;
    const double step =
        axis.unit == "°" && !small_angle ? angle_step(high - low, count) : round_step(high - low, count);
    std::vector<Tick> ticks;
    const double slack = 1e-9 * (high - low);
    for (double i = std::ceil((low - slack) / step); i * step <= high + slack && ticks.size() < 200; ++i) {
        // The nearest decimal number of this many places, so that 3 × 0.1 is 0.3.
        const double value = std::abs(i) < 0.5 ? 0 : i * step;
        ticks.push_back({value, text_of(axis, value)});
    }
    return ticks;
}

std::string log_text(const Axis& axis, double value, bool powers) {
    if (value == 1) return text_of(axis, 1);
    return powers ? power_of_ten(static_cast<int>(std::lround(std::log10(value)))) : text_of(axis, value);
}

/// Every stride-th power of ten times each factor; plain numbers while all lie between 0.01 and 100,000.
std::vector<Tick> powers_of_ten(const Axis& axis, int stride, const std::vector<double>& factors) {
    const double low = std::min(axis.low, axis.high), high = std::max(axis.low, axis.high);
    const bool powers = factors.size() == 1 && (low < 0.0099 || high > 100001);
    std::vector<Tick> ticks;
    const int first = static_cast<int>(std::floor(std::log10(low))),
              last = static_cast<int>(std::ceil(std::log10(high)));
    for (int exponent = first; exponent <= last; ++exponent) {
        if (exponent % stride != 0) continue;
        for (const double factor : factors) {
            const double value = factor * std::pow(10.0, exponent);
            if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9))
                ticks.push_back({value, log_text(axis, value, powers)});
        }
    }
    return ticks;
}

std::vector<Tick> log_ticks(const Axis& axis, int count) {
    const double decades = std::abs(std::log10(axis.high / axis.low));
    if (decades < 0.7) return linear_ticks(axis, count);
    if (3 * decades <= count + 1) return powers_of_ten(axis, 1, {1, 2, 5});
    if (2 * decades <= count) return powers_of_ten(axis, 1, {1, 3});
    int stride = 1;
    while (decades / stride > count) ++stride;
    std::vector<Tick> ticks = powers_of_ten(axis, stride, {1});
    return ticks.size() >= 2 || stride > 1 ? ticks : powers_of_ten(axis, 1, {1, 3});
}

bool on_axis(const Axis& axis, double value) {
    const double share = share_on(axis, value);
    return share >= -1e-6 && share <= 1 + 1e-6;
}

bool apart(const std::vector<Tick>& ticks, const Axis& axis, double length, double gap,
           const std::function<double(const Tick&)>& size) {
    for (std::size_t i = 1; i < ticks.size(); ++i) {
        const double distance = length * std::abs(share_on(axis, ticks[i].at) - share_on(axis, ticks[i - 1].at));
        if (distance < gap + (size(ticks[i]) + size(ticks[i - 1])) / 2) return false;
    }
    return true;
}

std::vector<Tick> every(const std::vector<Tick>& ticks, std::size_t stride) {
    std::vector<Tick> kept;
    for (std::size_t i = 0; i < ticks.size(); i += stride) kept.push_back(ticks[i]);
    return kept;
}

}  // namespace

std::vector<Tick> ticks_of(const Axis& axis, int count) {
    if (axis.ticks.empty()) return axis.scale == Scale::log ? log_ticks(axis, count) : linear_ticks(axis, count);
    std::vector<Tick> kept;
    for (const Tick& tick : axis.ticks)
        if (on_axis(axis, tick.at)) kept.push_back(tick);
    std::stable_sort(kept.begin(), kept.end(), [](const Tick& a, const Tick& b) { return a.at < b.at; });
    return kept;
}

std::vector<Tick> ticks_apart(const Axis& axis, double length, int count, double gap,
                              const std::function<double(const Tick&)>& size) {
    if (!axis.ticks.empty()) {
        const std::vector<Tick> all = ticks_of(axis, count);
        for (std::size_t power = 1;; power *= 10)
            for (const std::size_t factor : {1U, 2U, 5U}) {
                std::vector<Tick> kept = every(all, factor * power);
                if (kept.size() < 2 || apart(kept, axis, length, gap, size)) return kept;
            }
    }
    // About that many, else fewer; more where that leaves a single one, which tells no distance.
    std::vector<int> counts;
    for (int fewer = count; fewer > 1; --fewer) counts.push_back(fewer);
    for (int more = count + 1; more < count + 8; ++more) counts.push_back(more);
    for (const int about : counts) {
        std::vector<Tick> ticks = ticks_of(axis, about);
        if (ticks.size() > 1 && apart(ticks, axis, length, gap, size)) return ticks;
    }
    std::vector<Tick> ticks = ticks_of(axis, 2);
    if (ticks.size() > 1) ticks.resize(1);
    return ticks;
}

}  // namespace whorl::plot
