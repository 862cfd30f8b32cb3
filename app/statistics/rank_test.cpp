#include "app/statistics/rank_test.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace whorl {
namespace {

constexpr std::size_t kMostValues = 500;  // the number of ways to choose half of them still fits into a double

// Twice the mean rank of each value of the sorted pool: a whole number, equal for equal values.
std::vector<std::int64_t> doubled_ranks(const std::vector<double>& sorted) {
    std::vector<std::int64_t> ranks(sorted.size());
    for (std::size_t begin = 0; begin < sorted.size();) {
        std::size_t end = begin;
        while (end < sorted.size() && sorted[end] == sorted[begin]) ++end;
        for (std::size_t i = begin; i < end; ++i) ranks[i] = static_cast<std::int64_t>(begin + 1 + end);
        begin = end;
    }
    return ranks;
}

// ways[s]: how many choices of `chosen` of the ranks have the sum s.
std::vector<double> ways_by_sum(const std::vector<std::int64_t>& ranks, std::size_t chosen) {
    std::int64_t total = 0;
    for (const std::int64_t rank : ranks) total += rank;
    const auto sums = static_cast<std::size_t>(total) + 1;
    std::vector<std::vector<double>> ways(chosen + 1, std::vector<double>(sums));
    ways[0][0] = 1;
    for (const std::int64_t rank : ranks)
        for (std::size_t k = chosen; k > 0; --k)
            for (std::size_t s = sums - 1; s >= static_cast<std::size_t>(rank); --s)
                ways[k][s] += ways[k - 1][s - static_cast<std::size_t>(rank)];
    return ways[chosen];
}

void check(const std::vector<double>& sample) {
    if (sample.empty()) throw std::invalid_argument("a rank test needs two samples");
    if (std::any_of(sample.begin(), sample.end(), [](double value) { return std::isnan(value); }))
        throw std::invalid_argument("a rank test cannot rank NaN");
}

}  // namespace

double rank_test(const std::vector<double>& larger, const std::vector<double>& smaller) {
    check(larger), check(smaller);
    std::vector<double> pool = larger;
    pool.insert(pool.end(), smaller.begin(), smaller.end());
    if (pool.size() > kMostValues) throw std::invalid_argument("a rank test takes 500 values at most");
    std::sort(pool.begin(), pool.end());
    const std::vector<std::int64_t> ranks = doubled_ranks(pool);
    std::int64_t observed = 0;
    for (const double value : larger)
        observed += ranks[static_cast<std::size_t>(std::lower_bound(pool.begin(), pool.end(), value) - pool.begin())];
    const std::vector<double> ways = ways_by_sum(ranks, larger.size());
    double all = 0, beyond = 0;
    for (std::size_t s = 0; s < ways.size(); ++s) {
        all += ways[s];
        if (static_cast<std::int64_t>(s) >= observed) beyond += ways[s];
    }
    return beyond / all;
}

std::vector<double> pair_count_distribution(std::int64_t m, std::int64_t n) {
    if (m < 1 || n < 1) throw std::invalid_argument("a rank test needs two samples");
    if (static_cast<std::size_t>(m + n) > kMostValues)
        throw std::invalid_argument("a rank test takes 500 values at most");
    std::vector<std::int64_t> ranks;
    for (std::int64_t i = 1; i <= m + n; ++i) ranks.push_back(i);
    const std::vector<double> ways = ways_by_sum(ranks, static_cast<std::size_t>(m));
    std::vector<double> distribution;
    double sum = 0;
    for (std::int64_t u = 0; u <= m * n; ++u) {
        sum += ways[static_cast<std::size_t>(u + m * (m + 1) / 2)];
        distribution.push_back(sum);
    }
    for (double& one : distribution) one /= sum;
    return distribution;
}

}  // namespace whorl
