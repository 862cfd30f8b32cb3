// Exhibits read a text, and are asked about one token more.
#pragma once

#include "viz/data/exhibit.hpp"
#include "viz/panels/start.hpp"

namespace whorl::viz {

/// `next`: the token that is asked about. Throws as make_dials, and UserError for an empty text.
StartData make_start(const std::vector<Exhibit>& exhibits, const std::vector<std::int32_t>& tokens, std::int32_t next);

}  // namespace whorl::viz
