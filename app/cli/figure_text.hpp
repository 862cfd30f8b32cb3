// The text that a figure's model reads: the user's, or an example of its task.
#pragma once

#include <cstdint>
#include <vector>

#include "app/cli/exhibits.hpp"

namespace whorl::cli {

/// --text or --tokens; else the example of --size, --seed and --index of the test split, with --set of the task,
/// without what stands behind its first question. With none of them an example of `size`. Throws UserError.
std::vector<std::int32_t> figure_text(const Parsed& parsed, const viz::Exhibit& exhibit, std::int64_t size);

}  // namespace whorl::cli
