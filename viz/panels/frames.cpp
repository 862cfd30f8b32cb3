#include "viz/panels/frames.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace whorl::viz {
namespace {

using namespace plot;
using trace::PlanePoint;
using trace::StepPieces;

const StepPieces& chosen(const Dial& dial) {
    return dial.steps.steps[chosen_step(dial)];
}

PlanePoint state_before(const Dial& dial) {
    const std::size_t t = chosen_step(dial);
    return t > 0 ? dial.steps.steps[t - 1].u : PlanePoint{};
}

constexpr double kLabelled = 0.2;  // of the largest piece: shorter ones carry no label

/// Pieces of a step as arrows, each from the end of the one before, all turned by `angle`.
class FramePainter {
public:
    FramePainter(const Dial& dial, double angle) : dial_(dial), angle_(angle) {
        panel_.equal = panel_.canvas = true;
        panel_.x.label = dial.x_label;
        panel_.y.label = dial.y_label;
    }

    void arrow(const char* id, PlanePoint from, PlanePoint by, const Style& style, const std::string& label) {
        if (length(by) < 0.04 * scale()) return;
        panel_.marks.push_back(
            Arrow{id, at(from), at(from + by), style, length(by) < kLabelled * scale() ? "" : label});
    }
    /// The ray of what reads, and the state's shadow on it.
    void shadow(PlanePoint read, PlanePoint u) {
        const double size = length(read);
        if (size < 1e-12) return;
        const PlanePoint ray{read.x / size, read.y / size};
        const double along = ray.x * u.x + ray.y * u.y, reach = 1.1 * std::max(scale(), std::abs(along));
        const PlanePoint foot{along * ray.x, along * ray.y}, end{reach * ray.x, reach * ray.y};
        panel_.marks.push_back(Line{"ray", {at({-end.x, -end.y}), at(end)}, {Role::muted, Weight::context}, "C"});
        panel_.marks.push_back(
            Line{"shadow.line", {at(u), at(foot)}, {Role::secondary, Weight::context, 1, Dash::dotted}});
        panel_.marks.push_back(
            Line{"shadow", {at({}), at(foot)}, {Role::truth, Weight::chosen, 1, Dash::solid}, "read"});
    }
    void point(PlanePoint u) { panel_.marks.push_back(Points{"state", {at(u)}, {dial_.role}}); }
    Panel take() {
        const double room = 1.25 * scale();
        panel_.x.low = panel_.y.low = -room;
        panel_.x.high = panel_.y.high = room;
        return std::move(panel_);
    }
    double scale() const {
        const StepPieces& step = chosen(dial_);
        const PlanePoint last = step.kept + step.before;
        return std::max({length(state_before(dial_)), length(step.u), length(step.kept), length(last),
                         length(last + step.hidden), 1e-12});
    }

private:
    Point at(PlanePoint u) const {
        const PlanePoint p = turned(u, angle_);
        return {p.x, p.y};
    }
    const Dial& dial_;
    double angle_;
    Panel panel_;
};

Panel frame_panel(const Dial& dial, double angle, PlanePoint before) {
    const StepPieces& step = chosen(dial);
    FramePainter painter(dial, angle);
    const bool delta = length(step.key) > 0;
    painter.shadow(step.read, step.u);
    painter.arrow("before", {}, before, {dial.role, Weight::data, 0.35, Dash::solid}, "before");
    painter.arrow("kept", {}, step.kept, {dial.role, Weight::data, 0.7, Dash::solid}, "kept");
    painter.arrow("added.before", step.kept, step.before, {Role::accent, Weight::data}, "last");
    painter.arrow("added.hidden", step.kept + step.before, step.hidden, {Role::muted, Weight::data}, "hidden");
    painter.arrow("added.now", step.kept + step.before + step.hidden, step.now, {Role::accent, Weight::data},
                  delta ? "added" : "added");
    painter.point(step.u);
    return painter.take();
}

}  // namespace

Panel still_frame_panel(const Dial& dial) {
    Panel panel = frame_panel(dial, 0, state_before(dial));
    panel.id = "still";
    return panel;
}

Panel turning_frame_panel(const Dial& dial) {
    const std::size_t t = chosen_step(dial);
    const double now = dial.steps.phase.at(t);
    // The state before stood at its own angle; there the step keeps it where it is.
    Panel panel = frame_panel(dial, now, turned(state_before(dial), chosen(dial).turn));
    panel.id = "turning";
    return panel;
}

double readout_of(const Dial& dial) {
    const StepPieces& step = chosen(dial);
    return step.read.x * step.u.x + step.read.y * step.u.y;
}

}  // namespace whorl::viz
