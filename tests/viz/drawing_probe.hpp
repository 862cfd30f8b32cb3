// Reads placed drawings: bounds of shapes, letters with what they stand on, and a text that tells drawings apart.
#pragma once

#include <string>
#include <vector>

#include "viz/plot/drawing.hpp"
#include "viz/plot/theme.hpp"

namespace whorl::test {

plot::Box bounds_of(const plot::Shape2d& shape);

struct WrittenRun {
    std::string item, text;
    plot::Color color, ground;  // both as seen, opaque
};

/// Every run of letters, and the colour of the last fills below its middle.
std::vector<WrittenRun> written_runs(const plot::Drawing& drawing);

/// All numbers of a drawing, exactly.
std::string text_of(const plot::Drawing& drawing);

}  // namespace whorl::test
