// How fast the window is drawn, here and now: a report on frames, the first picture, and idle use, beside what was
// asked for. Nothing is judged: what a machine can do is not what the program should be blamed for.
#pragma once

#include <vector>

namespace whorl::view {

/// The least of `times` that is not exceeded by the share `rank` (0 … 1) of them; 0 where there are none.
double percentile(std::vector<double> times, double rank);

/// Draws without a display, `seconds` a scene, and prints what that took to stdout. Throws what hidden_window throws.
void bench(double seconds);

}  // namespace whorl::view
