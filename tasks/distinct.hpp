// Draws without replacement: numbers that were drawn are kept in ascending order, and the next one is counted off among
// the others, so that every draw takes the same words and ends in bounded time.
#pragma once

#include "core/base/philox.hpp"

namespace whorl {

/// One of 0 … n-1 outside sorted[0 … taken-1], each equally likely; `where` gets its place among those.
WHORL_HD constexpr std::int32_t draw_other(Random& random, std::int32_t n, const std::int32_t* sorted,
                                           std::int32_t taken, std::int32_t& where) {
    auto drawn = static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(n - taken)));
    for (where = 0; where < taken && sorted[where] <= drawn; ++where) ++drawn;
    return drawn;
}

/// The same, and it is kept as one more of those that are taken: sorted has room for taken + 1.
WHORL_HD constexpr std::int32_t take_other(Random& random, std::int32_t n, std::int32_t* sorted, std::int32_t taken) {
    std::int32_t where = 0;
    const std::int32_t drawn = draw_other(random, n, sorted, taken, where);
    for (std::int32_t i = taken; i > where; --i) sorted[i] = sorted[i - 1];
    return sorted[where] = drawn;
}

}  // namespace whorl
