// Lessons as files: what ships is sound, and what is written wrongly is named with its place.
#include "viz/lessons/lesson.hpp"

#include <algorithm>
#include <fstream>

#include "core/base/error.hpp"
#include "core/io/atomic_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"
#include "viz/lessons/answer.hpp"
#include "viz/lessons/condition.hpp"
#include "viz/lessons/handout.hpp"
#include "viz/lessons/lesson_book.hpp"
#include "viz/lessons/lesson_faults.hpp"
#include "viz/lessons/marked_text.hpp"
#include "viz/lessons/recording.hpp"
#include "viz/lessons/stage.hpp"
#include "viz/state/controls.hpp"

using namespace whorl;
using namespace whorl::viz;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string refusal(const std::string& text) {
    return message_of<UserError>([&] { read_lesson(text, "mine.toml"); });
}

LessonStep step_of(const std::string& lines) {
    return read_lesson("title = \"T\"\n[[step]]\nstate = \"view=ledger\"\nsay = \"x\"\n" + lines, "mine.toml").steps[0];
}

Scene scene_at(std::int64_t cursor, const std::string& answer = "") {
    Scene scene;
    scene.read.cursor = cursor;
    scene.state.answer = answer;
    return scene;
}

LessonQuestion number_question(double right, double within, double period) {
    LessonQuestion asked;
    asked.kind = QuestionKind::number;
    asked.right = right, asked.within = within, asked.period = period, asked.unit = "°";
    return asked;
}

std::size_t count_of(const std::string& text, const std::string& what) {
    std::size_t count = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
    return count;
}

}  // namespace

TEST_CASE("the lessons that ship are sound, short and can be done", "[viz][lessons]") {
    REQUIRE(lesson_files().size() == 11);
    Desk desk;
    for (const LessonFile& file : lesson_files()) {
        const Lesson lesson = load_lesson(file.name);
        INFO(file.name);
        CHECK(lesson.steps.size() >= 2);
        CHECK(lesson.steps.size() <= 4);
        CHECK_FALSE(lesson.needs.empty());
        std::size_t place = 0;
        for (const StepFinding& found : play_through(desk, lesson, file.name)) {
            INFO("step " << ++place);
            for (const std::string& fault : found.faults) FAIL_CHECK(fault);
            const LessonStep& step = lesson.steps[place - 1];
            CHECK((step.predict || step.check));
            const ViewState state = state_of_step(lesson, file.name, static_cast<std::int64_t>(place - 1));
            CHECK(read_link(link_of(state)).state == state);
        }
    }
}

TEST_CASE("lessons build on lessons that come before them", "[viz][lessons]") {
    std::vector<std::string> before;
    for (const LessonFile& file : lesson_files()) {
        for (const std::string& need : load_lesson(file.name).needs)
            if (is_lesson(need)) CHECK(std::count(before.begin(), before.end(), need) == 1);
        before.emplace_back(file.name);
    }
}

TEST_CASE("every word of the glossary has one line", "[viz][lessons]") {
    REQUIRE(shared_glossary().size() > 40);
    for (const auto& [word, line] : shared_glossary()) {
        INFO(word);
        CHECK(line.size() > word.size());
        CHECK(line.size() < 170);
        CHECK(line.back() == '.');
    }
}

TEST_CASE("a condition is one comparison of a number or a control", "[viz][lessons]") {
    CHECK(is_met(read_condition("cursor >= 100"), scene_at(100)));
    CHECK_FALSE(is_met(read_condition("cursor > 100"), scene_at(100)));
    CHECK(is_met(read_condition("cursor < 3"), scene_at(2)));
    CHECK(is_met(read_condition("cursor <= 2"), scene_at(2)));
    CHECK(is_met(read_condition("cursor = 2"), scene_at(2)));
    Scene scene;
    scene.state.view = "path";
    scene.state = with_value(scene.state, "rotation", 2.05);
    CHECK(is_met(read_condition("rotation = 2 +- 0.1"), scene));
    CHECK_FALSE(is_met(read_condition("rotation = 2 +- 0.01"), scene));
    scene.state = with_value(scene.state, "rule", 0);
    CHECK(is_met(read_condition("rule = forward-euler"), scene));
    CHECK_FALSE(is_met(read_condition("drift > 0"), scene));  // a number that this view does not have
}

