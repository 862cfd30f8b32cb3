// The Mamba-3 layer between its projections, for one sequence of one replica, head by head:
// raw projection → Δ, A, λ, θ → B, C normed, biased, rotated → decay scan → skip, norm, gate, MIMO mix.
// The backward pass recomputes everything but the scan's output and chunk states, which `saved` keeps.
//
// Inside, the state channels stand in rotation order: first halves of all pairs, then second halves, then the channels
// that do not turn, so that one rotation is two contiguous streams whatever the pairing.
#pragma once

#include <vector>

#include "core/backend/backend.hpp"
#include "core/cpu/decay_scan.hpp"
#include "core/cpu/gate.hpp"

namespace whorl::cpu {

struct Mamba3Shape {
    Mamba3Shape(const Mamba3Config& config, const Tensor& y, FormChoice form, bool carried);

    Mamba3Config config;
    std::int64_t length, heads, headdim, state, rank, groups, angles;  // angles: those that turn (0 without rotation)
    ScanShape scan;

    std::int64_t bc_rows() const { return length * rank * groups; }
    std::int64_t saved_per_head() const {
        return padded(scan.rows() * headdim, DType::f32) + padded(scan.saved_size(), DType::f32);
    }
    std::int64_t saved_per_sequence() const { return heads * saved_per_head(); }
    /// Where channel n of the checkpoint stands in rotation order: pair j is (j, angles + j) here.
    std::int64_t source_channel(std::int64_t position) const;

    template <class T>
    void to_rotation_order(const T* channels, T* out) const;
    template <class T>
    void from_rotation_order(const T* ordered, T* out) const;
};

template <class T>
void Mamba3Shape::to_rotation_order(const T* channels, T* out) const {
    const std::int64_t s = angles, half = state / 2;
    if (config.pairing() == RotaryPairing::neighbours) {
#pragma omp simd
        for (std::int64_t j = 0; j < s; ++j) {
            out[j] = channels[2 * j];
            out[s + j] = channels[2 * j + 1];
        }
        copy(channels + 2 * s, out + 2 * s, state - 2 * s);
    } else {
        copy(channels, out, s);
        copy(channels + half, out + s, s);
        copy(channels + s, out + 2 * s, half - s);
        copy(channels + half + s, out + half + s, state - half - s);
    }
}

template <class T>
void Mamba3Shape::from_rotation_order(const T* ordered, T* out) const {
    const std::int64_t s = angles, half = state / 2;
    if (config.pairing() == RotaryPairing::neighbours) {
#pragma omp simd
        for (std::int64_t j = 0; j < s; ++j) {
            out[2 * j] = ordered[j];
            out[2 * j + 1] = ordered[s + j];
        }
        copy(ordered + 2 * s, out + 2 * s, state - 2 * s);
    } else {
        copy(ordered, out, s);
        copy(ordered + s, out + half, s);
        copy(ordered + 2 * s, out + s, half - s);
        copy(ordered + half + s, out + half + s, state - half - s);
    }
}

/// Sums over positions and sequences of one block, one slot per small parameter.
template <class T>
struct Mamba3Sums {
    Mamba3Sums(Scratch& scratch, const Mamba3Shape& shape);
    T *dt_bias, *d, *a_log;       // [H]
    T *b_bias, *c_bias;           // [H,rank,N], rotation order
    T *b_norm, *c_norm;           // [N], rotation order
    T *mimo_x, *mimo_z, *mimo_o;  // [H,rank,P]
    T* norm;                      // [H,P]
};

template <class T>
struct Mamba3Buffers {
    Mamba3Buffers(Scratch& scratch, const Mamba3Shape& shape);
    T *b, *c, *d_b, *d_c;                // [L·rank·G, N]: normed and weighted, rotation order
    T *b_inverse, *c_inverse;            // [L·rank·G]
    T *b_weight, *c_weight;              // [N]
    T *theta, *d_theta;                  // [L,S]
    T *dt, *a, *lambda;                  // [L], one head
    T *log_decay, *gamma, *carry;        // [L]
    T *d_log_decay, *d_gamma, *d_carry;  // [L]
    T* phase;                            // [S]
    double* frequency;                   // [S], standard rotation only
    T *sin, *cos, *d_phase;              // [L,S]
    T *q, *k, *d_q, *d_k;                // [L·rank,N]
    T *v, *y, *d_y, *d_v;                // [L·rank,P]
    T *row1, *row2, *row3, *row4;        // [max(P,N)]
    ScanScratch<T> scan;
};

template <class T>
class Mamba3Sequence {
public:
    Mamba3Sequence(const Mamba3Shape& shape, const Mamba3Tensors& in, Mamba3Buffers<T>& buffers, std::int64_t replica,
                   std::int64_t sequence)
        : s_(shape), in_(in), x_(buffers), r_(replica), b_(sequence) {}

    /// Heads [first, end). `saved` [H·saved_per_head]; state [H·(S + N·P + rank·(N + P))] or null; position of the
    /// first token.
    void forward(const Tensor& y, T* saved, T* state, std::int64_t position, std::int64_t first, std::int64_t end);
    void backward(const Tensor& d_y, const Mamba3Tensors& gradient, const T* saved, Mamba3Sums<T>& sums);

private:
    T* row(const Tensor& tensor, std::int64_t t) const { return tensor.at<T>(r_, b_, t); }
    void prepare_shared();
    void norm_rows(std::int64_t offset, const Tensor& weight, T* permuted_weight, T* rows, T* inverse);
    void prepare_head(std::int64_t h, T* phase_state, std::int64_t position);
    void coefficients(std::int64_t h);
    void phases(T* phase_state, std::int64_t position);
    void rotate_head(std::int64_t h, const T* rows, const Tensor& bias, T* out);
    void gate_head(std::int64_t h, const Tensor& y);
    Gate<T> gate() const;
    const T* ungated(std::int64_t h, std::int64_t t, std::int64_t rank, T* skip, T* mixed) const;

    void gate_head_backward(std::int64_t h, const Tensor& d_y, const Mamba3Tensors& gradient, Mamba3Sums<T>& sums);
    void input_backward(std::int64_t h, const Mamba3Tensors& gradient, Mamba3Sums<T>& sums);
    void rotate_head_backward(std::int64_t h, const T* rotated, T* d_rotated, T* d_rows, T* d_bias);
    void phases_backward();
    void coefficients_backward(std::int64_t h, const Mamba3Tensors& gradient, Mamba3Sums<T>& sums);
    void norm_rows_backward(std::int64_t offset, const T* weight, const T* inverse, const T* d_rows,
                            const Mamba3Tensors& gradient, T* d_weight);

    const Mamba3Shape& s_;
    const Mamba3Tensors& in_;
    Mamba3Buffers<T>& x_;
    std::int64_t r_, b_;
};

}  // namespace whorl::cpu
