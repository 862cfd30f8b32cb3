#include "viz/app/paint_imgui.hpp"

#include <algorithm>
#include <cmath>

#include "viz/app/lines.hpp"
#include "viz/paint/cell_boxes.hpp"
#include "viz/paint/finite.hpp"
#include "viz/paint/stroke.hpp"

namespace whorl::view {
namespace {

using namespace plot;

constexpr std::int64_t kMostRectangles = 4096;

class Painter {
public:
    Painter(const Spot& spot, const Brush& brush) : spot_(spot), brush_(brush), list_(brush.list) {}

    void paint(const Item& item) {
        const bool clips = item.clip && is_finite(*item.clip);
        if (clips) list_.PushClipRect(pixel(in_order(*item.clip).low), pixel(in_order(*item.clip).high), true);
        for (const Shape2d& shape : item.shapes)
            if (is_finite(shape)) std::visit([this](const auto& s) { show(s); }, shape);
        if (clips) list_.PopClipRect();
    }
    void show(const Box& box) { fill_and_border(outline_of(box), box.fill, box.border); }

private:
    void show(const Path& path) { draw(path.points, path.closed, path.stroke); }
    void show(const Polygon& polygon) { fill_and_border(polygon.points, polygon.fill, polygon.border); }
    void show(const Circle& circle) {
        if (circle.radius > 0) fill_and_border(outline_of(circle), circle.fill, circle.border);
    }

    void show(const Run& run) {
        const std::vector<char32_t> letters = letters_of(run.text);
        const SizedFont font = brush_.fonts.text(run.face, run.size * spot_.scale, letters);
        const double em = run.size * spot_.scale;
        const ImVec2 at = pixel(run.at);
        const double enlarged = em / static_cast<double>(font.em);
        double x = static_cast<double>(at.x);
        list_.PushTextureID(font.font->ContainerAtlas->TexID);
        for (const char32_t letter : letters) {
            show_letter(font, letter, x, std::round(static_cast<double>(at.y)), enlarged, packed(run.color));
            x += static_cast<double>(glyph(run.face, letter).advance) * em;
        }
        list_.PopTextureID();
    }

    /// Its baseline on a whole pixel, so that its edges are sharp.
    void show_letter(const SizedFont& font, char32_t letter, double x, double baseline, double enlarged, ImU32 color) {
        const ImFontGlyph* shape = font.font->FindGlyph(static_cast<ImWchar>(letter));
        if (shape == nullptr || !shape->Visible) return;
        const auto put = [&](float left, float down) {
            return ImVec2(static_cast<float>(x + static_cast<double>(left) * enlarged),
                          static_cast<float>(baseline + static_cast<double>(down - font.ascent) * enlarged));
        };
        list_.PrimReserve(6, 4);
        list_.PrimRectUV(put(shape->X0, shape->Y0), put(shape->X1, shape->Y1), {shape->U0, shape->V0},
                         {shape->U1, shape->V1}, color);
    }

    void show(const Cells& cells) {
        const bool many = cells.rows * cells.columns > kMostRectangles;
        if (many && brush_.textures != nullptr)
            return list_.AddImage(brush_.textures->texture(cells), pixel(cells.low), pixel(cells.high));
        for (const Box& box : boxes_of(cells)) list_.AddRectFilled(pixel(box.low), pixel(box.high), packed(box.fill));
    }

    void fill_and_border(const Contour& outline, const Color& color, const std::optional<Stroke>& border) {
        fill_area(list_, placed(outline), color);
        if (border) draw(outline, true, *border);
    }

    void draw(const Contour& points, bool closed, const Stroke& stroke) {
        if (points.empty()) return;
        const Contours pieces = dashed(points, closed, stroke.dash);
        const bool whole = pieces.size() == 1 && pieces[0].size() == points.size();
        for (const Contour& piece : pieces)
            draw_line(list_, placed(piece), closed && whole, stroke.width * spot_.scale, stroke.color);
    }

    /// ImGui's own lists add half a pixel to some shapes and not to others; these here do not.
    Contour placed(const Contour& points) const {
        Contour result;
        for (const Point& p : points)
            result.push_back({static_cast<double>(spot_.at.x) + p.x * spot_.scale,
                              static_cast<double>(spot_.at.y) + p.y * spot_.scale});
        return result;
    }
    ImVec2 pixel(Point p) const {
        return {spot_.at.x + static_cast<float>(p.x * spot_.scale), spot_.at.y + static_cast<float>(p.y * spot_.scale)};
    }

    const Spot& spot_;
    const Brush& brush_;
    ImDrawList& list_;
};

}  // namespace

void paint(const Drawing& drawing, const Spot& spot, const Brush& brush) {
    Painter painter(spot, brush);
    if (brush.ground) painter.show(Box{{0, 0}, {drawing.width, drawing.height}, drawing.ground});
    for (const Item& item : drawing.items) painter.paint(item);
}

}  // namespace whorl::view
