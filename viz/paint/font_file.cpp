#include "viz/paint/font_file.hpp"

#include <map>

#include "viz/paint/big_endian.hpp"
#include "viz/paint/glyph_table.hpp"

namespace whorl::plot {
namespace {

constexpr const char* kCopyright =
    "Copyright (c) 2003 by Bitstream, Inc. All Rights Reserved. Copyright (c) 2006 by Tavmjong Bah. All Rights "
    "Reserved. DejaVu changes are in public domain. A subset of DejaVu Sans.";

/// All glyphs, that of unknown letters first.
struct Font {
    Face face;
    std::vector<char32_t> letters;
    std::vector<StoredOutline> glyphs;
    GlyphBox box;
    int widest = 0;

    Font(Face which, const std::vector<char32_t>& chosen) : face(which), letters(chosen) {
        glyphs.push_back(stored_outline(glyph(face, 0xFFFD)));
        for (const char32_t letter : letters) glyphs.push_back(stored_outline(glyph(face, letter)));
        for (const StoredOutline& g : glyphs) {
            widest = std::max(widest, g.advance);
            if (!g.box.empty()) box.add(g.box.low_x, g.box.low_y), box.add(g.box.high_x, g.box.high_y);
        }
    }
    bool is_bold() const { return face == Face::bold; }
    int units(double ems) const { return static_cast<int>(ems * kUnitsPerEm + (ems < 0 ? -0.5 : 0.5)); }
    int ascent() const { return units(font_heights(face).ascent); }
    int descent() const { return units(font_heights(face).descent); }
};

std::string head(const Font& font) {
    BigEndian out;
    out.u32(0x00010000).u32(0x00010000).u32(0).u32(0x5F0F3CF5);    // version, revision, checksum (unused), magic
    out.u16(0x000B).u16(kUnitsPerEm).u32(0).u32(0).u32(0).u32(0);  // baseline at 0, whole widths; no dates
    out.s16(font.box.low_x).s16(font.box.low_y).s16(font.box.high_x).s16(font.box.high_y);
    out.u16(font.is_bold() ? 1 : 0).u16(8).s16(2).s16(1).s16(0);  // style, smallest size, direction, long offsets
    return out.bytes();
}

std::string hhea(const Font& font) {
    BigEndian out;
    out.u32(0x00010000).s16(font.ascent()).s16(font.descent()).s16(0);
    out.u16(static_cast<unsigned>(font.widest)).s16(font.box.low_x).s16(0).s16(font.box.high_x);
    out.s16(1).s16(0).s16(0);  // an upright caret
    out.s16(0).s16(0).s16(0).s16(0).s16(0).u16(static_cast<unsigned>(font.glyphs.size()));
    return out.bytes();
}

std::string maxp(const Font& font) {
    int points = 0, contours = 0;
    for (const StoredOutline& g : font.glyphs)
        points = std::max(points, g.points), contours = std::max(contours, g.contours);
    BigEndian out;
    out.u32(0x00010000).u16(static_cast<unsigned>(font.glyphs.size()));
    out.u16(static_cast<unsigned>(points)).u16(static_cast<unsigned>(contours)).u16(0).u16(0);
    out.u16(1);                              // zones
    for (int i = 0; i < 8; ++i) out.u16(0);  // nothing for instructions, no composite glyphs
    return out.bytes();
}

std::string hmtx(const Font& font) {
    BigEndian out;
    for (const StoredOutline& g : font.glyphs)
        out.u16(static_cast<unsigned>(g.advance)).s16(g.box.empty() ? 0 : g.box.low_x);
    return out.bytes();
}

std::string loca(const Font& font) {
    BigEndian out;
    std::size_t offset = 0;
    for (const StoredOutline& g : font.glyphs) {
        out.u32(static_cast<std::uint32_t>(offset));
        offset += g.bytes.size();
    }
    return out.u32(static_cast<std::uint32_t>(offset)).bytes();
}

std::string glyf(const Font& font) {
    std::string bytes;
    for (const StoredOutline& g : font.glyphs) bytes += g.bytes;
    return bytes.empty() ? std::string(4, '\0') : bytes;
}

/// Format 4, a segment for each letter and the end that the format asks for.
std::string letter_map(const std::vector<char32_t>& letters) {
    const auto segments = static_cast<unsigned>(letters.size() + 1);
    unsigned power = 1, log = 0;
    for (; power * 2 <= segments; power *= 2) ++log;
    BigEndian out;
    out.u16(4).u16(16 + 8 * segments).u16(0).u16(2 * segments).u16(2 * power).u16(log).u16(2 * (segments - power));
    for (const char32_t letter : letters) out.u16(letter);  // where each segment ends
    out.u16(0xFFFF).u16(0);
    for (const char32_t letter : letters) out.u16(letter);  // and begins
    out.u16(0xFFFF);
    for (unsigned i = 0; i + 1 < segments; ++i) out.u16((i + 1 - letters[i]) & 0xFFFFu);  // from letter to glyph
    out.u16(1);
    for (unsigned i = 0; i < segments; ++i) out.u16(0);
    return out.bytes();
}

std::string cmap(const Font& font) {
    return BigEndian().u16(0).u16(1).u16(3).u16(1).u32(12).text(letter_map(font.letters)).bytes();
}

/// `names`: number and text, which is ASCII.
std::string name(const std::map<unsigned, std::string>& names) {
    BigEndian out, texts;
    out.u16(0).u16(static_cast<unsigned>(names.size())).u16(static_cast<unsigned>(6 + 12 * names.size()));
    for (const auto& [number, text] : names) {
        out.u16(3).u16(1).u16(0x409).u16(number);
        out.u16(static_cast<unsigned>(2 * text.size())).u16(static_cast<unsigned>(texts.size()));
        for (const char c : text) texts.u16(static_cast<unsigned char>(c));
    }
    return out.text(texts.bytes()).bytes();
}

std::string post() {
    return BigEndian().u32(0x00030000).u32(0).s16(-130).s16(90).u32(0).u32(0).u32(0).u32(0).u32(0).bytes();
}

std::string os2(const Font& font) {
    const FontHeights& heights = font_heights(font.face);
    BigEndian out;
    out.u16(4).s16(1000).u16(font.is_bold() ? 700 : 400).u16(5).u16(0);  // may be installed
    for (int i = 0; i < 8; ++i) out.s16(kUnitsPerEm / 3);                // raised and lowered letters
    out.s16(102).s16(530).s16(0);                                        // strike-out
    for (int i = 0; i < 10; ++i) out.u8(0);                              // panose
    out.u32(0).u32(0).u32(0).u32(0).text("Whrl").u16(font.is_bold() ? 0x20 : 0x40);
    out.u16(font.letters.empty() ? 0xFFFFu : font.letters.front());
    out.u16(font.letters.empty() ? 0xFFFFu : font.letters.back());
    out.s16(font.ascent()).s16(font.descent()).s16(0);
    out.u16(static_cast<unsigned>(font.ascent())).u16(static_cast<unsigned>(-font.descent())).u32(0).u32(0);
    out.s16(font.units(heights.small)).s16(font.units(heights.capital)).u16(0).u16(32).u16(0);
    return out.bytes();
}

std::uint32_t checksum(const std::string& table) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < table.size(); ++i)
        sum += static_cast<std::uint32_t>(static_cast<unsigned char>(table[i])) << (24 - 8 * (i % 4));
    return sum;
}

