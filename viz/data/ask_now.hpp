// What would it answer now? After every token the state is copied, the question is put to the copy, and the reading
// goes on undisturbed.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "core/trace/session.hpp"
#include "tasks/question.hpp"
#include "viz/data/exhibit.hpp"

namespace whorl::viz {

/// What the model says to the question behind one prefix.
struct Answer {
    std::vector<std::int32_t> right, said;  // tokens; each of `said` with the right ones before it
    double probability = 0;                 // of all right tokens
    double margin = 0;                      // the least right logit less best wrong one: above 0, all are right
    bool is_right() const { return said == right; }
};

struct AskedText {
    std::vector<std::int32_t> tokens;
    std::vector<std::optional<Answer>> answers;  // behind each token; empty where nothing can be asked
    std::vector<double> distance;  // ‖h - h′‖/‖h‖ to the twin's state; empty: there is no twin, or none was asked for
};

struct AskNow {
    Asking asking{};
    bool twin = false;  // read the twin's text beside it
    std::function<void(std::int64_t)> progress{};
    std::function<void(trace::Session&, std::int32_t)> before{};  // done to the reading before each token
};

/// Needs the exhibit's task. Costs one copy of the state and the question's tokens for each token. Throws as
/// check_known, for the answers as well.
AskedText ask_now(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens, const AskNow& how = {});

}  // namespace whorl::viz
