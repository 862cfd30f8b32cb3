// The recurrence that Mamba-3 and Mamba-2 share, for one head of one sequence, chunk by chunk, by one block of threads
// (core/cpu/decay_scan.hpp states it). With Λ = Σ a and s_j = γ_j + b_{j+1},
//     y_t = e^{Λ_t} h_inᵀ q_t + Σ_{j<t} e^{Λ_t-Λ_j} s_j (q_t·k_j) v_j + γ_t (q_t·k_t) v_t
// so that one masked product per chunk and one state between chunks is the whole trapezoid. A chunk of one position is
// the recurrence itself. The state never leaves the block but for what the backward pass starts each chunk from.
//
// A chunk's rows are (position, rank). Every method ends with its results visible to the whole block.
#pragma once

#include "core/numerics/activations.hpp"
#include "gpu/block.cuh"

namespace whorl::gpu {

struct ScanShape {
    int length, rank, state, headdim, chunk;
    __host__ __device__ int position_of(int row) const { return rank == 1 ? row : row / rank; }
    __host__ __device__ int chunks() const { return (length + chunk - 1) / chunk; }
    __host__ __device__ int rows() const { return chunk * rank; }  // of a full chunk
    __host__ __device__ int state_size() const { return state * headdim; }
};

template <class T>
struct ScanForward {
    __host__ __device__ ScanForward(BlockMemory& memory, const ScanShape& shape) : s(shape) {
        const int rows = s.rows();
        q = memory.take<T>(rows * n_ld());
        k = memory.take<T>(rows * n_ld());
        v = memory.take<T>(rows * p_ld());
        weighted = memory.take<T>(rows * p_ld());
        y = memory.take<T>(rows * p_ld());
        scores = memory.take<T>(rows * m_ld());
        weights = memory.take<T>(s.chunk * c_ld());
        h = memory.take<T>(s.state * p_ld());
        for (T** vector : {&log_decay, &gamma, &carry, &decay, &strength, &elapsed, &from_start, &to_end})
            *vector = memory.take<T>(s.chunk + 1);
    }

    ScanShape s;
    int begin = 0, positions = 0, m = 0;                  // of the chunk at hand; m = positions · rank
    T *q, *k;                                             // [m,N]
    T *v, *weighted, *y;                                  // [m,P]; weighted: e^{Λ_end-Λ_j} s_j v_j
    T* scores;                                            // [m,m], masked: what multiplies v_j in y_i
    T* weights;                                           // [C,C]: e^{Λ_i-Λ_j}
    T* h;                                                 // [N,P]
    T *log_decay, *gamma, *carry;                         // [C+1]: the next position's too
    T *decay, *strength, *elapsed, *from_start, *to_end;  // [C]; elapsed: Λ from the start of the chunk

    __host__ __device__ int n_ld() const { return row_ld(s.state); }
    __host__ __device__ int p_ld() const { return row_ld(s.headdim); }
    __host__ __device__ int m_ld() const { return row_ld(s.rows()); }
    __host__ __device__ int c_ld() const { return row_ld(s.chunk); }
    __device__ bool last() const { return begin + positions == s.length; }

    __device__ void enter(int chunk) {
        begin = chunk * s.chunk;
        positions = least_of(s.chunk, s.length - begin);
        m = positions * s.rank;
    }

    /// From log_decay, γ, b of the chunk and of the position behind it. No barrier at the end.
    __device__ void prefix_sums() {
        spread(positions, [&](int i) {
            T sum = 0;
            for (int before = 0; before <= i; ++before) sum += log_decay[before];
            elapsed[i] = sum;
            strength[i] = gamma[i] + (begin + i + 1 < s.length ? carry[i + 1] : T(0));
            decay[i] = numerics::exp(log_decay[i]);
        });
    }
    /// From prefix_sums; the first two warps' work. No barrier at the end.
    __device__ void decays() {
        spread(positions, [&](int i) {
            to_end[i] = numerics::exp(elapsed[positions - 1] - elapsed[i]);
            from_start[i] = numerics::exp(elapsed[i]);
        });
        // Each weight is the one above it, decayed once more: differences of Λ would lose digits.
        spread_from(1, positions, [&](int j) {
            T weight = 1;
            weights[j * c_ld() + j] = weight;
            for (int i = j + 1; i < positions; ++i) weights[i * c_ld() + j] = weight *= decay[i];
        });
    }

