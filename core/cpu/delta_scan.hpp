// The gated delta rule for one head of one sequence: a state that decays, forgets what its key held, and writes the new
// value.
//
//     S̃_t = e^{g_t} S_{t-1}     ŵ_t = v_t - S̃_tᵀ k_t     S_t = S̃_t + β_t k_t ŵ_tᵀ     o_t = S_tᵀ q_t          S [K,V]
//
// `recurrent` follows these lines. `chunked` solves a unit lower-triangular system for all ŵ of a chunk at once:
// (I + tril(K Kᵀ ⊙ D, -1) diag β) Ŵ = V - diag(e^Λ) K S_in, with D_ij = e^{Λ_i-Λ_j}, and then o = diag(e^Λ) Q S_in +
// tril(Q Kᵀ ⊙ D) diag(β) Ŵ. One chunk as long as the sequence is the dense form.
#pragma once

#include <cstdint>

#include "core/backend/backend.hpp"
#include "core/cpu/scratch.hpp"

namespace whorl::cpu {

struct DeltaShape {
    std::int64_t length = 0, key = 0, value = 0;
    Form form = Form::recurrent;
    std::int64_t chunk = 0;
    bool carried = false;  // continues from a carried state: forward only

    std::int64_t chunks() const { return (length + chunk - 1) / chunk; }
    std::int64_t state_size() const { return key * value; }
    /// Elements kept from forward to backward: every ŵ, and the state on entry to every chunk but the first.
    std::int64_t saved_size() const {
        if (carried) return 0;
        return padded(length * value, DType::f32) + padded((chunks() - 1) * state_size(), DType::f32);
    }
};

/// Fills in form and chunk where the caller left the choice to the backend. Few positions of a carried sequence go step
/// by step.
DeltaShape choose_delta_scan(std::int64_t length, std::int64_t key, std::int64_t value, FormChoice choice,
                             bool carried);

/// q, k [L,K] dense and already normalised, v [L,V]; g_t ≤ 0 and β_t in (0, 2): [L].
template <class T>
struct DeltaInput {
    const T *q, *k, *v;
    const T *log_decay, *beta;
};

template <class T>
struct DeltaGradient {
    T *q, *k, *v, *log_decay, *beta;  // overwritten
};

template <class T>
struct DeltaScratch {
    DeltaScratch(Scratch& scratch, const DeltaShape& shape);
    T *keys, *scores, *decay, *d_scores, *d_keys;    // [m,m]
    T *u, *d_u, *rows_v;                             // [m,V]
    T* rows_k;                                       // [m,K]
    T *s, *d_s;                                      // [K,V]
    T* states;                                       // [chunk,K,V], recurrent backward only
    T *step_decay, *from_start, *to_end;             // [m]
    T *d_entry, *d_exit, *d_crossing, *column_sums;  // [m]; see collect_decay
};

/// o [L,V] overwritten; `saved` [saved_size] written (null with a carry); carry [K,V], when given, is read and
/// advanced.
template <class T>
void delta_scan_forward(const DeltaShape& shape, const DeltaInput<T>& in, T* o, T* saved, T* carry,
                        DeltaScratch<T>& scratch);
template <class T>
void delta_scan_backward(const DeltaShape& shape, const DeltaInput<T>& in, const T* d_o, const T* saved,
                         const DeltaGradient<T>& gradient, DeltaScratch<T>& scratch);

}  // namespace whorl::cpu
