// The explorer's lessons: which step is taught, what it allows, and what becomes of an answer.
#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "viz/app/explorer.hpp"
#include "viz/app/imgui_compat.hpp"
#include "viz/lessons/answer.hpp"

namespace whorl::view {
namespace {

using viz::Stage;
using viz::ViewState;

constexpr std::size_t kLongestGuess = 8;

/// What is asked for before the lesson goes on.
const char* wanted_by(Stage stage) {
    switch (stage) {
        case Stage::predict:
            return "First say what you expect, at the right.";
        case Stage::act:
            return "First do what the lesson asks.";
        default:
            return "First answer the question at the right.";
    }
}

/// The student's own part of a state is none of the step's.
bool is_beginning(const ViewState& state, const ViewState& beginning) {
    ViewState bare = state;
    bare.answer.clear();
    return bare == beginning;
}

}  // namespace

const viz::Lesson* Explorer::lesson() {
    if (state_.lesson.empty()) return nullptr;
    if (taught_.name == state_.lesson) return &taught_.lesson;
    try {
        taught_.lesson = viz::load_lesson(state_.lesson);
        taught_.glossary = viz::glossary_with(taught_.lesson.gloss);
        taught_.name = state_.lesson;
        return &taught_.lesson;
    } catch (const UserError& error) {
        note_ = error.what();
        state_.lesson.clear();
        return nullptr;
    }
}

/// The step that the state is at, as one that there is.
const viz::LessonStep& Explorer::lesson_step() {
    const auto& steps = lesson()->steps;
    return steps[static_cast<std::size_t>(
        std::clamp<std::int64_t>(state_.step, 1, static_cast<std::int64_t>(steps.size())) - 1)];
}

/// With the figure that is on the screen, where it is no old one.
viz::Scene Explorer::scene() {
    viz::Scene scene;
    scene.state = state_;
    scene.answered = !state_.answer.empty();
    if (live_ != nullptr) scene.trained = live_->newest()->step;
    const auto pane = panes_.find(state_.view == "start" ? "start" : "a");
    if (pane != panes_.end() && !pane->second.late) scene.figure = pane->second.source.get();
    scene.read = read();
    return scene;
}

Stage Explorer::stage() {
    return viz::stage_of(lesson_step(), scene());
}

// --- what the step allows --------------------------------------------------------------------------------------------

bool Explorer::may_touch(const std::string& what) {
    if (lesson() == nullptr || viz::allows(lesson_step(), stage(), what)) return true;
    note_ = stage() == Stage::predict ? wanted_by(Stage::predict)
                                      : "This step leaves that as it is. Leave the lesson to look around.";
    ask_for_frames(3);
    return false;
}

bool Explorer::may_become(const ViewState& next) {
    if (lesson() == nullptr) return true;
    const std::string what = viz::forbidden_change(lesson_step(), stage(), state_, next);
    if (what.empty() || is_beginning(next, viz::state_of_step(*lesson(), state_.lesson, state_.step - 1, state_)))
        return true;
    return may_touch(what);
}

// --- on --------------------------------------------------------------------------------------------------------------

void Explorer::open_lesson(const std::string& name, std::int64_t step) {
    try {
        go(viz::state_of_step(viz::load_lesson(name), name, step, state_));
        lessons_listed_ = false;
        taught_.guess.clear();
        taught_.word.clear();
    } catch (const UserError& error) {
        note_ = error.what();
    }
}

void Explorer::leave_lesson() {
    ViewState next = state_;
    next.lesson.clear();
    next.step = 1;
    next.answer.clear();
    go(std::move(next));
}

void Explorer::next_step() {
    if (lesson() == nullptr) return;
    if (stage() != Stage::over) {
        note_ = wanted_by(stage());
        return;
    }
    taught_.book.reach(state_.lesson, state_.step);
    keep_book();
    if (state_.step < static_cast<std::int64_t>(lesson()->steps.size())) return open_lesson(state_.lesson, state_.step);
    ViewState next;
    next.theme = state_.theme;
    next.scale = state_.scale;
    go(std::move(next));
    lessons_listed_ = true;
}

// --- answers ---------------------------------------------------------------------------------------------------------

const viz::LessonQuestion* Explorer::open_question() {
    return lesson() == nullptr ? nullptr : viz::question_at(lesson_step(), stage());
}

/// What is no answer is passed over; one that is given stays.
void Explorer::give_answer(const std::string& answer) {
    const viz::LessonQuestion* asked = open_question();
    if (asked == nullptr || !viz::answer_value(*asked, answer)) return;
    taught_.book.take(state_.lesson, state_.step, *asked, answer);
    keep_book();
    go(viz::with_answer(state_, answer));
    taught_.guess.clear();  // `answer` may be it
}

void Explorer::answer_question(std::size_t choice) {
    const viz::LessonQuestion* asked = open_question();
    if (asked != nullptr && asked->kind == viz::QuestionKind::choice && choice < asked->choices.size())
        give_answer(viz::choice_answer(choice));
}

/// Where a number is asked for, digits are its own rather than the tape's.
bool Explorer::guess_keys() {
    const viz::LessonQuestion* asked = open_question();
    if (asked == nullptr || asked->kind == viz::QuestionKind::choice) return false;
    const ImGuiIO& io = ImGui::GetIO();
    if (io.KeyCtrl || io.KeyAlt) return false;
    std::string& guess = taught_.guess;
    const auto type_key = [&](Key key, char letter) {
        if (is_pressed(key) && guess.size() < kLongestGuess) guess += letter;
    };
    for (char digit = '0'; digit <= '9'; ++digit) type_key(key_of(digit), digit);
    if (asked->kind == viz::QuestionKind::number) {
        if (guess.empty()) type_key(Key::minus, '-');
        for (const Key point : {Key::period, Key::comma})  // as the country writes it
            if (guess.find('.') == std::string::npos) type_key(point, '.');
    }
    if (is_pressed(Key::backspace, true) && !guess.empty()) guess.pop_back();
    if (is_pressed(Key::tab, true)) move_focus(io.KeyShift ? -1 : 1);
    const bool enter = is_pressed(Key::enter) || is_pressed(Key::keypad_enter), space = is_pressed(Key::space);
    if ((enter || space) && focus_takes_presses()) return press_focus(), true;
    if (enter) give_answer(guess);
    if (space) next_step();  // says what is missing
    return true;
}

// --- what is remembered ----------------------------------------------------------------------------------------------

void Explorer::keep_lessons(const std::string& file) {
    taught_.file = file;
    try {
        taught_.book = viz::read_lesson_book(file);
    } catch (const UserError& error) {
        taught_.file.clear();  // what cannot be read is not written over
        note_ = one_line(error.what());
    }
}

void Explorer::keep_book() {
    try {
        viz::write_lesson_book(taught_.file, taught_.book);
    } catch (const std::exception& error) {
        note_ = one_line(std::string("What you did is not kept: ") + error.what());
    }
}

}  // namespace whorl::view
