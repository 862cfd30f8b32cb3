#include "viz/paint/svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "viz/paint/base64.hpp"
#include "viz/paint/finite.hpp"
#include "viz/paint/font_file.hpp"
#include "viz/paint/outlines.hpp"
#include "viz/paint/svg_shapes.hpp"
#include "viz/paint/xml.hpp"

namespace whorl::plot {
namespace {

using Letters = std::set<char32_t>;

/// The letters of one face that are written.
Letters letters_used(const Drawing& drawing, Face face) {
    Letters letters;
    for (const Item& item : drawing.items)
        for (const Shape2d& shape : item.shapes)
            if (const Run* run = std::get_if<Run>(&shape); run != nullptr && run->face == face)
                for (const char32_t letter : letters_of(run->text))
                    if (has_glyph(face, letter)) letters.insert(letter);
    return letters;
}

/// A name of their own for each choice of letters: where several files stand in one page, their fonts must not stand
/// for each other. FNV-1a.
std::string family_of(const std::vector<Letters>& faces) {
    std::uint32_t hash = 2166136261u;
    for (const Letters& letters : faces) {
        for (const char32_t letter : letters) hash = (hash ^ letter) * 16777619u;
        hash *= 16777619u;
    }
    return fmt::format("Whorl{:08x}", hash);
}

std::string font_face(Face face, const Letters& letters, const std::string& family) {
    if (letters.empty()) return "";
    const std::string bytes = font_file(face, {letters.begin(), letters.end()}, family);
    return fmt::format(
        "@font-face{{font-family:{};font-weight:{};src:url(data:font/ttf;base64,{}) "
        "format(\"truetype\")}}\n",
        family, face == Face::bold ? 700 : 400, base64(bytes));
}

/// The letters of a drawing, and the name that their font and the class of its texts have.
struct Fonts {
    Letters regular, bold;
    std::string family;

    explicit Fonts(const Drawing& drawing)
        : regular(letters_used(drawing, Face::regular)),
          bold(letters_used(drawing, Face::bold)),
          family(family_of({regular, bold})) {}
};

std::string style(const Fonts& fonts) {
    const auto& [regular, bold, family] = fonts;
    return fmt::format(
        "<style>\n{}{}.{} text{{font-family:{},\"DejaVu Sans\",Verdana,sans-serif;font-kerning:none;"
        "font-variant-ligatures:none;white-space:pre;"
        "text-rendering:geometricPrecision}}\n</style>\n",
        font_face(Face::regular, regular, family), font_face(Face::bold, bold, family), family, family);
}

/// Each letter once.
std::string outlines(const Fonts& fonts) {
    std::string text;
    for (const char32_t letter : fonts.regular) text += svg_letter(Face::regular, letter);
    for (const char32_t letter : fonts.bold) text += svg_letter(Face::bold, letter);
    return "<defs>\n" + text + "</defs>\n";
}

class Writer {
public:
    Writer(const Drawing& drawing, const SvgOptions& options) : drawing_(drawing), options_(options) {}

    std::string document() {
        const Fonts fonts(drawing_);
        const std::string class_name = options_.outlines ? "" : fmt::format(" class=\"{}\"", fonts.family);
        text_ = fmt::format(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" "
            "role=\"img\" xml:space=\"preserve\" stroke-linejoin=\"round\"{}>\n",
            decimal(drawing_.width * options_.scale), decimal(drawing_.height * options_.scale),
            decimal(drawing_.width), decimal(drawing_.height), class_name);
        text_ += fmt::format("<title>{}</title>\n<desc>{}</desc>\n", xml_text(drawing_.title),
                             xml_text(drawing_.description));
        text_ += options_.outlines ? outlines(fonts) : style(fonts);
        text_ += clip_paths();
        text_ += svg_shape(Box{{0, 0}, {drawing_.width, drawing_.height}, drawing_.ground}, false);
        for (const Item& item : drawing_.items) add(item);
        return std::move(text_) + "</svg>\n";
    }

private:
    static bool is_clipped(const Item& item) { return item.clip && is_finite(*item.clip); }

    /// From the numbers alone: files that share a name in one page then mean the same by it.
    static std::string clip_id(const Box& box) {
        return fmt::format("clip_{}_{}_{}_{}", decimal(box.low.x), decimal(box.low.y), decimal(box.high.x),
                           decimal(box.high.y));
    }

    std::string clip_paths() const {
        std::map<std::string, std::string> paths;
        for (const Item& item : drawing_.items)
            if (is_clipped(item)) paths[clip_id(*item.clip)] = svg_place(in_order(*item.clip));
        std::string text;
        for (const auto& [id, place] : paths)
            text += fmt::format("<clipPath id=\"{}\"><rect{}/></clipPath>\n", id, place);
        return text.empty() ? "" : "<defs>\n" + text + "</defs>\n";
    }

    std::string unique(const std::string& id) {
        const int count = ++seen_[id];
        return count == 1 ? id : unique(fmt::format("{}_{}", id, count));
    }

    void add(const Item& item) {
        std::string shapes;
        for (const Shape2d& shape : item.shapes) shapes += svg_shape(shape, options_.outlines);
        if (shapes.empty()) return;
        text_ += item.id.empty() ? "<g" : fmt::format("<g id=\"{}\"", unique(xml_id(item.id)));
        if (is_clipped(item)) text_ += fmt::format(" clip-path=\"url(#{})\"", clip_id(*item.clip));
        text_ += ">\n";
        if (!item.tip.empty()) text_ += "<title>" + xml_text(item.tip) + "</title>\n";
        text_ += shapes + "</g>\n";
    }

    const Drawing& drawing_;
    const SvgOptions& options_;
    std::string text_;
    std::map<std::string, int> seen_;
};

}  // namespace

std::string svg(const Drawing& drawing, const SvgOptions& options) {
    return Writer(drawing, options).document();
}

}  // namespace whorl::plot
