// One head's recurrence as a trace tells it, over some rows of its state: s_t = M_t s_{t-1} + what is added, s
// [rows,width].
//
// Width is the channels: all P of them, or 1 along a fixed direction w, as every column obeys the same recurrence.
#pragma once

#include <memory>

#include "core/trace/reading.hpp"
#include "core/trace/state_math.hpp"
#include "core/trace/steps.hpp"

namespace whorl::trace {

/// Two orthonormal directions of the rows.
struct Plane {
    Numbers first, second;  // [rows]
    PlanePoint of(const Numbers& s) const { return {dot(first, s), dot(second, s)}; }
};

class Recurrence {
public:
    virtual ~Recurrence() = default;
    virtual std::int64_t rows() const = 0;
    virtual std::int64_t channels() const = 0;  // P
    virtual std::int64_t length() const = 0;

    /// What the steps add along w, and their linear parts; `w` empty: in every channel.
    virtual void advance(std::int64_t t, const Numbers& w, Numbers& state) const = 0;
    /// The step from `before` [rows], along w, seen in `plane`. Fixed point and u are filled in by the caller.
    virtual StepPieces pieces(std::int64_t t, const Numbers& w, const Plane& plane, const Numbers& before) const = 0;
    /// Where to look, given Σ_t s s^T [rows,rows] along w.
    virtual Plane plane(const Numbers& energy) const;
    /// φ_t where there is a frame that turns, else empty.
    virtual std::vector<double> phase() const { return {}; }
};

std::unique_ptr<Recurrence> make_mamba3_recurrence(const ModelConfig& config, const TraceLayer& layer,
                                                   std::int64_t head, std::int64_t pair);
std::unique_ptr<Recurrence> make_mamba2_recurrence(const TraceLayer& layer, std::int64_t head);
std::unique_ptr<Recurrence> make_gated_delta_recurrence(const TraceLayer& layer, std::int64_t head);

/// x [P] along w: one number; `w` empty: x itself.
Numbers along(const Numbers& w, const double* x, std::int64_t channels);

/// Eigenvectors of a symmetric matrix [n,n], the one of the largest eigenvalue first, each with its largest component
/// above 0.
std::vector<Numbers> directions(const Numbers& matrix, std::int64_t n);

}  // namespace whorl::trace
