#include "viz/paint/figure_words.hpp"

#include <sstream>

#include "viz/plot/font.hpp"
#include "viz/plot/text_runs.hpp"

namespace whorl::plot {
namespace {

std::string wrapped(const std::string& text, std::size_t width) {
    std::string result, word;
    std::size_t column = 0;
    for (std::istringstream words(text); words >> word;) {
        const std::size_t length = letters_of(word).size();
        const bool first = result.empty(), fits = column + 1 + length <= width;
        result += first ? word : (fits ? " " : "\n") + word;
        column = first || !fits ? length : column + 1 + length;
    }
    return result;
}

}  // namespace

std::string figure_words(const Figure& figure, std::size_t width) {
    std::vector<std::string> paragraphs = {figure.claim, figure.subtitle};
    paragraphs.insert(paragraphs.end(), figure.words.begin(), figure.words.end());
    paragraphs.push_back(figure.source);
    std::string text;
    for (const std::string& paragraph : paragraphs)
        if (!paragraph.empty()) text += (text.empty() ? "" : "\n") + wrapped(plain_text(paragraph), width) + "\n";
    return text;
}

}  // namespace whorl::plot