TEST_CASE("a step is predicted, then done, then looked back at", "[viz][lessons]") {
    const LessonStep step = step_of(
        "done = \"cursor >= 9\"\nallow = [\"cursor\"]\n[step.predict]\nask = \"?\"\nchoices = [\"a\", \"b\"]\n"
        "[step.check]\nask = \"!\"\nkind = \"number\"\nright = 3\n");
    CHECK(stage_of(step, scene_at(1)) == Stage::predict);
    CHECK(stage_of(step, scene_at(9)) == Stage::predict);
    CHECK(stage_of(step, scene_at(1, "b")) == Stage::act);
    CHECK(stage_of(step, scene_at(9, "b")) == Stage::check);
    CHECK(stage_of(step, scene_at(9, "b~3")) == Stage::over);
    ViewState from, moved = from, turned;
    moved.cursor = 2;
    turned = with_value(moved, "decay", 1);
    CHECK(forbidden_change(step, Stage::predict, from, moved) == "cursor");
    CHECK(forbidden_change(step, Stage::act, from, moved).empty());
    CHECK(forbidden_change(step, Stage::act, from, turned) == "decay");
    ViewState answered = with_answer(from, "b"), dark = from, next = turned;
    dark.theme = "dark";
    next.step = 2;
    for (const ViewState& to : {answered, dark, next}) CHECK(forbidden_change(step, Stage::predict, from, to).empty());
}

TEST_CASE("answers are right within what the question gives", "[viz][lessons]") {
    const LessonQuestion angle = number_question(216, 1, 360);
    for (const char* right : {"216", "-144", "215.5", "576"}) CHECK(is_right(angle, right) == true);
    for (const char* wrong : {"144", "-216", "218", "x", ""}) CHECK(is_right(angle, wrong) == false);
    CHECK(answer_words(angle, "-144") == "-144°");
    CHECK(right_words(angle) == "216°, or up to 1° off");
    LessonQuestion bet;
    bet.choices = {"red", "blue"};
    CHECK_FALSE(is_right(bet, "b").has_value());
    CHECK(answer_words(bet, choice_answer(1)) == "blue");
    CHECK_FALSE(answer_value(bet, "c").has_value());
    CHECK(answers_of(with_answer(with_answer({}, "b"), "-3")) == std::vector<std::string>{"b", "-3"});
}

TEST_CASE("a lesson's mistakes are named with their place", "[viz][lessons]") {
    const std::string head = "title = \"T\"\n[[step]]\nstate = \"view=map\"\nsay = \"x\"\n";
    const std::string ask = head + "[step.check]\nask = \"?\"\n";
    CHECK_THAT(refusal("title = \"T\""), ContainsSubstring("a lesson has one at least"));
    CHECK_THAT(refusal(head + "sate = \"view=map\""), ContainsSubstring("state"));
    CHECK_THAT(refusal("title = \"T\"\n[[step]]\nstate = \"veiw=map\""),
               ContainsSubstring("mine.toml: step 1: link: this version does not know"));
    CHECK_THAT(refusal(head + "done = \"curser > 3\""), ContainsSubstring("'cursor'"));
    CHECK_THAT(refusal(head + "done = \"cursor ~ 3\""), ContainsSubstring("unknown comparison"));
    CHECK_THAT(refusal(head + "done = \"cursor > x\""), ContainsSubstring("no number"));
    CHECK_THAT(refusal(head + "done = \"rule = billinear\""), ContainsSubstring("bilinear"));
    CHECK_THAT(refusal(head + "allow = [\"rul\"]"), ContainsSubstring("'rule'"));
    CHECK_THAT(refusal(head + "hide = [\"plane\"]"), ContainsSubstring("goes with 'predict'"));
    CHECK_THAT(refusal(ask + "choices = [\"a\"]"), ContainsSubstring("two to five"));
    CHECK_THAT(refusal(ask + "choices = [\"a\", \"b\"]\nright = 3"), ContainsSubstring("place of a choice"));
    CHECK_THAT(refusal(ask + "kind = \"nubmer\""), ContainsSubstring("number"));
    CHECK_THAT(refusal("title = \"T\"\n[[step]]\nsay = \"{drfit}\""), ContainsSubstring("'drift'"));
    CHECK_THAT(refusal("title = \"T\"\n[[step]]\nsay = \"a [[hing]]\""), ContainsSubstring("'hinge'"));
    CHECK_THAT(refusal("title = \"T\"\nneeds = [\"two-tap\"]\n[[step]]\nsay = \"a\""), ContainsSubstring("'two-taps'"));
    CHECK_THAT(message_of<UserError>([] { load_lesson("half-a-trun"); }), ContainsSubstring("'half-a-turn'"));
}

