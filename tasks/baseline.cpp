#include "tasks/baseline.hpp"

#include <algorithm>
#include <numeric>

#include "tasks/example.hpp"

namespace whorl {

double majority_baseline(const DataSource& data, std::int64_t size, std::int64_t count) {
    std::vector<std::int64_t> seen(static_cast<std::size_t>(data.vocabulary()), 0);
    for (std::int64_t i = 0; i < count; ++i) {
        const Example example = make_example(
            data, {0, Split::test, static_cast<std::uint64_t>(size), static_cast<std::uint64_t>(i), {size, size}});
        for (const std::int32_t target : example.targets)
            if (target >= 0) ++seen[static_cast<std::size_t>(target)];
    }
    return static_cast<double>(*std::max_element(seen.begin(), seen.end())) /
           static_cast<double>(std::accumulate(seen.begin(), seen.end(), std::int64_t{0}));
}

}  // namespace whorl
