// The explorer as a hand would use it.
#include "tests/view/pilot.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <set>
#include <thread>

#include "app/run/model_task.hpp"
#include "app/run/session.hpp"
#include "app/run/setup.hpp"
#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "core/io/checkpoint_file.hpp"
#include "core/model/parameter_layout.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace whorl;
using namespace whorl::view;
using viz::ViewState;

TEST_CASE("a newcomer predicts and then is shown", "[view][pilot]") {
    const auto p = pilot();
    if (!p) return;
    CHECK(p->claim() == "What does each do at the next 1?");
    p->click("show");  // too early: nothing is given away
    CHECK_FALSE(p->state().shown);
    p->click("landing.0.1");
    p->click("landing.1.0");
    CHECK(p->state().predicted == "ba-");
    p->click("landing.1.1");  // a second thought
    p->click("landing.2.1");
    CHECK(p->state().predicted == "bbb");
    p->click("show");
    CHECK(p->state().shown);
    CHECK(p->claim() == "One picture, three verbs");
    p->click("landing.0.0");  // decided is decided
    CHECK(p->state().predicted == "bbb");
    p->click("show");  // goes on with the token that was asked about
    CHECK(p->state().text == "01101");
    CHECK_FALSE(p->state().shown);
    CHECK(p->claim() == "What does each do at the next 1?");
}

TEST_CASE("every view opens by its button and every group by its key", "[view][pilot]") {
    const auto p = pilot();
    if (!p) return;
    char digit = '0';
    std::string group;
    for (const viz::DeskView& view : viz::desk_views()) {
        INFO(view.name);
        const bool first = group != view.group;
        group = view.group;
        if (first) {
            p->click(std::string("view.") + view.name);
            CHECK(p->state().view == view.name);
            p->click("view.start");
            p->press(key_of(++digit), false, true);
        } else {
            p->click(std::string("figure.") + view.name);
        }
        CHECK(p->state().view == view.name);
        CHECK(p->app().figure().has_value() != view.live);
    }
    REQUIRE(digit <= '9');
}

TEST_CASE("keys move, type and erase, and undo takes each back", "[view][pilot]") {
    const auto p = pilot();
    if (!p) return;
    p->press(Key::left);
    CHECK(p->state().cursor == 3);
    p->press(key_of('1'));  // behind the cursor: the fourth token is gone
    CHECK(p->state().text == "0111");
    p->press(key_of('7'));  // no token of parity
    CHECK(p->state().text == "0111");
    p->press(Key::backspace);
    CHECK(p->state().text == "011");
    p->press(key_of('L'));
    CHECK(p->state().theme == "dark");
    p->press(key_of('B'));
    CHECK(p->state().theme == "projector");
    const ViewState last = p->state();
    for (int i = 0; i < 5; ++i) p->press(key_of('Z'), true);
    CHECK(p->state() == ViewState{});
    for (int i = 0; i < 5; ++i) p->press(key_of('Y'), true);
    CHECK(p->state() == last);
    p->press(key_of('R'));
    CHECK(p->state().text == "0110");
    for (int i = 0; i < 9; ++i) p->press(Key::left);
    CHECK(p->state().cursor == 1);
    p->press(Key::right, false, false, true);
    CHECK(p->state().cursor == -1);
}

TEST_CASE("the start screen offers what was seen last", "[view][pilot]") {
    const auto p = pilot();
    if (!p) return;
    CHECK(p->app().widgets().count("card.last") == 0);
    ViewState last = view_named("ledger");
    last.theme = "dark";
    p->app().offer(last, "Ledger");
    p->press(Key::equal, true);
    p->click("card.last");
    CHECK(p->state().view == "ledger");
    CHECK(p->state().theme == "light");
    CHECK(p->state().scale == 1.1);
}

TEST_CASE("control with plus, minus and nought changes the scale", "[view][pilot]") {
    const auto p = pilot();
    if (!p) return;
    p->press(Key::equal, true);
    p->press(Key::keypad_add, true);
    CHECK(p->state().scale == 1.25);
    CHECK(p->app().scale() == 1.25);
    p->press(Key::minus, true);
    CHECK(p->state().scale == 1.1);
    p->press(Key::digit_0, true);
    CHECK(p->state() == ViewState{});  // and nothing was typed
    p->press(Key::keypad_subtract, true);
    CHECK(p->state().scale == 0.9);
}

