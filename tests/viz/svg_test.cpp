// SVG as a file: XML whatever the texts hold, and every part where programs look for it.
#include "viz/paint/svg.hpp"

#include <cmath>
#include <limits>
#include <set>

#include "tests/support/calibration.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/xml_reader.hpp"
#include "viz/paint/xml.hpp"

using namespace whorl::plot;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("the calibration drawing is XML with all its parts", "[viz][svg]") {
    const std::vector<XmlElement> all = read_xml(svg(calibration_drawing()));
    CHECK(all[0].name == "svg");
    CHECK(all[0].attributes.at("viewBox") == "0 0 320 260");
    CHECK(all[1].name == "title");
    CHECK(all[1].text == "Calibration");
    CHECK(all[2].text == "Every shape once");
    CHECK(named(all, "polyline").size() == 4);
    CHECK(named(all, "polygon").size() == 2);
    CHECK(named(all, "circle").size() == 3);
    const std::vector<XmlElement> texts = named(all, "text");
    REQUIRE(texts.size() == 2);
    CHECK(texts[0].text == "Turned Δ·θ, h ← αRu + c, λ = ½, 10⁻²");
    CHECK(texts[1].text == "Mamba-3 turns ✓✗ & <slides>");
    CHECK(texts[1].attributes.at("font-weight") == "700");
    CHECK(named(all, "style").size() == 1);
    CHECK(named(all, "style")[0].text.find("data:font/ttf;base64,") != std::string::npos);
    const std::string clip = named(all, "clipPath").at(0).attributes.at("id");
    CHECK_THAT(svg(calibration_drawing()), ContainsSubstring("<g id=\"p.cut\" clip-path=\"url(#" + clip +
                                                             ")\">\n"
                                                             "<title>cut</title>"));
}

TEST_CASE("outlined letters need no font", "[viz][svg]") {
    const std::vector<XmlElement> all = read_xml(svg(calibration_drawing(), {true, 2}));
    CHECK(named(all, "text").empty());
    CHECK(named(all, "style").empty());
    std::vector<std::string> labels;
    for (const XmlElement& group : named(all, "g"))
        if (group.attributes.count("aria-label") != 0) labels.push_back(group.attributes.at("aria-label"));
    REQUIRE(labels.size() == 2);
    CHECK(labels[1] == "Mamba-3 turns ✓✗ & <slides>");
    // Each letter is defined once, and every use finds its outline.
    std::set<std::string> outlines;
    for (const XmlElement& path : named(all, "path")) CHECK(outlines.insert("#" + path.attributes.at("id")).second);
    CHECK(named(all, "use").size() > outlines.size());
    for (const XmlElement& use : named(all, "use")) CHECK(outlines.count(use.attributes.at("href")) == 1);
    CHECK(all[0].attributes.at("width") == "640");
}

TEST_CASE("any text gives XML", "[viz][svg]") {
    const std::string hostile =
        std::string("]]> <a b=\"c\"> & \x01\x1F\x7F\t\n\xFF\xC0 \xED\xA0\x80 \xEF\xBF\xBF 漢😀 -->") + '\0';
    Drawing drawing = drawing_of(Run{{1, 2}, hostile, Face::regular, 13, {}});
    drawing.title = drawing.description = drawing.items[0].id = drawing.items[0].tip = hostile;
    drawing.items.push_back(drawing.items[0]);
    for (const bool outlines : {false, true}) {
        const std::vector<XmlElement> all = read_xml(svg(drawing, {outlines, 1}));
        std::set<std::string> ids, groups;
        for (const XmlElement& element : all) {
            if (element.attributes.count("id") == 0) continue;
            CHECK(ids.insert(element.attributes.at("id")).second);
            if (element.name == "g") groups.insert(element.attributes.at("id"));
        }
        CHECK(groups.size() == 2);
    }
    CHECK(xml_id("3 pairs: θ") == "_3_pairs___");
    CHECK(xml_id("") == "_");
}

TEST_CASE("numbers have few decimals and are finite", "[viz][svg]") {
    CHECK(decimal(1.0 / 3) == "0.33");
    CHECK(decimal(-0.001) == "0");
    CHECK(decimal(2.50) == "2.5");
    CHECK(decimal(1200) == "1200");
    CHECK(decimal(1e15, 3) == "1000000000000000");
    const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
    for (const Shape2d& shape : std::vector<Shape2d>{
             Circle{{nan, 1}, 2, {}}, Circle{{1, 1}, inf, {}}, Path{{{1, 1}, {inf, 2}}, {}},
             Path{{{1, 1}, {2, 2}}, {{}, nan}}, Polygon{{{1, 1}, {2, 2}, {nan, 3}}, {}}, Box{{1, 1}, {inf, 2}, {}},
             Run{{1, nan}, "a", Face::regular, 9, {}}, Cells{{0, 0}, {1, 1}, 2, 2, {Color{}}}}) {
        const std::string text = svg(drawing_of(shape));
        CHECK(text.find("<g") == std::string::npos);
        CHECK(text.find("nan") == std::string::npos);
    }
}

TEST_CASE("texts of different letters have fonts of different names", "[viz][svg]") {
    const auto family = [](const char* text) {
        return read_xml(svg(drawing_of(Run{{1, 2}, text, Face::regular, 9, {}})))[0].attributes.at("class");
    };
    CHECK(family("abc") == family("cab"));
    CHECK(family("abc") != family("abd"));
}
