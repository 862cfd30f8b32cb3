// What k passes of n say about the rate of passing.
#pragma once

#include <cstdint>

namespace whorl {

/// One-sided bounds of Clopper and Pearson: the rate is at least `lower` (at most `upper`) with the given confidence,
/// whatever it is. Exact for the binomial distribution, never too narrow. 0 <= passed <= count, count > 0,
/// 0 < confidence < 1.
double lower_pass_rate(std::int64_t passed, std::int64_t count, double confidence);
double upper_pass_rate(std::int64_t passed, std::int64_t count, double confidence);

}  // namespace whorl
