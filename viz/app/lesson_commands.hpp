// What `whorl view` does with lessons without opening a window.
#pragma once

#include <string>

#include "viz/state/view_state.hpp"

namespace whorl::view {

/// Prints every step's claim and what is wrong with it. 0, or 2 where anything is. Throws as load_lesson.
int check_lesson_file(const std::string& name);

/// Writes NAME.html into the current folder. Throws as handout and write_file.
void write_handout(const std::string& name);

/// Adds the state to the lesson in `path` as a step. Throws as append_step.
void record_step(const std::string& path, const viz::ViewState& state);

/// Writes what was answered in this user's lessons as CSV. Throws as read_lesson_book and write_file.
void write_predictions(const std::string& path);

}  // namespace whorl::view
