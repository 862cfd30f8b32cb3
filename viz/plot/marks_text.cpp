// Texts that stand where they are put.
#include <algorithm>

#include "viz/plot/stage.hpp"

namespace whorl::plot {

namespace {

/// As near to where it was put as fits on the paper.
Point upper_left(const Stage& stage, Point at, const TextBlock& block, Anchor anchor) {
    const double share = anchor == Anchor::left ? 0 : anchor == Anchor::center ? 0.5 : 1;
    const Box& room = stage.room;
    const double x = at.x - share * block.width, y = at.y - block.height / 2;
    return {std::max(room.low.x, std::min(x, room.high.x - block.width)),
            std::max(room.low.y, std::min(y, room.high.y - block.height))};
}

Box token_box(const Stage& stage, const Text& mark, const Box& text) {
    const double pad = 0.55 * stage.theme.text;
    Box box = grown(text, 0.2 * stage.theme.text);
    // At least as wide as high, so that single letters stand in squares.
    const double wide = std::max(width_of(text) + 2 * pad, height_of(box)), middle = middle_of(text).x;
    box.low.x = middle - wide / 2;
    box.high.x = middle + wide / 2;
    box.corner = 6;
    box.fill = stage.theme.canvas;
    const bool called = mark.style.role == Role::accent || mark.style.role == Role::wrong;
    box.border = Stroke{called ? color_of(stage.theme, mark.style.role) : stage.theme.grid,
                        width_of(stage.theme, called ? Weight::data : Weight::hair)};
    return box;
}

}  // namespace

void draw(Stage& stage, const Text& mark, bool) {
    Item item;
    item.id = stage.id(mark.id);
    const Point at = stage.paper(mark.at);
    if (finite(at) && holds(grown(stage.room, 2), at)) {
        TextStyle style = stage.text(mark.style);
        style.color = stage.color(mark.style);
        if (mark.boxed) style.face = Face::bold;
        const TextBlock block = lay_out(mark.text, style, width_of(stage.room), mark.anchor);
        const Point corner = upper_left(stage, at, block, mark.anchor);
        Box box = rectangle(corner, {corner.x + block.width, corner.y + block.height});
        if (mark.boxed) {
            box = token_box(stage, mark, box);
            item.shapes.emplace_back(box);
        }
        put(block, corner, item.shapes);
        stage.out.labels.push_back({item.id, rectangle(box.low, box.high)});
    }
    stage.out.drawing.items.push_back(std::move(item));
}

}  // namespace whorl::plot
