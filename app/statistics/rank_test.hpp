// The test of Mann, Whitney and Wilcoxon: does one sample tend to larger values than another?
//
// Nothing is assumed of how the values are distributed: accuracies of trained replicas are skewed, often of two kinds
// (learned it, did not), and many are equal. The distribution under "no difference" is that of all ways to deal the
// pooled values into two samples of these sizes, counted exactly, ties included.
#pragma once

#include <cstdint>
#include <vector>

namespace whorl {

/// P(W >= w), where w is the rank sum of `larger` among both samples (equal values share the mean of their ranks) and W
/// that of a random choice of as many of the pooled values: small when `larger` tends to larger values. One-sided,
/// exact for any ties. Throws std::invalid_argument for an empty sample, for more than 500 values in all, and for NaN.
double rank_test(const std::vector<double>& larger, const std::vector<double>& smaller);

/// P(U <= u) for u = 0 … m·n, where U counts the pairs in which the first of two samples of m and n distinct values has
/// the larger one, under "no difference".
std::vector<double> pair_count_distribution(std::int64_t m, std::int64_t n);

}  // namespace whorl