    __device__ void weigh_inputs() {
        spread(m, s.headdim, [&](int i, int p) {
            weighted[i * p_ld() + p] = v[i * p_ld() + p] * (to_end[s.position_of(i)] * strength[s.position_of(i)]);
        });
    }

    /// What multiplies the raw score (i, j), zero above the diagonal.
    __device__ T mask(int i, int j) const {
        const int pi = s.position_of(i), pj = s.position_of(j);
        return pj < pi ? weights[pi * c_ld() + pj] * strength[pj] : pj == pi ? gamma[pi] : T(0);
    }

    /// y of the chunk; with_state: h is that before the chunk, else it is zero.
    __device__ void outputs(bool with_state) {
        product<T>(m, m, ByRow<T>{q, n_ld()}, ByRow<T>{k, n_ld()}, All{s.state},
                   [&](int i, int j, T sum) { scores[i * m_ld() + j] = sum * mask(i, j); });
        __syncthreads();
        product<T>(m, s.headdim, ByRow<T>{scores, m_ld()}, ByColumn<T>{v, p_ld()}, Lower{s.rank, m},
                   [&](int i, int p, T sum) { y[i * p_ld() + p] = sum; });
        if (with_state)  // the same thread has the same elements
            product<T>(m, s.headdim, ByRow<T>{q, n_ld()}, ByColumn<T>{h, p_ld()}, All{s.state},
                       [&](int i, int p, T sum) { y[i * p_ld() + p] += from_start[s.position_of(i)] * sum; });
        __syncthreads();
    }

    /// h ← e^{Λ_end} h + Kᵀ diag(e^{Λ_end-Λ} s) V, from zero without a state.
    __device__ void advance(bool with_state) {
        const T through = with_state ? from_start[positions - 1] : T(0);
        product<T>(s.state, s.headdim, ByColumn<T>{k, n_ld()}, ByColumn<T>{weighted, p_ld()}, All{m},
                   [&](int n, int p, T sum) {
                       T* to = h + n * p_ld() + p;
                       *to = with_state ? through * *to + sum : sum;
                   });
        __syncthreads();
    }
};

template <class T>
struct ScanBackward : ScanForward<T> {
    using Base = ScanForward<T>;
    using Base::begin, Base::positions, Base::m, Base::s, Base::q, Base::k, Base::v, Base::weighted, Base::scores,
        Base::weights, Base::h, Base::gamma, Base::strength, Base::from_start, Base::to_end, Base::n_ld, Base::p_ld,
        Base::m_ld, Base::c_ld, Base::mask;

    __host__ __device__ ScanBackward(BlockMemory& memory, const ScanShape& shape) : Base(memory, shape), d_y(Base::y) {
        const int rows = s.rows();
        d_q = memory.take<T>(rows * most_of(n_ld(), p_ld()));
        d_k = memory.take<T>(rows * n_ld());
        d_v = memory.take<T>(rows * p_ld());
        crossings = work = memory.take<T>(rows * most_of(most_of(n_ld(), p_ld()), m_ld()));
        d_scores = memory.take<T>(rows * m_ld());
        d_h = memory.take<T>(s.state * p_ld());
        for (T** vector : {&d_strength, &d_entry, &d_exit}) *vector = memory.take<T>(rows);
        for (T** vector : {&d_log_decay, &d_gamma, &d_carry, &d_crossing}) *vector = memory.take<T>(s.chunk + 1);
    }

