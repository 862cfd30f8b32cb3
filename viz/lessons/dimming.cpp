#include "viz/lessons/dimming.hpp"

#include <algorithm>

namespace whorl::viz {
namespace {

void include(plot::Box& box, const plot::Box& other) {
    box.low = {std::min(box.low.x, other.low.x), std::min(box.low.y, other.low.y)};
    box.high = {std::max(box.high.x, other.high.x), std::max(box.high.y, other.high.y)};
}

/// With its labels.
plot::Box whole_of(const plot::PlacedPanel& panel, const plot::Placed& placed) {
    plot::Box box{panel.frame.low, panel.frame.high, {}};
    for (const plot::PlacedLabel& label : placed.labels)
        if (is_part(label.id, panel.id)) include(box, label.box);
    return box;
}

bool is_named(const std::string& panel, const std::vector<std::string>& names) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return is_part(panel, name); });
}

}  // namespace

bool is_part(const std::string& panel, const std::string& name) {
    return panel == name || panel.compare(0, name.size() + 1, name + ".") == 0;
}

std::vector<std::string> panel_names(const plot::Figure& figure) {
    std::vector<std::string> names;
    for (const plot::Panel& panel : figure.panels) names.push_back(panel.id);
    return names;
}

std::vector<plot::Box> dimmed_parts(const plot::Placed& placed, const std::vector<std::string>& show) {
    std::vector<plot::Box> boxes;
    for (const plot::PlacedPanel& panel : placed.panels)
        if (!show.empty() && !is_named(panel.id, show)) boxes.push_back(whole_of(panel, placed));
    return boxes;
}

std::vector<plot::Box> hidden_parts(const plot::Placed& placed, const std::vector<std::string>& hide) {
    std::vector<plot::Box> boxes;
    for (const plot::PlacedPanel& panel : placed.panels)
        if (is_named(panel.id, hide)) boxes.push_back(whole_of(panel, placed));
    for (const plot::PlacedLabel& label : placed.labels)
        if (is_named("claim", hide) && (label.id == "claim" || label.id == "subtitle")) boxes.push_back(label.box);
    return boxes;
}

}  // namespace whorl::viz
