// The overview of a sweep: which dots are shown, where, in which class, and what is said of them.
#include "viz/panels/overview.hpp"

#include <algorithm>
#include <set>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/viz/figure_marks.hpp"
#include "viz/paint/figure_csv.hpp"
#include "viz/panels/overview_axis.hpp"
#include "viz/panels/overview_classes.hpp"
#include "viz/plot/text_runs.hpp"

using namespace whorl;
using namespace whorl::test;
using Catch::Matchers::ContainsSubstring;
using Indices = std::vector<std::size_t>;

namespace {

const std::vector<double> kRates = {0.001, 0.002, 0.004, 0.008};

/// Two models × four rates: mamba3 learns from 0.004 on, mamba2 never.
viz::OverviewData two_models() {
    viz::OverviewData data;
    data.title = "models";
    data.keys = {{"model", "", "", false, {{"mamba3", plot::Role::mamba3}, {"mamba2", plot::Role::mamba2}}},
                 {"learning_rate"},
                 {"accuracy", "scaled accuracy at size 80", "%", true, {}},
                 {"steps", "", "", true, {}}};
    for (const char* model : {"mamba3", "mamba2"})
        for (std::size_t r = 0; r < kRates.size(); ++r) {
            const std::string name = std::string(model) + "@" + std::to_string(r);
            const double accuracy = model == std::string("mamba3") && r >= 2 ? 97.0 + static_cast<double>(r) : 1.5;
            data.dots.push_back({name, "runs/" + name, {std::string(model), kRates[r], accuracy, 100.0}});
        }
    return data;
}

viz::OverviewChoice choice_of(const std::string& filter, const std::string& sort = "") {
    viz::OverviewChoice choice;
    choice.filter = filter, choice.sort = sort;
    return choice;
}

/// Every dot that a figure shows, by what opens it.
std::map<std::string, plot::Point> shown(const plot::Figure& figure) {
    std::map<std::string, plot::Point> dots;
    for (const plot::Mark& mark : panel_of(figure, "runs").marks)
        if (const auto* points = std::get_if<plot::Points>(&mark))
            for (std::size_t i = 0; i < points->points.size(); ++i)
                dots.emplace(points->opens.at(i), points->points[i]);
    return dots;
}

std::string refusal(const std::string& filter) {
    return message_of<UserError>([&] { viz::filtered(two_models(), filter); });
}

}  // namespace

TEST_CASE("a filter keeps the replicas for which all its conditions hold", "[viz][overview]") {
    const viz::OverviewData data = two_models();
    CHECK(viz::filtered(data, "").size() == 8);
    CHECK(viz::filtered(data, "model=mamba3") == Indices{0, 1, 2, 3});
    CHECK(viz::filtered(data, " model != mamba3 ") == Indices{4, 5, 6, 7});
    CHECK(viz::filtered(data, "learning_rate>=0.004") == Indices{2, 3, 6, 7});
    CHECK(viz::filtered(data, "learning_rate>0.004 and accuracy<50") == Indices{7});
    CHECK(viz::filtered(data, "learning_rate=4e-3 and model=mamba2") == Indices{6});
    CHECK(viz::filtered(data, "accuracy<=1.5 and learning_rate<0.002") == Indices{0, 4});
    CHECK(viz::filtered(data, "model=8").empty());
}

TEST_CASE("what is not known passes no condition but that it is not so", "[viz][overview]") {
    viz::OverviewData data = two_models();
    data.dots[0].known[2] = {};
    CHECK(viz::filtered(data, "accuracy<50") == Indices{1, 4, 5, 6, 7});
    CHECK(viz::filtered(data, "accuracy!=1.5") == Indices{0, 2, 3});
    CHECK(viz::sorted(data, {0, 1, 2}, "accuracy") == Indices{1, 2, 0});
    CHECK(viz::sorted(data, {0, 1, 2}, "-accuracy") == Indices{2, 1, 0});
    CHECK(shown(viz::overview_figure(data, {})).count("runs/mamba3@0") == 0);
    CHECK_THAT(viz::overview_figure(data, {}).subtitle, ContainsSubstring("1 without such a value"));
}

