#include "viz/views/start_view.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "viz/views/dials_view.hpp"

namespace whorl::viz {
namespace {

std::size_t nearest(const std::vector<Landing>& landings, trace::PlanePoint to) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < landings.size(); ++i)
        if (length(landings[i].at - to) < length(landings[best].at - to)) best = i;
    return best;
}

std::string asks(const Exhibit& exhibit) {
    return exhibit.task && std::holds_alternative<Parity>(*exhibit.task) ? "How many 1s so far: even (0) or odd (1)?"
                                                                         : "";
}

}  // namespace

StartData make_start(const std::vector<Exhibit>& exhibits, const std::vector<std::int32_t>& tokens, std::int32_t next) {
    if (tokens.empty()) throw UserError("start: expected at least one token");
    std::vector<std::int32_t> longer = tokens;
    longer.push_back(next);
    const DialsData before = make_dials(exhibits, tokens), after = make_dials(exhibits, longer);
    StartData data{{}, text_of(exhibits.at(0), next), asks(exhibits.at(0)), before.tape, after.tape};
    for (std::size_t i = 0; i < exhibits.size(); ++i) {
        StartDial dial{before.dials[i], after.dials[i], {}, 0};
        dial.after.chosen = dial.after.steps.steps.size() - 1;
        const trace::StepPieces& step = dial.after.steps.steps.back();
        dial.landings = landings_of(step, dial.before.steps.steps.back().u);
        dial.right = nearest(dial.landings, step.u);
        data.dials.push_back(std::move(dial));
    }
    return data;
}

}  // namespace whorl::viz
