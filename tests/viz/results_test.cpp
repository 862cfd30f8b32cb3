// The views of results: needle map, table, scaling, and what they claim of their data.
#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/viz/figure_marks.hpp"
#include "viz/data/state_bytes.hpp"
#include "viz/panels/needle_map.hpp"
#include "viz/panels/scaling.hpp"
#include "viz/panels/table.hpp"

using namespace whorl;
using namespace whorl::test;
using Catch::Matchers::ContainsSubstring;

namespace {

viz::NeedleMap map_of(std::vector<std::vector<double>> found) {
    viz::NeedleMap map;
    map.name = "Gated DeltaNet", map.role = plot::Role::gated_delta_net;
    map.lengths = {32, 64, 1024}, map.depths = {10, 50, 90};
    map.found = std::move(found);
    map.count = 64, map.trained = 32;
    return map;
}

std::string claim_of(std::vector<std::vector<double>> found) {
    return viz::needle_map_figure({map_of(std::move(found))}).claim;
}

viz::ResultDots table_of(std::vector<double> a, std::vector<double> b) {
    viz::ResultDots table;
    table.title = "Parity";
    table.columns = {{"parity", "parity", "size 80", {}}};
    table.columns[0].rows.resize(2);
    table.columns[0].rows[0].label = "Mamba-3", table.columns[0].rows[0].replicas = std::move(a);
    table.columns[0].rows[1].label = "Mamba-2", table.columns[0].rows[1].replicas = std::move(b);
    return table;
}

}  // namespace

TEST_CASE("a needle map has the beginning on top and a cell for each depth and length", "[viz]") {
    const plot::Figure figure = viz::needle_map_figure({map_of({{1, 1, 0.2}, {1, 1, 0.6}, {1, 1, 0.95}})});
    CHECK(sound(figure));
    const plot::Panel& panel = panel_of(figure, "map.0");
    const auto& grid = mark_of<plot::Grid>(panel, "found");
    // Cells stay as given: row 0 is depth 10 %, and lies highest.
    CHECK(grid.values == std::vector<double>{1, 1, 0.2, 1, 1, 0.6, 1, 1, 0.95});
    CHECK(grid.y_edges.front() > grid.y_edges.back());
    for (std::size_t d = 0; d < 3; ++d) {
        const plot::Tick& tick = panel.y.ticks[d];
        CHECK(tick.text == std::vector<std::string>{"10 %", "50 %", "90 %"}[d]);
        CHECK(tick.at < grid.y_edges[d]);
        CHECK(tick.at > grid.y_edges[d + 1]);
    }
    CHECK(panel.x.ticks[2].text == "1 024");
    CHECK(mark_of<plot::Rule>(panel, "trained").at == 1);
    CHECK_THAT(figure.words[0], ContainsSubstring("of 1 024 tokens 20 % at depth 10 % to 95 % at depth 90 %"));
}

TEST_CASE("the claim of a needle map is read off its cells", "[viz]") {
    CHECK(claim_of({{1, 1, 1}, {1, 1, 0.95}, {1, 1, 1}}) ==
          "Gated DeltaNet finds 90 % of needles or more at every depth of 1 024 tokens");
    CHECK(claim_of({{1, 1, 0}, {1, 1, 0.2}, {1, 1, 1}}) == "The longer the text, the later the needle must stand");
    // Found early and lost late: the sentence above would be false.
    CHECK(claim_of({{1, 1, 1}, {1, 1, 0.2}, {1, 1, 0}}) != "The longer the text, the later the needle must stand");
    CHECK_THAT(claim_of({{1, 0, 0}, {1, 1, 0}, {1, 0, 1}}), ContainsSubstring("up to 32 tokens, not beyond"));
    CHECK(claim_of({{0.5, 0, 0}, {0.1, 0, 0}, {0, 0, 0}}) == "Gated DeltaNet finds 20 % of the needles in 32 tokens");
    CHECK(viz::found_up_to(map_of({{1, 0, 1}, {1, 1, 1}, {1, 1, 1}}), 0.9) == 32);  // not 1024 again
    auto other = map_of({{0, 0, 0}, {0, 0, 0}, {0, 0, 0}});
    other.name = "Mamba-3";
    CHECK(viz::needle_map_figure({map_of({{1, 1, 0}, {1, 1, 0}, {1, 1, 0}}), other}).claim ==
          "90 % of needles at every depth are found by Gated DeltaNet up to 64 tokens and Mamba-3 at no length");
    CHECK_THAT(message_of<UserError>([] {
                   viz::needle_map_figure({map_of({{1, 1}})});
               }),
               ContainsSubstring("a share for each depth and length"));
}