    T* d_y;                                           // [m,P], in
    T *d_q, *d_k;                                     // [m,N], out
    T* d_v;                                           // [m,P], out
    T* work;                                          // [m, max(N,P)]; until it is needed, crossings
    T *d_scores, *crossings;                          // [m,m]
    T* d_h;                                           // [N,P]: of the state behind the chunk, then of that before it
    T *d_strength, *d_entry, *d_exit;                 // [m]
    T *d_log_decay, *d_gamma, *d_carry, *d_crossing;  // [C+1], out; d_carry[i] is that of position i, from i = 1

    /// All gradients of the chunk from d_y and d_h. h holds the state before the chunk (with_state).
    __device__ void backward(bool with_state) {
        masked_products();
        input_products();
        T through = 0;
        if (!this->last()) through = exit_backward(with_state);
        if (with_state) entry_backward();
        carry_gradient(with_state);
        collect(through);
    }

private:
    /// scores and d_scores masked; the sums over pairs for γ, s and the decay.
    __device__ void masked_products() {
        const int rank = s.rank;
        product<T>(m, m, ByRow<T>{q, n_ld()}, ByRow<T>{k, n_ld()}, All{s.state},
                   [&](int i, int j, T sum) { scores[i * m_ld() + j] = sum; });
        product<T>(m, m, ByRow<T>{d_y, p_ld()}, ByRow<T>{v, p_ld()}, All{s.headdim},
                   [&](int i, int j, T d) {  // the same thread wrote the score
                       T* score = scores + i * m_ld() + j;
                       const int pi = s.position_of(i), pj = s.position_of(j);
                       crossings[i * m_ld() + j] = pj < pi    ? d * *score * weights[pi * c_ld() + pj]
                                                   : pj == pi ? d * *score
                                                              : T(0);
                       const T factor = mask(i, j);
                       d_scores[i * m_ld() + j] = d * factor;
                       *score *= factor;
                   });
        __syncthreads();
        // Going up from the last row, column j's sums so far (times s_j) are the pairs that position i's decay lies
        // between; in the diagonal block stand γ's.
        spread(m, [&](int j) {
            const int pj = s.position_of(j);
            const T own = strength[pj];
            T sum = 0, d_g = 0;
            for (int i = m - 1; i >= pj * rank; --i) {
                T* at = crossings + i * m_ld() + j;
                if (s.position_of(i) > pj) {
                    sum += *at;
                    *at = sum * own;
                } else {
                    d_g += *at;
                }
            }
            d_strength[j] = sum;
            d_exit[j] = d_g;  // until exit_backward
            d_entry[j] = 0;
        });
        __syncthreads();
        spread_rows(positions, [&](int i, int lane) {
            T sum = 0;
            for (int j = lane; j < i * rank; j += 32) sum += crossings[i * rank * m_ld() + j];
            sum = warp_sum(sum);
            if (lane != 0) return;
            d_crossing[i] = sum;
            T d_g = 0;
            for (int r = 0; r < rank; ++r) d_g += d_exit[i * rank + r];
            d_gamma[i] = d_g;
        });
        __syncthreads();
        spread(m, [&](int i) { d_exit[i] = 0; });
    }

    __device__ void input_products() {
        const ByRow<T> d_s{d_scores, m_ld()};
        product<T>(m, s.state, d_s, ByColumn<T>{k, n_ld()}, Lower{s.rank, m},
                   [&](int i, int n, T sum) { d_q[i * n_ld() + n] = sum; });
        product<T>(m, s.state, ByColumn<T>{d_scores, m_ld()}, ByColumn<T>{q, n_ld()}, Upper{s.rank, m},
                   [&](int j, int n, T sum) { d_k[j * n_ld() + n] = sum; });
        product<T>(m, s.headdim, ByColumn<T>{scores, m_ld()}, ByColumn<T>{d_y, p_ld()}, Upper{s.rank, m},
                   [&](int j, int p, T sum) { d_v[j * p_ld() + p] = sum; });
        __syncthreads();
    }