TEST_CASE("a lesson is judged by its figures", "[viz][lessons]") {
    const auto faults = [](const std::string& lines) {
        Desk desk;
        const Lesson lesson = read_lesson("title = \"T\"\n[[step]]\n" + lines, "mine.toml");
        std::string all;
        const StepFinding finding = play_through(desk, lesson, "mine.toml").at(0);
        for (const std::string& fault : finding.faults) all += fault + "\n";
        return all;
    };
    CHECK(faults("state = \"view=map\"\nshow = [\"plane\"]").empty());
    CHECK_THAT(faults("state = \"view=map\"\nshow = [\"plan\"]"), ContainsSubstring("'plane'"));
    CHECK_THAT(faults("state = \"view=map\"\nsay = \"{drift}\""), ContainsSubstring("{drift} says nothing"));
    CHECK_THAT(faults("state = \"view=map\"\ndone = \"rule = bilinear\""),
               ContainsSubstring("before anything is done"));
    CHECK_THAT(faults("state = \"view=map\"\ndone = \"rule = forward-euler\"\nallow = [\"view\"]"),
               ContainsSubstring("allow leaves out 'rule'"));
    CHECK_THAT(faults("state = \"view=dials&models=parity-mamba3&text=01\"\ndone = \"cursor >= 5\""),
               ContainsSubstring("cannot be reached"));
    CHECK_THAT(faults("state = \"view=ledger&models=parity-gdn\""), ContainsSubstring("cannot be shown"));
}

TEST_CASE("what was done in lessons is kept and comes out as a table", "[viz][lessons]") {
    const TemporaryFolder folder;
    const std::string path = folder / "deep/lessons.toml";
    LessonBook book = read_lesson_book(path);
    book.reach("two-taps", 2);
    book.reach("two-taps", 1);
    LessonQuestion asked = number_question(72, 1, 0);
    asked.ask = "By how much, \"roughly\"?";
    book.take("two-taps", 2, asked, "80");
    write_lesson_book(path, book);
    const LessonBook again = read_lesson_book(path);
    CHECK(again.steps_done("two-taps") == 2);
    CHECK(again.steps_done("half-a-turn") == 0);
    const std::string table = predictions_csv(again);
    CHECK_THAT(table, ContainsSubstring("lesson,step,question,answer,right,time\n"));
    CHECK_THAT(table, ContainsSubstring("two-taps,2,\"By how much, \"\"roughly\"\"?\",80°,no,20"));
    std::ofstream(folder / "bad.toml") << "progress = 3\n";
    CHECK_THAT(message_of<UserError>([&] { read_lesson_book(folder / "bad.toml"); }), ContainsSubstring("progress"));
}

TEST_CASE("a view is recorded as a step, behind what was written by hand", "[viz][lessons]") {
    const TemporaryFolder folder;
    const std::string path = folder / "mine.toml";
    std::ofstream(path) << "# a teacher's own words\ntitle = \"Mine\"\n\n[[step]]\nstate = \"view=map\"\nsay = \"x\"\n";
    Desk desk;
    ViewState state;
    state.view = "path";
    state.theme = "dark";
    state.lesson = "half-a-turn";
    state = with_value(state, "dt", 0.25);
    CHECK(append_step(path, desk, state) == 2);
    const Lesson lesson = load_lesson(path);
    const ViewState recorded = state_of_step(lesson, path, 1);
    CHECK(recorded.view == "path");
    CHECK(value_of(recorded, "dt") == 0.25);
    CHECK(recorded.theme == "light");
    CHECK_FALSE(lesson.steps[1].say.empty());
    CHECK(read_text_file(path, 1 << 20).rfind("# a teacher's own words", 0) == 0);
    CHECK_THAT(message_of<UserError>([&] { append_step(folder / "mine.txt", desk, state); }),
               ContainsSubstring(".toml"));
}

TEST_CASE("a handout holds all of a lesson and nothing from elsewhere", "[viz][lessons]") {
    Desk desk;
    const Lesson lesson = load_lesson("half-a-turn");
    const std::string page = handout(desk, "half-a-turn");
    CHECK(page.rfind("<!DOCTYPE html>", 0) == 0);
    CHECK_THAT(page, ContainsSubstring("<title>" + lesson.title + "</title>"));
    CHECK(count_of(page, "<section>") == lesson.steps.size() + 1);  // and the words
    CHECK(count_of(page, "<details>") == 4);
    CHECK(count_of(page, "<svg") == 2 * 6);  // light and dark; two steps lead to a second figure
    CHECK(count_of(page, "{") == count_of(page, "}"));
    for (const char* outside : {"src=", "href=\"http", "<script", "@import", "url(http"})
        CHECK(count_of(page, outside) == 0);
    CHECK_THAT(page, ContainsSubstring("At bit 96"));
    CHECK_THAT(page, ContainsSubstring("<dt id=\"word-"));
}
