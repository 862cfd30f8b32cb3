#include "viz/plot/labels.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace whorl::plot {

namespace {

Box box_at(const LabelSpot& spot, const TextBlock& block) {
    return rectangle({spot.middle.x - block.width / 2, spot.middle.y - block.height / 2},
                     {spot.middle.x + block.width / 2, spot.middle.y + block.height / 2});
}

Point nearest_on(const Box& box, Point to) {
    return {std::clamp(to.x, box.low.x, box.high.x), std::clamp(to.y, box.low.y, box.high.y)};
}

bool is_free(const Box& box, const std::vector<PlacedLabel>& taken) {
    return std::none_of(taken.begin(), taken.end(), [&](const PlacedLabel& label) { return overlap(label.box, box); });
}

struct Choice {
    const LabelSpot* spot = nullptr;
    double cost = 0, inked = 0;
};

/// Without the room between lines.
Box letters_in(const Box& box) {
    const double blank = std::min(3.0, height_of(box) / 6);
    return rectangle({box.low.x, box.low.y + blank}, {box.high.x, box.high.y - blank});
}

Choice best_spot(const LabelWish& wish, const Ink& ink, const std::vector<PlacedLabel>& taken) {
    Choice best;
    for (const LabelSpot& spot : wish.spots) {
        if (best.spot && spot.cost >= best.cost) continue;
        const Box box = box_at(spot, wish.block);
        if (!holds(wish.room, box) || !is_free(grown(box, 1), taken)) continue;
        const double inked = ink.share(letters_in(box)), cost = spot.cost + (inked > 0 ? 0.2 + 4 * inked : 0);
        if (!best.spot || cost < best.cost) best = {&spot, cost, inked};
    }
    return best;
}

/// Spots all over the room, for a label that has none near its mark.
bool look_everywhere(LabelWish& wish) {
    if (wish.spots.empty()) return false;
    const LabelSpot near = wish.spots.front();
    const double across = wish.block.width, down = wish.block.height;
    for (double y = wish.room.low.y + down / 2; y <= wish.room.high.y - down / 2; y += down / 2)
        for (double x = wish.room.low.x + across / 2; x <= wish.room.high.x - across / 2; x += across / 4) {
            const double far = std::hypot(x - near.middle.x, y - near.middle.y);
            wish.spots.push_back({{x, y}, 1 + far / 100, wish.spots.back().leader});
        }
    return true;
}

void add_leader(const LabelWish& wish, const LabelSpot& spot, const Box& box, Item& item) {
    if (!spot.leader) return;
    const Point end = nearest_on(grown(box, 1), *spot.leader);
    if (std::hypot(end.x - spot.leader->x, end.y - spot.leader->y) < 4) return;
    item.shapes.emplace_back(Path{{*spot.leader, end}, {wish.leader, wish.hair}});
}

/// A veil of the ground's colour under letters that stand on ink.
void add_veil(const LabelWish& wish, const Box& box, Item& item) {
    Box veil = grown(box, 1);
    veil.fill = wish.ground;
    veil.fill.opacity = 0.8;
    veil.corner = 3;
    item.shapes.emplace_back(veil);
}

}  // namespace

LabelSpot spot_beside(Point anchor, Point direction, double gap, const TextBlock& block, double cost) {
    // The box's support in that direction: a label beside is as near as one above.
    const double reach_x = direction.x * (gap + block.width / 2), reach_y = direction.y * (gap + block.height / 2);
    return {{anchor.x + reach_x, anchor.y + reach_y}, cost};
}

std::vector<LabelSpot> spots_around(Point anchor, double gap, const TextBlock& block, const std::vector<Point>& first) {
    const std::vector<Point> all{{1, 0}, {1, -1}, {1, 1}, {0, -1}, {0, 1}, {-1, 0}, {-1, -1}, {-1, 1}};
    std::vector<LabelSpot> spots;
    double cost = 0;
    const auto ring = [&](const std::vector<Point>& directions, double distance, double more) {
        for (const Point& direction : directions) {
            LabelSpot spot = spot_beside(anchor, direction, distance, block, cost + more);
            if (distance > gap + 4) spot.leader = Point{anchor.x + direction.x * gap, anchor.y + direction.y * gap};
            spots.push_back(spot);
            cost += 0.02;
        }
    };
    ring(first, gap, 0);
    ring(all, gap, 0.1);
    for (const double more : {10.0, 20.0, 36.0, 60.0, 90.0}) {
        ring(first, gap + more, 0.4 + more / 100);
        ring(all, gap + more, 0.5 + more / 100);
    }
    return spots;
}

void place_wishes(std::vector<LabelWish> wishes, const Ink& ink, Placed& placed) {
    std::stable_sort(wishes.begin(), wishes.end(),
                     [](const LabelWish& a, const LabelWish& b) { return a.weight > b.weight; });
    for (LabelWish& wish : wishes) {
        Choice choice = best_spot(wish, ink, placed.labels);
        if (!choice.spot && look_everywhere(wish)) choice = best_spot(wish, ink, placed.labels);
        if (!choice.spot) {
            placed.left_out.push_back(wish.id);
            continue;
        }
        const Box box = box_at(*choice.spot, wish.block);
        Item item;
        item.id = wish.id;
        add_leader(wish, *choice.spot, box, item);
        if (choice.inked > 0 || wish.veil) add_veil(wish, box, item);
        put(wish.block, box.low, item.shapes);
        placed.drawing.items.push_back(std::move(item));
        placed.labels.push_back({wish.id, box});
    }
}

std::vector<double> apart_in_column(const std::vector<double>& wanted, const std::vector<double>& heights, double low,
                                    double high) {
    if (wanted.empty()) return {};
    // With the heights above it taken off, each middle must not decrease: isotonic regression, then the limits.
    struct Pool {
        double sum = 0, count = 0;
        double mean() const { return sum / count; }
    };
    std::vector<double> offsets{0};
    for (std::size_t i = 1; i < wanted.size(); ++i)
        offsets.push_back(offsets.back() + (heights[i - 1] + heights[i]) / 2);
    std::vector<Pool> pools;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        pools.push_back({wanted[i] - offsets[i], 1});
        while (pools.size() > 1 && pools[pools.size() - 2].mean() > pools.back().mean()) {
            const Pool last = pools.back();
            pools.pop_back();
            pools.back().sum += last.sum, pools.back().count += last.count;
        }
    }
    const double first = low + heights.front() / 2;
    const double last = std::max(first, high - heights.back() / 2 - offsets.back());
    std::vector<double> middles;
    for (const Pool& pool : pools)
        for (double k = 0; k < pool.count; ++k)
            middles.push_back(std::clamp(pool.mean(), first, last) + offsets[middles.size()]);
    return middles;
}

}  // namespace whorl::plot
