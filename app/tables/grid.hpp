// A grid of texts, drawn for terminals and as Markdown.
#pragma once

#include <string>
#include <vector>

namespace whorl {

/// Lines of equal length; the first one is the head. The first `left` columns stand to the left, the others to the
/// right.
struct Grid {
    std::vector<std::vector<std::string>> lines;
    std::size_t left = 1;
};

std::string text_of(const Grid& grid);
std::string markdown_of(const Grid& grid);

}  // namespace whorl
