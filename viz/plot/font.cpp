#include "viz/plot/font.hpp"

#include <algorithm>
#include <array>

#include "viz/glyphs/glyph_data.hpp"

namespace whorl::plot {
namespace {

constexpr char32_t kUnknown = 0xFFFD;

/// Walks through a face's stored numbers.
class OutlineReader {
public:
    explicit OutlineReader(const StoredFace& face)
        : at_(face.numbers), end_(face.numbers + face.count), scale_(1.0f / static_cast<float>(face.em)) {}

    bool done() const { return at_ == end_; }
    char32_t letter() { return static_cast<std::uint16_t>(*at_++); }

    Glyph glyph() {
        Glyph result;
        result.advance = length();
        result.contours.resize(count());
        for (std::vector<OutlinePoint>& contour : result.contours) {
            contour.resize(count());
            for (OutlinePoint& point : contour) point = outline_point();
        }
        return result;
    }

private:
    std::size_t count() { return static_cast<std::size_t>(*at_++); }
    float length() { return static_cast<float>(*at_++) * scale_; }

    OutlinePoint outline_point() {
        const bool on = (*at_ & 1) != 0;
        const float x = static_cast<float>((*at_++ - (on ? 1 : 0)) / 2) * scale_;
        return {x, length(), on};
    }

    const std::int16_t* at_;
    const std::int16_t* end_;
    float scale_;
};

/// A face's glyphs beside their letters, which rise.
struct Glyphs {
    std::vector<char32_t> letters;
    std::vector<Glyph> glyphs;

    explicit Glyphs(const StoredFace& face) {
        for (OutlineReader reader(face); !reader.done();) {
            letters.push_back(reader.letter());
            glyphs.push_back(reader.glyph());
        }
    }

    const Glyph* find(char32_t letter) const {
        const auto place = std::lower_bound(letters.begin(), letters.end(), letter);
        if (place == letters.end() || *place != letter) return nullptr;
        return &glyphs[static_cast<std::size_t>(place - letters.begin())];
    }
};

const Glyphs& glyphs_of(Face face) {
    static const Glyphs regular(kStoredFaces[0]), bold(kStoredFaces[1]);
    return face == Face::bold ? bold : regular;
}

FontHeights heights_of(const StoredFace& face) {
    const double em = face.em;
    return {face.capital / em, face.small / em, face.descent / em, face.ascent / em};
}

/// How many bytes belong to the letter that begins with `first`; 0 when none does.
std::size_t letter_length(unsigned char first) {
    return first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
}

/// Takes one letter off the front of `text`, or one byte that begins none.
char32_t take_letter(std::string_view& text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const std::size_t length = letter_length(byte(0));
    char32_t letter = length < 2 ? byte(0) : byte(0) & (0x7Fu >> length);
    bool good = length > 0 && text.size() >= length;
    for (std::size_t i = 1; good && i < length; ++i) {
        good = (byte(i) & 0xC0u) == 0x80;
        letter = letter << 6 | (byte(i) & 0x3Fu);
    }
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    good = good && letter >= smallest[length] && letter <= 0x10FFFF && !(letter >= 0xD800 && letter < 0xE000);
    text.remove_prefix(good ? length : 1);
    return good ? letter : kUnknown;
}

}  // namespace

const Glyph& glyph(Face face, char32_t letter) {
    const Glyphs& glyphs = glyphs_of(face);
    const Glyph* found = glyphs.find(letter);
    return found != nullptr ? *found : *glyphs.find(kUnknown);
}

bool has_glyph(Face face, char32_t letter) {
    return glyphs_of(face).find(letter) != nullptr;
}

const FontHeights& font_heights(Face face) {
    static const std::array<FontHeights, 2> heights = {heights_of(kStoredFaces[0]), heights_of(kStoredFaces[1])};
    return heights[face == Face::bold ? 1 : 0];
}

double text_width(std::string_view text, Face face) {
    double width = 0;
    while (!text.empty()) width += static_cast<double>(glyph(face, take_letter(text)).advance);
    return width;
}

std::vector<char32_t> letters_of(std::string_view utf8) {
    std::vector<char32_t> letters;
    while (!utf8.empty()) letters.push_back(take_letter(utf8));
    return letters;
}

}  // namespace whorl::plot
