// Where a student stands within a step: predict, then do, then look back; and what may be touched meanwhile.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "viz/lessons/lesson.hpp"
#include "viz/lessons/scene.hpp"

namespace whorl::viz {

enum class Stage { predict, act, check, over };

/// `over` is the only stage from which the lesson goes on.
Stage stage_of(const LessonStep& step, const Scene& scene);

/// Where doing what the step asks leads to; the same state where nothing is asked, or that follows from other things.
ViewState state_when_done(const LessonStep& step, const ViewState& state);

/// The question of a stage; null for one that asks nothing.
const LessonQuestion* question_at(const LessonStep& step, Stage stage);

/// The answer to `predict`, or to `check`; empty where there is none yet.
std::optional<std::string> prediction_of(const LessonStep& step, const ViewState& state);
std::optional<std::string> check_answer_of(const LessonStep& step, const ViewState& state);

/// What a lesson may allow: cursor, beat, type, show, view, model, compare, train, moment and every control.
std::vector<std::string> allowed_names();

/// Whether the student may touch `what` now: nothing before the prediction, then what the step allows.
bool allows(const LessonStep& step, Stage stage, const std::string& what);

/// The first thing that differs between the states and may not be touched; "" where the change may be. Another step, an
/// answer and the screen's look are always free.
std::string forbidden_change(const LessonStep& step, Stage stage, const ViewState& from, const ViewState& to);

}  // namespace whorl::viz