    /// Through h_out = e^{Λ_end} h_in + Kᵀ weighted; returns the gradient of Λ_end through h_in.
    __device__ T exit_backward(bool with_state) {
        product<T>(m, s.headdim, ByRow<T>{k, n_ld()}, ByColumn<T>{d_h, p_ld()}, All{s.state}, [&](int i, int p, T sum) {
            work[i * p_ld() + p] = sum;
            d_v[i * p_ld() + p] += to_end[s.position_of(i)] * strength[s.position_of(i)] * sum;
        });
        product<T>(m, s.state, ByRow<T>{weighted, p_ld()}, ByRow<T>{d_h, p_ld()}, All{s.headdim},
                   [&](int j, int n, T sum) { d_k[j * n_ld() + n] += sum; });
        __syncthreads();
        spread_rows(m, [&](int i, int lane) {
            T sum = 0;
            for (int p = lane; p < s.headdim; p += 32) sum += v[i * p_ld() + p] * work[i * p_ld() + p];
            sum = warp_sum(sum) * to_end[s.position_of(i)];
            if (lane != 0) return;
            d_strength[i] += sum;
            d_exit[i] = sum * strength[s.position_of(i)];
        });
        if (!with_state) {
            __syncthreads();
            return T(0);
        }
        T inner = 0;
        spread(s.state, s.headdim, [&](int n, int p) { inner += h[n * p_ld() + p] * d_h[n * p_ld() + p]; });
        return from_start[positions - 1] * sum_over_block(inner);
    }

    /// Through y += diag(e^Λ) Q h_in.
    __device__ void entry_backward() {
        product<T>(m, s.state, ByRow<T>{d_y, p_ld()}, ByRow<T>{h, p_ld()}, All{s.headdim}, [&](int i, int n, T sum) {
            sum *= from_start[s.position_of(i)];
            work[i * n_ld() + n] = sum;
            d_q[i * n_ld() + n] += sum;
        });
        __syncthreads();
        spread_rows(m, [&](int i, int lane) {
            T sum = 0;
            for (int n = lane; n < s.state; n += 32) sum += q[i * n_ld() + n] * work[i * n_ld() + n];
            sum = warp_sum(sum);
            if (lane == 0) d_entry[i] = sum;
        });
        __syncthreads();
    }

    /// d_h ← e^{Λ_end} d_h + Qᵀ diag(e^Λ) dY.
    __device__ void carry_gradient(bool with_state) {
        if (!with_state) return;
        const bool none = this->last();
        const T through = from_start[positions - 1];
        spread(m, s.headdim,
               [&](int i, int p) { work[i * p_ld() + p] = from_start[s.position_of(i)] * d_y[i * p_ld() + p]; });
        __syncthreads();
        product<T>(s.state, s.headdim, ByColumn<T>{q, n_ld()}, ByColumn<T>{work, p_ld()}, All{m},
                   [&](int n, int p, T sum) {
                       T* to = d_h + n * p_ld() + p;
                       *to = none ? sum : through * *to + sum;
                   });
        __syncthreads();
    }

    /// A step's decay weighs the pairs it lies between, the outputs at or behind it (through the entry state), what the
    /// chunk wrote before it into the exit state, and the whole way from entry to exit. d_γ, d_b come from d_s.
    __device__ void collect(T through) {
        spread(positions, [&](int i) {
            T before = 0, behind = 0;
            for (int row = 0; row < i * s.rank; ++row) before += d_exit[row];
            for (int row = m - 1; row >= i * s.rank; --row) behind += d_entry[row];
            d_log_decay[i] = through + before + d_crossing[i] + behind;
            T sum = 0;
            for (int r = 0; r < s.rank; ++r) sum += d_strength[i * s.rank + r];
            d_gamma[i] += sum;
            d_carry[i + 1] = sum;
        });
        __syncthreads();
    }
};

}  // namespace whorl::gpu
