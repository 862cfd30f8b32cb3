// What a student answers: kept in ViewState::answer, one text a question of the step, "b~115" for the second choice and
// then 115.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "viz/lessons/lesson.hpp"

namespace whorl::viz {

std::vector<std::string> answers_of(const ViewState& state);
ViewState with_answer(ViewState state, const std::string& answer);

/// "b", the choice `rank` from 0.
std::string choice_answer(std::size_t rank);
/// "115"; without more digits than a hand writes.
std::string number_answer(double value);

/// Of a choice its place, from 1. Empty for what is no answer to this question.
std::optional<double> answer_value(const LessonQuestion& question, const std::string& answer);
/// A bet is never wrong, nor right.
std::optional<bool> is_right(const LessonQuestion& question, const std::string& answer);

/// "a slide", "115°": as a sentence has it.
std::string answer_words(const LessonQuestion& question, const std::string& answer);
/// "115°, or up to 5° off"; "" for a bet.
std::string right_words(const LessonQuestion& question);

}  // namespace whorl::viz
