// What browser.sh opens and judges: hidden tests, as a browser is not everywhere.
#include <fmt/format.h>

#include <cstdlib>

#include "tests/support/calibration.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/picture.hpp"
#include "tests/support/temporary_folder.hpp"
#include "viz/paint/svg.hpp"

using namespace whorl::plot;

namespace {

std::string folder() {
    const char* name = std::getenv("WHORL_BROWSER_FOLDER");
    REQUIRE(name != nullptr);
    return name;
}

/// The widths that the letters have, as a list in JavaScript.
std::string widths(const Drawing& drawing) {
    std::string list;
    for (const Item& item : drawing.items)
        for (const Shape2d& shape : item.shapes)
            if (const Run* run = std::get_if<Run>(&shape))
                list += fmt::format("{},", run->size * text_width(run->text, run->face));
    return "[" + list + "]";
}

/// Says whether the fonts that the file brings were accepted, and whether its texts are as wide as they should be.
constexpr const char* kScript = R"(
document.fonts.ready.then(() => {
  const faces = [...document.fonts].map(face => face.status);
  const gaps = [...document.querySelectorAll("text")].map((t, i) => Math.abs(t.getComputedTextLength() - widths[i]));
  document.getElementById("verdict").textContent =
      faces.length + " fonts " + (faces.every(s => s === "loaded") ? "loaded" : "refused") + ", " +
      gaps.length + " texts " + (Math.max(...gaps) < 0.1 ? "fit" : "off by " + Math.max(...gaps));
});
)";

}  // namespace

TEST_CASE("a page for the browser", "[.browser-page]") {
    const Drawing drawing = calibration_drawing();
    spill(folder() + "/drawing.svg", svg(drawing));
    spill(folder() + "/page.html", "<!DOCTYPE html><meta charset=\"utf-8\"><p id=\"verdict\">nothing</p>\n" +
                                       svg(drawing) + "<script>const widths = " + widths(drawing) + ";" + kScript +
                                       "</script>\n");
}

TEST_CASE("the browser's picture is ours", "[.browser-picture]") {
    const Image seen = read_png(slurp(folder() + "/drawing.png"));
    const Difference gap = difference(seen, raster(calibration_drawing()));
    CAPTURE(gap.mean, gap.bias, gap.beyond);
    CHECK(gap.mean <
          0.8);  // of 255, most of it the browser's own smoothing of letters; half a pixel off makes more than 2
    CHECK(gap.beyond < 2e-3);
}
