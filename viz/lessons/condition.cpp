#include "viz/lessons/condition.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "viz/lessons/live_number.hpp"
#include "viz/state/controls.hpp"

namespace whorl::viz {
namespace {

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words(1);
    for (const char c : text) {
        if (c != ' ')
            words.back() += c;
        else if (!words.back().empty())
            words.emplace_back();
    }
    if (words.back().empty()) words.pop_back();
    return words;
}

double number_in(const std::string& word) {
    char* end = nullptr;
    const double value = std::strtod(word.c_str(), &end);
    if (word.empty() || *end != '\0' || !std::isfinite(value))
        throw UserError("done: " + in_quotes(word) + " is no number");
    return value;
}

/// Of a choice, its place; its name is not a number.
double wanted_value(const Control* control, const std::string& word) {
    if (control == nullptr || control->kind != ControlKind::choice) return number_in(word);
    const std::vector<std::string> choices(control->choices.begin(), control->choices.end());
    const auto found = std::find(choices.begin(), choices.end(), word);
    if (found == choices.end())
        throw UserError(std::string("done: unknown ") + control->name + " " + in_quotes(word) +
                        suggestion(word, choices));
    return static_cast<double>(found - choices.begin());
}

/// The next value that a control, or a count, can have on that side.
double beside(const Condition& condition, const Control* control, double side) {
    const bool fine = control != nullptr && control->kind == ControlKind::number;
    return condition.value + side * (fine ? (control->high - control->low) / 1000 : 1);
}

double value_that_meets(const Condition& condition, const Control* control) {
    if (condition.comparison == ">") return beside(condition, control, 1);
    if (condition.comparison == "<") return beside(condition, control, -1);
    return condition.value;
}

}  // namespace

Condition read_condition(const std::string& text) {
    const std::vector<std::string> words = words_of(text);
    const bool near = words.size() == 5 && (words[3] == "+-" || words[3] == "±");
    if (words.size() != 3 && !near)
        throw UserError("done = " + in_quotes(text) + ": expected NAME COMPARISON NUMBER, or NAME = NUMBER +- NUMBER");
    try {
        check_live_name(words[0]);
    } catch (const UserError& error) {
        throw UserError(std::string("done: ") + error.what());
    }
    const std::vector<std::string> comparisons = {"=", "<", "<=", ">", ">="};
    if (std::find(comparisons.begin(), comparisons.end(), words[1]) == comparisons.end())
        throw UserError("done: unknown comparison " + in_quotes(words[1]) + suggestion(words[1], comparisons));
    Condition condition{words[0], words[1]};
    if ((near || words[0] == "text") && words[1] != "=")
        throw UserError("done = " + in_quotes(text) + ": this goes with = alone");
    if (words[0] == "text")
        condition.text = words[2];
    else
        condition.value = wanted_value(find_control(words[0]), words[2]);
    if (near) condition.within = number_in(words[4]);
    return condition;
}

bool is_met(const Condition& condition, const Scene& scene) {
    const LiveNumber now = live_number(condition.name, scene);
    if (condition.name == "text") return now.text == condition.text;
    if (!now.value) return false;
    if (condition.comparison == "<") return *now.value < condition.value;
    if (condition.comparison == "<=") return *now.value <= condition.value;
    if (condition.comparison == ">") return *now.value > condition.value;
    if (condition.comparison == ">=") return *now.value >= condition.value;
    return std::fabs(*now.value - condition.value) <= condition.within;
}

std::optional<ViewState> state_that_meets(const Condition& condition, ViewState state) {
    const Control* control = find_control(condition.name);
    const double value = value_that_meets(condition, control);
    if (control != nullptr && value >= control->low && value <= control->high)
        return with_value(std::move(state), condition.name, value);
    if (condition.name == "cursor")
        state.cursor = static_cast<std::int64_t>(value);
    else if (condition.name == "beat")
        state.beat = static_cast<std::int64_t>(value);
    else if (condition.name == "shown")
        state.shown = value > 0;
    else if (condition.name == "text")
        state.text = condition.text, state.cursor = -1;
    else
        return std::nullopt;
    return state;
}

}  // namespace whorl::viz
