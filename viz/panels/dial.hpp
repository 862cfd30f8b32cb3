// One dial: a plane of a head's state, the last steps through it, and the hinge about which the chosen one moved.
#pragma once

#include <string>
#include <vector>

#include "core/trace/steps.hpp"
#include "viz/plot/figure.hpp"

namespace whorl::viz {

/// A head's state through one text, and what to say about it.
struct Dial {
    std::string name, about;
    plot::Role role = plot::Role::mamba3;
    trace::Steps steps;
    std::vector<std::string> tokens;
    std::string x_label{}, y_label{};     // of the plane's directions
    std::optional<std::size_t> chosen{};  // the step to look at
};

/// What a step does to the state, as its linear part has it.
enum class Verb { rests, turns, slides, flips };
Verb verb_of(const trace::StepPieces& step);

/// What a step moves about: the fixed point, or with a mirror the point of it that lies across from the state.
struct Hinge {
    trace::PlanePoint at;
    bool mirror = false;
    trace::PlanePoint along;  // of a mirror: the unit vector that it stands across
};
std::optional<Hinge> hinge_of(const trace::StepPieces& step);

/// The step that is looked at: the dial's own choice, or else the last one that moves the state far.
std::size_t chosen_step(const Dial& dial);

/// Equal axes, in units of the state. With `small` only trail, hinge and arm.
plot::Panel dial_panel(const Dial& dial, bool small = false);

/// "turns about its hinge", "slides toward its hinge", "flips across a mirror".
std::string verb_text(const Dial& dial);
/// What the chosen step does, in a sentence with its numbers.
std::string step_sentence(const Dial& dial);

}  // namespace whorl::viz
