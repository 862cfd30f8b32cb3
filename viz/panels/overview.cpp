#include "viz/panels/overview.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "viz/panels/overview_axis.hpp"
#include "viz/panels/overview_classes.hpp"
#include "viz/panels/wording.hpp"
#include "viz/plot/text_runs.hpp"

namespace whorl::viz {
namespace {

using namespace plot;

constexpr const char* kAccuracy = "accuracy";
constexpr std::size_t kListed = 5;  // dots that the words name
constexpr std::size_t kNamed = 3;   // places that a claim names, and a sentence each up to kSaid
constexpr std::size_t kSaid = 12;

/// What is drawn: dots with both values, and where they stand.
struct Plan {
    OverviewChoice choice;
    std::size_t x = 0, y = 0, colour = 0;
    std::vector<std::size_t> dots;
    std::size_t passed_over = 0;  // by the filter
    std::size_t nowhere = 0;      // of those left, dots without one of the two values
    OverviewAxis across, up;
};

const Known& known(const OverviewData& data, const Plan& plan, std::size_t position, std::size_t key) {
    return data.dots[plan.dots[position]].known[key];
}

Plan plan_of(const OverviewData& data, const OverviewChoice& given) {
    Plan plan;
    plan.choice = resolved(data, given);
    plan.x = key_named(data, plan.choice.x), plan.y = key_named(data, plan.choice.y);
    plan.colour = key_named(data, plan.choice.colour);
    const auto chosen = sorted(data, filtered(data, plan.choice.filter), plan.choice.sort);
    if (chosen.empty())
        throw UserError(one_line(
            fmt::format("overview: none of {} replicas has {}", data.dots.size(), in_quotes(plan.choice.filter))));
    for (const std::size_t dot : chosen)
        if (data.dots[dot].known[plan.x].index() != 0 && data.dots[dot].known[plan.y].index() != 0)
            plan.dots.push_back(dot);
    if (plan.dots.empty())
        throw UserError(one_line("overview: no replica has both " + plan.choice.x + " and " + plan.choice.y));
    plan.passed_over = data.dots.size() - chosen.size();
    plan.nowhere = chosen.size() - plan.dots.size();
    plan.across = overview_axis(data, plan.dots, plan.x, !plan.choice.sort.empty());
    plan.up = overview_axis(data, plan.dots, plan.y, false);
    if (!plan.across.places.empty()) spread(plan.across.at, plan.up.at, plan.across.places.size());
    return plan;
}

// --- marks -----------------------------------------------------------------------------------------------------------

std::string with(const OverviewKey& key, const Known& value) {
    return key.title() + " " + known_text(key, value);
}

/// "headdim=8@3: accuracy 99.8 %, learning_rate 0.004"
std::string said_of(const OverviewData& data, const Plan& plan, std::size_t position) {
    std::vector<std::size_t> keys = {plan.y};
    for (const std::size_t key : {plan.x, plan.colour})
        if (std::count(keys.begin(), keys.end(), key) == 0) keys.push_back(key);
    std::string text = data.dots[plan.dots[position]].name;
    for (const std::size_t key : keys)
        text += (key == plan.y ? ": " : ", ") + with(data.keys[key], known(data, plan, position, key));
    return text;
}

Points class_marks(const OverviewData& data, const Plan& plan, const OverviewClass& one, std::size_t number) {
    Points points;
    points.id = "class." + std::to_string(number);
    points.style = {one.role, Weight::data, 0.85};
    points.shape = one.shape, points.hollow = one.hollow;
    points.label = literal(one.label);
    for (const std::size_t position : one.members) {
        points.points.push_back({plan.across.at[position], plan.up.at[position]});
        points.names.push_back(literal(said_of(data, plan, position)));
        points.opens.push_back(data.dots[plan.dots[position]].opens);
    }
    return points;
}

bool is_accuracy(const OverviewKey& key) {
    return key.name.compare(0, std::string(kAccuracy).size(), kAccuracy) == 0;
}

Panel panel_of(const OverviewData& data, const Plan& plan) {
    Panel panel;
    panel.id = "runs";
    panel.x = plan.across.axis, panel.y = plan.up.axis;
    if (is_accuracy(data.keys[plan.y])) {
        panel.marks.push_back(
            Rule{"guessing", Direction::y, 0, {Role::secondary, Weight::context, 1, Dash::dotted}, ""});
        panel.marks.push_back(
            Rule{"pass", Direction::y, data.pass, {Role::secondary, Weight::context, 1, Dash::dotted}, ""});
    }
    const auto classes = overview_classes(data, plan.dots, plan.colour);
    for (std::size_t c = 0; c < classes.size(); ++c) {
        panel.marks.push_back(class_marks(data, plan, classes[c], c));
        if (classes.size() == 1) std::get<Points>(panel.marks.back()).label.clear();
    }
    return panel;
}

// --- what it says ----------------------------------------------------------------------------------------------------

std::vector<double> numbers_at(const OverviewData& data, const Plan& plan, const Known* place) {
    std::vector<double> numbers;
    for (std::size_t i = 0; i < plan.dots.size(); ++i)
        if (place == nullptr || known(data, plan, i, plan.x) == *place)
            if (const auto* number = std::get_if<double>(&known(data, plan, i, plan.y))) numbers.push_back(*number);
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

std::size_t passing(const OverviewData& data, const std::vector<double>& numbers) {
    return static_cast<std::size_t>(
        std::count_if(numbers.begin(), numbers.end(), [&](double value) { return value >= data.pass; }));
}

/// ", only with headdim 8", where that is a few of the places.
std::string where_they_pass(const OverviewData& data, const Plan& plan) {
    std::vector<std::string> names;
    for (const Known& place : plan.across.places)
        if (passing(data, numbers_at(data, plan, &place)) > 0) names.push_back(known_text(data.keys[plan.x], place));
    if (names.empty() || names.size() > kNamed || names.size() == plan.across.places.size()) return "";
    return ", only with " + data.keys[plan.x].title() + " " + list(names);
}

std::string replicas(std::size_t count) {
    return fmt::format("{} replica{}", count, count == 1 ? "" : "s");
}

std::string accuracy_claim(const OverviewData& data, const Plan& plan, const std::vector<double>& numbers) {
    const std::string mark = percent(data.pass / 100);
    const std::size_t good = passing(data, numbers);
    const std::string best = known_text(data.keys[plan.y], numbers.back());
    if (good == 0) return fmt::format("None of {} reaches {}: the best has {}", replicas(numbers.size()), mark, best);
    if (good == numbers.size()) return fmt::format("All {} reach {}", replicas(good), mark);
    return fmt::format("{} of {} {} {}", good, replicas(numbers.size()), good == 1 ? "reaches" : "reach", mark) +
           where_they_pass(data, plan);
}

std::string claim_of(const OverviewData& data, const Plan& plan) {
    const std::vector<double> numbers = numbers_at(data, plan, nullptr);
    const OverviewKey& key = data.keys[plan.y];
    if (numbers.empty()) return fmt::format("{} by {}", replicas(plan.dots.size()), key.title());
    if (is_accuracy(key)) return accuracy_claim(data, plan, numbers);
    return fmt::format("{} of {}: {} to {}", capital(key.title()), replicas(numbers.size()),
                       known_text(key, numbers.front()), known_text(key, numbers.back()));
}

std::string sentence_of_place(const OverviewData& data, const Plan& plan, const Known& place) {
    const std::vector<double> numbers = numbers_at(data, plan, &place);
    const OverviewKey& key = data.keys[plan.y];
    std::string text = with(data.keys[plan.x], place) + ": ";
    if (is_accuracy(key))
        text += fmt::format("{} of {} reach {}; ", passing(data, numbers), replicas(numbers.size()),
                            percent(data.pass / 100));
    return text + fmt::format("{} from {} to {}, half of them at {} or more.", key.title(),
                              known_text(key, numbers.front()), known_text(key, numbers.back()),
                              known_text(key, numbers[numbers.size() / 2]));
}

std::vector<std::string> words_of(const OverviewData& data, const Plan& plan) {
    std::vector<std::string> words;
    if (plan.across.places.size() <= kSaid)
        for (const Known& place : plan.across.places)
            if (!numbers_at(data, plan, &place).empty()) words.push_back(sentence_of_place(data, plan, place));
    const std::string order = plan.choice.sort.empty() ? "As they are stored" : "In order of " + plan.choice.sort;
    std::string text = order + ":";
    for (std::size_t i = 0; i < std::min(kListed, plan.dots.size()); ++i) text += " " + said_of(data, plan, i) + ";";
    if (plan.dots.size() > kListed) text += fmt::format(" and {} more;", plan.dots.size() - kListed);
    text.back() = '.';
    words.push_back(text);
    words.push_back("Keys to choose from: " + list(varying_keys(data)) + ".");
    return words;
}

std::string subtitle_of(const OverviewData& data, const Plan& plan) {
    std::string text = data.title + "; a mark is a replica, its colour and shape " + data.keys[plan.colour].title();
    if (is_accuracy(data.keys[plan.y])) text += fmt::format("; dotted: guessing and {}", percent(data.pass / 100));
    if (!plan.choice.filter.empty()) text += fmt::format("; {} are not {}", plan.passed_over, plan.choice.filter);
    if (!plan.choice.sort.empty()) text += "; sorted by " + plan.choice.sort;
    if (plan.nowhere > 0) text += fmt::format("; {} without such a value", plan.nowhere);
    if (!data.missing.empty()) text += "; " + data.missing;
    return literal(text);
}

/// The first of `names` that varies and is none of `others`; else "".
std::string first_varying(const std::vector<std::string>& varying, const std::vector<std::string>& names,
                          const std::vector<std::string>& others) {
    for (const std::string& name : names)
        if (std::count(varying.begin(), varying.end(), name) > 0 && std::count(others.begin(), others.end(), name) == 0)
            return name;
    return "";
}

std::string first_of(const std::string& one, const std::string& other) {
    return one.empty() ? other : one;
}

}  // namespace

OverviewChoice resolved(const OverviewData& data, OverviewChoice choice) {
    if (data.dots.empty() || data.keys.empty())
        throw UserError(one_line("overview: " + data.title + " has no finished run" +
                                 (data.missing.empty() ? "" : ": " + data.missing)));
    const std::vector<std::string> varying = varying_keys(data);
    std::vector<std::string> inputs;
    for (const OverviewKey& key : data.keys)
        if (!key.result) inputs.push_back(key.name);
    choice.y = first_of(choice.y, kAccuracy);
    if (choice.x.empty()) choice.x = first_of(first_varying(varying, inputs, {choice.y}), data.keys[0].name);
    if (choice.colour.empty()) choice.colour = first_varying(varying, inputs, {choice.x, choice.y});
    choice.colour = first_of(choice.colour, choice.x);
    return choice;
}

Figure overview_figure(const OverviewData& data, const OverviewChoice& choice) {
    const Plan plan = plan_of(data, choice);
    Figure figure;
    figure.id = "overview";
    figure.claim = literal(claim_of(data, plan));
    figure.subtitle = subtitle_of(data, plan);
    figure.panels.push_back(panel_of(data, plan));
    for (const std::string& sentence : words_of(data, plan)) figure.words.push_back(literal(sentence));
    return figure;
}

}  // namespace whorl::viz
