#include "viz/panels/sandbox.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/data/counted_ones.hpp"
#include "viz/panels/degrees.hpp"
#include "viz/panels/sandbox_dial.hpp"
#include "viz/panels/series.hpp"
#include "viz/panels/tape.hpp"
#include "viz/panels/wording.hpp"

namespace whorl::viz {
namespace {

using namespace plot;

constexpr double kTold = 1e-3;  // of a state: less is not worth a word
constexpr std::size_t kTapeBits = 7;
constexpr std::size_t kShownOnes = 5;    // n = 0 … of 1ⁿ, on the figure
constexpr std::size_t kJudgedOnes = 64;  // and for what is said of all

bool counts(const SandboxData& data) {
    return data.modulus > 1;
}

/// "even", "odd"; mod more, the number.
std::string name_of_count(const SandboxData& data, int count) {
    if (data.modulus != 2) return std::to_string(count);
    return count == 0 ? "even" : "odd";
}
/// "tells odd from even", and behind "cannot" the same without the s.
std::string counting(const SandboxData& data, bool does) {
    const std::string ending = does ? "s" : "";
    return data.modulus == 2 ? "tell" + ending + " odd from even"
                             : fmt::format("count{} ones mod {}", ending, data.modulus);
}

// --- what is read ----------------------------------------------------------------------------------------------------

std::vector<Point> points_from_start(const std::vector<double>& readouts) {
    std::vector<Point> points = points_of(readouts);
    points.insert(points.begin(), {0, 0});
    return points;
}

/// Marks' names at their heights; those that lie on one another share a place.
std::vector<Tick> mark_ticks(const SandboxData& data, const std::vector<double>& marks, double span) {
    constexpr double kApart = 0.12;  // of the axis
    std::vector<int> order;
    for (int k = 0; k < data.modulus; ++k) order.push_back(k);
    const auto height = [&](int k) { return marks[static_cast<std::size_t>(k)]; };
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return height(a) < height(b); });
    std::vector<Tick> ticks;
    for (const int k : order) {
        if (!ticks.empty() && height(k) - ticks.back().at < kApart * span)
            ticks.back().text += ", " + name_of_count(data, k);
        else
            ticks.push_back({height(k), name_of_count(data, k)});
    }
    return ticks;
}

void add_marks(Panel& panel, const SandboxData& data, double span) {
    const std::vector<double> marks = marks_of(data.pair, data.modulus);
    for (int k = 0; k < data.modulus; ++k)
        panel.marks.push_back(Rule{"mark." + std::to_string(k),
                                   Direction::y,
                                   marks[static_cast<std::size_t>(k)],
                                   {Role::truth, Weight::context, 0.8, Dash::dashed}});
    const std::vector<double> borders = borders_of(marks);
    for (std::size_t k = 0; k < borders.size(); ++k)
        panel.marks.push_back(Rule{
            "border." + std::to_string(k), Direction::y, borders[k], {Role::muted, Weight::hair, 1, Dash::dotted}});
    panel.y.ticks = mark_ticks(data, marks, span);
}

/// Of all that the panel shows, from the highest to the lowest.
double span_of(const Panel& panel, const std::vector<double>& readouts) {
    double low = 0, high = 0;
    const auto take = [&](double y) { low = std::min(low, y), high = std::max(high, y); };
    for (const double y : readouts) take(y);
    for (const Mark& mark : panel.marks)
        if (const auto* line = std::get_if<Line>(&mark))
            for (const Point& point : line->points) take(point.y);
    return high - low;
}

void add_answers(Panel& panel, const SandboxData& data, const CountedOnes& counted) {
    const Role role = role_of(data.pair.kind);
    std::vector<Point> right = {{0, 0}}, wrong;
    for (std::size_t t = 0; t < data.bits.size(); ++t)
        (counts(data) && counted.said[t] != counted.right[t] ? wrong : right)
            .push_back({static_cast<double>(t + 1), counted.readouts[t]});
    panel.marks.push_back(Points{"right", right, {role}});
    if (!wrong.empty()) panel.marks.push_back(Points{"wrong", wrong, {Role::wrong}, Shape::cross});
}

