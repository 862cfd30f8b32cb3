#include "viz/app/triangles.hpp"

#include <algorithm>
#include <numeric>

namespace whorl::view {
namespace {

using plot::Contour;
using plot::Point;

/// Positive where a, b, c turn clockwise on paper.
double turn(Point a, Point b, Point c) {
    return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

bool inside(Point p, Point a, Point b, Point c) {
    return turn(a, b, p) >= 0 && turn(b, c, p) >= 0 && turn(c, a, p) >= 0;
}

class EarClipper {
public:
    explicit EarClipper(const Contour& points) : points_(points), left_(points.size()) {
        std::iota(left_.begin(), left_.end(), 0);
    }

    std::vector<std::array<int, 3>> run() {
        std::vector<std::array<int, 3>> result;
        for (std::size_t at = 0; left_.size() > 2;) {
            const std::size_t ear = next_ear(at);
            result.push_back({before(ear), left_[ear], after(ear)});
            left_.erase(left_.begin() + static_cast<std::ptrdiff_t>(ear));
            at = ear;  // on along the line, so that no corner becomes a fan
        }
        return result;
    }

private:
    int before(std::size_t i) const { return left_[(i + left_.size() - 1) % left_.size()]; }
    int after(std::size_t i) const { return left_[(i + 1) % left_.size()]; }
    Point point(int index) const { return points_[static_cast<std::size_t>(index)]; }

    std::size_t next_ear(std::size_t from) const {
        for (std::size_t i = 0; i < left_.size(); ++i) {
            const std::size_t at = (from + i) % left_.size();
            if (is_ear(at)) return at;
        }
        return from % left_.size();  // it crosses itself
    }

    bool is_ear(std::size_t at) const {
        const int a = before(at), b = left_[at], c = after(at);
        if (turn(point(a), point(b), point(c)) < 0) return false;
        return std::none_of(left_.begin(), left_.end(), [&](int other) {
            if (other == a || other == b || other == c) return false;
            const Point p = point(other);
            const auto same = [&](int corner) { return p.x == point(corner).x && p.y == point(corner).y; };
            return !same(a) && !same(b) && !same(c) && inside(p, point(a), point(b), point(c));
        });
    }

    const Contour& points_;
    std::vector<int> left_;
};

}  // namespace

double signed_area(const Contour& points) {
    double area = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const Point a = points[i], b = points[(i + 1) % points.size()];
        area += a.x * b.y - b.x * a.y;
    }
    return area;
}

std::vector<std::array<int, 3>> triangles(const Contour& points) {
    return EarClipper(points).run();
}

}  // namespace whorl::view
