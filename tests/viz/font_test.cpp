// Letters as the program holds them, against what the fonts are known to say.
#include "viz/plot/font.hpp"

#include "tests/support/catch.hpp"

using namespace whorl::plot;

TEST_CASE("letters have the widths of DejaVu Sans", "[viz][font]") {
    // From the fonts' hmtx tables, in units of 1/2048.
    CHECK(glyph(Face::regular, U'A').advance == Approx(1401.0 / 2048));
    CHECK(glyph(Face::regular, U'i').advance == Approx(569.0 / 2048));
    CHECK(glyph(Face::bold, U'A').advance == Approx(1585.0 / 2048));
    CHECK(text_width("iA", Face::regular) == Approx((569.0 + 1401.0) / 2048));
    CHECK(text_width("Δθ", Face::regular) ==
          Approx(static_cast<double>(glyph(Face::regular, U'Δ').advance + glyph(Face::regular, U'θ').advance)));
    CHECK(text_width("", Face::bold) == 0);
}

TEST_CASE("a hyphen is the box that it looks like", "[viz][font]") {
    const Glyph& hyphen = glyph(Face::regular, U'-');
    REQUIRE(hyphen.contours.size() == 1);
    REQUIRE(hyphen.contours[0].size() == 4);
    float left = 1, right = 0, low = 1, high = 0;
    for (const OutlinePoint& point : hyphen.contours[0]) {
        CHECK(point.on);
        left = std::min(left, point.x), right = std::max(right, point.x);
        low = std::min(low, point.y), high = std::max(high, point.y);
    }
    CHECK(left * 2048 == Approx(100));
    CHECK(right * 2048 == Approx(639));
    CHECK(low * 2048 == Approx(479));
    CHECK(high * 2048 == Approx(643));
}

TEST_CASE("all letters of figures are there in both faces", "[viz][font]") {
    for (const Face face : {Face::regular, Face::bold}) {
        for (const char32_t letter :
             letters_of("AZaz09 –—…‘’“”·×÷±²äéñŁž αβγδΔθλφπσΣΩ ₀₉⁰⁹₊⁻ₜ ←→↑↓ℝ∞≈≤≥≠−√∫∂ ■□●○◆▲ ✓✗�"))
            if (letter != U'ℝ') CHECK(has_glyph(face, letter));
        CHECK_FALSE(has_glyph(face, U'漢'));
        CHECK(&glyph(face, U'漢') == &glyph(face, 0xFFFD));
        CHECK(glyph(face, U'漢').contours.size() > 1);
    }
}

TEST_CASE("heights are those of the letters", "[viz][font]") {
    for (const Face face : {Face::regular, Face::bold}) {
        float top = 0;
        for (const OutlinePoint& point : glyph(face, U'H').contours.at(0)) top = std::max(top, point.y);
        CHECK(font_heights(face).capital == Approx(static_cast<double>(top)));
        CHECK(font_heights(face).small > 0.5);
        CHECK(font_heights(face).small < font_heights(face).capital);
        CHECK(font_heights(face).descent < -0.2);
        CHECK(font_heights(face).ascent > 0.9);
    }
}

TEST_CASE("bytes that are not UTF-8 become U+FFFD one by one", "[viz][font]") {
    CHECK(letters_of("aé∞😀") == std::vector<char32_t>{U'a', U'é', U'∞', U'😀'});
    CHECK(letters_of("a\xFFz") == std::vector<char32_t>{U'a', 0xFFFD, U'z'});
    CHECK(letters_of("\xC3") == std::vector<char32_t>{0xFFFD});
    CHECK(letters_of("\xC0\xAF") == std::vector<char32_t>{0xFFFD, 0xFFFD});              // overlong
    CHECK(letters_of("\xED\xA0\x80") == std::vector<char32_t>{0xFFFD, 0xFFFD, 0xFFFD});  // a surrogate
}
