// Arrows and arcs.
#include <algorithm>
#include <cmath>

#include "viz/plot/stage.hpp"

namespace whorl::plot {

namespace {

Point toward(Point from, Point to) {
    const double length = std::hypot(to.x - from.x, to.y - from.y);
    if (length == 0) return {0, 0};
    return {(to.x - from.x) / length, (to.y - from.y) / length};
}

double distance(Point a, Point b) {
    return std::hypot(b.x - a.x, b.y - a.y);
}

}  // namespace

Point add_arrowhead(Point from, Point tip, const Stroke& stroke, std::vector<Shape2d>& to) {
    const Point ahead = toward(from, tip);
    const double length = std::min(5 + 1.9 * stroke.width, distance(from, tip)), half = 0.52 * length;
    const Point heel{tip.x - length * ahead.x, tip.y - length * ahead.y};
    Polygon head;
    head.points = {
        tip, {heel.x - half * ahead.y, heel.y + half * ahead.x}, {heel.x + half * ahead.y, heel.y - half * ahead.x}};
    head.fill = stroke.color;
    to.emplace_back(std::move(head));
    return heel;
}

void draw(Stage& stage, const Arrow& mark, bool near) {
    Item item;
    item.id = stage.id(mark.id);
    item.tip = plain_text(mark.label);
    const Point from = stage.paper(mark.from), to = stage.paper(mark.to);
    const Stroke stroke = stage.stroke(mark.style, false);
    for (const std::vector<Point>& piece : clipped_line({from, to}, stage.frame())) {
        const Point heel = stage.shows(to) ? add_arrowhead(piece.front(), to, stroke, item.shapes) : piece.back();
        item.shapes.insert(item.shapes.begin(), Path{{piece.front(), heel}, stroke});
        stage.ink.add_line(piece);
        if (!near || mark.label.empty()) continue;
        const TextBlock block = stage.label(mark.label, mark.style);
        const Point ahead = toward(from, to), middle{(piece[0].x + piece[1].x) / 2, (piece[0].y + piece[1].y) / 2};
        std::vector<LabelSpot> spots =
            spots_around(middle, 4 + stroke.width, block, {{ahead.y, -ahead.x}, {-ahead.y, ahead.x}});
        for (LabelSpot spot : spots_around(piece.back(), 5, block, {ahead})) {
            spot.cost += 0.1;
            spots.push_back(spot);
        }
        stage.wish(mark.id, mark.label, mark.style, std::move(spots));
    }
    stage.out.drawing.items.push_back(std::move(item));
}

void draw(Stage& stage, const Arc& mark, bool near) {
    const auto at = [&](double share) {
        const double angle = mark.begin + share * mark.turn;
        return stage.paper(
            {mark.center.x + mark.radius * std::cos(angle), mark.center.y + mark.radius * std::sin(angle)});
    };
    const Point center = stage.paper(mark.center);
    const double length = distance(center, at(0)) * std::abs(mark.turn);
    const int steps = static_cast<int>(std::clamp(length / 3, 8.0, 512.0));
    std::vector<Point> points;
    for (int i = 0; i <= steps; ++i) points.push_back(at(static_cast<double>(i) / steps));
    Item item;
    item.id = stage.id(mark.id);
    item.tip = plain_text(mark.label);
    const Stroke stroke = stage.stroke(mark.style, false);
    if (mark.arrowhead && length > 2 && stage.shows(points.back())) {
        // The shaft ends where the head begins, which points along the last stretch of that length.
        const Point tip = points.back();
        const double head = std::min(5 + 1.9 * stroke.width, length / 2);
        while (points.size() > 2 && distance(points.back(), tip) < head) points.pop_back();
        add_arrowhead(points.back(), tip, stroke, item.shapes);
    }
    for (std::vector<Point>& piece : clipped_line(points, stage.frame())) {
        stage.ink.add_line(piece);
        item.shapes.emplace_back(Path{std::move(piece), stroke});
    }
    if (near && !mark.label.empty()) {
        std::vector<LabelSpot> spots;
        for (const double share : {0.5, 0.3, 0.7, 0.15, 0.85}) {
            const Point middle = at(share), out = toward(center, middle);
            if (!stage.shows(middle)) continue;
            for (LabelSpot spot :
                 spots_around(middle, 4 + stroke.width, stage.label(mark.label, mark.style), {{-out.x, -out.y}, out})) {
                spot.cost += 0.3 * std::abs(share - 0.5);
                spots.push_back(spot);
            }
        }
        stage.wish(mark.id, mark.label, mark.style, std::move(spots));
    }
    stage.out.drawing.items.push_back(std::move(item));
}

}  // namespace whorl::plot
