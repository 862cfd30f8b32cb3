// What the mouse means: which number lies under it, and what a press or a drag there sets. All of it is a function of
// the figure and of where it was placed, so that tests point without a window.
#pragma once

#include <optional>
#include <string>

#include "viz/plot/place.hpp"
#include "viz/state/view_state.hpp"

namespace whorl::viz {

/// The mark nearest to a place on the paper.
struct Hit {
    std::string text;   // "pair 7: 40 bits read, +28.1°"
    plot::Point paper;  // where the mark is
};
/// Empty where none is within `reach` (the drawing's units). A cell of a grid counts as soon as nothing else is near.
std::optional<Hit> hit_at(const plot::Figure& figure, const plot::Placed& placed, plot::Point paper, double reach = 12);

/// A handle that is held.
struct Grip {
    std::string handle;  // its id
    plot::Point paper;   // where it is
};
/// The nearest handle within `reach` of a place.
std::optional<Grip> grip_at(const plot::Figure& figure, const plot::Placed& placed, plot::Point paper,
                            double reach = 14);

/// The state once a handle of the figure is dragged to a place on the paper.
ViewState with_handle_at(const ViewState& state, const plot::Figure& figure, const plot::Placed& placed,
                         const std::string& handle, plot::Point paper);

/// The state that pressing or dragging there leads to: a position of the cursor, a step size, a moment of the training,
/// a pair. Empty where nothing is set there. `read`: the tokens that are shown as read. `begins`: the press itself, not
/// a drag; some places take only that, as the figure moves under the mouse.
std::optional<ViewState> pointed(const ViewState& state, const plot::Figure& figure, const plot::Placed& placed,
                                 plot::Point paper, std::int64_t read, bool begins = true);

/// What opens the point under the mouse (Points::opens), "" for one that nothing opens; empty where none lies there.
std::optional<std::string> opened_at(const plot::Figure& figure, const plot::Placed& placed, plot::Point paper,
                                     double reach = 12);

}  // namespace whorl::viz
