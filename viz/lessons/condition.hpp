// What a step asks a student to do, as one comparison of a live number: never code.
//
//     cursor >= 100        rotation = 2 +- 0.1        rule = bilinear        text = 0110
#pragma once

#include <optional>
#include <string>

#include "viz/lessons/scene.hpp"

namespace whorl::viz {

struct Condition {
    std::string name, comparison;  // =, <, <=, >, >=
    double value = 0, within = 0;  // within: +- so much, for "=" alone
    std::string text{};            // of the name `text`
};

/// Throws UserError for what is none, with the nearest name.
Condition read_condition(const std::string& text);

/// A number that the scene does not have is not as it should be.
bool is_met(const Condition& condition, const Scene& scene);

/// The state with what a student can set (cursor, text, shown, a control) as the condition wants it; empty for numbers
/// that follow from other things, and for a value out of a control's reach.
std::optional<ViewState> state_that_meets(const Condition& condition, ViewState state);

}  // namespace whorl::viz
