#include "viz/app/fonts.hpp"

#include <imgui_internal.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "viz/app/imgui_compat.hpp"
#include "viz/paint/font_file.hpp"

namespace whorl::view {
namespace {

using plot::Face;

struct WidgetSize {
    Face face;
    double size;
};
constexpr WidgetSize kWidgetSizes[] = {{Face::regular, 13}, {Face::bold, 13},    {Face::bold, 15},
                                       {Face::bold, 18},    {Face::regular, 18}, {Face::bold, 26}};

/// Larger letters are these, enlarged.
constexpr double kLargest = 128;

std::vector<char32_t> all_letters(Face face) {
    std::vector<char32_t> letters;
    for (char32_t letter = 0x20; letter < 0xFFFF; ++letter)
        if (plot::has_glyph(face, letter)) letters.push_back(letter);
    return letters;
}

int quarters(double em) {
    return std::max(16, static_cast<int>(std::lround(4 * std::min(em, kLargest))));
}

/// ImGui's size of a font: from its ascent to its descent.
float line_of(Face face, double em) {
    const plot::FontHeights& heights = plot::font_heights(face);
    return static_cast<float>(em * (heights.ascent - heights.descent));
}

bool holds(const ImFont& font, char32_t letter) {
    return font.FindGlyphNoFallback(static_cast<ImWchar>(letter)) != nullptr;
}

}  // namespace

Fonts::Fonts() {
    for (const Face face : {Face::regular, Face::bold})
        files_[face == Face::bold ? 1 : 0] = plot::font_file(face, all_letters(face), "Whorl");
}

void Fonts::want_widgets() {
    for (const WidgetSize& widget : kWidgetSizes) {
        Wanted& wanted = wanted_[{widget.face, quarters(widget.size * scale_ * type_)}];
        wanted.all = wanted.all || widget.size < 15;
        for (char32_t letter = 0x20; letter < 0x7F; ++letter) wanted.letters.insert(letter);
    }
}

bool Fonts::update(double scale, double type) {
    const bool same = scale == scale_ && type == type_;
    if (same && missing_.empty()) return false;
    if (!same) wanted_.clear();
    scale_ = scale, type_ = type;
    want_widgets();
    for (const auto& [size, more] : missing_) wanted_[size].letters.insert(more.letters.begin(), more.letters.end());
    missing_.clear(), fonts_.clear(), ranges_.clear();
    ImFontAtlas& atlas = *ImGui::GetIO().Fonts;
    atlas.Clear();
    // Not FreeType, whose letters stand at whole pixels: figures are laid out with the exact widths. This one keeps
    // them, by letters three times as wide as they are drawn.
    atlas.FontBuilderIO = ImFontAtlasGetBuilderForStbTruetype();
    atlas.Flags |= ImFontAtlasFlags_NoPowerOfTwoHeight;
    atlas.TexDesiredWidth = 2048;
    ranges_.reserve(wanted_.size());
    for (const auto& [size, wanted] : wanted_) add(size, wanted);
    ImGui::GetIO().FontDefault = widget(Face::regular, 13);
    atlas.Build();
    for (auto& [size, sized] : fonts_) sized.ascent = std::round(sized.font->Ascent);
    return true;
}

void Fonts::add(const Size& size, const Wanted& wanted) {
    ImFontGlyphRangesBuilder builder;
    for (const char32_t letter :
         wanted.all ? all_letters(size.first) : std::vector<char32_t>(wanted.letters.begin(), wanted.letters.end()))
        builder.AddChar(static_cast<ImWchar>(letter));
    builder.AddChar(0xFFFD);
    ranges_.emplace_back();
    builder.BuildRanges(&ranges_.back());
    const std::string& file = files_[size.first == Face::bold ? 1 : 0];
    const double em = size.second / 4.0;
    ImFontConfig config;
    config.FontDataOwnedByAtlas = false;
    config.OversampleH = 3, config.OversampleV = 1;
    config.GlyphRanges = ranges_.back().Data;
    const float wanted_line = line_of(size.first, em), line = set_line_height(config, wanted_line);
    // The atlas only reads it.
    void* data = const_cast<char*>(file.data());
    ImFont* font = ImGui::GetIO().Fonts->AddFontFromMemoryTTF(data, static_cast<int>(file.size()), line, &config);
    fonts_[size] = {font, static_cast<float>(em) * line / wanted_line, 0};
}

ImFont* Fonts::widget(Face face, double size) const {
    const auto badness = [&](const WidgetSize& w) { return std::abs(w.size - size) + (w.face == face ? 0 : 1000); };
    const WidgetSize& best =
        *std::min_element(std::begin(kWidgetSizes), std::end(kWidgetSizes),
                          [&](const WidgetSize& a, const WidgetSize& b) { return badness(a) < badness(b); });
    return fonts_.at({best.face, quarters(best.size * scale_ * type_)}).font;
}

SizedFont Fonts::text(Face face, double em, const std::vector<char32_t>& letters) {
    const Size size{face, quarters(em)};
    const auto place = fonts_.find(size);
    for (const char32_t letter : letters)
        if (plot::has_glyph(face, letter) && (place == fonts_.end() || !holds(*place->second.font, letter)))
            missing_[size].letters.insert(letter);
    if (place != fonts_.end()) return place->second;
    const auto apart = [&](const auto& entry) {
        return std::abs(entry.first.second - size.second) + (entry.first.first == face ? 0 : 10000);
    };
    return std::min_element(fonts_.begin(), fonts_.end(),
                            [&](const auto& a, const auto& b) { return apart(a) < apart(b); })
        ->second;
}

}  // namespace whorl::view