Panel readout_panel(const SandboxData& data, const CountedOnes& counted) {
    Panel panel;
    panel.id = "readout";
    panel.title = "What is read, y = Cu";
    if (counts(data)) panel.subtitle = "the nearest dashed line is the answer";
    panel.x.label = "bits read";
    panel.x.low = 0, panel.x.high = static_cast<double>(std::max(data.span, data.bits.size())) + 0.5;
    const Role role = role_of(data.pair.kind);
    for (std::size_t i = 0; i < data.ghosts.size(); ++i)
        panel.marks.push_back(Line{"ghost." + std::to_string(i),
                                   points_from_start(readouts_of(steps_of(data.ghosts[i].pair, data.bits))),
                                   {role, Weight::context, 0.3, Dash::solid}});
    if (counts(data)) add_marks(panel, data, span_of(panel, counted.readouts));
    panel.marks.push_back(Line{"readout", points_from_start(counted.readouts), {role, Weight::data, 1, Dash::solid}});
    add_answers(panel, data, counted);
    return panel;
}

// --- what is answered ------------------------------------------------------------------------------------------------

Tape judged(const SandboxData& data, const CountedOnes& counted, const std::string& name,
            const std::vector<std::string>& names, std::size_t first) {
    Tape tape;
    tape.name = name;
    tape.right_name = "right";
    tape.first = first;
    tape.tokens.assign(names.begin() + static_cast<std::ptrdiff_t>(first), names.end());
    if (!counts(data)) return tape;
    TapeRow row{"pair", role_of(data.pair.kind), {}, {}};
    for (std::size_t t = first; t < names.size(); ++t) {
        tape.right.push_back(std::to_string(counted.right[t]));
        row.said.push_back(std::to_string(counted.said[t]));
        row.right.push_back(counted.said[t] == counted.right[t]);
    }
    tape.rows.push_back(std::move(row));
    return tape;
}

/// One model needs no colour to be told by.
Panel without_swatch(Panel panel) {
    const auto swatch = [](const Mark& mark) { return id_of(mark).compare(0, 7, "swatch.") == 0; };
    panel.marks.erase(std::remove_if(panel.marks.begin(), panel.marks.end(), swatch), panel.marks.end());
    return panel;
}

Panel text_panel(const SandboxData& data, const CountedOnes& counted) {
    std::vector<std::string> names;
    for (const int bit : data.bits) names.push_back(std::to_string(bit));
    Panel panel = without_swatch(
        tape_panel(judged(data, counted, "bit", names, names.size() > kTapeBits ? names.size() - kTapeBits : 0)));
    panel.title = "Your text";
    return panel;
}

/// 1ⁿ for n = 0, 1, …: the count behind nothing is that of the origin.
CountedOnes all_ones(const SandboxData& data) {
    CountedOnes counted = count_ones(data.pair, std::vector<int>(kShownOnes, 1), data.modulus);
    counted.right.insert(counted.right.begin(), 0);
    counted.said.insert(counted.said.begin(), answer_of(marks_of(data.pair, data.modulus), 0));
    counted.readouts.insert(counted.readouts.begin(), 0);
    return counted;
}

Panel ones_panel(const SandboxData& data) {
    std::vector<std::string> names;
    for (std::size_t n = 0; n <= kShownOnes; ++n) names.push_back(std::to_string(n));
    const Tape tape = judged(data, all_ones(data), "n", names, 0);
    Panel panel = without_swatch(tape_panel(tape));
    panel.id = "ones";
    panel.title = "Ones alone, 1ⁿ";
    return panel;
}

// --- words -----------------------------------------------------------------------------------------------------------

/// How an angle's change is said: "2 at 180°".
std::string at_direction(double size, double direction) {
    const double turned = size < 0 ? direction + 180 : direction;
    return number(std::fabs(size)) + " at " + degrees(std::remainder(turned, 360), 0);
}

std::string counting_claim(const SandboxData& data) {
    const auto wrong = first_wrong_ones(data.pair, data.modulus, kJudgedOnes);
    const std::string with = data.challenge ? "With θ = 0 this pair" : "This pair";
    if (!wrong) return fmt::format("{} {}, up to {} ones at least", with, counting(data, true), kJudgedOnes);
    return fmt::format(
        "{} cannot {}: {} {} taken for {}", with, counting(data, false), count(*wrong), *wrong == 1 ? "1 is" : "1s are",
        name_of_count(data, count_ones(data.pair, std::vector<int>(*wrong, 1), data.modulus).said.back()));
}

