#include "tests/viz/sample_figures.hpp"

#include <cmath>
#include <string>

namespace whorl::test {

using namespace plot;

namespace {

constexpr double kPi = 3.14159265358979323846;

Panel panel(const std::string& id, int row, int column, const std::string& title, const std::string& subtitle = "") {
    Panel made;
    made.id = id;
    made.row = row;
    made.column = column;
    made.title = title;
    made.subtitle = subtitle;
    return made;
}

Axis axis(const std::string& label, const std::string& unit = "") {
    Axis made;
    made.label = label;
    made.unit = unit;
    return made;
}

/// A drift of `degrees` at the end, wobbling.
std::vector<Point> drift(double degrees, int seed) {
    std::vector<Point> points;
    for (int t = 0; t <= 160; ++t)
        points.push_back({double(t), degrees * t / 160 + 12 * std::sin(0.11 * t * (1 + 0.17 * seed) + seed)});
    return points;
}

std::vector<Point> power_law(double factor, double order) {
    std::vector<Point> points;
    for (int i = 0; i <= 60; ++i) {
        const double step = 0.012 * std::pow(4 / 0.012, i / 60.0);
        points.push_back({step, factor * std::pow(step, order) / (1 + 0.02 * step)});
    }
    return points;
}

}  // namespace

Figure close_ends() {
    Figure f;
    f.id = "ledger";
    f.claim = "Pair 0 leaves ±90° at bit 42, yet the answer holds until bit 87";
    f.subtitle = "Angle turned less angle owed (180° for each 1), for each pair of the head that keeps the count";
    f.row_shares = {1.9, 1};
    f.source = "whorl figure ledger parity.safetensors --text 160 bits";
    f.words = {"Eight pairs drift apart.", "The margin reaches zero at bit 87."};
    Panel top = panel("drift", 0, 0, "");
    top.x = axis("", "");
    top.y = axis("", "°");
    top.marks.push_back(Band{"trained", Direction::x, 0, 40, {Role::muted}, "trained to 40"});
    const double ends[] = {354, 285, 79, -77, -93, -99, -135, 330};
    for (int i = 0; i < 8; ++i)
        top.marks.push_back(Line{"pair" + std::to_string(i),
                                 drift(ends[i], i),
                                 {Role::mamba3, i == 0 ? Weight::chosen : Weight::context, i == 0 ? 1.0 : 0.75},
                                 "pair " + std::to_string(i)});
    top.marks.push_back(Rule{"cursor", Direction::x, 88, {Role::accent}, "bit 88"});
    Panel below = panel("margin", 1, 0, "The margin: right answer above the best wrong one");
    below.x = axis("bit");
    std::vector<Point> margin, wrong;
    for (int t = 0; t <= 160; ++t) {
        const double value =
            t < 40 ? 9.3 + 0.2 * std::sin(t) : std::max(-0.2, 9.3 - (t - 40) * 0.2) + 0.7 * std::sin(1.7 * t);
        margin.push_back({double(t), value});
        if (value < 0) wrong.push_back({double(t), value});
    }
    below.marks.push_back(Line{"margin", margin, {Role::mamba3}, ""});
    below.marks.push_back(Points{"wrong", wrong, {Role::wrong}, Shape::cross, false, "wrong"});
    below.marks.push_back(Rule{"zero", Direction::y, 0, {Role::secondary, Weight::hair}, "zero: a coin"});
    f.panels = {top, below};
    return f;
}

Figure slopes() {
    Figure f;
    f.id = "error";
    f.claim = "Halve the step: two rules quarter their error";
    f.subtitle = "error at the end of the path over step size Δ|A|, both logarithmic";
    f.column_shares = {1.4, 1};
    Panel left = panel("error", 0, 0, "Error");
    left.x = axis("Δ|A|");
    left.y = axis("|h(T) − exact|");
    left.x.scale = left.y.scale = Scale::log;
    const auto rule = [&](const std::string& id, double factor, double order, Role role, const std::string& label,
                          Weight weight) {
        left.marks.push_back(Line{id, power_law(factor, order), {role, weight}, label});
    };
    rule("forward_euler", 0.9, 1, Role::forward_euler, "forward Euler", Weight::data);
    rule("backward_euler", 0.8, 1, Role::backward_euler, "backward Euler", Weight::data);
    rule("zoh", 0.30, 1, Role::zero_order_hold, "zero-order hold", Weight::data);
    rule("mamba2", 0.2, 1, Role::mamba2, "exponential Euler", Weight::chosen);
    rule("bilinear", 0.25, 2, Role::bilinear, "bilinear", Weight::data);
    rule("mamba3", 0.06, 2, Role::mamba3, "exp. trapezoid", Weight::chosen);
    left.marks.push_back(Line{"slope1",
                              {{0.03, 1e-4}, {0.3, 1e-4}, {0.3, 1e-3}, {0.03, 1e-4}},
                              {Role::muted, Weight::hair, 1, Dash::solid},
                              "slope **1**"});
    left.marks.push_back(Rule{"cursor", Direction::x, 1.62, {Role::accent}, "a trained 1"});
    Panel right = panel("path", 0, 1, "Path, B̄_{t} and θ^{2}");
    right.x = axis("time", "s");
    right.y = axis("Re h");
    std::vector<Point> exact, points, other;
    for (int i = 0; i <= 200; ++i) exact.push_back({i * 0.04, std::exp(-0.02 * i) * std::cos(0.08 * i)});
    for (int i = 0; i <= 10; ++i) {
        points.push_back({i * 0.8, 0.95 * std::exp(-0.4 * i) * std::cos(1.6 * i)});
        other.push_back({i * 0.8, 1.1 * std::exp(-0.35 * i) * std::cos(1.5 * i)});
    }
    right.marks.push_back(Line{"exact", exact, {Role::truth}, "exact"});
    right.marks.push_back(Line{"trapezoid_line", points, {Role::mamba3, Weight::hair, 0.6}, "trapezoid"});
    right.marks.push_back(Points{"trapezoid", points, {Role::mamba3}});
    right.marks.push_back(Line{"euler_line", other, {Role::mamba2, Weight::hair, 0.6}, "exp. Euler"});
    right.marks.push_back(Points{"euler", other, {Role::mamba2}});
    f.panels = {left, right};
    return f;
}

namespace {

std::vector<Point> flag(Point at, double angle, double size) {
    const double c = std::cos(angle), s = std::sin(angle);
    const auto turned = [&](double x, double y) {
        return Point{at.x + size * (c * x - s * y), at.y + size * (s * x + c * y)};
    };
    return {turned(0, 1), turned(0, 0.4), turned(-0.7, 0.7)};
}

Panel dial(const std::string& id, int column, Role role, const std::string& title, const std::string& subtitle) {
    Panel made = panel(id, 0, column, title, subtitle);
    made.canvas = made.equal = true;
    made.x = axis("Re");
    made.y = axis("Im");
    made.marks.push_back(Arc{"turn", {-1, 0}, 1.2, 0.2, kPi - 0.4, {role, Weight::data, 0.6}, true, "**1** second"});
    made.marks.push_back(
        Arc{"turn1", {-1, 0}, 1.2, kPi + 0.2, kPi - 0.4, {role, Weight::data, 0.6}, true, "**1** first"});
    made.marks.push_back(Arrow{"ghost", {-1, 0}, {-2, 0}, {role, Weight::data, 0.4}});
    made.marks.push_back(Arrow{"now", {-1, 0}, {0, 0}, {role, Weight::arrow}, "state"});
    made.marks.push_back(Line{"pole", {{0, 0}, {0, 0.35}}, {role, Weight::data, 1, Dash::solid}});
    made.marks.push_back(Region{"flag", flag({0, 0}, 0, 0.35), {role}});
    made.marks.push_back(Points{"hinge", {{-1, 0}}, {role}, Shape::disc, true, "hinge"});
    return made;
}

Panel tape() {
    Panel made = panel("tape", 1, 0, "How many 1s so far: even or odd?");
    made.columns = 3;
    made.x.shown = false;
    made.x.low = -0.5, made.x.high = 4.5;
    made.y.low = -0.5, made.y.high = 2.5;
    const char* const tokens[] = {"0", "1", "1", "0", "1"};
    const char* const right[] = {"even", "odd", "even", "even", "?"};
    const char* const names[] = {"token", "right answer", "Mamba-2"};
    for (int row = 0; row < 3; ++row) made.y.ticks.push_back({2.0 - row, names[row]});
    for (int t = 0; t < 5; ++t) {
        made.marks.push_back(Text{"token" + std::to_string(t),
                                  {double(t), 2},
                                  tokens[t],
                                  {t == 4 ? Role::accent : Role::ink},
                                  Anchor::center,
                                  true});
        made.marks.push_back(Text{"right" + std::to_string(t), {double(t), 1}, right[t], {}});
        made.marks.push_back(Text{"answer" + std::to_string(t),
                                  {double(t), 0},
                                  t == 2 ? "odd ✗" : "even ✓",
                                  {t == 2 ? Role::wrong : Role::ink, t == 2 ? Weight::chosen : Weight::data}});
    }
    return made;
}

}  // namespace

Figure dials() {
    Figure f;
    f.id = "dials";
    f.claim = "What does each do at the next 1?";
    f.subtitle = "All three have just read 0 1 1 0.";
    f.row_shares = {2, 1};
    f.panels = {dial("mamba3", 0, Role::mamba3, "**Mamba-3** turns about its hinge", "hand-set weights, one pair"),
                dial("mamba2", 1, Role::mamba2, "**Mamba-2** slides toward its hinge",
                     "sandbox with θ = 0: no weights can alternate"),
                dial("gdn", 2, Role::gated_delta_net, "**Gated DeltaNet** flips across a mirror",
                     "hand-set weights, eigenvalue −1 along the key"),
                tape()};
    return f;
}

Figure heat_maps() {
    Figure f;
    f.id = "needle";
    f.claim = "The longer the text, the later the needle must stand";
    f.subtitle = "Share of values found by Gated DeltaNet, trained on texts of 32 tokens";
    Panel top = panel("cells", 0, 0, "");
    Grid grid;
    grid.id = "found";
    grid.numbers = true;
    grid.low_text = "0 none", grid.high_text = "1 all";
    for (int i = 0; i <= 7; ++i) grid.x_edges.push_back(i);
    for (int i = 0; i <= 5; ++i) grid.y_edges.push_back(i);
    for (int row = 0; row < 5; ++row) {
        top.y.ticks.push_back({row + 0.5, std::to_string(10 + 20 * row) + " %"});
        for (int column = 0; column < 7; ++column)
            grid.values.push_back(std::min(1.0, std::max(0.0, 1.6 + 0.15 * row - 0.25 * column)));
    }
    const char* const lengths[] = {"32", "64", "128", "256", "512", "1,024", "2,048"};
    for (int column = 0; column < 7; ++column) top.x.ticks.push_back({column + 0.5, lengths[column]});
    top.x.label = "tokens", top.y.label = "depth";
    top.y.low = 5, top.y.high = 0;  // 10 % on top
    top.marks.push_back(grid);
    Panel below = panel("map", 1, 0, "Bilinear never reaches half a turn", "shade: |α − exp z|");
    below.x = axis("Re z"), below.y = axis("Im z");
    Grid map;
    map.id = "map";
    map.label = "turning per step";
    for (int i = 0; i <= 60; ++i) map.x_edges.push_back(-3 + i * 0.07);
    for (int i = 0; i <= 40; ++i) map.y_edges.push_back(-4 + i * 0.2);
    for (int row = 0; row < 40; ++row)
        for (int column = 0; column < 60; ++column)
            map.values.push_back(
                std::min(1.0, std::hypot(map.x_edges[std::size_t(column)], map.y_edges[std::size_t(row)]) / 5));
    below.marks.push_back(map);
    below.marks.push_back(
        Rule{"half", Direction::y, kPi, {Role::attention, Weight::data, 1, Dash::dashed}, "half a turn"});
    below.marks.push_back(
        Points{"one", {{-0.04, 3.1}}, {Role::mamba3, Weight::chosen}, Shape::by_role, false, "a trained 1"});
    f.panels = {top, below};
    return f;
}

Figure stems_and_bars() {
    Figure f;
    f.id = "taps";
    f.claim =
        "A 0 gets most weight from the next step, and this claim is so long that it has to be broken into two lines of "
        "text";
    Panel taps =
        panel("taps", 0, 0, "A 0 gets most weight from the next step", "what each input finally weighs in head 1");
    taps.y.label = "weight";
    taps.x.label = "bit";
    Stems own{"own", {}, {Role::mamba3, Weight::chosen}, 0, false, "own step, λΔ"};
    Stems next{"next", {}, {Role::mamba3, Weight::data}, 0, true, "the next step, (1 − λ)Δ"};
    const int bits[] = {0, 0, 1, 1, 0, 0, 1, 1};
    for (int i = 0; i < 8; ++i) {
        own.points.push_back({double(i), bits[i] ? 1.3 : 0.02});
        next.points.push_back({i + 0.25, 0.08 + 0.02 * i});
        taps.x.ticks.push_back({double(i), std::to_string(bits[i])});
    }
    taps.marks = {own, next};
    Panel level = panel("split", 0, 1, "Drift split by token", "degrees of each pair at bit 88");
    level.x = axis("", "°");
    Bars ones{"ones", {}, {Role::mamba3}, 0.35, Direction::x, "from 46 ones"};
    Bars zeros{"zeros", {}, {Role::mamba3, Weight::data, 0.45}, 0.35, Direction::x, "from 42 zeros"};
    const double of_ones[] = {189, -48, 154, 41, -85, 515};
    for (int i = 0; i < 6; ++i) {
        ones.bars.push_back({i - 0.2, 0, of_ones[i]});
        zeros.bars.push_back({i + 0.2, 0, -0.4 * of_ones[i]});
        level.y.ticks.push_back({double(i), "pair " + std::to_string(i)});
    }
    level.y.low = 5.6, level.y.high = -0.6;
    level.marks = {ones, zeros};
    Panel upright = panel("share", 1, 0, "Accuracy by size");
    upright.columns = 2;
    upright.y = axis("right", "%");
    Bars bars{"bars", {}, {Role::gated_delta_net}, 0.6, Direction::y, "Gated DeltaNet"};
    Bars wrong{"others", {}, {Role::mamba2}, 0.2, Direction::y, "Mamba-2"};
    for (int i = 0; i < 6; ++i) {
        bars.bars.push_back({double(i), 0, 100.0 - 9 * i});
        wrong.bars.push_back({i + 0.42, 0, 50.0 + i});
        upright.x.ticks.push_back({double(i), std::to_string(40 << i)});
    }
    upright.x.label = "tokens";
    upright.marks = {bars, wrong};
    f.panels = {taps, level, upright};
    return f;
}

Figure five_thousand_points() {
    Figure f;
    f.id = "many";
    f.claim = "Twenty lines";
    Panel one = panel("lines", 0, 0, "");
    one.x.label = "step";
    for (int i = 0; i < 20; ++i) {
        Line line{"line" + std::to_string(i),
                  {},
                  {Role::mamba3, Weight::context},
                  i % 4 == 0 ? "replica " + std::to_string(i) : ""};
        for (int t = 0; t < 250; ++t) line.points.push_back({t * 10.0, std::sin(0.01 * t * (i + 1)) + 0.1 * i});
        one.marks.push_back(line);
    }
    f.panels = {one};
    return f;
}

std::vector<Figure> sample_figures() {
    return {close_ends(), slopes(), dials(), heat_maps(), stems_and_bars(), five_thousand_points()};
}

}  // namespace whorl::test
