// What the tests of tasks share: examples written between guards, and how far a count may be from its expectation.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "tasks/example.hpp"
#include "tasks/task.hpp"
#include "tests/support/catch.hpp"

namespace tasktest {

using namespace whorl;

inline SampleKey key(std::uint64_t index, std::int64_t min, std::int64_t max, Split split = Split::train) {
    return {index / 64, split, 5, index, {min, max}};
}

/// The example of `key`, made with `room` positions more than needed: these must be padding, and nothing may be written
/// before the first position or behind the last one.
template <class Source>
Example make(const Source& source, const SampleKey& key, std::int64_t room = 0) {
    constexpr std::int32_t kGuard = 987654321;
    constexpr std::size_t kGuards = 16;
    const std::int64_t capacity = source.positions(key.sizes.max) + room;
    const auto size = static_cast<std::size_t>(capacity);
    std::vector<std::int32_t> tokens(size + 2 * kGuards, kGuard), targets = tokens;
    const std::int64_t used = source.generate(key, {tokens.data() + kGuards, targets.data() + kGuards, capacity});
    REQUIRE(used >= 1);
    REQUIRE(used <= capacity - room);
    for (const auto* written : {&tokens, &targets}) {
        REQUIRE(std::all_of(written->begin(), written->begin() + kGuards, [](auto x) { return x == kGuard; }));
        REQUIRE(std::all_of(written->end() - kGuards, written->end(), [](auto x) { return x == kGuard; }));
    }
    const auto first = static_cast<std::ptrdiff_t>(kGuards), end = first + static_cast<std::ptrdiff_t>(used);
    const auto behind = static_cast<std::ptrdiff_t>(kGuards + size);
    REQUIRE(std::all_of(tokens.begin() + end, tokens.begin() + behind, [](auto x) { return x == kPad; }));
    REQUIRE(std::all_of(targets.begin() + end, targets.begin() + behind, [](auto x) { return x == kUnsupervised; }));
    return {{tokens.begin() + first, tokens.begin() + end}, {targets.begin() + first, targets.begin() + end}};
}

/// Six standard deviations of a count with `share` expected in `draws`: never exceeded by chance.
inline bool plausible(std::int64_t count, double share, std::int64_t draws) {
    const double n = static_cast<double>(draws);
    return std::abs(static_cast<double>(count) - n * share) < 6 * std::sqrt(n * share * (1 - share)) + 1;
}

/// Each of counts[first … first+classes-1] is about the same share of their sum.
inline bool uniform(const std::vector<std::int64_t>& counts, std::size_t first, std::size_t classes) {
    std::int64_t draws = 0;
    for (std::size_t c = first; c < first + classes; ++c) draws += counts[c];
    if (draws < 100) return false;
    for (std::size_t c = first; c < first + classes; ++c)
        if (!plausible(counts[c], 1.0 / static_cast<double>(classes), draws)) return false;
    return true;
}

}  // namespace tasktest
