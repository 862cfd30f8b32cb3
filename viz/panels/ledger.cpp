#include "viz/panels/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/panels/clip.hpp"
#include "viz/panels/series.hpp"
#include "viz/panels/wording.hpp"

namespace whorl::viz {
namespace {

using namespace plot;

constexpr double kShownShare = 0.02;   // of the answer: pairs below are left out of a panel of many
constexpr double kHeavyShare = 0.1;    // pairs whose drift sets the panel's range
constexpr double kLightReach = 1.4;    // times that range, for light pairs to be seen whole
constexpr std::size_t kMostPairs = 7;  // lines in one panel
constexpr double kSplitShare = 0.05;   // of the answer: pairs whose drift is split by token
constexpr std::size_t kSplitPairs = 4;

double band_of(const LedgerData& data) {
    return 180.0 / static_cast<double>(data.modulus);
}

double extent(const std::vector<double>& values) {
    double largest = 0;
    for (const double value : values) largest = std::max(largest, std::abs(value));
    return largest;
}

std::vector<LedgerPair> shown_pairs(const LedgerModel& model) {
    std::vector<LedgerPair> shown;
    for (const LedgerPair& pair : model.pairs)
        if (shown.empty() || (pair.share >= kShownShare && shown.size() < kMostPairs)) shown.push_back(pair);
    return shown;
}

std::string signed_degrees(double angle) {
    const std::string text = degrees(angle, 0);
    return angle > 0 && text != "0°" ? "+" + text : text;
}

/// Models beside each other are told apart by their dash.
Dash dash_of(std::size_t model) {
    return model == 0 ? Dash::solid : model == 1 ? Dash::dashed : Dash::dotted;
}

/// Ticks at whole parts of a turn.
std::vector<Tick> degree_ticks(double limit) {
    const double step = limit <= 100 ? 45 : limit <= 200 ? 90 : limit <= 560 ? 180 : 360;
    std::vector<Tick> ticks;
    for (double at = -std::floor(limit / step) * step; at <= limit + 1e-9; at += step)
        ticks.push_back({at, at == 0 ? "0°" : fmt::format("{}{:.0f}°", at > 0 ? "+" : "−", std::abs(at))});
    return ticks;
}

void set_range(Panel& panel, double largest, double band) {
    const double limit = std::clamp(1.15 * std::max(largest, 1.3 * band), 1.3 * band, 620.0);
    panel.y.low = -limit, panel.y.high = limit;
    panel.y.ticks = degree_ticks(limit);
}

/// The line up to where it leaves the panel, and an arrow there.
void add_drift(Panel& panel, const std::string& id, const LedgerPair& pair, const Style& style,
               const std::string& label) {
    std::vector<Point> points = points_of(pair.drift);
    const auto outside =
        std::find_if(points.begin(), points.end(), [&](Point p) { return std::abs(p.y) > panel.y.high; });
    if (outside == points.end()) {
        panel.marks.push_back(Line{id, points, style, label + " " + signed_degrees(pair.drift.back())});
        return;
    }
    const double edge = outside->y > 0 ? panel.y.high : panel.y.low;
    points.erase(outside, points.end());
    if (points.empty()) return;
    panel.marks.push_back(Line{id, points, style, ""});
    panel.marks.push_back(
        Text{id + ".leaves",
             {points.back().x, 0.95 * edge},
             fmt::format("{} {} → {}", edge > 0 ? "▲" : "▼", label, signed_degrees(pair.drift.back())),
             {Role::secondary},
             points.back().x > 0.6 * panel.x.high ? Anchor::right : Anchor::left});
}

void add_trained(Panel& panel, const LedgerData& data, bool labelled) {
    // A size counts the answer's slot, which is never read.
    if (data.trained_size < 2 || static_cast<std::size_t>(data.trained_size - 1) > std::max(data.span, data.length))
        return;
    const auto size = static_cast<double>(data.trained_size - 1);
    panel.marks.push_back(Band{
        "trained", Direction::x, -std::numeric_limits<double>::infinity(), size, {Role::muted, Weight::context, 0.2}});
    panel.marks.push_back(Rule{"trained.end",
                               Direction::x,
                               size,
                               {Role::accent, Weight::context, 0.8, Dash::dotted},
                               labelled ? fmt::format("trained to size {}", data.trained_size) : ""});
}

Panel drift_panel(const LedgerData& data) {
    Panel panel;
    panel.id = "drift";
    panel.x.low = 0, panel.x.high = static_cast<double>(std::max(data.span, data.length)) + 1;

    double heavy = 0, all = 0;
    for (const LedgerModel& model : data.models)
        for (const LedgerPair& pair : shown_pairs(model)) {
            const bool main = pair.pair == model.pairs.front().pair;
            if (!main && data.models.size() > 1) continue;
            all = std::max(all, extent(pair.drift));
            if (main || pair.share >= kHeavyShare) heavy = std::max(heavy, extent(pair.drift));
        }
    const double largest = std::min(all, kLightReach * heavy);
    set_range(panel, largest, band_of(data));
    add_trained(panel, data, true);
    panel.marks.push_back(Band{"band",
                               Direction::y,
                               -band_of(data),
                               band_of(data),
                               {Role::muted, Weight::context, 0.2},
                               fmt::format("±{:.0f}°", band_of(data))});
    panel.marks.push_back(Rule{"zero", Direction::y, 0, {Role::secondary, Weight::context}});
    return panel;
}

Panel margin_panel(const LedgerData& data) {
    Panel panel;
    panel.id = "margin";
    panel.title = "The margin: right answer above the best wrong one";
    panel.row = 1;
    panel.x.low = 0, panel.x.high = static_cast<double>(std::max(data.span, data.length)) + 1;
    panel.x.label = data.unit + " read";
    panel.y.label = "logits";
    add_trained(panel, data, false);
    panel.marks.push_back(Rule{"zero", Direction::y, 0, {Role::secondary, Weight::context}});
    for (std::size_t i = 0; i < data.models.size(); ++i) {
        const LedgerModel& model = data.models[i];
        const std::string id = std::to_string(i);
        std::vector<Point> wrong;
        for (std::size_t t = 0; t < model.margin.size(); ++t)
            if (model.margin[t] <= 0) wrong.push_back({static_cast<double>(t + 1), model.margin[t]});
        panel.marks.push_back(Line{"margin." + id,
                                   points_of(model.margin),
                                   {model.role, Weight::data, 1, dash_of(i)},
                                   data.models.size() > 1 ? model.name : ""});
        if (!wrong.empty())
            panel.marks.push_back(Points{"wrong." + id,
                                         wrong,
                                         {Role::wrong},
                                         Shape::cross,
                                         false,
                                         data.models.size() > 1 ? "" : fmt::format("{} wrong", wrong.size())});
    }
    return panel;
}

/// What each token brought to the drift of one pair, as bars from zero.
Panel split_panel(const LedgerModel& model, const LedgerPair& pair, int place, double limit) {
    Panel panel;
    panel.id = "split." + std::to_string(place);
    panel.title = fmt::format("pair {}", pair.pair);
    panel.subtitle = signed_degrees(pair.drift.back()) + ", by token (its turn)";
    panel.column = 1;
    panel.row = place;
    panel.x.low = -limit, panel.x.high = limit;
    panel.x.shown = false;
    panel.y.low = -0.5 - static_cast<double>(model.symbols.size() - 1), panel.y.high = 0.5;
    Bars bars{"tokens", {}, {model.role, Weight::data, 0.9}, 0.6, Direction::x};
    for (std::size_t i = 0; i < model.symbols.size(); ++i) {
        const double at = -static_cast<double>(i);
        bars.bars.push_back({at, 0, pair.by_token[i]});
        panel.y.ticks.push_back({at, fmt::format("{} ({}): {}", model.symbols[i], degrees(pair.turn_of_token[i], 1),
                                                 signed_degrees(pair.by_token[i]))});
    }
    panel.marks.push_back(std::move(bars));
    panel.marks.push_back(Rule{"zero", Direction::x, 0, {Role::secondary, Weight::context}});
    return panel;
}

/// Ends of the bars that can be dragged: a token's angle changes what all of its kind bring.
void add_handles(Panel& split, const LedgerData& data) {
    const LedgerModel& model = data.models[0];
    for (std::size_t i = 0; i < std::min(model.symbols.size(), data.handles.size()); ++i) {
        const auto count =
            std::count(model.text.begin(), model.text.begin() + static_cast<std::ptrdiff_t>(data.length), i);
        if (data.handles[i].empty() || count == 0) continue;
        split.marks.push_back(Handle{data.handles[i],
                                     {model.pairs[0].by_token[i], -static_cast<double>(i)},
                                     {Role::accent, Weight::chosen},
                                     "",
                                     static_cast<double>(count)});
    }
}

std::string position_text(const LedgerData& data, std::size_t position) {
    const std::string one = data.unit.substr(0, data.unit.size() - 1);
    return fmt::format("{} {}", one, position);
}

std::string length_text(const LedgerData& data) {
    return data.length == 1 ? position_text(data, 1) : fmt::format("{} {}", data.length, data.unit);
}

std::string claim_of_one(const LedgerData& data) {
    const LedgerModel& model = data.models[0];
    const LedgerPair& pair = model.pairs[0];
    const std::size_t wrong = first_wrong(model), beyond = first_beyond(pair, band_of(data));
    const std::string band = fmt::format("±{:.0f}°", band_of(data));
    if (beyond == 0 && wrong == 0)
        return fmt::format("No mistake in {}: pair {} stays within {}", length_text(data), pair.pair, band);
    if (beyond == 0)
        return fmt::format("The first mistake comes at {}, with pair {} still within {}", position_text(data, wrong),
                           pair.pair, band);
    if (wrong == 0)
        return fmt::format("Pair {} leaves {} at {}, and no answer is wrong", pair.pair, band,
                           position_text(data, beyond));
    if (wrong < beyond)
        return fmt::format("The first mistake comes at {}, before pair {} leaves {} at {}", position_text(data, wrong),
                           pair.pair, band, position_text(data, beyond));
    return fmt::format("Pair {} leaves {} at {}, the first mistake comes at {}", pair.pair, band,
                       position_text(data, beyond), position_text(data, wrong));
}

std::string claim_of_several(const LedgerData& data) {
    std::string text;
    for (const LedgerModel& model : data.models) {
        const std::size_t wrong = first_wrong(model);
        text += (text.empty() ? "" : "; ") +
                (wrong == 0 ? fmt::format("{}: no mistake", model.name)
                            : fmt::format("{}: first mistake at {}", model.name, position_text(data, wrong)));
    }
    return text;
}

std::string sentence(const LedgerData& data, const LedgerModel& model) {
    std::string text = model.name + (model.about.empty() ? "" : " (" + model.about + ")") + ": ";
    if (!data.changed.empty()) text += data.changed + "; ";
    const LedgerPair& pair = model.pairs[0];
    text += fmt::format("pair {} carries {:.0f} % of the answer; ", pair.pair, 100 * pair.share);
    for (std::size_t i = 0; i < model.symbols.size(); ++i)
        text += fmt::format("a “{}” turns it by {:.2f}° and brings {:+.1f}° of drift; ", model.symbols[i],
                            pair.turn_of_token[i], pair.by_token[i]);
    text += fmt::format("after {} it is off by {:+.1f}°. ", length_text(data), pair.drift.back());
    for (const LedgerPair& other : shown_pairs(model))
        if (other.pair != pair.pair)
            text += fmt::format("Pair {} carries {:.0f} % and is off by {:+.1f}°. ", other.pair, 100 * other.share,
                                other.drift.back());
    const std::size_t wrong = first_wrong(model);
    const auto count = std::count_if(model.margin.begin(), model.margin.end(), [](double m) { return m <= 0; });
    text += wrong == 0 ? "No answer is wrong."
                       : fmt::format("{} of {} answers are wrong, the first at {}.", count, model.margin.size(),
                                     position_text(data, wrong));
    return text;
}

Figure of_one(const LedgerData& data) {
    const LedgerModel& model = data.models[0];
    Figure figure;
    figure.claim = claim_of_one(data);
    figure.subtitle =
        "Angle turned less angle owed, for each pair of the head that keeps the answer (" + model.about + ")";
    if (!data.changed.empty())
        figure.subtitle =
            "**" + capital(data.changed) + "** in pair " + std::to_string(model.pairs[0].pair) + ". " + figure.subtitle;
    const std::vector<LedgerPair> shown = shown_pairs(model);
    Panel drift = drift_panel(data);
    for (const LedgerPair& pair : shown) {
        const bool main = pair.pair == model.pairs[0].pair;
        const Weight weight = main ? Weight::chosen : pair.share >= kHeavyShare ? Weight::data : Weight::context;
        const std::string name = fmt::format("pair {}", pair.pair);
        add_drift(drift, name, pair,
                  {model.role, weight,
                   main                        ? 1.0
                   : pair.share >= kHeavyShare ? 0.85
                                               : 0.6,
                   Dash::solid},
                  main ? "**" + name + "**" : name);
    }
    if (!model.pairs[0].as_is.empty())
        drift.marks.push_back(
            Line{"as-is",
                 first_part(between_heights(points_of(model.pairs[0].as_is), drift.y.low, drift.y.high)),
                 {model.role, Weight::context, 0.7, Dash::dotted},
                 "as it is"});
    std::size_t splits = 1;
    while (splits < std::min(kSplitPairs, shown.size()) && shown[splits].share >= kSplitShare) ++splits;
    double limit = 1;
    for (std::size_t i = 0; i < splits; ++i)
        limit = std::max({limit, extent(shown[i].by_token), extent(shown[i].as_is)});
    drift.rows = static_cast<int>(kSplitPairs) / 2;
    Panel margin = margin_panel(data);
    margin.row = drift.rows;
    margin.rows = static_cast<int>(kSplitPairs) - drift.rows;
    figure.panels = {std::move(drift), std::move(margin)};
    for (std::size_t i = 0; i < splits; ++i)
        figure.panels.push_back(split_panel(model, shown[i], static_cast<int>(i), limit));
    add_handles(figure.panels[2], data);
    figure.column_shares = {2.6, 1};
    figure.row_shares = {1.25, 1.25, 1, 1};
    figure.height = 600;
    return figure;
}

Figure of_several(const LedgerData& data) {
    Figure figure;
    figure.claim = claim_of_several(data);
    figure.subtitle = "Angle turned less angle owed, of the pair that carries most of each model's answer";
    Panel drift = drift_panel(data);
    for (std::size_t i = 0; i < data.models.size(); ++i) {
        const LedgerModel& model = data.models[i];
        add_drift(drift, "model." + std::to_string(i), model.pairs[0], {model.role, Weight::chosen, 1, dash_of(i)},
                  model.name);
    }
    figure.panels = {std::move(drift), margin_panel(data)};
    figure.row_shares = {1.6, 1};
    figure.height = 600;
    return figure;
}

}  // namespace

std::size_t first_wrong(const LedgerModel& model) {
    for (std::size_t t = 0; t < model.margin.size(); ++t)
        if (model.margin[t] <= 0) return t + 1;
    return 0;
}

std::size_t first_beyond(const LedgerPair& pair, double degrees) {
    for (std::size_t t = 0; t < pair.drift.size(); ++t)
        if (std::abs(pair.drift[t]) > degrees) return t + 1;
    return 0;
}

LedgerData first_tokens(LedgerData data, std::size_t count) {
    data.span = std::max(data.span, data.length);
    data.length = std::clamp<std::size_t>(count, 1, data.length);
    for (LedgerModel& model : data.models) {
        model.margin.resize(data.length);
        for (LedgerPair& pair : model.pairs) {
            pair.drift.resize(data.length);
            if (!pair.as_is.empty()) pair.as_is.resize(data.length);
            std::fill(pair.by_token.begin(), pair.by_token.end(), 0.0);
            for (std::size_t t = 0; t < data.length; ++t)
                pair.by_token[model.text.at(t)] += pair.drift[t] - (t > 0 ? pair.drift[t - 1] : 0);
        }
    }
    return data;
}

Figure ledger_figure(const LedgerData& data) {
    Figure figure = data.models.size() == 1 ? of_one(data) : of_several(data);
    figure.id = "ledger";
    for (const LedgerModel& model : data.models) figure.words.push_back(sentence(data, model));
    return figure;
}

}  // namespace whorl::viz
