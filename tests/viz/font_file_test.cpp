// The font that an SVG brings along, read back by a reader that is not ours.
#include "viz/paint/font_file.hpp"

#include <cmath>

#include "tests/support/catch.hpp"

#define STB_TRUETYPE_IMPLEMENTATION
#define STBTT_STATIC
#include <stb_truetype.h>

using namespace whorl::plot;

namespace {

struct ReadFont {
    std::string bytes;
    stbtt_fontinfo info{};

    ReadFont(Face face, const std::vector<char32_t>& letters) : bytes(font_file(face, letters, "Test")) {
        const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
        REQUIRE(stbtt_InitFont(&info, data, stbtt_GetFontOffsetForIndex(data, 0)) != 0);
    }
    ReadFont(const ReadFont&) = delete;
    ReadFont& operator=(const ReadFont&) = delete;
    int index(char32_t letter) const { return stbtt_FindGlyphIndex(&info, static_cast<int>(letter)); }
};

int units(float ems) {
    return static_cast<int>(std::lround(ems * 2048));
}

/// Where the outline goes, one entry for each line and curve.
std::vector<std::vector<int>> steps_read(const ReadFont& font, int glyph) {
    stbtt_vertex* vertices = nullptr;
    const int count = stbtt_GetGlyphShape(&font.info, glyph, &vertices);
    std::vector<std::vector<int>> steps;
    for (int i = 0; i < count; ++i) {
        const stbtt_vertex& v = vertices[i];
        if (v.type == STBTT_vcurve)
            steps.push_back({v.cx, v.cy, v.x, v.y});
        else
            steps.push_back({v.x, v.y});
    }
    stbtt_FreeShape(&font.info, vertices);
    return steps;
}

std::vector<std::vector<int>> steps_held(const Glyph& glyph) {
    std::vector<std::vector<int>> steps;
    for (const std::vector<OutlinePoint>& contour : glyph.contours) {
        steps.push_back({units(contour[0].x), units(contour[0].y)});
        for (std::size_t i = 1; i <= contour.size(); ++i) {
            const OutlinePoint& p = contour[i % contour.size()];
            const OutlinePoint& next = contour[(i + 1) % contour.size()];
            if (p.on)
                steps.push_back({units(p.x), units(p.y)});
            else
                steps.push_back({units(p.x), units(p.y), units(next.x), units(next.y)}), ++i;
        }
    }
    return steps;
}

}  // namespace

TEST_CASE("a font file holds the letters' widths and outlines", "[viz][font]") {
    const std::vector<char32_t> letters = {U' ', U'-', U'A', U'g', U'é', U'Δ', U'θ', U'₀', U'←', U'●', U'✓'};
    for (const Face face : {Face::regular, Face::bold}) {
        const ReadFont font(face, letters);
        for (const char32_t letter : letters) {
            const int index = font.index(letter);
            REQUIRE(index > 0);
            int advance = 0, bearing = 0;
            stbtt_GetGlyphHMetrics(&font.info, index, &advance, &bearing);
            CHECK(advance == units(glyph(face, letter).advance));
            CHECK(steps_read(font, index) == steps_held(glyph(face, letter)));
        }
        CHECK(font.index(U'B') == 0);
        CHECK(steps_read(font, 0) == steps_held(glyph(face, 0xFFFD)));
        CHECK(stbtt_ScaleForMappingEmToPixels(&font.info, 2048) == Approx(1));
    }
}

TEST_CASE("a font file of no letters can be read", "[viz][font]") {
    CHECK(ReadFont(Face::regular, {}).index(U'A') == 0);
}

TEST_CASE("a font file's checksums are right", "[viz][font]") {
    const std::string bytes = font_file(Face::regular, {U'A', U'B'}, "Test");
    const auto u32 = [&](std::size_t at) {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
        return value;
    };
    CHECK(bytes.size() % 4 == 0);
    const std::size_t tables = u32(4) >> 16;
    REQUIRE(tables == 10);
    for (std::size_t i = 0; i < tables; ++i) {
        const std::size_t entry = 12 + 16 * i, offset = u32(entry + 8), length = u32(entry + 12);
        CHECK(offset % 4 == 0);
        std::uint32_t sum = 0;
        for (std::size_t at = offset; at < offset + length; at += 4) sum += u32(at);
        CHECK(sum == u32(entry + 4));
    }
}