std::string judged_ones(const SandboxData& data) {
    const CountedOnes ones = all_ones(data);
    std::string text = "Of ones alone:";
    for (std::size_t n = 0; n <= kShownOnes; ++n)
        text += fmt::format(" {} {}{}", n, ones.said[n] == ones.right[n] ? "✓" : "✗", n < kShownOnes ? "," : ".");
    return text;
}

/// How far all steps behind the first have turned the state, and what they left of it.
std::string turned_claim(const SandboxData& data) {
    const trace::Steps steps = steps_of(data.pair, data.bits);
    double turn = 0, kept = 1;
    for (std::size_t t = 1; t < steps.steps.size(); ++t) {
        turn -= steps.steps[t].turn * kDegrees;
        kept *= steps.steps[t].retention;
    }
    if (data.bits.size() == 1)
        return capital(fmt::format("a {} {}", data.bits[0], what_happens(data.pair, data.bits[0])));
    return fmt::format("Turned by {} in all, {} of it left", degrees(turn, 0), percent(kept));
}

std::string read_bits(const SandboxData& data) {
    constexpr std::size_t kMostRead = 16;
    std::string text;
    const std::size_t first = data.bits.size() > kMostRead ? data.bits.size() - kMostRead : 0;
    for (std::size_t t = first; t < data.bits.size(); ++t)
        text += (text.empty() ? "" : " ") + std::to_string(data.bits[t]);
    return (first > 0 ? "… " : "") + text;
}

std::vector<std::string> words_of(const SandboxData& data) {
    std::vector<std::string> words = {sandbox_sentence(data)};
    if (counts(data)) words.push_back(judged_ones(data));
    if (!data.ghosts.empty())
        words.push_back(fmt::format("Behind it are {} ghosts, from {} to {}.", count(data.ghosts.size()),
                                    data.ghosts.front().label, data.ghosts.back().label));
    return words;
}

}  // namespace

std::string what_happens(const HandPair& pair, int bit) {
    const BitStep& at = pair.at.at(static_cast<std::size_t>(bit));
    const trace::StepPieces step = steps_of(pair, {bit}).steps[0];
    std::vector<std::string> parts;
    if (pair.kind == PairKind::flip && at.beta != 0)
        parts.push_back("multiplies by " + number(step.eigenvalue) + " along its key");
    if (pair.kind == PairKind::two_flips && at.apart != 0)
        parts.push_back(fmt::format("flips across mirrors {} apart", degrees(at.apart, 0)));
    if (std::fabs(step.turn) * kDegrees > 0.5)
        parts.push_back("turns by " + degrees(std::fabs(step.turn) * kDegrees, 0));
    if (step.retention < 1 - kTold) parts.push_back("keeps " + percent(step.retention));
    const double added = length(step.now) * (at.in < 0 ? -1 : 1);
    if (std::fabs(added) > kTold && pair.kind != PairKind::two_flips)
        parts.push_back("adds " + at_direction(added, at.key));
    return parts.empty() ? "changes nothing" : list(parts);
}

Figure sandbox_figure(const SandboxData& data) {
    const CountedOnes counted = count_ones(data.pair, data.bits, data.modulus);
    Figure figure;
    figure.id = "sandbox";
    figure.claim = counts(data) ? counting_claim(data) : turned_claim(data);
    figure.subtitle = fmt::format("Read: {}. A 1 {}; a 0 {}.", read_bits(data), what_happens(data.pair, 1),
                                  what_happens(data.pair, 0));
    Panel dial = sandbox_dial(data);
    dial.rows = counts(data) ? 3 : 2;
    figure.panels = {std::move(dial), readout_panel(data, counted), text_panel(data, counted)};
    if (counts(data)) figure.panels.push_back(ones_panel(data));
    for (std::size_t i = 1; i < figure.panels.size(); ++i) {
        figure.panels[i].column = 1;
        figure.panels[i].row = static_cast<int>(i) - 1;
    }
    figure.column_shares = {1.1, 1};
    figure.row_shares = counts(data) ? std::vector{1.6, 1.0, 1.0} : std::vector{2.6, 1.0};
    figure.height = 600;
    figure.words = words_of(data);
    return figure;
}

}  // namespace whorl::viz
