// Every lesson, played by a hand to its end; and what a lesson leaves alone.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/support/temporary_folder.hpp"
#include "tests/view/pilot.hpp"
#include "viz/lessons/answer.hpp"
#include "viz/lessons/condition.hpp"
#include "viz/lessons/scene.hpp"
#include "viz/lessons/stage.hpp"

using namespace whorl;
using namespace whorl::view;
using viz::Lesson;
using viz::LessonStep;

namespace {

void type(Pilot& p, const std::string& text) {
    for (const char letter : text) p.press(letter == '.' ? Key::period : letter == '-' ? Key::minus : key_of(letter));
}

/// Rightly, by key or by click.
void answer(Pilot& p, const viz::LessonQuestion& asked) {
    const double right = asked.right.value_or(1);
    if (asked.kind == viz::QuestionKind::choice) {
        const std::string rank = std::to_string(static_cast<int>(right) - 1);
        p.click("choice." + rank);
        return;
    }
    type(p, viz::number_answer(right));
    p.press(Key::enter);
}

bool comes_true(Pilot& p, const std::function<bool()>& condition) {
    for (int i = 0; i < 6000 && !condition(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        p.app().one_frame();
    }
    return condition();
}

/// A slider, near it by the mouse and then by keys; a choice or a switch, by its button.
void set_control(Pilot& p, const viz::Condition& wanted) {
    const viz::Control& control = *viz::find_control(wanted.name);
    const std::string id = "control." + wanted.name;
    if (control.kind == viz::ControlKind::choice) return p.click(id + "." + viz::written(control, wanted.value));
    p.click(id);
    for (int i = 0; i < 200; ++i) {
        const double now = viz::value_of(p.state(), wanted.name);
        viz::Scene scene;
        scene.state = p.state();
        if (viz::is_met(wanted, scene)) return;
        p.press(now < wanted.value ? Key::up : Key::down);
    }
}

/// As a student would.
void act(Pilot& p, const std::string& done) {
    const viz::Condition wanted = viz::read_condition(done);
    if (wanted.name == "shown") {
        for (int model = 0; model < 3; ++model) p.click("landing." + std::to_string(model) + ".0");
        p.click("show");
    } else if (wanted.name == "text") {
        const std::string read = p.state().text.substr(0, static_cast<std::size_t>(p.cursor()));
        type(p, wanted.text.substr(read.size()));
    } else if (wanted.name == "cursor") {
        const auto last = static_cast<std::int64_t>(wanted.value);
        while (p.cursor() < last) p.press(Key::right, false, false, last - p.cursor() >= 10);
    } else if (wanted.name == "trained") {
        p.click("train.play");
        CHECK(comes_true(p, [&] { return p.app().live()->newest()->step >= static_cast<std::int64_t>(wanted.value); }));
        p.click("train.play");
    } else if (wanted.name == "moment") {
        for (int i = 0; i < 100 && (p.state().moment < 0 || p.state().moment > wanted.value); ++i)
            p.press(Key::down, false, false, true);
    } else if (wanted.name == "seed") {
        p.press(key_of('N'));
    } else {
        set_control(p, wanted);
    }
}

void play_step(Pilot& p, const Lesson& lesson, const LessonStep& step) {
    const viz::ViewState begun = p.state();
    const auto stays = [&] { return p.state().step == begun.step && p.state().lesson == begun.lesson; };
    if (step.predict) {
        p.press(Key::right);  // nothing moves before the prediction
        p.press(Key::space);
        CHECK(p.state() == begun);
        answer(p, *step.predict);
        CHECK(viz::answers_of(p.state()).size() == 1);
    }
    if (!step.done.empty()) {
        p.press(Key::space);
        CHECK(stays());
        act(p, step.done);
    }
    if (step.check) {
        p.press(Key::space);
        CHECK(stays());
        answer(p, *step.check);
    }
    const bool last = begun.step == static_cast<std::int64_t>(lesson.steps.size());
    p.press(Key::space);
    CHECK(p.state().lesson == (last ? "" : begun.lesson));
    if (!last) CHECK(p.state().step == begun.step + 1);
}

std::string content_of(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("every lesson is played to its end by a hand", "[view][pilot][lessons]") {
    for (const viz::LessonFile& file : viz::lesson_files()) {
        const auto p = pilot();
        if (!p) return;
        INFO(file.name);
        const Lesson lesson = viz::load_lesson(file.name);
        p->click("lessons");
        p->click(std::string("lesson.") + file.name);
        for (std::size_t i = 0; i < lesson.steps.size(); ++i) {
            INFO("step " << i + 1);
            REQUIRE(p->state().lesson == file.name);
            REQUIRE(p->state().step == static_cast<std::int64_t>(i + 1));
            play_step(*p, lesson, lesson.steps[i]);
        }
        CHECK(p->app().lesson_book().steps_done(file.name) == static_cast<std::int64_t>(lesson.steps.size()));
        for (const viz::Prediction& one : p->app().lesson_book().predictions) CHECK(one.right != "no");
    }
}

TEST_CASE("a lesson leaves to the student what its step allows", "[view][pilot][lessons]") {
    const auto p = pilot(viz::state_of_step(viz::load_lesson("who-turns-by-half"), "who-turns-by-half", 0));
    if (!p) return;
    const ViewState begun = p->state();
    p->click("control.rule.bilinear");
    p->click("figure.path");
    p->click("view.needle");
    p->press(key_of('M'));
    CHECK(p->state() == begun);
    type(*p, "1x5");
    p->press(Key::backspace);
    type(*p, "15");
    p->click("answer.give");
    CHECK(p->state().answer == "115");
    p->click("figure.path");
    CHECK(p->state().view == "map");
    p->click("control.rule.bilinear");
    CHECK(viz::value_of(p->state(), "rule") != viz::value_of(begun, "rule"));
    p->press(key_of('R'));  // as it began
    CHECK(p->state() == begun);
    p->click("lesson.leave");
    p->click("view.needle");
    CHECK(p->state().view == "needle");
}

TEST_CASE("a position is guessed by a slider and seen in the figure", "[view][pilot][lessons]") {
    const auto p = pilot(viz::state_of_step(viz::load_lesson("half-a-turn"), "half-a-turn", 1));
    if (!p) return;
    p->drag(p->within("answer.slider", 0.1f), p->within("answer.slider", 0.5f));
    p->click("answer.give");
    REQUIRE(viz::answers_of(p->state()).size() == 1);
    const double guess = std::stod(p->state().answer);
    CHECK(guess > 70);
    CHECK(guess < 90);
    CHECK(p->app().lesson_book().predictions.back().right == "no");
}

TEST_CASE("a word opens its line", "[view][pilot][lessons]") {
    const auto p = pilot(viz::state_of_step(viz::load_lesson("half-a-turn"), "half-a-turn", 0));
    if (!p) return;
    const ViewState begun = p->state();
    const plot::Image before = p->app().still();
    p->click("gloss.parity");
    CHECK(p->app().still().rgba != before.rgba);
    CHECK(p->state() == begun);
}

TEST_CASE("what is done in lessons outlives the window", "[view][pilot][lessons]") {
    const TemporaryFolder folder;
    const std::string book = folder / "lessons.toml";
    for (int sitting = 0; sitting < 2; ++sitting) {
        const auto p = pilot(viz::state_of_step(viz::load_lesson("half-a-turn"), "half-a-turn", 0));
        if (!p) return;
        p->app().keep_lessons(book);
        CHECK(p->app().lesson_book().steps_done("half-a-turn") == (sitting == 0 ? 0 : 1));
        p->press(key_of('B'));
        CHECK(p->state().answer == "b");
        p->press(Key::space);
        CHECK(p->state().step == 2);
        p->click("lesson.step.1");
        CHECK(p->state().step == 1);
        CHECK(p->state().answer.empty());
        p->click("lesson.step.2");  // as far as it was taken
        CHECK(p->state().step == 2);
        CHECK(p->app().widgets().count("lesson.step.3") == 0);
        p->click("lesson.leave");
        p->click("lessons");
        p->click("lesson.half-a-turn");  // goes on there
        CHECK(p->state().step == 2);
    }
    CHECK(viz::read_lesson_book(book).predictions.size() == 2);
}

TEST_CASE("views become steps of a lesson and answers a table", "[view][pilot][lessons]") {
    const auto p = pilot(view_named("map"));
    if (!p) return;
    const TemporaryFolder folder;
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(folder.path());
    p->click("lessons");
    p->click("lesson.record");
    p->click("lesson.record");
    p->click("lesson.half-a-turn");
    p->press(key_of('A'));
    p->click("lessons");
    p->click("lesson.predictions");
    const Lesson recorded = viz::load_lesson("my-lesson.toml");
    const std::string table = content_of("whorl-predictions.csv");
    std::filesystem::current_path(before);
    REQUIRE(recorded.steps.size() == 2);
    CHECK(viz::state_of_step(recorded, "my-lesson.toml", 1).view == "map");
    CHECK(table.find("\nhalf-a-turn,1,") != std::string::npos);
}

TEST_CASE("a lesson that is not there is said and left", "[view][pilot][lessons]") {
    ViewState state;
    state.lesson = "half-a-trun";
    const auto p = pilot(state);
    if (!p) return;
    p->press(Key::space);
    CHECK(p->state().lesson.empty());
    CHECK(p->app().figure().has_value());
}
