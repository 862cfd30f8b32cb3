// Exhibits are asked after every token of one text.
#pragma once

#include <functional>

#include "tasks/question.hpp"
#include "viz/data/exhibit.hpp"
#include "viz/panels/ask_now.hpp"

namespace whorl::viz {

/// All exhibits read the same text by the first one's task. Throws UserError where no task is known, or where the text
/// can be asked nothing anywhere.
AskNowData make_ask_now(const std::vector<Exhibit>& exhibits, const std::vector<std::int32_t>& tokens,
                        const Asking& asking = {}, const std::function<void(std::int64_t)>& progress = {});

}  // namespace whorl::viz
