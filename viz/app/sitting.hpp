// The window on the screen, from its opening to its closing.
#pragma once

#include "viz/app/arguments.hpp"
#include "viz/app/settings.hpp"

namespace whorl::view {

/// What is not asked for is as it was last time; with --resume, the view as well.
void apply(const Settings& settings, ViewArguments& arguments);

/// Opens what is asked for in the look of last time, and keeps what changes (settings.hpp). Throws as visible_window.
void sit(ViewArguments arguments);

}  // namespace whorl::view
