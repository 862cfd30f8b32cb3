// Figures as JSON, CSV and words hold what the figure holds.
#include <cmath>
#include <sstream>

#include "core/config/value.hpp"
#include "tests/support/catch.hpp"
#include "viz/paint/figure_csv.hpp"
#include "viz/paint/figure_json.hpp"
#include "viz/paint/figure_words.hpp"

using namespace whorl;
using namespace whorl::plot;

namespace {

const double kBreak = std::nan("");

Figure every_mark() {
    Panel panel;
    panel.id = "p", panel.x.label = "steps", panel.y.scale = Scale::log, panel.x.ticks = {{0.5, "½"}};
    Style blue;
    blue.role = Role::mamba3, blue.strength = 0.5;
    panel.marks = {Line{"line", {{0, 0.1}, {kBreak, kBreak}, {1, 1.0 / 3}}, blue, "a, \"b\""},
                   Points{"dots", {{1, 2}, {3, 4}}, blue, Shape::disc, true, "", {1, 2.5}},
                   Points{"plain", {{5, 6}}, blue},
                   Arrow{"arrow", {1, 2}, {3, 4}, blue, "B̄x_{t}"},
                   Arc{"arc", {1, 2}, 3, 0.5, -0.25, blue, true, ""},
                   Region{"region", {{1, 1}, {2, 1}, {2, 2}}, blue},
                   Band{"band", Direction::x, 1, INFINITY, blue},
                   Rule{"rule", Direction::y, 0.1, blue},
                   Stems{"stems", {{1, 2}}, blue, -1},
                   Bars{"bars", {{1, 0, 5}}, blue, 0.8},
                   Bars{"flat", {{1, 0, 5}}, blue, 0.5, Direction::x},
                   Grid{"grid", {0, 1, 2}, {0, 1}, {0.25, 1e-300}, 0, 1, false, "found"},
                   Text{"text", {1, 2}, "**E**nd", blue}};
    Figure figure;
    figure.id = "all", figure.claim = "All **marks** of e^{2}", figure.subtitle = "a = b", figure.panels = {panel};
    figure.words = {"One two three four five.", "Six."}, figure.source = "whorl figure all";
    return figure;
}

const Value& at(const Value& value, std::string_view key) {
    const Value* found = find(value, key);
    REQUIRE(found != nullptr);
    return *found;
}
const Array& array(const Value& value) {
    return std::get<Array>(value.data);
}

}  // namespace

TEST_CASE("CSV holds exactly the numbers drawn", "[viz][files]") {
    CHECK(figure_csv(every_mark()) ==
          "panel,mark,kind,role,part,index,x,y,value,text\n"
          ",,source,,,,,,,whorl figure all\n"
          "p,line,line,mamba3,point,0,0,0.1,,\"a, \"\"b\"\"\"\n"
          "p,line,line,mamba3,point,1,nan,nan,,\"a, \"\"b\"\"\"\n"
          "p,line,line,mamba3,point,2,1,0.3333333333333333,,\"a, \"\"b\"\"\"\n"
          "p,dots,points,mamba3,point,0,1,2,1,\n"
          "p,dots,points,mamba3,point,1,3,4,2.5,\n"
          "p,plain,points,mamba3,point,0,5,6,,\n"
          "p,arrow,arrow,mamba3,from,0,1,2,,B̄x_t\n"
          "p,arrow,arrow,mamba3,to,0,3,4,,B̄x_t\n"
          "p,arc,arc,mamba3,center,0,1,2,,\n"
          "p,arc,arc,mamba3,radius,0,,,3,\n"
          "p,arc,arc,mamba3,begin,0,,,0.5,\n"
          "p,arc,arc,mamba3,turn,0,,,-0.25,\n"
          "p,region,region,mamba3,corner,0,1,1,,\n"
          "p,region,region,mamba3,corner,1,2,1,,\n"
          "p,region,region,mamba3,corner,2,2,2,,\n"
          "p,band,band,mamba3,low,0,1,,,\n"
          "p,band,band,mamba3,high,0,inf,,,\n"
          "p,rule,rule,mamba3,at,0,,0.1,,\n"
          "p,stems,stems,mamba3,point,0,1,2,-1,\n"
          "p,bars,bars,mamba3,thickness,0,,,0.8,\n"
          "p,bars,bars,mamba3,from,0,1,0,,\n"
          "p,bars,bars,mamba3,to,0,1,5,,\n"
          "p,flat,bars,mamba3,thickness,0,,,0.5,\n"
          "p,flat,bars,mamba3,from,0,0,1,,\n"
          "p,flat,bars,mamba3,to,0,5,1,,\n"
          "p,grid,grid,,x_edge,0,0,,,found\n"
          "p,grid,grid,,x_edge,1,1,,,found\n"
          "p,grid,grid,,x_edge,2,2,,,found\n"
          "p,grid,grid,,y_edge,0,,0,,found\n"
          "p,grid,grid,,y_edge,1,,1,,found\n"
          "p,grid,grid,,cell,0,,,0.25,found\n"
          "p,grid,grid,,cell,1,,,1e-300,found\n"
          "p,text,text,mamba3,at,0,1,2,,End\n");
}

TEST_CASE("JSON holds the whole figure", "[viz][files]") {
    const std::string text = figure_json(every_mark());
    CHECK(text.find('\n') == text.size() - 1);
    const Document json = parse_json(text, "figure");
    CHECK(std::get<std::string>(at(json.root, "format").data) == "whorl-figure-1");
    CHECK(std::get<std::string>(at(json.root, "claim").data) == "All **marks** of e^{2}");
    CHECK(array(at(json.root, "words")).size() == 2);
    const Value& panel = array(at(json.root, "panels")).at(0);
    CHECK(std::get<std::string>(at(at(panel, "y"), "scale").data) == "log");
    CHECK(std::holds_alternative<std::monostate>(at(at(panel, "x"), "low").data));  // fitted
    CHECK(std::get<std::string>(at(array(at(at(panel, "x"), "ticks")).at(0), "text").data) == "½");
    const Array& marks = array(at(panel, "marks"));
    REQUIRE(marks.size() == 13);
    CHECK(std::get<std::string>(at(marks[0], "kind").data) == "line");
    CHECK(std::get<std::string>(at(marks[0], "role").data) == "mamba3");
    CHECK(std::get<std::string>(at(marks[0], "label").data) == "a, \"b\"");
    CHECK(std::get<double>(at(marks[0], "strength").data) == 0.5);
    const Array& points = array(at(marks[0], "points"));
    REQUIRE(points.size() == 3);
    CHECK(std::get<double>(array(points[2]).at(1).data) == 1.0 / 3);
    CHECK(std::holds_alternative<std::monostate>(array(points[1]).at(0).data));
    CHECK(std::get<double>(array(at(marks[11], "values")).at(1).data) == 1e-300);
    CHECK(std::get<std::string>(at(marks[12], "text").data) == "**E**nd");
}

TEST_CASE("words are wrapped and without marks", "[viz][files]") {
    CHECK(figure_words(every_mark(), 12) ==
          "All marks of\ne^2\n\na = b\n\nOne two\nthree four\nfive.\n\nSix.\n\nwhorl figure\nall\n");
    Figure figure = every_mark();
    figure.claim = "ΔΔΔΔΔΔ θθθθθ incomprehensibilities a";
    figure.subtitle.clear(), figure.words.clear(), figure.source.clear();
    CHECK(figure_words(figure, 12) == "ΔΔΔΔΔΔ θθθθθ\nincomprehensibilities\na\n");
}
