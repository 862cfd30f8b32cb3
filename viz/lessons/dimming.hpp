// What a step shows of a figure: its panels by name, and the ground over others.
#pragma once

#include <string>
#include <vector>

#include "viz/plot/place.hpp"

namespace whorl::viz {

/// Whether `panel` is what `name` means: that panel, or one of a row ("dial" means dial.0, dial.1 …).
bool is_part(const std::string& panel, const std::string& name);

std::vector<std::string> panel_names(const plot::Figure& figure);

/// For each panel that is not in `show`: what it fills with its labels, in the drawing's pixels. None where `show` is
/// empty.
std::vector<plot::Box> dimmed_parts(const plot::Placed& placed, const std::vector<std::string>& show);
/// The same for each panel in `hide`; "claim" is the figure's claim and what stands below it.
std::vector<plot::Box> hidden_parts(const plot::Placed& placed, const std::vector<std::string>& hide);

}  // namespace whorl::viz
