#include "viz/plot/headings.hpp"

#include <utility>

namespace whorl::plot {

Spacing::Spacing(const Theme& theme)
    : margin(1.85 * theme.text),
      column_gap(2.2 * theme.text),
      row_gap(1.5 * theme.text),
      tick_gap(0.68 * theme.text),
      below_titles(0.9 * theme.text),
      below_claim(1.0 * theme.text) {}

namespace {

TextStyle style_of(const Theme& theme, Role role, double size, Face face) {
    return {size, face, color_of(theme, role)};
}

/// Broken so that its lines are about equally long, if it needs more than one.
TextBlock balanced(const std::string& text, const TextStyle& style, double width) {
    TextBlock block = lay_out(text, style, width);
    double low = width / 3, high = width;
    for (int round = 0; block.lines > 1 && round < 7; ++round) {
        TextBlock narrower = lay_out(text, style, (low + high) / 2);
        const bool more = narrower.lines > block.lines;
        (more ? low : high) = (low + high) / 2;
        if (!more) block = std::move(narrower);
    }
    return block;
}

}  // namespace

TextBlock heading(const std::string& text, const Theme& theme, double size, double width) {
    const bool mixed = text.find("**") != std::string::npos;
    return balanced(text, style_of(theme, Role::ink, size, mixed ? Face::regular : Face::bold), width);
}

TextBlock quiet(const std::string& text, const Theme& theme, double width) {
    return balanced(text, style_of(theme, Role::secondary, theme.text, Face::regular), width);
}

TextBlock small_print(const std::string& text, const Theme& theme, double width) {
    return lay_out(text, style_of(theme, Role::muted, 0.85 * theme.text, Face::regular), width);
}

}  // namespace whorl::plot
