#include <cmath>

#include "viz/paint/stroke.hpp"

namespace whorl::plot {
namespace {

constexpr double kMostDashes = 1e5;  // more are no dashes that anybody sees

double length_of(const Contour& points) {
    double length = 0;
    for (std::size_t i = 1; i < points.size(); ++i)
        length += std::hypot(points[i].x - points[i - 1].x, points[i].y - points[i - 1].y);
    return length;
}

bool is_pattern(const std::vector<double>& dash, double length) {
    double sum = 0;
    for (const double part : dash) {
        if (!(part >= 0) || !std::isfinite(part)) return false;
        sum += part;
    }
    return sum > 0 && length < kMostDashes * sum;
}

/// Walks along a line and collects what lies under strokes.
class Walk {
public:
    explicit Walk(const std::vector<double>& dash) : dash_(dash), left_(dash[0]) {}

    void segment(Point from, Point to) {
        const double length = std::hypot(to.x - from.x, to.y - from.y);
        if (!(length > 0)) return;
        if (pieces_.empty()) begin(from);
        double at = 0;
        for (; left_ < length - at; switch_at(along(from, to, at / length))) at += left_;
        left_ -= length - at;
        if (is_stroke()) pieces_.back().push_back(to);
    }
    /// Call when the line came back to its beginning: a stroke that ends there goes on as the first one.
    void close() {
        if (!is_stroke() || pieces_.size() < 2) return;
        Contour last = std::move(pieces_.back());
        pieces_.pop_back();
        last.insert(last.end(), pieces_[0].begin() + 1, pieces_[0].end());
        pieces_[0] = std::move(last);
    }
    Contours take() { return std::move(pieces_); }

private:
    static Point along(Point from, Point to, double share) {
        return {from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share};
    }
    bool is_stroke() const { return part_ % 2 == 0; }
    void begin(Point at) { pieces_.push_back({at}); }

    /// The end of a stroke or of a gap.
    void switch_at(Point at) {
        if (is_stroke()) pieces_.back().push_back(at);
        ++part_;
        left_ = dash_[part_ % dash_.size()];
        if (is_stroke()) begin(at);
    }

    const std::vector<double>& dash_;
    Contours pieces_;
    std::size_t part_ = 0;
    double left_;
};

}  // namespace

Contours dashed(const Contour& points, bool closed, const std::vector<double>& dash) {
    if (points.empty() || !is_pattern(dash, length_of(points))) return {points};
    Walk walk(dash);
    for (std::size_t i = 1; i < points.size(); ++i) walk.segment(points[i - 1], points[i]);
    if (closed) {
        walk.segment(points.back(), points.front());
        walk.close();
    }
    return walk.take();
}

}  // namespace whorl::plot
