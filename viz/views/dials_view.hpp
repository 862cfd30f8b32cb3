// Exhibits read one text and become dials.
#pragma once

#include "viz/data/kept.hpp"
#include "viz/panels/dials.hpp"

namespace whorl::viz {

/// The same text for all exhibits; with one exhibit also its other pairs (Mamba-3) or heads. Throws UserError for a
/// model without a recurrent layer, a layer that is attention, and as find_kept.
DialsData make_dials(const std::vector<Exhibit>& exhibits, const std::vector<std::int32_t>& tokens,
                     const Address& address = {});

}  // namespace whorl::viz