TEST_CASE("every view can be read in every theme, large and small", "[view][pilot]") {
    for (const viz::DeskView& view : viz::desk_views())
        for (const char* theme : {"light", "dark", "projector"}) {
            ViewState state;
            state.view = view.name;
            state.theme = theme;
            const auto p = pilot(state);
            if (!p) return;
            INFO(view.name << " " << theme);
            const plot::Image picture = p->app().still();
            // Ink in the bar, in the middle and at the foot.
            const auto inked = [&](int from, int to) {
                std::size_t found = 0;
                const std::uint8_t* ground = &picture.rgba[4 * static_cast<std::size_t>(from * picture.width + 1)];
                for (int y = from; y < to; ++y)
                    for (int x = 0; x < picture.width; ++x) {
                        const std::uint8_t* pixel = &picture.rgba[4 * static_cast<std::size_t>(y * picture.width + x)];
                        found += pixel[0] != ground[0] || pixel[1] != ground[1] || pixel[2] != ground[2];
                    }
                return found;
            };
            CHECK(inked(0, 48) > 500);
            CHECK(inked(60, 640) > (view.live ? 300 : 3000));
        }
}

TEST_CASE("the next model is shown by key and by button and stays in other views", "[view][pilot]") {
    ViewState state;
    state.view = "dials";
    const auto p = pilot(state);
    if (!p) return;
    p->press(key_of('M'));
    REQUIRE(p->state().models.size() == 1);
    const std::string first = p->state().models[0];
    p->click("model");
    CHECK(p->state().models.at(0) != first);
    const auto chosen = p->state().models;
    p->click("view.needle");
    CHECK(p->state().models == chosen);
    p->click("view.start");
    CHECK(p->state().models.empty());
    p->click("view.dials");
    CHECK(p->state().models == chosen);
}

