#include "app/statistics/shift.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "app/statistics/rank_test.hpp"
#include "core/training/statistics.hpp"

namespace whorl {
namespace {

std::vector<double> differences(const std::vector<double>& first, const std::vector<double>& second) {
    std::vector<double> result;
    for (const double a : first)
        for (const double b : second) result.push_back(a - b);
    if (std::any_of(result.begin(), result.end(), [](double value) { return std::isnan(value); }))
        throw std::invalid_argument("a shift cannot be had of NaN");
    std::sort(result.begin(), result.end());
    return result;
}

// How many of the smallest differences may be left out: the most k with P(U <= k - 1) <= 1 - confidence.
std::size_t left_out(std::size_t m, std::size_t n, double confidence) {
    const std::vector<double> distribution =
        pair_count_distribution(static_cast<std::int64_t>(m), static_cast<std::int64_t>(n));
    const double level = (1 - confidence) * (1 + 1e-9);  // a probability may be just 1 - confidence, which rounds
    std::size_t k = 0;
    while (distribution[k] <= level) ++k;
    return k;
}

}  // namespace

ShiftBounds shift_bounds(const std::vector<double>& first, const std::vector<double>& second, double confidence) {
    const std::size_t k = left_out(first.size(), second.size(), confidence);
    const std::vector<double> sorted = differences(first, second);
    constexpr double kInfinite = std::numeric_limits<double>::infinity();
    if (k == 0) return {median(sorted), -kInfinite, kInfinite};
    return {median(sorted), sorted[k - 1], sorted[sorted.size() - k]};
}

}  // namespace whorl
