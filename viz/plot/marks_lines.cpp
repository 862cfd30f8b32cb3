// Lines and rules.
#include <algorithm>
#include <cmath>
#include <iterator>

#include "viz/plot/stage.hpp"

namespace whorl::plot {

namespace {

/// A line that crosses a map is as dark as some of its cells and as light as others: it gets a casing of the ground's
/// colour.
void add_line(const Stage& stage, std::vector<Point> points, const Stroke& stroke, Item& item) {
    constexpr double kCasing = 1.2;  // pixels on either side
    if (stage.veil) {
        Color ground = stage.ground;
        ground.opacity = 0.8;
        item.shapes.emplace_back(Path{points, {ground, stroke.width + 2 * kCasing * stage.theme.line_scale}});
    }
    item.shapes.emplace_back(Path{std::move(points), stroke});
}

std::vector<Point> on_paper(const Stage& stage, const std::vector<Point>& points) {
    std::vector<Point> paper;
    paper.reserve(points.size());
    for (const Point& point : points) paper.push_back(stage.paper(point));
    return paper;
}

Point normal(Point from, Point to) {
    const double length = std::hypot(to.x - from.x, to.y - from.y);
    if (length == 0) return {0, -1};
    return {(to.y - from.y) / length, -(to.x - from.x) / length};
}

void append(std::vector<LabelSpot>& to, std::vector<LabelSpot> spots, double cost) {
    for (LabelSpot& spot : spots) {
        spot.cost += cost;
        to.push_back(spot);
    }
}

bool closed(const std::vector<Point>& piece) {
    return piece.size() > 3 && piece.front().x == piece.back().x && piece.front().y == piece.back().y;
}

/// Outside the sides, those that face right first.
std::vector<LabelSpot> spots_of_outline(const std::vector<Point>& piece, double gap, const TextBlock& block) {
    Point center;
    const double corners = static_cast<double>(piece.size() - 1);
    for (std::size_t i = 1; i < piece.size(); ++i)
        center = {center.x + piece[i].x / corners, center.y + piece[i].y / corners};
    std::vector<LabelSpot> spots;
    for (std::size_t i = 1; i < piece.size(); ++i) {
        const Point middle{(piece[i - 1].x + piece[i].x) / 2, (piece[i - 1].y + piece[i].y) / 2};
        Point out = normal(piece[i - 1], piece[i]);
        if (out.x * (middle.x - center.x) + out.y * (middle.y - center.y) < 0) out = {-out.x, -out.y};
        append(spots, spots_around(middle, gap, block, {out}), 0.1 * (1 - out.x));
    }
    return spots;
}

/// After the end, before the beginning, or along the line.
std::vector<LabelSpot> spots_of_line(const std::vector<Point>& piece, const TextBlock& block) {
    const double gap = 5;
    if (closed(piece)) return spots_of_outline(piece, gap, block);
    std::vector<LabelSpot> spots = spots_around(piece.back(), gap, block, {{1, 0}, {1, -1}, {1, 1}});
    for (const double share : {0.5, 0.75, 0.25, 0.6, 0.4, 0.9, 0.1}) {
        const auto i = static_cast<std::size_t>(share * static_cast<double>(piece.size() - 1));
        const Point across = normal(piece[i], piece[std::min(i + 1, piece.size() - 1)]);
        const Point middle{(piece[i].x + piece[std::min(i + 1, piece.size() - 1)].x) / 2,
                           (piece[i].y + piece[std::min(i + 1, piece.size() - 1)].y) / 2};
        append(spots, spots_around(middle, gap, block, {across, {-across.x, -across.y}}), 0.15 + 0.1 * share);
    }
    append(spots, spots_around(piece.front(), gap, block, {{-1, 0}, {-1, -1}, {-1, 1}}), 0.1);
    return spots;
}

}  // namespace

void draw(Stage& stage, const Line& mark, bool near) {
    Item item;
    item.id = stage.id(mark.id);
    item.tip = plain_text(mark.label);
    const Stroke stroke = stage.stroke(mark.style, true);
    std::vector<std::vector<Point>> pieces = clipped_line(on_paper(stage, mark.points), stage.frame());
    if (near && !mark.label.empty() && !pieces.empty()) {
        const TextBlock block = stage.label(mark.label, mark.style);
        stage.wish(mark.id, mark.label, mark.style, spots_of_line(pieces.back(), block));
    }
    for (std::vector<Point>& piece : pieces) {
        stage.ink.add_line(piece);
        add_line(stage, std::move(piece), stroke, item);
    }
    stage.out.drawing.items.push_back(std::move(item));
}

namespace {

/// Beside an upright rule, from its top downwards.
std::vector<LabelSpot> spots_of_upright(const Box& frame, double x, const TextBlock& block) {
    std::vector<LabelSpot> spots;
    const double step = block.height;
    for (double y = frame.low.y + block.height / 2 + 2; y < frame.high.y - block.height / 2; y += step)
        for (const double side : {1.0, -1.0})
            spots.push_back(spot_beside({x, y}, {side, 0}, 5, block,
                                        0.3 * (y - frame.low.y) / height_of(frame) + (side < 0 ? 0.04 : 0)));
    return spots;
}

/// On a level rule, then below it; from the right to the left.
std::vector<LabelSpot> spots_of_level(const Box& frame, double y, const TextBlock& block) {
    std::vector<LabelSpot> spots;
    const double length = width_of(frame) - block.width;
    for (int i = 0; i <= 16; ++i)
        for (const double side : {-1.0, 1.0})
            spots.push_back(
                {{frame.high.x - block.width / 2 - 2 - i * (length - 4) / 16, y + side * (block.height / 2 + 1)},
                 0.02 * i + (side > 0 ? 0.05 : 0)});
    return spots;
}

}  // namespace

void draw(Stage& stage, const Rule& mark, bool near) {
    const Box& frame = stage.frame();
    const bool upright = mark.along == Direction::x;
    const Point at = stage.paper({mark.at, mark.at});
    const std::vector<Point> line = upright ? std::vector<Point>{{at.x, frame.low.y}, {at.x, frame.high.y}}
                                            : std::vector<Point>{{frame.low.x, at.y}, {frame.high.x, at.y}};
    Item item;
    item.id = stage.id(mark.id);
    item.tip = plain_text(mark.label);
    const double at_axis = upright ? at.x : at.y;
    const bool inside = upright ? at.x >= frame.low.x - 0.5 && at.x <= frame.high.x + 0.5
                                : at.y >= frame.low.y - 0.5 && at.y <= frame.high.y + 0.5;
    if (inside) {
        stage.ink.add_line(line);
        add_line(stage, line, stage.stroke(mark.style, true), item);
        if (near && !mark.label.empty()) {
            const TextBlock block = stage.label(mark.label, mark.style);
            stage.wish(mark.id, mark.label, mark.style,
                       upright ? spots_of_upright(frame, at_axis, block) : spots_of_level(frame, at_axis, block));
        }
    }
    stage.out.drawing.items.push_back(std::move(item));
}

}  // namespace whorl::plot
