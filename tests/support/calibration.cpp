#include "tests/support/calibration.hpp"

#include <cmath>

using namespace whorl::plot;

namespace {

constexpr Color kInk{0x1F, 0x23, 0x28}, kBlue{0x00, 0x72, 0xB2}, kRed{0xC2, 0x52, 0x00, 0.5};

Item lines() {
    std::vector<Point> wave, noise;
    for (int i = 0; i <= 300; ++i) {
        wave.push_back({20 + i * 0.6, 50 + 30 * std::sin(i * 0.06)});
        noise.push_back({20 + i * 0.6, 110 + 20 * std::sin(i * 1.7) * std::cos(i * 0.31)});
    }
    return {
        "p.lines",
        {Path{wave, {kBlue, 1.75}}, Path{wave, {{0, 0, 0, 0.3}, 7}}, Path{noise, {kInk, 1.1}},
         Path{{{220, 20}, {290, 30}, {230, 60}}, {kInk, 6}, true}, Path{{{220, 80}, {292, 97}}, {kInk, 2.5, {6, 4}}}}};
}

Item areas() {
    return {"p.areas",
            {Box{{220.5, 110.5}, {290.5, 140.5}, {255, 255, 255}, 6, Stroke{kInk, 1}},
             Polygon{{{20, 150}, {70, 150}, {45, 185}}, kRed, Stroke{kInk, 1.5}}, Circle{{95, 165}, 14, kBlue},
             Circle{{130.25, 165.5}, 9.5, kRed, Stroke{kInk, 2}}}};
}

Item cells() {
    Cells cells{{150, 145}, {210, 190}, 6, 8, {}};
    for (int i = 0; i < 48; ++i) cells.colors.push_back({static_cast<std::uint8_t>(5 * i), 120, 200});
    return {"p.cells", {cells}};
}

Item letters() {
    return {"p.letters",
            {Run{{20, 215}, "Turned Δ·θ, h ← αRu + c, λ = ½, 10⁻²", Face::regular, 13, kInk},
             Run{{20, 240}, "Mamba-3 turns ✓✗ & <slides>", Face::bold, 18, kInk}}};
}

}  // namespace

Drawing calibration_drawing() {
    Drawing drawing;
    drawing.width = 320, drawing.height = 260, drawing.ground = {255, 255, 255};
    drawing.title = "Calibration", drawing.description = "Every shape once";
    const Item cut{"p.cut", {Circle{{270, 180}, 30, kBlue}}, Box{{250.5, 160}, {310, 190.25}, {}}, "cut"};
    drawing.items = {lines(), areas(), cells(), letters(), cut};
    return drawing;
}

Drawing drawing_of(Shape2d shape) {
    Drawing drawing;
    drawing.width = 60, drawing.height = 40, drawing.ground = {255, 255, 255};
    drawing.items.push_back({"shape", {std::move(shape)}});
    return drawing;
}
