// Ctrl +, Ctrl - and Ctrl 0: everything larger, smaller, or as the screen asks for.
#pragma once

namespace whorl::view {

/// The next larger or smaller scale of those that keys reach, from 0.5 to 4; 0 steps lead to 1.
double zoomed(double scale, int steps);

/// The scale that this frame's keys lead to.
double zoom_by_keys(double scale);

}  // namespace whorl::view
