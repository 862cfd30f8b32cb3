// What can be had without reading the input.
#pragma once

#include "tasks/data_source.hpp"

namespace whorl {

/// Accuracy over supervised positions of always giving the most frequent answer, measured on the first `count` test
/// examples of `size` with seed 0. It is the most frequent one of these very examples: with few of them and many
/// classes the figure is a little too high.
double majority_baseline(const DataSource& data, std::int64_t size, std::int64_t count);

}  // namespace whorl
