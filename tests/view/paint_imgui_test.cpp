// What a window shows is what the rasteriser draws, but for how edges are smoothed.
#include <cmath>
#include <memory>

#include "core/base/error.hpp"
#include "tests/support/calibration.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/picture.hpp"
#include "viz/app/app.hpp"
#include "viz/app/imgui_compat.hpp"
#include "viz/data/three_verbs.hpp"
#include "viz/plot/place.hpp"
#include "viz/views/dials_view.hpp"

using namespace whorl;
using namespace whorl::view;
using plot::Drawing;

namespace {

class DrawingApp : public App {
public:
    DrawingApp(Window& window, const Drawing& drawing) : App(window), drawing_(drawing) {}

protected:
    void frame() override {
        begin_page("drawing");
        paint(drawing_, {{0, 0}, scale()}, brush(*ImGui::GetWindowDrawList()));
        ImGui::End();
    }

private:
    const Drawing& drawing_;
};

/// Nothing where this machine has no OpenGL.
std::unique_ptr<Window> window_for(const Drawing& drawing, double scale) {
    try {
        const auto length = [](double x) { return static_cast<int>(std::lround(x)); };
        return hidden_window({length(drawing.width), length(drawing.height), scale, "Test"});
    } catch (const RuntimeFailure& error) {
        WARN(error.what());
        return nullptr;
    }
}

plot::Image shown(Window& window, const Drawing& drawing) {
    return DrawingApp(window, drawing).still();
}

Drawing one(plot::Shape2d shape, std::optional<plot::Box> clip = {}) {
    Drawing drawing = drawing_of(std::move(shape));
    drawing.items[0].clip = clip;
    return drawing;
}

const plot::Color kBlack{};

/// Ink of the same amount at the same place.
void check_same_ink(const Drawing& drawing, double scale, double apart) {
    const auto window = window_for(drawing, scale);
    const Ink ours = measure_ink(shown(*window, drawing)), theirs = measure_ink(plot::raster(drawing, scale));
    CAPTURE(scale, drawing.items[0].shapes[0].index());
    REQUIRE(theirs.area > 20);
    CHECK(ours.area == Approx(theirs.area).epsilon(0.05));
    CHECK(ours.x == Approx(theirs.x).margin(apart));
    CHECK(ours.y == Approx(theirs.y).margin(apart));
}

}  // namespace

TEST_CASE("a window shows shapes with the rasteriser's ink", "[view]") {
    if (window_for(drawing_of(plot::Circle{}), 1) == nullptr) SKIP("no OpenGL here");
    const plot::Stroke border{kBlack, 2};
    const std::vector<plot::Point> arrowhead{{10.2, 5.3}, {50.1, 20.7}, {10.4, 35.2}, {22.7, 20.1}};  // concave
    for (const double scale : {1.0, 1.6, 2.0})
        for (const plot::Shape2d& shape : std::vector<plot::Shape2d>{
                 plot::Polygon{arrowhead, kBlack},
                 plot::Polygon{{arrowhead.rbegin(), arrowhead.rend()}, kBlack, border},
                 plot::Circle{{30.2, 19.7}, 12.3, kBlack}, plot::Circle{{30.2, 19.7}, 12.3, {0, 0, 0, 0}, border},
                 plot::Box{{10.3, 8.1}, {40.9, 30.6}, kBlack, 4},
                 plot::Path{{{10, 8}, {48, 8}, {48, 31}, {12, 31}}, {kBlack, 5}, true},
                 plot::Path{{{5, 20}, {55, 24}}, {kBlack, 2, {6, 4}}}, plot::Path{{{5, 20}, {55, 24}}, {kBlack, 0.5}}})
            check_same_ink(drawing_of(shape), scale, 0.1);
}

TEST_CASE("a window's letters stand where the rasteriser's do", "[view]") {
    if (window_for(drawing_of(plot::Circle{}), 1) == nullptr) SKIP("no OpenGL here");
    for (const double scale : {1.0, 1.6, 2.0})
        for (const plot::Face face : {plot::Face::regular, plot::Face::bold})
            // The baseline goes to a whole pixel.
            check_same_ink(drawing_of(plot::Run{{3.3, 25}, "Δθ½ ✓gH⁻²", face, 11, kBlack}), scale, 0.55);
}

TEST_CASE("a window cuts items to their clip", "[view]") {
    if (window_for(drawing_of(plot::Circle{}), 1) == nullptr) SKIP("no OpenGL here");
    const plot::Circle disc{{30, 20}, 15, kBlack};
    check_same_ink(one(disc, plot::Box{{20, 10}, {34, 40}, {}}), 2, 0.1);
}

TEST_CASE("a window shows a large grid cell for cell", "[view]") {
    if (window_for(drawing_of(plot::Circle{}), 1) == nullptr) SKIP("no OpenGL here");
    plot::Cells cells{{10, 4}, {50, 34}, 75, 100, {}};
    for (int i = 0; i < 7500; ++i)
        cells.colors.push_back({static_cast<std::uint8_t>(i % 251), static_cast<std::uint8_t>(i / 30), 90});
    const Drawing drawing = drawing_of(cells);
    const auto window = window_for(drawing, 2.5);  // a pixel each
    const Difference gap = difference(shown(*window, drawing), plot::raster(drawing, 2.5));
    CHECK(gap.mean < 0.05);
}

TEST_CASE("a window shows the calibration as the rasteriser draws it", "[view]") {
    const Drawing drawing = calibration_drawing();
    for (const double scale : {1.0, 1.6, 2.0}) {
        const auto window = window_for(drawing, scale);
        if (window == nullptr) SKIP("no OpenGL here");
        const Difference gap = difference(shown(*window, drawing), plot::raster(drawing, scale));
        CAPTURE(scale, gap.mean, gap.bias, gap.beyond);
        CHECK(gap.mean < 2);  // of 255; half a pixel off makes more
        CHECK(std::abs(gap.bias) < 0.3);
    }
}

TEST_CASE("a window shows the three dials as the rasteriser draws them", "[view]") {
    for (const std::string& name : plot::theme_names())
        for (const double scale : {1.0, 1.6, 2.0}) {
            const Drawing drawing =
                plot::place(viz::dials_figure(viz::make_dials(viz::three_verbs(), {1, 2, 2, 1})), plot::theme(name))
                    .drawing;
            const auto window = window_for(drawing, scale);
            if (window == nullptr) SKIP("no OpenGL here");
            const Difference gap = difference(shown(*window, drawing), plot::raster(drawing, scale));
            CAPTURE(name, scale, gap.mean, gap.bias, gap.beyond);
            CHECK(gap.mean < 1);  // most of it letters, whose baselines are on whole pixels
            CHECK(std::abs(gap.bias) < 0.1);
        }
}
