// A pair of state channels made by hand: what it does at a 0 and at a 1 is written down, not learned.
//
// The state u is a point of the plane. Each kind of pair makes one step of it per bit, by the formulas of the models:
//
//   turn       Mamba-3          u ← α R u + (1-λ) Δ α R B₋₁x₋₁ + λ Δ B x,  α = e^{-Δ decay},  R = Rot(-Δθ)
//   slide      Mamba-2          u ← α u + Δ B x
//   flip       Gated DeltaNet   u ← e^{-decay} (I - β k kᵀ) u + β k v
//   two flips  two Householder factors a token (as DeltaProduct): e^{-decay}, then a flip by β = 2 along k, then one
//              along k turned by `apart`: a turn by twice that angle
//
// B, and k where there are keys, is the unit vector at the angle `key`; x, and v, is `in`. What is read is y = C u,
// with C the unit vector at the angle `read`. (Source: specs of the mixers; DeltaProduct, Siems et al. 2025.)
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "core/trace/steps.hpp"

namespace whorl::viz {

enum class PairKind { turn, slide, flip, two_flips };

/// What one bit does. Angles in degrees, as people set them.
struct BitStep {
    double dt = 1;      // Δ
    double turn = 0;    // θ, per unit of Δ
    double decay = 0;   // -A, per unit of Δ; of flips per token
    double in = 0;      // x, or v
    double key = 0;     // direction of B, or k
    double lambda = 1;  // λ
    double beta = 0;    // β of a flip
    double apart = 0;   // between the two keys
};

struct HandPair {
    PairKind kind = PairKind::turn;
    std::array<BitStep, 2> at{};  // at a 0, at a 1
    double read = 0;              // direction of C
};

/// "turn1", "decay0", "read" …: a number of the pair by its control's name (viz/state/controls.hpp); null for what is
/// none of its numbers.
double* number_named(HandPair& pair, const std::string& name);

/// What a pair of this kind makes no use of, by the names of number_named without their digit.
bool uses(PairKind kind, const std::string& number);

/// From the origin through the bits, each 0 or 1.
trace::Steps steps_of(const HandPair& pair, const std::vector<int>& bits);

/// y after each step.
std::vector<double> readouts_of(const trace::Steps& steps);

}  // namespace whorl::viz