/// The directory and the tables behind it, in the order of their tags.
std::string assembled(const std::map<std::string, std::string>& tables) {
    const auto count = static_cast<unsigned>(tables.size());
    unsigned power = 1, log = 0;
    for (; power * 2 <= count; power *= 2) ++log;
    BigEndian directory, bodies;
    directory.u32(0x00010000).u16(count).u16(16 * power).u16(log).u16(16 * (count - power));
    for (const auto& [tag, table] : tables) {
        directory.text(tag).u32(checksum(table));
        directory.u32(static_cast<std::uint32_t>(12 + 16 * count + bodies.size()));
        directory.u32(static_cast<std::uint32_t>(table.size()));
        bodies.text(table).align(4);
    }
    return directory.text(bodies.bytes()).bytes();
}

}  // namespace

std::string font_file(Face face, const std::vector<char32_t>& letters, const std::string& family) {
    const Font font(face, letters);
    const std::string style = font.is_bold() ? "Bold" : "Regular";
    return assembled({{"OS/2", os2(font)},
                      {"cmap", cmap(font)},
                      {"glyf", glyf(font)},
                      {"head", head(font)},
                      {"hhea", hhea(font)},
                      {"hmtx", hmtx(font)},
                      {"loca", loca(font)},
                      {"maxp", maxp(font)},
                      {"name", name({{0, kCopyright},
                                     {1, family},
                                     {2, style},
                                     {3, family + " " + style},
                                     {4, family + " " + style},
                                     {5, "Version 1.0"},
                                     {6, family + "-" + style},
                                     {13, "https://dejavu-fonts.github.io/License.html"}})},
                      {"post", post()}});
}

}  // namespace whorl::plot
