// Placed figures are judged by structure: what lies where, never by pixels.
#include "viz/plot/place.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "tests/support/catch.hpp"
#include "tests/viz/drawing_probe.hpp"
#include "tests/viz/sample_figures.hpp"
#include "viz/plot/geometry.hpp"

using namespace whorl;
using namespace whorl::plot;
using namespace whorl::test;

namespace {

struct Sample {
    Figure figure;
    std::string theme;
    Placed placed;
    std::string name() const { return figure.id + " " + theme + " " + std::to_string(int(figure.width)) + " wide"; }
};

const std::vector<Sample>& samples() {
    static const std::vector<Sample> all = [] {
        std::vector<Sample> made;
        for (Figure figure : sample_figures())
            for (const double width : {600.0, 960.0, 2400.0})
                for (const std::string& name : theme_names()) {
                    figure.width = width;
                    figure.height = width * 9 / 16;
                    made.push_back({figure, name, place(figure, theme(name))});
                }
        return made;
    }();
    return all;
}

Box paper(const Placed& placed) {
    return rectangle({0, 0}, {placed.drawing.width, placed.drawing.height});
}

const PlacedPanel& panel_of(const Placed& placed, const std::string& id) {
    return *std::find_if(placed.panels.begin(), placed.panels.end(), [&](const PlacedPanel& p) { return p.id == id; });
}

const PlacedLabel* label_of(const Placed& placed, const std::string& id) {
    for (const PlacedLabel& label : placed.labels)
        if (label.id == id) return &label;
    return nullptr;
}

const Item& item_of(const Placed& placed, const std::string& id) {
    return *std::find_if(placed.drawing.items.begin(), placed.drawing.items.end(),
                         [&](const Item& item) { return item.id == id; });
}

}  // namespace

TEST_CASE("every shape is finite and on the paper", "[plot][place]") {
    for (const Sample& sample : samples())
        for (const Item& item : sample.placed.drawing.items)
            for (const Shape2d& shape : item.shapes) {
                const Box bounds = bounds_of(shape);
                CAPTURE(sample.name(), item.id, bounds.low.x, bounds.low.y, bounds.high.x, bounds.high.y);
                REQUIRE((finite(bounds.low) && finite(bounds.high)));
                REQUIRE(holds(paper(sample.placed), bounds));
            }
}

TEST_CASE("marks stay in the frames of their panels", "[plot][place]") {
    for (const Sample& sample : samples())
        for (const Panel& panel : sample.figure.panels)
            for (const Mark& mark : panel.marks) {
                if (std::holds_alternative<Text>(mark)) continue;  // may stand at the edge
                const Item& item = item_of(sample.placed, panel.id + "." + id_of(mark));
                for (const Shape2d& shape : item.shapes) {
                    CAPTURE(sample.name(), item.id);
                    // Half a line and the largest mark reach over the edge.
                    REQUIRE(holds(grown(panel_of(sample.placed, panel.id).frame, 13), bounds_of(shape)));
                }
            }
}

TEST_CASE("no label stands on another nor off the paper", "[plot][place]") {
    for (const Sample& sample : samples()) {
        const std::vector<PlacedLabel>& labels = sample.placed.labels;
        for (std::size_t i = 0; i < labels.size(); ++i) {
            CAPTURE(sample.name(), labels[i].id);
            REQUIRE(holds(paper(sample.placed), labels[i].box));
            for (std::size_t j = 0; j < i; ++j) {
                CAPTURE(labels[j].id);
                REQUIRE_FALSE(overlap(grown(labels[i].box, -0.01), labels[j].box));
            }
        }
    }
}

TEST_CASE("every label has a place", "[plot][place]") {
    for (const Sample& sample : samples()) {
        CAPTURE(sample.name());
        if (sample.figure.width < 900 && sample.theme == "projector") continue;  // large type on small paper
        CHECK(sample.placed.left_out.empty());
    }
}

TEST_CASE("letters stand out from what is below them", "[plot][place]") {
    for (const Sample& sample : samples())
        for (const WrittenRun& run : written_runs(sample.placed.drawing)) {
            CAPTURE(sample.name(), run.item, run.text);
            REQUIRE(contrast(run.color, run.ground) >= 4.5);
        }
}

