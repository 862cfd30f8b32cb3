// A lesson: states of the screen, each with a question that is answered before anything moves, one thing to do, one
// sentence on what was seen, and a question that looks back. docs/lessons.md says how to write one.
//
//     [[step]]
//     state = "view=ledger&cursor=20"      # as in a link
//     say   = "A 1 turns by {angle.of_one} about its [[hinge]]."
//     show  = ["drift", "tape"]            # panels; the others are dimmed
//     allow = ["cursor"]                   # what the student may touch
//     [step.predict]                       # first
//     ask = "Where is the first wrong answer?"   kind = "position"   right = 96   within = 10   why = "…"
//     [[step]]
//     do    = "Move on until 100 bits are read."
//     done  = "cursor >= 100"              # one comparison, never code
//     [step.check]                         # last
//     ask = "…"   choices = ["…", "…"]   right = 2   why = "…"
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/config_binding.hpp"
#include "viz/lessons/glossary.hpp"
#include "viz/state/view_state.hpp"

namespace whorl::viz {

/// A position is that of a token, counted from 1.
enum class QuestionKind { choice, position, number };
constexpr auto enum_names(QuestionKind) {
    return std::to_array<EnumName<QuestionKind>>(
        {{QuestionKind::choice, "choice"}, {QuestionKind::position, "position"}, {QuestionKind::number, "number"}});
}

struct LessonQuestion {
    std::string ask;  // "" for none
    QuestionKind kind = QuestionKind::choice;
    std::vector<std::string> choices{};
    std::optional<double> right{};  // of a choice its place, from 1; none: a bet, which nothing judges
    double within = 0;              // a number, or a position, so far off is right too
    double period = 0;              // numbers that differ by it are the same, as angles by 360; 0: none are
    std::string unit{};             // behind a number: "°"
    std::string why{};
};
template <class V>
void describe(V& v, LessonQuestion& q) {
    v.field("ask", q.ask);
    v.field("kind", q.kind);
    v.field("choices", q.choices);
    v.field("right", q.right);
    v.field("within", q.within, at_least(0));
    v.field("period", q.period, at_least(0));
    v.field("unit", q.unit);
    v.field("why", q.why);
    const auto count = static_cast<double>(q.choices.size());
    const bool choice = q.kind == QuestionKind::choice;
    v.require(!q.ask.empty(), "ask", "a question asks something");
    v.require(!choice || (count >= 2 && count <= 5), "choices", "two to five");
    v.require(choice || count == 0, "choices", "go with kind \"choice\" alone");
    v.require(!choice || !q.right || (*q.right >= 1 && *q.right <= count && *q.right == std::floor(*q.right)), "right",
              "the place of a choice, from 1");
}

struct LessonStep {
    std::string state;
    std::string say;
    std::vector<std::string> show{};   // panels of the figure; none: all
    std::vector<std::string> hide{};   // panels, and "claim", that are not seen before the prediction
    std::vector<std::string> allow{};  // of allowed_names(); none: all
    std::string task{};                // "do"
    std::string done{};                // a condition; "": nothing has to be done
    std::optional<LessonQuestion> predict{}, check{};
};
template <class V>
void describe(V& v, LessonStep& s) {
    v.field("state", s.state);
    v.field("say", s.say);
    v.field("show", s.show);
    v.field("hide", s.hide);
    v.field("allow", s.allow);
    v.field("do", s.task);
    v.field("done", s.done);
    v.field("predict", s.predict);
    v.field("check", s.check);
    v.require(s.hide.empty() || s.predict, "hide", "goes with 'predict', which brings it back");
}

struct Lesson {
    std::string title;
    std::int64_t minutes = 5;
    std::vector<std::string> needs{};  // what one should know before: lessons by their names, or a sentence
    std::vector<LessonStep> steps;
    Value gloss{};  // words of its own, a table
};
template <class V>
void describe(V& v, Lesson& l) {
    v.field("title", l.title);
    v.field("minutes", l.minutes, at_least(1).at_most(60));
    v.field("needs", l.needs);
    v.field("gloss", l.gloss);
    v.field("step", l.steps);
    v.require(!l.steps.empty(), "step", "a lesson has one at least");
}

/// viz/lessons/*.toml as they were when the program was built, in the order in which they are taught.
struct LessonFile {
    const char* name;
    const char* text;
};
const std::vector<LessonFile>& lesson_files();
bool is_lesson(const std::string& name);

/// By name, or the path of a .toml file. Throws UserError, one line with the step and the nearest name, for what is no
/// lesson, and for a state, a condition, a number, a word, a lesson or a control that there is not.
Lesson load_lesson(const std::string& name);
/// The same of a text; `source` is what messages call it.
Lesson read_lesson(const std::string& text, const std::string& source);

/// "Turn, slide, flip; what a vector is."
std::string needs_text(const Lesson& lesson);

/// The state that step `step` (from 0) of the lesson begins with, in the look of `look`.
ViewState state_of_step(const Lesson& lesson, const std::string& name, std::int64_t step, const ViewState& look = {});

}  // namespace whorl::viz
