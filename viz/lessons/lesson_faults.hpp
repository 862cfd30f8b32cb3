// What must be right in a lesson before a student meets it.
#pragma once

#include <string>
#include <vector>

#include "viz/desk/desk.hpp"
#include "viz/lessons/lesson.hpp"

namespace whorl::viz {

/// What its text says by itself: states, conditions, names. Throws UserError, one line with `source` and the step.
void check_lesson(const Lesson& lesson, const std::string& source);

/// What one step turns out to be.
struct StepFinding {
    std::string claim;                  // of its figure; "" for a live view, which has none until something is trained
    std::vector<std::string> faults{};  // what cannot be shown, said or done there, a sentence each
};
/// Makes every step's figure: for panels, numbers and conditions that its view does not have.
std::vector<StepFinding> play_through(Desk& desk, const Lesson& lesson, const std::string& name);

}  // namespace whorl::viz
