// Where an axis has ticks, and how numbers are written on it.
#pragma once

#include <functional>

#include "viz/plot/figure.hpp"

namespace whorl::plot {

/// A number as people write it: "1,024", "−0.5", "10^{-6}", all digits before the point and at most `digits` in all, no
/// zeros at the end.
std::string number_text(double value, int digits = 6);

/// Ticks at round numbers of an axis whose limits are known, about `count` of them: 1, 2 or 5 times a power of ten;
/// parts of a turn where the unit is °; powers of ten (1, 2 and 5 times them where there are few) on a log axis. An
/// axis' own ticks are returned as they are, without those outside its limits.
std::vector<Tick> ticks_of(const Axis& axis, int count);

/// Takes fewer ticks until neighbours, of which `size(tick)` tells the length along the axis, are `gap` apart on an
/// axis of `length` pixels. Given ticks are thinned out: every 2nd, 5th, 10th …
std::vector<Tick> ticks_apart(const Axis& axis, double length, int count, double gap,
                              const std::function<double(const Tick&)>& size);

}  // namespace whorl::plot
