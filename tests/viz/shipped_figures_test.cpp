// The figures of the models that ship, in every theme and at the width of a column and of a slide: nothing leaves the
// paper, no label stands on another, every letter can be read, and the numbers written are those that are drawn.
#include <algorithm>

#include "app/run/shipped_models.hpp"
#include "tests/support/catch.hpp"
#include "tests/viz/drawing_probe.hpp"
#include "tests/viz/figure_marks.hpp"
#include "viz/panels/error.hpp"
#include "viz/panels/map.hpp"
#include "viz/panels/path.hpp"
#include "viz/plot/geometry.hpp"
#include "viz/plot/place.hpp"
#include "viz/views/ask_now_view.hpp"
#include "viz/views/dials_view.hpp"
#include "viz/views/ledger_view.hpp"
#include "viz/views/sandbox_view.hpp"

using namespace whorl;
using namespace whorl::plot;
using namespace whorl::test;
using namespace whorl::viz;

namespace {

Exhibit exhibit(const std::string& name) {
    const NamedModel model = named_model(name);
    return {title_of(model.config), name, model.config, model.slice, model.task};
}

/// Inputs of a test example of the model's task, before its first question.
std::vector<std::int32_t> text_for(const Exhibit& model, std::int64_t size) {
    const auto data = make_data_source(*model.task);
    const Example example = make_example(*data, {0, Split::test, static_cast<std::uint64_t>(size), 0, {size, size}});
    std::vector<std::int32_t> tokens;
    for (const std::int32_t token : example.tokens)
        if (token != kPad) tokens.push_back(token);
    if (std::holds_alternative<Needle>(*model.task))
        tokens.erase(std::find(tokens.begin(), tokens.end(), Needle::kQuery), tokens.end());
    return tokens;
}

std::vector<Figure> figures() {
    std::vector<Figure> all = {path_figure({}), error_figure({}), map_figure({})};
    std::vector<Exhibit> parity;
    for (const char* name : {"parity-mamba3-plain", "parity-mamba3-smoothed", "parity-gdn-smoothed"})
        parity.push_back(exhibit(name));
    all.push_back(dials_figure(make_dials(parity, text_for(parity[0], 9))));
    for (const Exhibit& model : parity)
        for (const std::int64_t size : {6, 17, 65})
            all.push_back(dials_figure(make_dials({model}, text_for(model, size))));
    const auto bits = text_for(parity[0], 161);
    all.push_back(ledger_figure(make_ledger({parity[0]}, bits, 40)));
    all.push_back(ledger_figure(make_ledger({parity[1]}, bits, 40)));
    Exhibit plain = parity[0], smoothed = parity[1];
    plain.name = "plain", smoothed.name = "smoothed";
    all.push_back(ledger_figure(make_ledger({plain, smoothed}, bits, 40)));
    const std::vector<Exhibit> needles = {exhibit("needle-gdn"), exhibit("needle-mamba3")};
    all.push_back(ask_now_figure(make_ask_now(needles, text_for(needles[0], 128))));
    all.push_back(ledger_figure(make_ledger({parity[0]}, bits, 40, {}, {{"0", -1.2}})));
    for (const char* link :
         {"text=0110", "text=011&turn1=150&fan=turn1", "preset=number&text=10000&turn0=45&fan=decay0",
          "preset=quarter-turn&text=0111101", "preset=slide&fan=in1", "preset=flip&text=011&fan=beta1",
          "preset=two-flips&text=011&apart1=60&fan=apart1", "preset=trained&text=0110100&fan=turn1",
          "challenge=1&text=0111&fan=in1"})
        all.push_back(sandbox_figure(make_sandbox(read_link(std::string("whorl:1?view=sandbox&") + link).state)));
    return all;
}

void check_placed(const Placed& placed) {
    const Box paper = rectangle({0, 0}, {placed.drawing.width, placed.drawing.height});
    for (const Item& item : placed.drawing.items)
        for (const Shape2d& shape : item.shapes) {
            CAPTURE(item.id);
            CHECK((item.clip.has_value() || holds(grown(paper, 0.5), bounds_of(shape))));
        }
    for (std::size_t i = 0; i < placed.labels.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            CAPTURE(placed.labels[i].id, placed.labels[j].id);
            CHECK_FALSE(overlap(grown(placed.labels[i].box, -0.01), placed.labels[j].box));
        }
    for (const WrittenRun& run : written_runs(placed.drawing)) {
        CAPTURE(run.item, run.text);
        CHECK(contrast(run.color, run.ground) >= 4.5);
    }
}

}  // namespace

TEST_CASE("figures of shipped models can be read in every theme", "[viz][shipped]") {
    for (Figure figure : figures()) {
        CAPTURE(figure.id, figure.claim);
        CHECK(sound(figure));
        for (const std::string& name : theme_names())
            for (const double width : {640.0, 960.0}) {
                figure.width = width;
                CAPTURE(name, width);
                check_placed(place(figure, theme(name)));
            }
    }
}