TEST_CASE("a filter that is none is refused by name", "[viz][overview]") {
    CHECK_THAT(refusal("accuracy"), ContainsSubstring("KEY OP VALUE"));
    CHECK_THAT(refusal("accurcy>=90"), ContainsSubstring("did you mean 'accuracy'"));
    CHECK_THAT(refusal("accuracy>="), ContainsSubstring("the value is missing"));
    CHECK_THAT(refusal("model>mamba2"), ContainsSubstring("only numbers are smaller or larger"));
    CHECK_THAT(message_of<UserError>([] { viz::overview_figure(two_models(), choice_of("accuracy>100.5")); }),
               ContainsSubstring("none of 8 replicas has 'accuracy>100.5'"));
    CHECK_THAT(message_of<UserError>([] { viz::overview_figure(two_models(), choice_of("", "-lr")); }),
               ContainsSubstring("unknown key 'lr'"));
    CHECK_THAT(message_of<UserError>([] { viz::overview_figure({}, {}); }), ContainsSubstring("no finished run"));
}

TEST_CASE("every replica is a dot at its accuracy that knows what opens it", "[viz][overview]") {
    const viz::OverviewData data = two_models();
    const plot::Figure figure = viz::overview_figure(data, {});
    CHECK(sound(figure));
    const auto dots = shown(figure);
    REQUIRE(dots.size() == 8);
    for (const viz::OverviewDot& dot : data.dots) {
        const plot::Point at = dots.at(dot.opens);
        CHECK(at.y == std::get<double>(dot.known[2]));
        // In its model's half: names stand in their order.
        CHECK((at.x < 0.5) == (std::get<std::string>(dot.known[0]) == "mamba2"));
    }
    CHECK(figure.claim == "2 of 8 replicas reach 90 %, only with model mamba3");
    const plot::Panel& panel = panel_of(figure, "runs");
    CHECK(panel.x.ticks.at(0).text == "mamba2");
    CHECK(panel.x.ticks.at(1).text == "mamba3");
    CHECK(mark_of<plot::Rule>(panel, "pass").at == 90);
    CHECK_THAT(figure.words.front(), ContainsSubstring("model mamba2: 0 of 4 replicas reach 90 %"));
    CHECK_THAT(plot::plain_text(figure.words.back()),
               ContainsSubstring("model, learning_rate and accuracy."));  // steps are all alike
    CHECK_THAT(plot::figure_csv(figure), ContainsSubstring("mamba3@3: scaled accuracy at size 80 100 %"));
}

TEST_CASE("names on an axis come in the order of what is sorted by", "[viz][overview]") {
    const plot::Figure figure = viz::overview_figure(two_models(), choice_of("", "-accuracy"));
    CHECK(panel_of(figure, "runs").x.ticks.at(0).text == "mamba3");
    CHECK_THAT(figure.words[2], ContainsSubstring("In order of -accuracy: mamba3@3"));
}

TEST_CASE("keys that suit are chosen where none is named", "[viz][overview]") {
    const viz::OverviewChoice choice = viz::resolved(two_models(), {});
    CHECK(choice.x == "model");
    CHECK(choice.y == "accuracy");
    CHECK(choice.colour == "learning_rate");
    viz::OverviewChoice given;
    given.x = "learning_rate";
    CHECK(viz::resolved(two_models(), given).colour == "model");
}

TEST_CASE("a class has its model's hue whatever the filter leaves", "[viz][overview]") {
    const viz::OverviewData data = two_models();
    for (const char* filter : {"", "model=mamba2"}) {
        const auto classes = viz::overview_classes(data, viz::filtered(data, filter), 0);
        const auto mamba2 = std::find_if(classes.begin(), classes.end(),
                                         [](const viz::OverviewClass& one) { return one.label == "mamba2"; });
        REQUIRE(mamba2 != classes.end());
        CHECK(mamba2->role == plot::Role::mamba2);
        CHECK(mamba2->members.size() == 4);
    }
}

