#include "viz/lessons/stage.hpp"

#include <algorithm>

#include "viz/lessons/answer.hpp"
#include "viz/lessons/condition.hpp"
#include "viz/state/controls.hpp"

namespace whorl::viz {
namespace {

std::optional<std::string> answer_at(const ViewState& state, std::size_t place) {
    const std::vector<std::string> answers = answers_of(state);
    return place < answers.size() ? std::optional(answers[place]) : std::nullopt;
}

/// What of the state, but for controls, has which name.
struct Part {
    const char* name;
    bool (*same)(const ViewState&, const ViewState&);
};
const std::vector<Part>& parts() {
    using S = const ViewState&;
    static const std::vector<Part> all = {
        {"view", [](S a, S b) { return a.view == b.view; }},
        {"model", [](S a, S b) { return a.models == b.models; }},
        {"type", [](S a, S b) { return a.text == b.text; }},
        {"cursor", [](S a, S b) { return a.cursor == b.cursor; }},
        {"beat", [](S a, S b) { return a.beat == b.beat; }},
        {"moment", [](S a, S b) { return a.moment == b.moment; }},
        {"compare", [](S a, S b) { return a.beside == b.beside && a.difference == b.difference; }},
        {"show", [](S a, S b) { return a.predicted == b.predicted && a.shown == b.shown; }},
    };
    return all;
}

}  // namespace

Stage stage_of(const LessonStep& step, const Scene& scene) {
    if (step.predict && !prediction_of(step, scene.state)) return Stage::predict;
    if (step.check && check_answer_of(step, scene.state)) return Stage::over;
    if (!step.done.empty() && !is_met(read_condition(step.done), scene)) return Stage::act;
    return step.check ? Stage::check : Stage::over;
}

ViewState state_when_done(const LessonStep& step, const ViewState& state) {
    return step.done.empty() ? state : state_that_meets(read_condition(step.done), state).value_or(state);
}

const LessonQuestion* question_at(const LessonStep& step, Stage stage) {
    if (stage == Stage::predict && step.predict) return &*step.predict;
    return stage == Stage::check && step.check ? &*step.check : nullptr;
}

std::optional<std::string> prediction_of(const LessonStep& step, const ViewState& state) {
    return step.predict ? answer_at(state, 0) : std::nullopt;
}
std::optional<std::string> check_answer_of(const LessonStep& step, const ViewState& state) {
    return step.check ? answer_at(state, step.predict ? 1 : 0) : std::nullopt;
}

std::vector<std::string> allowed_names() {
    std::vector<std::string> names = {"train"};
    for (const Part& part : parts()) names.emplace_back(part.name);
    for (const Control& control : controls()) names.emplace_back(control.name);
    return names;
}

bool allows(const LessonStep& step, Stage stage, const std::string& what) {
    if (stage == Stage::predict) return false;
    // A typed token moves the cursor to the end; a token's beat, and the start screen's answers, fall with both.
    const auto named = [&](const char* name) {
        return std::find(step.allow.begin(), step.allow.end(), name) != step.allow.end();
    };
    if (what == "cursor" && named("type")) return true;
    if ((what == "show" || what == "beat") && (named("type") || named("cursor"))) return true;
    return step.allow.empty() || named(what.c_str());
}

std::string forbidden_change(const LessonStep& step, Stage stage, const ViewState& from, const ViewState& to) {
    if (from.lesson != to.lesson || from.step != to.step) return "";
    for (const Part& part : parts())
        if (!part.same(from, to) && !allows(step, stage, part.name)) return part.name;
    const bool anew = value_of(from, "preset") != value_of(to, "preset");  // its numbers change with it
    for (const Control& control : controls()) {
        const std::string name = control.name;
        if (name == "fan" || (anew && control.by_preset)) continue;  // the fan shows what a hand is on
        const auto then = from.settings.find(name), now = to.settings.find(name);
        const bool had = then != from.settings.end(), has = now != to.settings.end();
        if ((had != has || (has && then->second != now->second)) && !allows(step, stage, name)) return name;
    }
    return "";
}

}  // namespace whorl::viz