TEST_CASE("a table shows every replica as a mark of its own", "[viz]") {
    viz::ResultDots table = table_of({1, 1, 1, 0.995, -0.3}, {0.01, -0.02});
    table.columns[0].rows[0].chosen = 0.995;
    table.columns[0].rows[0].published = 1;
    const plot::Figure figure = viz::table_figure(table);
    CHECK(sound(figure));
    const plot::Panel& panel = panel_of(figure, "parity");
    const auto& dots = mark_of<plot::Points>(panel, "replicas.0").points;
    REQUIRE(dots.size() == 5);
    double sum = 0;
    for (const plot::Point p : dots) sum += p.x;
    CHECK(sum == Approx(369.5));
    for (std::size_t i = 0; i < dots.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            CHECK((std::abs(dots[i].x - dots[j].x) > 2.5 || std::abs(dots[i].y - dots[j].y) > 0.05));
    CHECK(mark_of<plot::Line>(panel, "chosen.0").points[0].x == Approx(99.5));
    CHECK(mark_of<plot::Points>(panel, "published.0").points[0].x == 100);
    CHECK_FALSE(has_mark<plot::Points>(panel, "published.1"));
    CHECK(panel.y.ticks[0].at > panel.y.ticks[1].at);  // the first row on top
    CHECK_THAT(figure.words[0], ContainsSubstring("4 of 5 replicas reach 90 %; they lie between −30 % and 100 %"));
}

TEST_CASE("a table of bits is drawn in bits, one of shares by their name", "[viz]") {
    viz::ResultDots table = table_of({0.25, 0.3}, {0.75, 1.5});
    viz::DotsColumn& column = table.columns[0];
    column.label = "language", column.measure = viz::DotsMeasure::bits;
    column.rows[0].chosen = 0.275, column.rows[1].chosen = 1.125;
    const plot::Figure figure = viz::table_figure(table);
    CHECK(sound(figure));
    const plot::Panel& panel = panel_of(figure, "parity");
    CHECK(panel.x.unit == "bits");
    CHECK(panel.x.high > 1.5);
    CHECK(panel.x.high < 2);
    CHECK(panel.x.low < 0);
    CHECK(mark_of<plot::Points>(panel, "replicas.1").points[1].x == 1.5);
    CHECK(mark_of<plot::Line>(panel, "chosen.0").points[0].x == 0.275);
    CHECK(figure.claim == "Language: the fewest bits has Mamba-3, 0.275");
    CHECK_THAT(figure.words[1],
               ContainsSubstring("2 replicas lie between 0.75 bits and 1.5 bits") && !ContainsSubstring("90 %"));
    CHECK_THAT(figure.subtitle, ContainsSubstring("dotted: the best possible predictor"));

    viz::ResultDots two = table_of({1}, {0.1});
    two.columns[0].measure = viz::DotsMeasure::found;
    two.columns.push_back(column);
    two.columns[1].key = "markov";
    const plot::Figure both = viz::table_figure(two);
    CHECK(panel_of(both, "parity").x.label == "answers found");
    CHECK(panel_of(both, "parity").x.high == 106);  // bits of the other panel do not stretch it
    CHECK(panel_of(both, "markov").x.high < 2);
    CHECK(both.claim == "90 % is reached by Mamba-3 alone; language: the fewest bits has Mamba-3, 0.275");
    CHECK(panel_of(viz::table_figure(table_of({1}, {0.1})), "parity").x.label == "scaled accuracy");
}

TEST_CASE("the claim of a table is read off its replicas", "[viz]") {
    CHECK(viz::table_figure(table_of({1, 0.1}, {0.1})).claim == "90 % is reached by Mamba-3 alone");
    CHECK(viz::table_figure(table_of({1, 0.1}, {0.95})).claim == "90 % is reached by both");
    CHECK(viz::table_figure(table_of({0.1}, {0.2})).claim == "90 % is reached by none");
    viz::ResultDots two = table_of({1}, {0.1});
    two.columns.push_back(table_of({0.2}, {0.1}).columns[0]);
    two.columns[1].key = "sum", two.columns[1].label = "sums";
    CHECK(viz::table_figure(two).claim == "90 % is reached by Mamba-3 at parity; by none at sums");
    viz::ResultDots empty = table_of({}, {});
    empty.columns[0].rows[0].status = "running";
    CHECK_THAT(message_of<UserError>([&] { viz::table_figure(empty); }), ContainsSubstring("no finished result"));
    empty.columns[0].rows[1].replicas = {0.5};
    CHECK(mark_of<plot::Text>(panel_of(viz::table_figure(empty), "parity"), "status.0").text == "running");
}

TEST_CASE("scaling finds the power of the length and what more state gains", "[viz]") {
    viz::ScalingData data;
    viz::TimeCurve linear{"Mamba-3", plot::Role::mamba3, {64, 128, 256, 512}, {9, 8, 16, 32}};
    viz::TimeCurve squared{"attention", plot::Role::attention, {64, 128, 256, 512}, {1, 4, 16, 64}};
    data.times = {linear, squared};
    CHECK(viz::growth(linear) == Approx(1));  // its first point is the fixed cost's
    CHECK(viz::growth(squared) == Approx(2));
    CHECK(viz::scaling_figure(data).claim ==
          "Time: Mamba-3 grows with length^{1.00} and attention grows with length^{2.00}");
    data.states = {{"Mamba-3", plot::Role::mamba3, {1024, 4096}, {0.2, 0.9}, {{0.1, 0.2}, {0.9}}}};
    const plot::Figure figure = viz::scaling_figure(data);
    CHECK(sound(figure));
    CHECK(figure.claim == "With more state, Mamba-3 goes from 20 % to 90 %");
    CHECK(mark_of<plot::Points>(panel_of(figure, "state"), "replicas.0").points.size() == 3);
    CHECK(panel_of(figure, "state").x.ticks[0].text == "1 kB");
    data.states[0].chosen = {0.9};
    CHECK_THROWS_AS(viz::scaling_figure(data), UserError);
    CHECK_THROWS_AS(viz::scaling_figure({}), UserError);
}

TEST_CASE("bytes of a state are counted from its definition", "[viz]") {
    ModelConfig config;
    config.d_model = 32, config.n_layer = 2, config.vocab_size = 5;
    Mamba2Config mamba2;
    mamba2.headdim = 16, mamba2.d_state = 8;
    config.layers = {mamba2, mamba2};
    // h [4 heads, 8, 16] and the last 3 inputs of the convolution over x, B and C.
    CHECK(viz::state_bytes(config, 100) == 2 * 4 * (4 * 8 * 16 + 3 * (64 + 8 + 8)));
    AttentionConfig attention;
    attention.num_heads = 2, attention.head_dim = 16;
    config.layers = {attention, attention};
    CHECK(viz::state_bytes(config, 100) == 2 * 4 * 2 * 100 * 32);  // keys and values
}
