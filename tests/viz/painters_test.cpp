// The painters agree: what SVG says stands within half a pixel of where the rasteriser puts it.
#include <cmath>
#include <cstdlib>
#include <map>

#include "tests/support/calibration.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/picture.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/xml_reader.hpp"
#include "viz/paint/svg.hpp"

using namespace whorl::plot;

namespace {

struct Extent {
    double left = 1e9, top = 1e9, right = -1e9, bottom = -1e9;
    void add(double x, double y) {
        left = std::min(left, x), right = std::max(right, x), top = std::min(top, y), bottom = std::max(bottom, y);
    }
};

/// The numbers of a text with anything between them.
std::vector<double> numbers_of(const std::string& text) {
    std::vector<double> found;
    for (const char* at = text.c_str(); *at != '\0';) {
        char* end = nullptr;
        const double value = std::strtod(at, &end);
        if (end != at) found.push_back(value);
        at = end == at ? at + 1 : end;
    }
    return found;
}

/// Of pairs of numbers.
Extent extent_of(const std::string& text, double margin) {
    Extent extent;
    const std::vector<double> found = numbers_of(text);
    for (std::size_t i = 0; i + 1 < found.size(); i += 2) extent.add(found[i], found[i + 1]);
    return {extent.left - margin, extent.top - margin, extent.right + margin, extent.bottom + margin};
}

/// Of a run whose letters are uses of outlines: translate(x y) scale(s -s), and each letter so far along.
Extent extent_of_letters(const std::vector<XmlElement>& all) {
    std::map<std::string, std::string> outlines;
    for (const XmlElement& path : named(all, "path"))
        outlines["#" + path.attributes.at("id")] = path.attributes.at("d");
    std::vector<double> turn;
    for (const XmlElement& group : named(all, "g"))
        if (group.attributes.count("transform") != 0) turn = numbers_of(group.attributes.at("transform"));
    Extent extent;
    for (const XmlElement& use : named(all, "use")) {
        const std::vector<double> points = numbers_of(outlines.at(use.attributes.at("href")));
        for (std::size_t i = 0; i + 1 < points.size(); i += 2)
            extent.add(turn.at(0) + turn.at(2) * (use.number("x") + points[i]),
                       turn.at(1) + turn.at(3) * points[i + 1]);
    }
    return extent;
}

/// What an SVG element says it fills.
Extent extent_of(const XmlElement& e) {
    const double border = e.attributes.count("stroke-width") != 0 ? e.number("stroke-width") / 2 : 0;
    if (e.name == "polygon" || e.name == "polyline") return extent_of(e.attributes.at("points"), border);
    Extent extent;
    if (e.name == "circle") {
        const double r = e.number("r") + border;
        extent.add(e.number("cx") - r, e.number("cy") - r);
        extent.add(e.number("cx") + r, e.number("cy") + r);
    } else {
        extent.add(e.number("x") - border, e.number("y") - border);
        extent.add(e.number("x") + e.number("width") + border, e.number("y") + e.number("height") + border);
    }
    return extent;
}

void check_same_place(const Shape2d& shape, double scale) {
    const std::vector<XmlElement> all = read_xml(svg(drawing_of(shape), {true, 1}));
    const Extent said = std::holds_alternative<Run>(shape) ? extent_of_letters(all) : extent_of(all.back());
    const Ink ink = measure_ink(raster(drawing_of(shape), scale));
    CAPTURE(all.back().name, scale);
    CHECK(ink.left / scale == Approx(said.left).margin(0.5 / scale));
    CHECK(ink.right / scale == Approx(said.right).margin(0.5 / scale));
    CHECK(ink.top / scale == Approx(said.top).margin(0.5 / scale));
    CHECK(ink.bottom / scale == Approx(said.bottom).margin(0.5 / scale));
}

}  // namespace

TEST_CASE("SVG and pixels put shapes in the same place", "[viz][svg][raster]") {
    const Color black{};
    const Stroke border{black, 3};
    for (const double scale : {1.0, 2.5, 4.0})
        for (const Shape2d& shape : std::vector<Shape2d>{
                 Box{{10.3, 8.1}, {40.9, 30.6}, black, 4}, Box{{10.3, 8.1}, {40.9, 30.6}, black, 0, border},
                 Circle{{30.2, 19.7}, 12.3, black}, Circle{{30.2, 19.7}, 12.3, black, border},
                 Polygon{{{10.1, 9.9}, {50.3, 9.9}, {50.3, 33.3}, {10.1, 33.3}}, black, border},
                 Path{{{12.4, 8.2}, {48.8, 8.2}, {48.8, 31.1}, {12.4, 31.1}}, {black, 5}, true},
                 Run{{8.3, 30.4}, "Hgβ✓", Face::bold, 17, black}, Run{{8.3, 30.4}, "x_{y}", Face::regular, 15, black}})
            check_same_place(shape, scale);
}

TEST_CASE("another program's picture of the SVG is ours", "[viz][svg][raster]") {
    if (run_command("command -v rsvg-convert").status != 0) SKIP("needs rsvg-convert (package librsvg2-bin)");
    const TemporaryFolder folder;
    const Drawing drawing = calibration_drawing();
    spill(folder / "a.svg", svg(drawing, {true, 1}));
    for (const double scale : {1.0, 2.5}) {
        const std::string command = "rsvg-convert --zoom " + std::to_string(scale) + " " + folder / "a.svg";
        const Difference gap = difference(read_png(run_command(command).out), raster(drawing, scale));
        CAPTURE(scale);
        CHECK(gap.mean < 0.3);  // of 255; lines and letters half a pixel off make more than 2
        CHECK(std::abs(gap.bias) < 0.1);
        CHECK(gap.beyond < 1e-3);
    }
}

TEST_CASE("the comparison of pictures sees half a pixel", "[viz][svg][raster]") {
    const Drawing drawing = calibration_drawing();
    Drawing moved = drawing;
    for (Item& item : moved.items)
        for (Shape2d& shape : item.shapes) {
            if (Run* run = std::get_if<Run>(&shape)) run->at.x += 0.5;
            if (Path* path = std::get_if<Path>(&shape))
                for (Point& point : path->points) point.x += 0.5;
        }
    CHECK(difference(raster(drawing), raster(moved)).mean > 2);
}
