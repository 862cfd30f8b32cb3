// What files call the parts of a figure.
#pragma once

#include "viz/plot/figure.hpp"

namespace whorl::plot {

/// "line", "points", "arrow" …
const char* mark_kind(const Mark& mark);

const char* name_of(Role role);  // "mamba3", "truth" …
const char* name_of(Weight weight);
const char* name_of(Dash dash);
const char* name_of(Shape shape);
const char* name_of(Direction direction);
const char* name_of(Anchor anchor);
const char* name_of(Scale scale);

/// Null for a Grid, which has none.
const Style* style_of(const Mark& mark);

/// What is written beside it: a Text's text, the label of all others.
const std::string& text_of(const Mark& mark);

}  // namespace whorl::plot
