#include "viz/paint/svg_shapes.hpp"

#include <fmt/format.h>

#include <cmath>

#include "viz/paint/base64.hpp"
#include "viz/paint/cell_boxes.hpp"
#include "viz/paint/finite.hpp"
#include "viz/paint/outlines.hpp"
#include "viz/paint/png.hpp"
#include "viz/paint/xml.hpp"

namespace whorl::plot {
namespace {

/// More cells than this are an image of one pixel each: as boxes they would make megabytes.
constexpr std::size_t kMostBoxes = 4096;

std::string hex(const Color& color) {
    return fmt::format("#{:02x}{:02x}{:02x}", color.red, color.green, color.blue);
}

std::string paint(const char* what, const Color& color) {
    std::string text = fmt::format(" {}=\"{}\"", what, hex(color));
    if (color.opacity < 1) text += fmt::format(" {}-opacity=\"{}\"", what, decimal(std::max(color.opacity, 0.0), 3));
    return text;
}

std::string point_text(Point point, int decimals = 2) {
    return decimal(point.x, decimals) + "," + decimal(point.y, decimals);
}

std::string stroke_text(const Stroke& stroke) {
    std::string text = paint("stroke", stroke.color) + fmt::format(" stroke-width=\"{}\"", decimal(stroke.width));
    if (stroke.dash.empty()) return text;
    text += " stroke-dasharray=\"";
    for (std::size_t i = 0; i < stroke.dash.size(); ++i) text += (i > 0 ? " " : "") + decimal(stroke.dash[i]);
    return text + "\"";
}

std::string border_text(const std::optional<Stroke>& border) {
    return border && border->width > 0 ? stroke_text(*border) : "";
}

std::string points_text(const std::vector<Point>& points) {
    std::string text = " points=\"";
    for (std::size_t i = 0; i < points.size(); ++i) text += (i > 0 ? " " : "") + point_text(points[i]);
    return text + "\"";
}

std::string element(const Path& path) {
    if (path.points.size() < 2 || !(path.stroke.width > 0)) return "";
    return fmt::format("<{}{} fill=\"none\"{}/>\n", path.closed ? "polygon" : "polyline", points_text(path.points),
                       stroke_text(path.stroke));
}

std::string element(const Polygon& polygon) {
    if (polygon.points.size() < 2) return "";
    return "<polygon" + points_text(polygon.points) + svg_fill(polygon.fill) + border_text(polygon.border) + "/>\n";
}

std::string element(const Circle& circle) {
    if (!(circle.radius > 0)) return "";
    return fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\"{}{}/>\n", decimal(circle.center.x),
                       decimal(circle.center.y), decimal(circle.radius), svg_fill(circle.fill),
                       border_text(circle.border));
}

std::string element(const Box& any_box) {
    const Box box = in_order(any_box);
    const std::string corner = box.corner > 0 ? fmt::format(" rx=\"{}\"", decimal(box.corner)) : "";
    return "<rect" + svg_place(box) + corner + svg_fill(box.fill) + border_text(box.border) + "/>\n";
}

std::string element(const Run& run) {
    if (run.text.empty()) return "";
    return fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{}\"{}{}>{}</text>\n", decimal(run.at.x), decimal(run.at.y),
                       decimal(run.size), run.face == Face::bold ? " font-weight=\"700\"" : "", svg_fill(run.color),
                       xml_text(run.text));
}

Image image_of(const Cells& cells) {
    Image image{static_cast<int>(cells.columns), static_cast<int>(cells.rows), {}};
    for (const Color& color : cells.colors)
        image.rgba.insert(image.rgba.end(), {color.red, color.green, color.blue, 255});
    return image;
}

std::string element(const Cells& cells) {
    const std::vector<Box> boxes = boxes_of(cells);
    std::string text;
    if (boxes.size() > kMostBoxes)
        return fmt::format(
            "<image{} preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" "
            "href=\"data:image/png;base64,{}\"/>\n",
            svg_place(in_order({cells.low, cells.high, {}})), base64(png_bytes(image_of(cells))));
    for (const Box& box : boxes) text += element(box);
    return text;
}

constexpr double kUnits = 1000;  // of a letter's outline to an em

std::string unit_text(OutlinePoint point) {
    return fmt::format("{} {}", std::lround(kUnits * static_cast<double>(point.x)),
                       std::lround(kUnits * static_cast<double>(point.y)));
}

std::string letter_id(Face face, char32_t letter) {
    return fmt::format("{}{:x}", face == Face::bold ? "b" : "r", static_cast<std::uint32_t>(letter));
}

/// A run's letters, each a use of its outline, in a group that still says what they are.
std::string outlined(const Run& run) {
    std::string letters;
    double x = 0;
    for (const char32_t letter : letters_of(run.text)) {
        if (!glyph(run.face, letter).contours.empty())
            letters +=
                fmt::format("<use href=\"#{}\" x=\"{}\"/>", letter_id(run.face, letter), std::lround(kUnits * x));
        x += static_cast<double>(glyph(run.face, letter).advance);
    }
    if (letters.empty()) return "";
    const std::string scale = decimal(run.size / kUnits, 5);
    return fmt::format("<g aria-label=\"{}\"{} transform=\"translate({} {}) scale({} -{})\">{}</g>\n",
                       xml_text(run.text), svg_fill(run.color), decimal(run.at.x), decimal(run.at.y), scale, scale,
                       letters);
}

/// A contour of font.hpp: begins on the curve, and every control point stands between two points of it.
std::string contour_text(const std::vector<OutlinePoint>& contour) {
    std::string text = "M" + unit_text(contour[0]);
    for (std::size_t i = 1; i < contour.size(); ++i) {
        if (contour[i].on)
            text += "L" + unit_text(contour[i]);
        else
            text += "Q" + unit_text(contour[i]) + " " + unit_text(contour[(i + 1) % contour.size()]);
        if (!contour[i].on) ++i;
    }
    return text + "z";
}

}  // namespace

std::string svg_place(const Box& box) {
    return fmt::format(" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"", decimal(box.low.x), decimal(box.low.y),
                       decimal(box.high.x - box.low.x), decimal(box.high.y - box.low.y));
}

std::string svg_fill(const Color& color) {
    return paint("fill", color);
}

std::string svg_letter(Face face, char32_t letter) {
    std::string path;
    for (const auto& contour : glyph(face, letter).contours) path += contour_text(contour);
    if (path.empty()) return "";
    return fmt::format("<path id=\"{}\" d=\"{}\"/>\n", letter_id(face, letter), path);
}

std::string svg_shape(const Shape2d& shape, bool outlines) {
    if (!is_finite(shape)) return "";
    const Run* run = std::get_if<Run>(&shape);
    if (run != nullptr && outlines) return outlined(*run);
    return std::visit([](const auto& s) { return element(s); }, shape);
}

}  // namespace whorl::plot
