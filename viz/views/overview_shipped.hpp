// The trained models that ship with the program, as an overview: what there is to see before anything was swept.
#pragma once

#include "viz/panels/overview_data.hpp"

namespace whorl::viz {

OverviewData shipped_overview();

}  // namespace whorl::viz
