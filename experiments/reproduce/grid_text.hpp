// A grid of texts, drawn for terminals and as Markdown.
#pragma once

#include <string>
#include <vector>

namespace whorl {

/// Lines of equal length; the first one is the head.
using Grid = std::vector<std::vector<std::string>>;

/// Columns side by side: the first one to the left, the others to the right.
std::string text_of(const Grid& grid);
std::string markdown_of(const Grid& grid);

}  // namespace whorl
