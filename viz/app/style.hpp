// ImGui's own widgets in a theme's colours and sizes.
#pragma once

#include "viz/plot/theme.hpp"

namespace whorl::view {

/// For widgets at `scale` pixels to each of a drawing's; to be called when theme or scale change, between frames.
void apply_style(const plot::Theme& theme, double scale);

}  // namespace whorl::view
