// What is before a student: what conditions compare, and where live numbers are read.
#pragma once

#include <cstdint>

#include "viz/desk/desk.hpp"
#include "viz/plot/figure.hpp"
#include "viz/state/view_state.hpp"

namespace whorl::viz {

struct Scene {
    ViewState state{};
    ReadText read{};
    const plot::Figure* figure = nullptr;  // null: the state has none
    std::int64_t trained = 0;              // steps of the live training
    bool answered = false;                 // any question of the step
};

/// Without a live training; no figure where the desk has none. The figure is valid until the desk makes the next one.
Scene scene_of(Desk& desk, const ViewState& state);

}  // namespace whorl::viz
