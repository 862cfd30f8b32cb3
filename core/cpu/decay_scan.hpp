// The recurrence that Mamba-3 and Mamba-2 share, for one head of one sequence: a state with scalar decay, fed by outer
// products and read by inner products, over `rank` parallel channels that share the state.
//
//     h_t = e^{a_t} (h_{t-1} + b_t Σ_r k_{t-1,r} v_{t-1,r}ᵀ) + γ_t Σ_r k_{t,r} v_{t,r}ᵀ        h [N,P], h_{-1} = 0
//     y_{t,r} = h_tᵀ q_{t,r}
//
// Two forms compute it. `recurrent` follows the equation. `chunked` uses that, with s_j = γ_j + b_{j+1} and Λ = Σ a,
//     y_t = Σ_{j<t} e^{Λ_t-Λ_j} s_j (q_t·k_j) v_j + γ_t (q_t·k_t) v_t
// so that one masked product per chunk and one state between chunks is the whole trapezoid (Mamba-3, parallel form);
// one chunk as long as the sequence is the dense form.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/backend/backend.hpp"
#include "core/cpu/scratch.hpp"

namespace whorl::cpu {

struct ScanShape {
    std::int64_t length = 0, rank = 1, state = 0, headdim = 0;
    Form form = Form::recurrent;
    std::int64_t chunk = 0;
    bool carried = false;  // continues from a ScanCarry: forward only

    std::int64_t rows() const { return length * rank; }
    std::int64_t chunks() const { return (length + chunk - 1) / chunk; }
    std::int64_t state_size() const { return state * headdim; }
    /// Elements kept from forward to backward: the state on entry to every chunk but the first.
    std::int64_t saved_size() const { return carried ? 0 : (chunks() - 1) * state_size(); }
};

/// Fills in form and chunk where the caller left the choice to the backend. Few positions of a carried sequence go step
/// by step.
ScanShape choose_scan(std::int64_t length, std::int64_t rank, std::int64_t state, std::int64_t headdim,
                      FormChoice choice, bool carried);

/// Rows are (position, rank); q and k are [rows, N], v [rows, P], all dense; the coefficients are [length].
template <class T>
struct ScanInput {
    const T *q, *k, *v;
    const T *log_decay, *gamma, *carry;  // a_t, γ_t, b_t
};

/// What decoding carries: h [N,P] and the previous k [rank,N], v [rank,P], whose outer product b_t weighs.
template <class T>
struct ScanCarry {
    T *h, *k, *v;
};

/// What the position behind the sequence weighs of its last one.
template <class T>
void keep_last(const ScanShape& s, const ScanInput<T>& in, const ScanCarry<T>& carry) {
    std::copy_n(in.k + (s.length - 1) * s.rank * s.state, s.rank * s.state, carry.k);
    std::copy_n(in.v + (s.length - 1) * s.rank * s.headdim, s.rank * s.headdim, carry.v);
}

template <class T>
struct ScanGradient {
    T *q, *k, *v;                  // overwritten
    T *log_decay, *gamma, *carry;  // overwritten
};

template <class T>
struct ScanScratch {
    ScanScratch(Scratch& scratch, const ScanShape& shape);
    T *scores, *weights, *d_scores;                               // [m,m], m = chunk·rank
    T *rows_n, *rows_p;                                           // [m,N], [m,P]
    T *h, *d_h;                                                   // [N,P]
    T* states;                                                    // [chunk,N,P], recurrent backward only
    T *decay, *strength, *from_start, *to_end;                    // [m]
    T *d_strength, *d_entry, *d_exit, *d_crossing, *column_sums;  // [m]; see collect_coefficients
};

/// y [rows,P] overwritten. `saved` [saved_size] is written (null with a carry); carry, when given, is read and
/// advanced.
template <class T>
void decay_scan_forward(const ScanShape& shape, const ScanInput<T>& in, T* y, T* saved, const ScanCarry<T>* carry,
                        ScanScratch<T>& scratch);
template <class T>
void decay_scan_backward(const ScanShape& shape, const ScanInput<T>& in, const T* d_y, const T* saved,
                         const ScanGradient<T>& gradient, ScanScratch<T>& scratch);

}  // namespace whorl::cpu
