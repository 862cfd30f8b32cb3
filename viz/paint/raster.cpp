#include "viz/paint/raster.hpp"

#include <algorithm>
#include <cmath>

#include "viz/paint/cell_boxes.hpp"
#include "viz/paint/coverage.hpp"
#include "viz/paint/finite.hpp"
#include "viz/paint/stroke.hpp"

namespace whorl::plot {
namespace {

/// How much of pixel [at, at + 1) lies between low and high.
float share_between(int at, double low, double high) {
    return static_cast<float>(std::clamp(std::min(at + 1.0, high) - std::max<double>(at, low), 0.0, 1.0));
}

/// A rectangle that an item is cut to, as the share of each column and row that it leaves.
struct Window {
    std::vector<float> columns, rows;

    Window(const Image& image, const Box& any_box, double scale) {
        const Box box = in_order(any_box);
        for (int x = 0; x < image.width; ++x)
            columns.push_back(share_between(x, box.low.x * scale, box.high.x * scale));
        for (int y = 0; y < image.height; ++y) rows.push_back(share_between(y, box.low.y * scale, box.high.y * scale));
    }
    float share(int x, int y) const { return columns[static_cast<std::size_t>(x)] * rows[static_cast<std::size_t>(y)]; }
};

class Painter {
public:
    Painter(Image& image, double scale) : image_(image), scale_(scale), coverage_(image.width, image.height) {}

    void paint(const Item& item) {
        window_.reset();
        if (item.clip && is_finite(*item.clip)) window_.emplace(image_, *item.clip, scale_);
        for (const Shape2d& shape : item.shapes)
            if (is_finite(shape)) std::visit([this](const auto& s) { paint(s); }, shape);
    }

private:
    void paint(const Path& path) { draw(path.points, path.closed, path.stroke); }
    void paint(const Polygon& polygon) { fill_and_border(polygon.points, polygon.fill, polygon.border); }
    void paint(const Circle& circle) {
        if (circle.radius > 0) fill_and_border(outline_of(circle), circle.fill, circle.border);
    }
    void paint(const Box& box) { fill_and_border(outline_of(box), box.fill, box.border); }
    void paint(const Run& run) { fill(outline_of(run), run.color); }
    void paint(const Cells& cells) {
        for (const Box& box : boxes_of(cells)) fill({outline_of(box)}, box.fill);
    }

    void fill_and_border(const Contour& outline, const Color& color, const std::optional<Stroke>& border) {
        fill({outline}, color);
        if (border) draw(outline, true, *border);
    }

    void draw(const Contour& points, bool closed, const Stroke& stroke) {
        const Contours outline = stroke_outline(points, closed, stroke);
        if (!turns_back(points)) return fill(outline, stroke.color);
        coverage_.add_union(outline, scale_);
        show(stroke.color);
    }

    void fill(const Contours& contours, const Color& color) {
        for (const Contour& contour : contours) coverage_.add(contour, scale_);
        show(color);
    }

    /// Puts the color on all that is covered.
    void show(const Color& color) {
        const auto opacity = static_cast<float>(std::clamp(color.opacity, 0.0, 1.0));
        if (window_)
            coverage_.sweep(
                [&](int x, int y, float covered) { blend(x, y, covered * opacity * window_->share(x, y), color); });
        else
            coverage_.sweep([&](int x, int y, float covered) { blend(x, y, covered * opacity, color); });
    }

    void blend(int x, int y, float share, const Color& color) {
        std::uint8_t* pixel = &image_.rgba[4 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(image_.width) +
                                                static_cast<std::size_t>(x))];
        const std::uint8_t paint[3] = {color.red, color.green, color.blue};
        if (share > 0.999f) {
            std::copy_n(paint, 3, pixel);
            return;
        }
        for (int i = 0; i < 3; ++i) {
            const float under = pixel[i];
            pixel[i] = static_cast<std::uint8_t>(under + (static_cast<float>(paint[i]) - under) * share + 0.5f);
        }
    }

    Image& image_;
    double scale_;
    Coverage coverage_;
    std::optional<Window> window_;
};

/// A sheet of white paper under the ground.
Image sheet(int width, int height, const Color& ground) {
    Image image{width, height, {}};
    image.rgba.resize(4 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    const auto on_white = [&](std::uint8_t value) {
        return static_cast<std::uint8_t>(std::lround(255 + (value - 255) * std::clamp(ground.opacity, 0.0, 1.0)));
    };
    const std::uint8_t pixel[4] = {on_white(ground.red), on_white(ground.green), on_white(ground.blue), 255};
    for (std::size_t i = 0; i < image.rgba.size(); i += 4) std::copy_n(pixel, 4, &image.rgba[i]);
    return image;
}

int pixels(double length, double scale) {
    return std::max(1, static_cast<int>(std::lround(length * scale)));
}

}  // namespace

Image raster(const Drawing& drawing, double scale) {
    Image image = sheet(pixels(drawing.width, scale), pixels(drawing.height, scale), drawing.ground);
    Painter painter(image, scale);
    for (const Item& item : drawing.items) painter.paint(item);
    return image;
}

}  // namespace whorl::plot
