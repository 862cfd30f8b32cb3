// A lesson on paper: one page of HTML with all that it needs inside, for machines that cannot open a window.
#pragma once

#include <string>

#include "viz/desk/desk.hpp"

namespace whorl::viz {

/// Every step with its figure in light and dark, of which the reader's machine takes one and a printer the light one;
/// its question with the answer folded; where something is to be done, the figure that it leads to; and the words that
/// have a gloss. Throws as load_lesson and Desk::figure.
std::string handout(Desk& desk, const std::string& lesson);

}  // namespace whorl::viz