TEST_CASE("ids of items are unique", "[plot][place]") {
    for (const Sample& sample : samples()) {
        std::set<std::string> ids;
        for (const Item& item : sample.placed.drawing.items) {
            CAPTURE(sample.name(), item.id);
            CHECK(ids.insert(item.id).second);
        }
    }
}

TEST_CASE("placing twice gives the same drawing", "[plot][place]") {
    for (const Sample& sample : samples())
        CHECK(text_of(sample.placed.drawing) == text_of(place(sample.figure, theme(sample.theme)).drawing));
}

TEST_CASE("a click on paper finds its data and back", "[plot][place]") {
    for (const Sample& sample : samples())
        for (const PlacedPanel& panel : sample.placed.panels)
            for (const double x : {0.0, 0.31, 1.0})
                for (const double y : {0.0, 0.77, 1.0}) {
                    const Point at{panel.frame.low.x + x * width_of(panel.frame),
                                   panel.frame.low.y + y * height_of(panel.frame)};
                    const Point again = panel.to_paper(panel.to_data(at));
                    CAPTURE(sample.name(), panel.id);
                    CHECK(again.x == Approx(at.x).margin(1e-6));
                    CHECK(again.y == Approx(at.y).margin(1e-6));
                }
}

TEST_CASE("axes of a column stand under each other", "[plot][place]") {
    for (const Sample& sample : samples()) {
        if (sample.figure.id != "ledger") continue;
        const PlacedPanel &above = sample.placed.panels[0], &below = sample.placed.panels[1];
        CHECK(above.frame.low.x == below.frame.low.x);
        CHECK(above.frame.high.x == below.frame.high.x);
        CHECK(above.to_paper({88, 0}).x == Approx(below.to_paper({88, 0}).x));
    }
}

TEST_CASE("a unit of a dial is equally long both ways", "[plot][place]") {
    for (const Sample& sample : samples()) {
        if (sample.figure.id != "dials") continue;
        const PlacedPanel& dial = panel_of(sample.placed, "mamba3");
        const Point origin = dial.to_paper({0, 0}), one = dial.to_paper({1, 1});
        CHECK(one.x - origin.x == Approx(origin.y - one.y));
        CHECK(one.x > origin.x);
    }
}

TEST_CASE("labels at line ends keep the order of the ends", "[plot][place]") {
    const Figure figure = close_ends();
    const Placed placed = place(figure, theme("light"));
    std::map<double, double> middle_of_end;  // paper y of the end → of the label
    for (const Mark& mark : figure.panels[0].marks)
        if (const auto* line = std::get_if<Line>(&mark)) {
            const PlacedLabel* label = label_of(placed, "drift." + line->id + ".label");
            REQUIRE(label);
            const PlacedPanel& panel = panel_of(placed, "drift");
            CHECK(label->box.low.x > panel.frame.high.x);
            middle_of_end[panel.to_paper(line->points.back()).y] = middle_of(label->box).y;
        }
    double before = 0;
    for (const auto& [end, middle] : middle_of_end) {
        CHECK(middle > before);
        before = middle;
    }
    // One that stands alone is at the level of its line.
    const PlacedPanel& panel = panel_of(placed, "drift");
    const auto& lonely = std::get<Line>(figure.panels[0].marks[3]);
    CHECK(middle_of(label_of(placed, "drift.pair2.label")->box).y ==
          Approx(panel.to_paper(lonely.points.back()).y).margin(1));
}

TEST_CASE("labels stand left where ends run together on the right", "[plot][place]") {
    const Placed placed = place(slopes(), theme("light"));
    const PlacedPanel& panel = panel_of(placed, "error");
    CHECK(label_of(placed, "error.mamba3.label")->box.high.x < panel.frame.low.x);
    CHECK(label_of(placed, "error.y.tick.0")->box.low.x > panel.frame.high.x);  // the ticks make room
    CHECK(label_of(placed, "path.exact.label")->box.low.x > panel_of(placed, "path").frame.high.x);
}
