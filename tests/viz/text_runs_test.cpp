#include "viz/plot/text_runs.hpp"

#include "tests/support/catch.hpp"

using namespace whorl::plot;

namespace {

const TextStyle kStyle{13, Face::regular, {0, 0, 0, 1}};

std::string joined(const TextBlock& block) {
    std::string all;
    for (const Run& run : block.runs) all += "[" + run.text + "]";
    return all;
}

}  // namespace

TEST_CASE("a text without marks is one run of its own width", "[plot][text]") {
    const TextBlock block = lay_out("turns about θ, a_b and a^b", kStyle);
    REQUIRE(joined(block) == "[turns about θ, a_b and a^b]");
    CHECK(block.width == Approx(13 * text_width("turns about θ, a_b and a^b", Face::regular)));
    CHECK(block.height == Approx(line_height(13)));
    CHECK(block.lines == 1);
}

TEST_CASE("subscripts stand lower and superscripts higher and both are smaller", "[plot][text]") {
    const TextBlock block = lay_out("x_{t}^{−2}y", kStyle);
    REQUIRE(joined(block) == "[x][t][−2][y]");
    const double line = block.runs[0].at.y;
    CHECK(block.runs[1].at.y > line);
    CHECK(block.runs[2].at.y < line);
    CHECK(block.runs[3].at.y == line);
    CHECK(block.runs[1].size < 10);
    CHECK(block.runs[1].size == block.runs[2].size);
    for (std::size_t i = 1; i < block.runs.size(); ++i) {
        const Run& before = block.runs[i - 1];
        CHECK(block.runs[i].at.x == Approx(before.at.x + before.size * text_width(before.text, before.face)));
    }
}

TEST_CASE("bold turns on and off and starts from the style", "[plot][text]") {
    const TextBlock block = lay_out("**Mamba-3** turns", kStyle);
    REQUIRE(joined(block) == "[Mamba-3][ turns]");
    CHECK(block.runs[0].face == Face::bold);
    CHECK(block.runs[1].face == Face::regular);
    const TextBlock inverse = lay_out("a **b**", {13, Face::bold, {}});
    CHECK(inverse.runs[0].face == Face::bold);
    CHECK(inverse.runs[1].face == Face::regular);
}

TEST_CASE("a bar is a path over its letter and no letter of its own", "[plot][text]") {
    const TextBlock capital = lay_out("B\u0304", kStyle), small = lay_out("x\u0304_{t}", kStyle);
    REQUIRE(capital.bars.size() == 1);
    REQUIRE(small.bars.size() == 1);
    CHECK(joined(capital) == "[B]");
    CHECK(capital.width == Approx(lay_out("B", kStyle).width));
    const Path& bar = capital.bars[0];
    REQUIRE(bar.points.size() == 2);
    CHECK(bar.points[0].x >= 0);
    CHECK(bar.points[1].x <= capital.width);
    CHECK(bar.points[0].y == bar.points[1].y);
    CHECK(bar.points[0].y < capital.runs[0].at.y - 13 * font_heights(Face::regular).capital);
    CHECK(small.bars[0].points[0].y > bar.points[0].y);  // nearer to the line
}

TEST_CASE("lines break at spaces and never exceed the width", "[plot][text]") {
    const std::string text = "the longer the text, the later the **needle** must stand";
    for (const double width : {40.0, 80.0, 123.0, 200.0}) {
        const TextBlock block = lay_out(text, kStyle, width);
        CHECK(block.width <= width + 1e-9);
        CHECK(block.lines > 1);
        CHECK(block.height == Approx(block.lines * line_height(13)));
        std::string all;
        for (const Run& run : block.runs) all += run.text + (run.text.back() == ' ' ? "" : " ");
        for (const char* const word : {"longer", "text,", "must", "stand"})
            if (width > 60) CHECK(all.find(word) != std::string::npos);
    }
    CHECK(lay_out("Donaudampfschifffahrt", kStyle, 50).width <= 50);  // a long word is broken inside
    CHECK(lay_out("a\nb", kStyle).lines == 2);
}

TEST_CASE("plain text keeps the words", "[plot][text]") {
    CHECK(plain_text("**Error** 10^{−2} of B\u0304_{t}") == "Error 10^−2 of B\u0304_t");
    CHECK(plain_text("") == "");
}
