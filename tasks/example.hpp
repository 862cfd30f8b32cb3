// One example of a task on the host, for people and programs to look at.
#pragma once

#include <cstdint>
#include <vector>

#include "tasks/data_source.hpp"

namespace whorl {

/// Both of the same length: the input positions that the example fills, without padding.
struct Example {
    std::vector<std::int32_t> tokens, targets;
};

/// The example of `key`. Its sizes must not be below the smallest of `data`.
Example make_example(const DataSource& data, const SampleKey& key);

}  // namespace whorl
