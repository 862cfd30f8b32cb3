// The letters of figures as ImGui fonts: regular and bold, at whatever sizes are asked for, in one atlas.
//
// Sizes are ems in pixels, as a figure's are (ImGui's own are line heights). Widget fonts hold all letters of
// viz/plot/font.hpp. Those of figures hold what has been asked for: a large atlas costs time and memory, and a letter
// that is missing is there one frame later.
#pragma once

#include <imgui.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "viz/plot/font.hpp"

namespace whorl::view {

/// A font at one size, and what draws a text as a figure's layout expects.
struct SizedFont {
    ImFont* font = nullptr;
    float em = 13;      // pixels of an em as ImGui draws it
    float ascent = 13;  // from a line's top to its baseline, whole pixels
};

class Fonts {
public:
    Fonts();

    /// Builds the atlas anew where the scale has changed or letters were missing; to be called between frames. True
    /// where it did: its texture must be made again. `type` is a factor on the sizes of widget fonts: a theme's text
    /// over 13.
    bool update(double scale, double type = 1);
    /// Nothing has been missing since update().
    bool complete() const { return missing_.empty(); }

    /// For widgets, of `size` at scale and type 1: 13 (regular, bold), 15 (bold), 18 (both), 26 (bold); the nearest of
    /// those.
    ImFont* widget(plot::Face face, double size) const;

    /// For a figure's text at `em` pixels: the nearest size that there is, with which of `letters` it has.
    SizedFont text(plot::Face face, double em, const std::vector<char32_t>& letters);

private:
    using Size = std::pair<plot::Face, int>;  // quarters of a pixel
    struct Wanted {
        bool all = false;
        std::set<char32_t> letters;
    };

    void want_widgets();
    void add(const Size& size, const Wanted& wanted);

    std::string files_[2];
    double scale_ = 0, type_ = 1;
    std::map<Size, Wanted> wanted_, missing_;
    std::map<Size, SizedFont> fonts_;
    std::vector<ImVector<ImWchar>> ranges_;  // read by the atlas while it is built
};

}  // namespace whorl::view
