// Several tests of one claim.
#pragma once

#include <vector>

namespace whorl {

/// Holm's adjustment, in the given order: rejecting where the adjusted value is at most α keeps the chance of any false
/// rejection at α, however the tests depend on one another.
std::vector<double> holm(const std::vector<double>& p_values);

}  // namespace whorl
