// By how much one sample lies above another, and the bounds of that.
//
// The shift of Hodges and Lehmann: the median of all differences between a value of the one and a value of the other.
// Its bounds are order statistics of the same differences, chosen by the exact distribution of the rank test: they go
// with that test (the lower bound is above 0 exactly when it rejects "no difference", but for ties) and, like it,
// assume nothing of the distribution. A bound of the difference of means would lean on normal errors, which twelve
// replicas of which some learn the task and others do not are far from; one of the difference of medians wastes most of
// twelve values. With ties the bounds are as wide or wider than they need be, never narrower.
#pragma once

#include <vector>

namespace whorl {

struct ShiftBounds {
    double shift = 0;  // of the first sample above the second
    /// One-sided, each with the given confidence; infinite where the samples are too small for one.
    double lower = 0, upper = 0;
};

/// Throws std::invalid_argument as rank_test does. 0.5 < confidence < 1.
ShiftBounds shift_bounds(const std::vector<double>& first, const std::vector<double>& second, double confidence);

}  // namespace whorl
