// Regions, bands and bars.
#include <algorithm>
#include <cmath>

#include "viz/plot/extent.hpp"
#include "viz/plot/stage.hpp"

namespace whorl::plot {

namespace {

std::vector<LabelSpot> spots_of_region(const std::vector<Point>& outline, const TextBlock& block) {
    Box bounds = rectangle(outline[0], outline[0]);
    for (const Point& p : outline) {
        bounds.low = {std::min(bounds.low.x, p.x), std::min(bounds.low.y, p.y)};
        bounds.high = {std::max(bounds.high.x, p.x), std::max(bounds.high.y, p.y)};
    }
    const Point middle = middle_of(bounds);
    std::vector<LabelSpot> spots;
    if (width_of(bounds) > block.width + 8 && height_of(bounds) > block.height + 4) spots.push_back({middle, -1});
    const std::vector<Point> sides{
        {bounds.high.x, middle.y}, {bounds.low.x, middle.y}, {middle.x, bounds.low.y}, {middle.x, bounds.high.y}};
    const std::vector<Point> directions{{1, 0}, {-1, 0}, {0, -1}, {0, 1}};
    for (std::size_t i = 0; i < sides.size(); ++i)
        for (LabelSpot spot : spots_around(sides[i], 4, block, {directions[i]})) {
            spot.cost += 0.05 * static_cast<double>(i);
            spots.push_back(spot);
        }
    return spots;
}

void add_fill(Stage& stage, const Box& box, const Color& fill, Item& item) {
    const Box& frame = stage.frame();
    Box part = rectangle({std::max(box.low.x, frame.low.x), std::max(box.low.y, frame.low.y)},
                         {std::min(box.high.x, frame.high.x), std::min(box.high.y, frame.high.y)});
    if (part.low.x >= part.high.x || part.low.y >= part.high.y) return;
    part.fill = fill;
    item.shapes.emplace_back(part);
}

Box box_of(Point a, Point b) {
    return rectangle({std::min(a.x, b.x), std::min(a.y, b.y)}, {std::max(a.x, b.x), std::max(a.y, b.y)});
}

}  // namespace

void draw(Stage& stage, const Region& mark, bool near) {
    Item item;
    item.id = stage.id(mark.id);
    item.tip = plain_text(mark.label);
    std::vector<Point> outline;
    for (const Point& point : mark.outline) outline.push_back(stage.paper(point));
    outline = clipped_polygon(std::move(outline), stage.frame());
    if (outline.size() >= 3) {
        std::vector<Point> border = outline;
        border.push_back(outline[0]);
        stage.ink.add_line(border);
        if (near && !mark.label.empty())
            stage.wish(mark.id, mark.label, mark.style, spots_of_region(outline, stage.label(mark.label, mark.style)));
        Polygon polygon;
        polygon.points = std::move(outline);
        polygon.fill = stage.color(mark.style);
        item.shapes.emplace_back(std::move(polygon));
    }
    stage.out.drawing.items.push_back(std::move(item));
}

namespace {

/// In the band at its upper end, or beside it; in a level band at its right or left end.
std::vector<LabelSpot> spots_of_band(const Box& frame, const Box& band, bool upright, const TextBlock& block) {
    std::vector<LabelSpot> spots;
    const Point half{block.width / 2, block.height / 2};
    if (upright) {
        const bool fits = width_of(band) > block.width + 8;
        for (double y = frame.low.y + half.y + 3; y < frame.high.y - half.y; y += block.height) {
            const double cost = 0.3 * (y - frame.low.y) / height_of(frame);
            if (fits) spots.push_back({{band.high.x - half.x - 6, y}, cost});
            if (fits) spots.push_back({{band.low.x + half.x + 6, y}, cost + 0.03});
            spots.push_back({{band.high.x + half.x + 5, y}, cost + 0.06});
            spots.push_back({{band.low.x - half.x - 5, y}, cost + 0.08});
        }
        return spots;
    }
    for (int i = 0; i <= 16; ++i) {
        const double x = frame.high.x - half.x - 6 - i * (width_of(frame) - block.width - 12) / 16;
        spots.push_back({{x, band.low.y + half.y + 1}, 0.02 * i});
        spots.push_back({{x, band.high.y - half.y - 1}, 0.02 * i + 0.01});
        spots.push_back({{x, band.low.y - half.y - 1}, 0.02 * i + 0.05});
        spots.push_back({{x, band.high.y + half.y + 1}, 0.02 * i + 0.06});
    }
    return spots;
}

/// Cut at the axis' ends: infinity, and on log axes what is below 0, have no place on paper.
Range part_on(const Axis& axis, double low, double high) {
    return {std::max(low, std::min(axis.low, axis.high)), std::min(high, std::max(axis.low, axis.high))};
}

}  // namespace

void draw(Stage& stage, const Band& mark, bool near) {
    Item item;
    item.id = stage.id(mark.id);
    item.tip = plain_text(mark.label);
    const Box& frame = stage.frame();
    const bool upright = mark.along == Direction::x;
    const Axis& axis = upright ? stage.placed.x : stage.placed.y;
    const Range shown = part_on(axis, mark.low, mark.high);
    if (shown.empty()) return stage.out.drawing.items.push_back(std::move(item));
    Box box = box_of(stage.paper({shown.low, shown.low}), stage.paper({shown.high, shown.high}));
    if (upright)
        box.low.y = frame.low.y, box.high.y = frame.high.y;
    else
        box.low.x = frame.low.x, box.high.x = frame.high.x;
    Color fill = stage.color(mark.style);
    fill.opacity *= 0.13;
    add_fill(stage, box, fill, item);
    if (near && !mark.label.empty() && !item.shapes.empty()) {
        const Box& filled = std::get<Box>(item.shapes.back());
        stage.wish(mark.id, mark.label, mark.style,
                   spots_of_band(frame, filled, upright, stage.label(mark.label, mark.style)));
    }
    stage.out.drawing.items.push_back(std::move(item));
}

void draw(Stage& stage, const Bars& mark, bool near) {
    Item item;
    item.id = stage.id(mark.id);
    item.tip = plain_text(mark.label);
    const bool level = mark.along == Direction::x;
    for (const Bar& bar : mark.bars) {
        const double low = bar.at - mark.thickness / 2, high = bar.at + mark.thickness / 2;
        const Box box = level ? box_of(stage.paper({bar.from, low}), stage.paper({bar.to, high}))
                              : box_of(stage.paper({low, bar.from}), stage.paper({high, bar.to}));
        add_fill(stage, box, stage.color(mark.style), item);
        stage.ink.add_box(box);
        if (near && !mark.label.empty() && &bar == &mark.bars.front())
            stage.wish(mark.id, mark.label, mark.style,
                       spots_of_region({box.low, box.high}, stage.label(mark.label, mark.style)));
    }
    stage.out.drawing.items.push_back(std::move(item));
}

}  // namespace whorl::plot
