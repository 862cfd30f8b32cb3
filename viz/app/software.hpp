// Where a graphics chip or its driver is too old, Mesa draws in software: the program is started again with its
// renderer, as libraries of OpenGL choose theirs once.
#pragma once

#include "viz/app/window.hpp"

namespace whorl::view {

/// Says why, and starts this program again with the same words. Returns the sentence to end with where that has been
/// done already, or cannot be done.
std::string start_in_software(const NoOpenGl& why, char** words);

}  // namespace whorl::view
