// A head's state as one point of a plane, and each step of it taken apart: what was kept, and what was added.
//
// A state has P channels. A fixed direction w of them, Σ_p w_p h_p, obeys the same recurrence as the state itself,
// exactly; by default w is the leading channel direction of the whole sequence. What is left is a vector over the state
// channels, of which a plane is looked at:
//
//   mamba3           one pair of channels, in the frame that stands still:  u ← α R u + β R B₋₁x₋₁ + γ B x,
//                    R = Rot(-Δθ): the point turns about the step's hinge
//   mamba2           any plane (by default of the two main directions of the state):  u ← α u + Δ B x: it slides
//   gated_delta_net  the main key direction and the main one across it:  u ← e^g (I - β k kᵀ) u + β k v: it flips
//                    along the key. How far depends on the channels outside the plane, too: `hidden`
//
// The hinge (fixed point) is where the state would end, or what it would circle, if this step came for ever: u = M u +
// c, with M the linear part and c all that is added. It exists where I - M has an inverse.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "core/trace/trace.hpp"

namespace whorl::trace {

struct PlanePoint {
    double x = 0, y = 0;
};
constexpr PlanePoint operator+(PlanePoint a, PlanePoint b) {
    return {a.x + b.x, a.y + b.y};
}
constexpr PlanePoint operator-(PlanePoint a, PlanePoint b) {
    return {a.x - b.x, a.y - b.y};
}
double length(PlanePoint a);
/// By an angle in radians, counter-clockwise.
PlanePoint turned(PlanePoint a, double angle);

/// A 2 × 2 matrix by rows.
using PlaneMap = std::array<double, 4>;
constexpr PlanePoint operator*(const PlaneMap& m, PlanePoint u) {
    return {m[0] * u.x + m[1] * u.y, m[2] * u.x + m[3] * u.y};
}

struct StepPieces {
    PlaneMap linear{};  // M
    PlanePoint kept;    // M u_{t-1}
    PlanePoint before;  // by the last token: β R B₋₁ x₋₁ (Mamba-3)
    PlanePoint now;     // by this one
    PlanePoint hidden;  // by what lies outside the plane (Gated DeltaNet); 0 elsewhere
    PlanePoint u;       // their sum, the state after the step
    std::optional<PlanePoint> fixed_point;
    PlanePoint key;         // its part in the plane (Gated DeltaNet); 0 elsewhere
    double turn = 0;        // radians, counter-clockwise, by M (Mamba-3: -Δθ)
    double retention = 1;   // what M leaves of lengths: α, or e^g across the key
    double eigenvalue = 1;  // Gated DeltaNet: along the key; else the retention
    PlanePoint read;        // C (or the query) in the plane: the readout along w is its inner product with u
};

/// Of `linear` and all that the step adds; none where I - M has no inverse.
std::optional<PlanePoint> fixed_point_of(const StepPieces& step);

/// Which plane of which head; `layer` is an index of Trace::layers.
struct PlaneChoice {
    std::size_t layer = 0;
    std::int64_t head = 0;
    std::int64_t pair = 0;          // Mamba-3 only
    std::vector<double> channel{};  // w [P]; empty: the leading direction
};

struct Steps {
    std::vector<double> channel;        // w [P], of length 1
    double channel_share = 1;           // of the state's energy along w, over the whole sequence
    double plane_share = 1;             // of that, inside the plane
    std::vector<double> first, second;  // the plane's directions over the state channels; Mamba-3: over the pair
    std::vector<StepPieces> steps;
    std::vector<double> phase;  // φ_t in front of the turning frame: u there is Rot(φ) u; empty: there is none
};

/// Needs no recorded state. Throws std::out_of_range for a head that was not kept or a pair that is not there, and
/// std::invalid_argument for attention, which carries no state of this kind.
Steps steps_of(const Trace& trace, const PlaneChoice& choice);

}  // namespace whorl::trace
