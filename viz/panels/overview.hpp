// What did the sweep find? Every replica of every run a dot: one key of it up, one across, one as colour and shape.
//
//   accuracy      ∘
//    100 %   •   ∘•∘      • 8 channels a head
//            ·    •       ∘ 32
//      0 %  ••    ·
//          0.001 0.1      dt_max
#pragma once

#include "viz/panels/overview_data.hpp"

namespace whorl::viz {

/// Names of keys; "": what suits the data.
struct OverviewChoice {
    std::string x{}, y{}, colour{};
    std::string filter{};  // filtered()
    std::string sort{};    // sorted(): the order of what is listed, and of an axis of names
};

/// The choice with nothing left open: accuracy over the first thing that was varied, coloured by the next.
OverviewChoice resolved(const OverviewData& data, OverviewChoice choice);

/// Values that are few stand at even distances, their dots beside each other; many on a scale. Throws UserError for a
/// key that there is not, where no dot passes the filter, and where none has both values.
plot::Figure overview_figure(const OverviewData& data, const OverviewChoice& choice);

}  // namespace whorl::viz
