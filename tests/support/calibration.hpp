// A drawing of every shape, with borders, dashes, clips and letters, that painters are compared on.
#pragma once

#include "viz/plot/drawing.hpp"

whorl::plot::Drawing calibration_drawing();

/// One shape in black on white paper of 60 × 40.
whorl::plot::Drawing drawing_of(whorl::plot::Shape2d shape);