TEST_CASE("a training is begun, seen, paused, stepped and begun anew", "[view][pilot]") {
    ViewState state;
    state.view = "train";
    const auto p = pilot(state);
    if (!p) return;
    p->click("train.play");
    const auto comes_true = [&](const auto& condition) {
        for (int i = 0; i < 2000 && !condition(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            p->app().one_frame();
        }
        return condition();
    };
    REQUIRE(comes_true([&] { return p->app().figure().has_value(); }));
    REQUIRE(p->app().live() != nullptr);
    p->press(Key::space);
    CHECK(p->app().live()->wanted() == viz::LiveWish::pause);
    REQUIRE(comes_true([&] { return p->app().live()->newest()->waits; }));
    const std::int64_t step = p->app().live()->newest()->step;
    p->click("train.step");
    REQUIRE(comes_true([&] { return p->app().live()->newest()->step == step + 1; }));
    p->press(Key::down);  // back to the beginning
    CHECK(p->state().moment >= 0);
    CHECK(p->app().panes().count("live.dial") == 1);
    p->drag(p->within("train.moment", 0.0f), p->within("train.moment", 1.0f));
    CHECK(p->state().moment == -1);
    p->press(key_of('B'));  // for a projector two panels of it
    CHECK(p->app().panes().at("a").figure.panels.size() == 2);
    p->press(key_of('B'));
    p->click("view.start");  // it waits meanwhile
    CHECK(p->app().widgets().count("landing.0.0") == 1);
    p->click("view.train");
    CHECK(p->app().figure().has_value());
    p->click("train.play");
    REQUIRE(comes_true([&] { return p->app().live()->newest()->step > step + 1; }));
    p->click("train.new");
    CHECK(p->app().live()->plan().set.at(3) == "replicas.first_seed=1");
    p->click("train.play");
    CHECK(p->app().live()->wanted() == viz::LiveWish::pause);
}

TEST_CASE("a slider is dragged as one gesture and moved by keys", "[view][pilot]") {
    const auto p = pilot(view_named("error"));
    if (!p) return;
    p->drag(p->within("control.lambda", 0.5f), p->within("control.lambda", 0.8f));
    CHECK(viz::value_of(p->state(), "lambda") > 0.75);
    p->press(key_of('Z'), true);
    CHECK(p->state().settings.empty());
    p->press(Key::up);  // of what was held last
    CHECK(viz::value_of(p->state(), "lambda") == Approx(0.52));
    p->press(Key::tab);
    p->press(Key::up);  // of the next one
    CHECK(viz::value_of(p->state(), "moves") == Approx(0.9 / 50));
    p->click("control.held");
    CHECK(viz::value_of(p->state(), "held") == 1);
    p->click("control.sampled.middle");
    CHECK(viz::value_of(p->state(), "sampled") == 2);
}

TEST_CASE("all that is clicked can be reached by keys", "[view][pilot]") {
    const auto p = pilot();
    if (!p) return;
    const std::size_t count = p->app().widgets().size();
    std::set<std::string> reached;
    for (std::size_t i = 0; i < count; ++i) {
        p->press(Key::tab);
        reached.insert(p->app().focus());
    }
    CHECK(reached.size() == count);
    while (p->app().focus() != "landing.1.2") p->press(Key::tab);
    p->press(Key::enter);
    CHECK(p->state().predicted == "-c-");
    p->press(Key::tab, false, false, true);
    CHECK(p->app().focus() == "landing.1.1");
    p->press(Key::space);
    CHECK(p->state().predicted == "-b-");
    p->press(Key::escape);
    CHECK(p->app().focus().empty());
}

TEST_CASE("a column that is too long comes along with the focus and the wheel", "[view][pilot]") {
    ViewState state = view_named("sandbox");
    state.theme = "projector";
    const auto p = pilot(state);
    if (!p) return;
    const auto place = [&] { return p->app().widgets().at("control.lambda").low.y; };
    const float below = place();
    REQUIRE(below > 720);
    while (p->app().focus() != "control.lambda") p->press(Key::tab);
    CHECK(place() < 700);
    send_mouse_position(100, 400);
    send_wheel(0, 50);
    p->press(Key::escape);
    CHECK(place() == below);
}

TEST_CASE("a step size is dragged over the error's figure", "[view][pilot]") {
    const auto p = pilot(view_named("error"));
    if (!p) return;
    const double rate = std::hypot(0.35, 2.0);
    const auto at = [&](double dt) {
        return p->place("a", p->app().panes().at("a").figure.panels[0].id, {dt * rate, 1e-3});
    };
    p->drag(at(0.8), at(0.1));
    CHECK(viz::value_of(p->state(), "dt") == Approx(0.1).epsilon(0.02));
    p->press(key_of('Z'), true);
    CHECK(p->state().settings.empty());
}

TEST_CASE("the cursor is dragged through a ledger and set on a tape", "[view][pilot]") {
    const auto p = pilot(view_named("ledger"));
    if (!p) return;
    const ImVec2 later = p->place("a", "drift", {60, 0});
    p->drag(p->place("a", "drift", {100, 0}), later);
    REQUIRE(p->state().cursor > 0);
    const ImVec2 reached = p->place("a", "drift", {static_cast<double>(p->state().cursor), 0});
    CHECK(std::abs(reached.x - later.x) < 6);  // labels may have moved the axis: what counts is where the mouse is
    p->press(key_of('Z'), true);
    CHECK(p->state().cursor == -1);
    p->click("view.dials");
    const ImVec2 third = p->place("a", "tape", {2, 0});
    p->drag(third, third);
    CHECK(p->state().cursor == 3);
}

TEST_CASE("the token's step is shown piece by piece", "[view][pilot]") {
    ViewState state;
    state.view = "dials";
    state.cursor = 5;
    const auto p = pilot(state);
    if (!p) return;
    std::vector<std::size_t> marks;
    for (int beat = 1; beat <= 3; ++beat) {
        p->press(Key::enter);
        CHECK(p->state().beat == beat);
        marks.push_back(p->app().figure()->panels.at(1).marks.size());
    }
    CHECK(marks[0] < marks[1]);
    CHECK(marks[1] < marks[2]);
    p->press(Key::enter);
    CHECK(p->state().cursor == 6);
    CHECK(p->state().beat == 1);
}

TEST_CASE("two states stand beside one another and their difference is drawn", "[view][pilot]") {
    const auto p = pilot(view_named("ledger"));
    if (!p) return;
    const std::string before = p->app().figure()->claim;
    p->press(key_of('C'));
    p->press(key_of('M'));
    REQUIRE(p->app().panes().count("b") == 1);
    CHECK(p->app().panes().at("b").figure.claim == before);
    CHECK(p->app().panes().at("a").figure.claim != before);
    CHECK(p->app().panes().at("a").high.x <= p->app().panes().at("b").low.x);
    p->press(key_of('D'));
    CHECK(p->app().figure()->id == "ledger-difference");
    p->press(key_of('D'));
    p->press(key_of('C'));
    CHECK(p->state().beside.empty());
    CHECK_FALSE(p->state().difference);
}

TEST_CASE("links and texts are pasted, and nothing else", "[view][pilot]") {
    const auto p = pilot();
    if (!p) return;
    ImGui::SetClipboardText(" 0011 0\n");
    p->press(key_of('V'), true);
    CHECK(p->state().text == "00110");
    ImGui::SetClipboardText("whorl:1?view=ledger&cursor=12");
    p->press(key_of('V'), true);
    CHECK(p->state().view == "ledger");
    CHECK(p->state().cursor == 12);
    const ViewState before = p->state();
    for (const char* odd : {"whorl:9?x", "abc", ""}) {
        ImGui::SetClipboardText(odd);
        p->press(key_of('V'), true);
        CHECK(p->state() == before);
    }
    p->press(key_of('C'), true);
    CHECK(viz::read_link(ImGui::GetClipboardText()).state == before);
}

TEST_CASE("signs of sums are typed as the keyboard makes them", "[view][pilot]") {
    const RunSetup setup = set_up(load_recipe("arithmetic-quick", {}));
    const TemporaryFolder folder;
    const std::string path = folder / "sums.safetensors";
    save_model(path, setup.model, std::vector<double>(ParameterLayout(setup.model).slice(), 0.0),
               stored_task(setup.task));
    ViewState state;
    state.view = "dials";
    state.models = {path};
    state.text = "3";
    const auto p = pilot(state);
    if (!p) return;
    for (const char sign : {'+', '?', '%'}) {  // the others are a key of the window, and no token
        ImGui::GetIO().AddInputCharacter(static_cast<unsigned>(sign));
        p->app().one_frame();
    }
    p->press(key_of('4'));
    CHECK(p->state().text == "3+4");
}

TEST_CASE("the tape plays to its end and stops", "[view][pilot]") {
    const auto p = pilot();
    if (!p) return;
    p->click("again");
    CHECK(p->app().plays());
    CHECK(p->state().cursor == 1);
    for (int i = 0; i < 600 && p->app().plays(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        p->app().one_frame();
    }
    CHECK_FALSE(p->app().plays());
    CHECK(p->state().cursor == -1);
    p->click("again");
    p->press(key_of('L'));  // what is done meanwhile ends it
    CHECK_FALSE(p->app().plays());
}

TEST_CASE("the start screen leads on", "[view][pilot]") {
    const auto p = pilot();
    if (!p) return;
    p->click("card.trained");
    CHECK(p->state().view == "dials");
    p->click("view.start");
    p->click("card.train");
    CHECK(p->state().view == "train");
    p->click("view.start");
    p->click("card.lessons");
    CHECK(p->app().widgets().count("lesson.turn-slide-flip") == 1);
}

TEST_CASE("a view is written beside what is there", "[view][pilot]") {
    const auto p = pilot();
    if (!p) return;
    const TemporaryFolder folder;
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(folder.path());
    p->press(key_of('E'));
    p->press(key_of('E'));
    std::filesystem::current_path(before);
    for (const char* name : {"whorl-start.svg", "whorl-start.png", "whorl-start.csv", "whorl-start-2.csv"})
        CHECK(std::filesystem::exists(std::filesystem::path(folder.path()) / name));
}

TEST_CASE("the window is closed by its key", "[view][pilot]") {
    const auto p = pilot();
    if (!p) return;
    CHECK(p->open());
    p->press(key_of('Q'), true);
    CHECK_FALSE(p->open());
}

TEST_CASE("what cannot be shown is said in the window", "[view][pilot]") {
    ViewState state;
    state.view = "ledger";
    state.models = {"parity-gdn"};
    const auto p = pilot(state);
    if (!p) return;
    CHECK_FALSE(p->app().figure().has_value());
    p->click("view.start");  // and the way out is open
    CHECK(p->app().figure().has_value());
}

TEST_CASE("a dot of the overview opens what it stands for and two stand beside one another",
          "[view][pilot][overview]") {
    const auto p = pilot(view_named("overview"));
    if (!p) return;
    const auto dot = [&](const std::string& opens) {
        for (const plot::Mark& mark : p->app().panes().at("a").figure.panels.at(0).marks)
            if (const auto* points = std::get_if<plot::Points>(&mark))
                for (std::size_t i = 0; i < points->opens.size(); ++i)
                    if (points->opens[i] == opens) return p->place("a", "runs", points->points[i]);
        throw std::out_of_range("no dot " + opens);
    };
    const ImVec2 needle = dot("needle-gdn"), parity = dot("parity-gdn-smoothed");
    p->drag(needle, needle);
    CHECK(p->state().view == "needle");
    CHECK(p->state().models == std::vector<std::string>{"needle-gdn"});
    p->press(key_of('Z'), true);
    CHECK(p->state().view == "overview");
    send_modifiers(false, true, false);
    p->drag(needle, needle);
    CHECK(p->state().view == "overview");
    p->drag(parity, parity);
    send_modifiers(false, false, false);
    CHECK(p->state().models == std::vector<std::string>{"parity-gdn-smoothed"});
    CHECK(viz::beside_of(p->state()).models == std::vector<std::string>{"needle-gdn"});
}

TEST_CASE("the overview's lists and its filter choose by any key", "[view][pilot][overview]") {
    const auto p = pilot(view_named("overview"));
    if (!p) return;
    CHECK(p->app().widgets().count("overview.x.task") == 0);
    p->click("overview.x");
    p->click("overview.x.task");
    CHECK(p->state().x == "task");
    CHECK(p->app().widgets().count("overview.x.task") == 0);
    p->click("overview.sort");
    p->click("overview.sort.accuracy");
    p->click("overview.falls");
    CHECK(p->state().sort == "-accuracy");
    p->click("overview.filter");
    for (const char letter : std::string("task=needle")) p->letter(letter);
    CHECK(p->state().theme == "light");  // single keys rest
    p->press(Key::enter);
    CHECK(p->state().filter == "task=needle");
    CHECK(p->app().panes().at("a").figure.subtitle.find("are not task=needle") != std::string::npos);
    p->press(key_of('Z'), true);
    CHECK(p->state().filter.empty());
}

TEST_CASE("a stored run is gone back through by its slider and by keys", "[view][pilot]") {
    const TemporaryFolder folder;
    const RunSetup setup = set_up(
        load_recipe("parity-quick", {"steps=12", "batch=4", "log_every=4", "validation.sizes=[8]",
                                     "validation.count=16", "test.sizes=[8]", "test.count=16", "curriculum.end=12",
                                     "replicas.seeds=1", "replicas.learning_rates=[0.004]", "checkpoint.snapshots=5"}));
    const auto processor = make_cpu_backend(1);
    RunDirectory run = open_or_create(folder / "run", setup);
    train_run(setup, run, *processor, {});
    ViewState state = view_named("train");
    state.models = {folder / "run"};
    const auto p = pilot(state);
    if (!p) return;
    p->app().follow_run(true);
    p->wait(2);
    CHECK(p->app().panes().at("a").figure.id == "training");
    p->click("train.back");
    const std::int64_t before_last = p->state().moment;
    CHECK(before_last > 0);
    CHECK(before_last < 12);
    p->press(Key::down);
    CHECK(p->state().moment < before_last);
    const ImVec2 low = p->within("train.moment", 0.01F), high = p->within("train.moment", 0.99F);
    p->drag(high, low);
    CHECK(p->state().moment == 0);
    p->drag(low, high);
    CHECK(p->state().moment == -1);
    p->click("train.play");  // another one, made here
    CHECK(p->state().models.empty());
    REQUIRE(p->app().live() != nullptr);
}

TEST_CASE("a handle of the sandbox is dragged as one gesture", "[view][pilot]") {
    const auto p = pilot(viz::read_link("whorl:1?view=sandbox&preset=number&text=10").state);
    if (!p) return;
    const ViewState before = p->state();
    p->drag(p->place("a", "dial", {0, -1}), p->place("a", "dial", {-1, 0}));
    CHECK(std::abs(viz::value_of(p->state(), "turn0") - 180) <= 2);
    CHECK(viz::is_set(p->state(), "fan"));
    p->press(key_of('Z'), true);
    CHECK(p->state() == before);
    // A press that does not move sets nothing.
    const ImVec2 tip = p->place("a", "dial", {0, -1});
    p->drag({tip.x + 4, tip.y}, {tip.x + 4, tip.y});
    CHECK(p->state() == before);
    p->click("control.preset.flip");
    CHECK(p->app().widgets().count("control.turn1") == 0);
    CHECK(p->app().widgets().count("control.beta1") == 1);
    p->press(key_of('1'));  // typed behind what was read
    CHECK(p->state().text == "101");
}
