// A figure in words, for those who cannot see it and for terminals.
#pragma once

#include <string>

#include "viz/plot/figure.hpp"

namespace whorl::plot {

/// Its claim, subtitle, words and source, each a paragraph of lines of at most `width` letters (a longer word has a
/// line of its own), without the marks of text_runs.hpp.
std::string figure_words(const Figure& figure, std::size_t width = 80);

}  // namespace whorl::plot