TEST_CASE("classes differ in hue or shape and hold every dot once", "[viz][overview]") {
    viz::OverviewData data;
    data.keys = {{"number"}, {"name"}};
    for (int i = 0; i < 40; ++i)
        data.dots.push_back({"", "", {0.5 * i, std::string(1, static_cast<char>('a' + (i * i) % 11))}});
    Indices all;
    for (std::size_t i = 0; i < 40; ++i) all.push_back(i);
    for (const std::size_t key : {0U, 1U}) {
        const auto classes = viz::overview_classes(data, all, key);
        CHECK(classes.size() > 2);
        CHECK(classes.size() <= 8);
        std::set<std::tuple<plot::Role, plot::Shape, bool>> looks;
        Indices members;
        for (const viz::OverviewClass& one : classes) {
            looks.emplace(one.role, one.shape, one.hollow);
            members.insert(members.end(), one.members.begin(), one.members.end());
        }
        CHECK(looks.size() == classes.size());
        std::sort(members.begin(), members.end());
        CHECK(members == all);
    }
    const auto ranges = viz::overview_classes(data, all, 0);
    REQUIRE(ranges.size() == 4);
    CHECK(ranges[0].label == "0 … 4.5");
    CHECK(ranges[3].label == "15 … 19.5");
    for (const viz::OverviewClass& one : ranges) CHECK(one.members.size() == 10);
}

TEST_CASE("few numbers stand at even places and many on a scale", "[viz][overview]") {
    viz::OverviewData data;
    data.keys = {{"few"}, {"many"}, {"rates"}, {"came_out", "", "", true, {}}};
    Indices all;
    for (std::size_t i = 0; i < 12; ++i) {
        const auto n = static_cast<double>(i);
        data.dots.push_back({"", "", {std::pow(2, i % 3), n, 1e-4 * std::pow(2, n), n < 6 ? 3.0 : 4.0}});
        all.push_back(i);
    }
    const viz::OverviewAxis few = viz::overview_axis(data, all, 0, false);
    CHECK(few.places.size() == 3);
    CHECK(few.at[5] == 2);
    CHECK(few.axis.ticks.at(2).text == "4");
    const viz::OverviewAxis many = viz::overview_axis(data, all, 1, false);
    CHECK(many.places.empty());
    CHECK(many.at[7] == 7);
    CHECK(many.axis.scale == plot::Scale::linear);
    CHECK(viz::overview_axis(data, all, 2, false).axis.scale == plot::Scale::log);
    CHECK(viz::overview_axis(data, all, 3, false).places.empty());  // a result is measured, not chosen
}

TEST_CASE("dots of one place that would cover each other stand apart within it", "[viz][overview]") {
    std::vector<double> x(30, 2.0), y(30, 100.0);
    x.push_back(2), y.push_back(0);
    x.push_back(3), y.push_back(100);
    viz::spread(x, y, 4);
    std::set<double> places(x.begin(), x.begin() + 30);
    CHECK(places.size() == 30);
    CHECK(*places.begin() > 1.5);
    CHECK(*places.rbegin() < 2.5);
    CHECK(*places.begin() + *places.rbegin() == Approx(4));
    CHECK(x[30] == 2);  // alone at its height
    CHECK(x[31] == 3);
}

TEST_CASE("long names take two lines of an axis and keep clear of its label", "[viz][overview]") {
    viz::OverviewData data = two_models();
    for (viz::OverviewDot& dot : data.dots)
        if (dot.known[0] == viz::Known(std::string("mamba2"))) dot.known[0] = std::string("mamba3-no-rope");
    const plot::Figure figure = viz::overview_figure(data, {});
    CHECK_THAT(panel_of(figure, "runs").x.ticks.at(1).text, ContainsSubstring("mamba3-\n"));
    CHECK(sound(figure));
}
