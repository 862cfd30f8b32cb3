// The views that the explorer has, in the order of its bar.
#pragma once

#include <string>
#include <vector>

namespace whorl::viz {

/// A view that the explorer knows.
struct DeskView {
    const char* name;    // in links
    const char* title;   // of itself, and of the group in the bar where it begins one
    const char* group;   // views of one group share a place in the bar
    const char* brief;   // the group's title in large type
    const char* models;  // shown unless the state names others, with commas; "": the hand-set three
    const char* text;    // read unless the state says otherwise: a text, or "size:N" for an example of the task
    bool live = false;   // its figure is of what is trained now, by show_training
};
const std::vector<DeskView>& desk_views();
/// Throws UserError with the nearest name.
const DeskView& desk_view(const std::string& name);
bool is_desk_view(const std::string& name);

/// What `whorl view --help` prints.
const char* view_usage();

}  // namespace whorl::viz
