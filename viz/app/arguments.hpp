// What `whorl-view` is told.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "viz/app/window.hpp"
#include "viz/state/view_state.hpp"

namespace whorl::view {

struct ViewArguments {
    WindowSize size;
    viz::ViewState state;
    std::string save{};         // file to keep the view in; "": none
    std::string screenshot{};   // a file to write, instead of a window: .png the window, else as plot::format_of says
    std::string frames{};       // a folder for pictures of a scrub, instead of a window
    bool describe = false;      // say what would be shown, in words, instead
    bool check = false;         // make every figure of the state's lesson instead
    bool handout = false;       // write the state's lesson as a page instead
    std::string record{};       // a lesson file to add the state to, instead
    std::string predictions{};  // a .csv to write what was answered to, instead
    bool view_named = false;    // else it is the one that suits the model
    bool theme_named = false, scale_named = false, size_named = false;  // else they are as last time
    bool resume = false;                                                // open what was on the screen last
    double bench = 0;  // measure how fast frames are drawn instead, so many seconds a scene; 0: do not
};

/// Nothing where help was asked for, which is printed. Throws UserError for what it does not know.
std::optional<ViewArguments> view_arguments(const std::vector<std::string>& words);

}  // namespace whorl::view
