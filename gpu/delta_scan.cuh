// The gated delta rule for one head of one sequence, chunk by chunk, by one block of threads (core/cpu/delta_scan.hpp
// states it). A chunk solves a unit lower-triangular system for all its corrections ŵ at once:
//     (I + tril(K Kᵀ ⊙ D, -1) diag β) Ŵ = V - diag(e^Λ) K S_in,   o = diag(e^Λ) Q S_in + tril(Q Kᵀ ⊙ D) diag(β) Ŵ
// with D_ij = e^{Λ_i-Λ_j}. A chunk of one position is the recurrence itself. Every method ends with its results visible
// to the whole block.
#pragma once

#include "core/numerics/activations.hpp"
#include "gpu/block.cuh"

namespace whorl::gpu {

struct DeltaShape {
    int length, key, value, chunk;
    __host__ __device__ int chunks() const { return (length + chunk - 1) / chunk; }
    __host__ __device__ int state_size() const { return key * value; }
};

template <class T>
struct DeltaForward {
    __host__ __device__ DeltaForward(BlockMemory& memory, const DeltaShape& shape) : s(shape) {
        for (T** rows : {&q, &k}) *rows = memory.take<T>(s.chunk * k_ld());
        for (T** rows : {&w, &u}) *rows = memory.take<T>(s.chunk * v_ld());
        for (T** square : {&keys, &scores, &decay}) *square = memory.take<T>(s.chunk * c_ld());
        state = memory.take<T>(s.key * v_ld());
        for (T** vector : {&log_decay, &beta, &step_decay, &elapsed, &from_start, &to_end})
            *vector = memory.take<T>(s.chunk);
    }

    DeltaShape s;
    int begin = 0, m = 0;  // of the chunk at hand
    T *q, *k;              // [m,K], normalised
    T *w, *u;              // [m,V]: ŵ (on entry v), β ŵ
    T *keys, *scores;      // [m,m]: K Kᵀ ⊙ D strictly below the diagonal, Q Kᵀ ⊙ D up to it
    T* decay;              // [m,m]: D
    T* state;              // [K,V]
    T *log_decay, *beta;   // [m]
    T *step_decay, *elapsed, *from_start, *to_end;  // [m]; elapsed: Λ from the start of the chunk

    __host__ __device__ int k_ld() const { return row_ld(s.key); }
    __host__ __device__ int v_ld() const { return row_ld(s.value); }
    __host__ __device__ int c_ld() const { return row_ld(s.chunk); }
    __device__ bool last() const { return begin + m == s.length; }

    __device__ void enter(int chunk) {
        begin = chunk * s.chunk;
        m = least_of(s.chunk, s.length - begin);
    }

    /// Decays, keys and scores from q, k and log_decay.
    __device__ void prepare() {
        spread(m, [&](int i) {
            T sum = 0;
            for (int before = 0; before <= i; ++before) sum += log_decay[before];
            elapsed[i] = sum;
            step_decay[i] = numerics::exp(log_decay[i]);
        });
        __syncthreads();
        spread(m, [&](int i) {
            to_end[i] = numerics::exp(elapsed[m - 1] - elapsed[i]);
            from_start[i] = numerics::exp(elapsed[i]);
        });
        spread_from(1, m, [&](int j) {
            T weight = 1;
            decay[j * c_ld() + j] = weight;
            for (int i = j + 1; i < m; ++i) decay[i * c_ld() + j] = weight *= step_decay[i];
        });
        __syncthreads();
        const ByRow<T> k_rows{k, k_ld()};
        product<T>(m, m, k_rows, k_rows, All{s.key},
                   [&](int i, int j, T sum) { keys[i * c_ld() + j] = j < i ? sum * decay[i * c_ld() + j] : T(0); });
        product<T>(m, m, ByRow<T>{q, k_ld()}, k_rows, All{s.key},
                   [&](int i, int j, T sum) { scores[i * c_ld() + j] = j <= i ? sum * decay[i * c_ld() + j] : T(0); });
        __syncthreads();
    }

    /// w: from v to ŵ; u = β ŵ. A thread has a column to itself.
    __device__ void solve(bool with_state) {
        if (with_state) {
            product<T>(m, s.value, ByRow<T>{k, k_ld()}, ByColumn<T>{state, v_ld()}, All{s.key},
                       [&](int i, int p, T sum) { w[i * v_ld() + p] -= from_start[i] * sum; });
            __syncthreads();
        }
        spread(s.value, [&](int p) {
            for (int i = 0; i < m; ++i) {
                T sum = w[i * v_ld() + p];
                for (int j = 0; j < i; ++j) sum -= keys[i * c_ld() + j] * u[j * v_ld() + p];
                w[i * v_ld() + p] = sum;
                u[i * v_ld() + p] = beta[i] * sum;
            }
        });
        __syncthreads();
    }

    /// out(i, p, o): the outputs, each once, all by the thread that computes them.
    template <class Out>
    __device__ void outputs(bool with_state, const Out& out) {
        product<T>(m, s.value, ByRow<T>{scores, c_ld()}, ByColumn<T>{u, v_ld()}, Lower{1, m},
                   [&](int i, int p, T sum) { out(i, p, sum, false); });
        if (with_state)
            product<T>(m, s.value, ByRow<T>{q, k_ld()}, ByColumn<T>{state, v_ld()}, All{s.key},
                       [&](int i, int p, T sum) { out(i, p, from_start[i] * sum, true); });
        __syncthreads();
    }

    /// S ← e^{Λ_end} S + (diag(e^{Λ_end-Λ}) K)ᵀ U, from zero without a state. Overwrites w.
    __device__ void advance(bool with_state) {
        spread(m, s.value, [&](int i, int p) { w[i * v_ld() + p] = to_end[i] * u[i * v_ld() + p]; });
        __syncthreads();
        const T through = with_state ? from_start[m - 1] : T(0);
        product<T>(s.key, s.value, ByColumn<T>{k, k_ld()}, ByColumn<T>{w, v_ld()}, All{m}, [&](int n, int p, T sum) {
            T* to = state + n * v_ld() + p;
            *to = with_state ? through * *to + sum : sum;
        });
        __syncthreads();
    }
};

template <class T>
struct DeltaBackward : DeltaForward<T> {
    using Base = DeltaForward<T>;
    using Base::s, Base::m, Base::begin, Base::q, Base::k, Base::w, Base::u, Base::keys, Base::scores, Base::decay,
        Base::state, Base::beta, Base::from_start, Base::to_end, Base::k_ld, Base::v_ld, Base::c_ld;

    __host__ __device__ DeltaBackward(BlockMemory& memory, const DeltaShape& shape) : Base(memory, shape) {
        for (T** rows : {&d_q, &d_k}) *rows = memory.take<T>(s.chunk * k_ld());
        for (T** rows : {&d_o, &d_u, &d_v}) *rows = memory.take<T>(s.chunk * v_ld());
        crossings = work = memory.take<T>(s.chunk * most_of(most_of(k_ld(), v_ld()), c_ld()));
        for (T** square : {&d_scores, &d_keys}) *square = memory.take<T>(s.chunk * c_ld());
        d_state = memory.take<T>(s.key * v_ld());
        for (T** vector : {&d_log_decay, &d_beta, &d_entry, &d_exit, &d_crossing}) *vector = memory.take<T>(s.chunk);
    }

    T* d_o;                            // [m,V], in
    T *d_q, *d_k, *d_v;                // out
    T *d_u, *work;                     // [m,V], [m,max(K,V)]; until it is needed, crossings
    T *d_scores, *d_keys, *crossings;  // [m,m]
    T* d_state;                        // [K,V]: of the state behind the chunk, then of that before it
    T *d_log_decay, *d_beta;           // [m], out
    T *d_entry, *d_exit, *d_crossing;  // [m]

    /// All gradients of the chunk from d_o, d_state and the kept ŵ (w). state holds the state before the chunk.
    __device__ void backward(bool with_state) {
        spread(m, s.value, [&](int i, int p) { u[i * v_ld() + p] = beta[i] * w[i * v_ld() + p]; });
        spread(m, [&](int i) { d_entry[i] = d_exit[i] = 0; });
        product<T>(m, s.value, ByColumn<T>{scores, c_ld()}, ByColumn<T>{d_o, v_ld()}, Upper{1, m},
                   [&](int j, int p, T sum) { d_u[j * v_ld() + p] = sum; });
        __syncthreads();
        T through = 0;
        if (this->last()) {
            spread(m, s.key, [&](int i, int n) { d_k[i * k_ld() + n] = 0; });
            __syncthreads();
        } else {
            through = exit_backward(with_state);
        }
        solve_backward();
        masked_products();
        input_products();
        if (with_state) state_backward();
        collect(through);
    }

private:
    __device__ T exit_backward(bool with_state) {
        product<T>(m, s.value, ByRow<T>{k, k_ld()}, ByColumn<T>{d_state, v_ld()}, All{s.key}, [&](int i, int p, T sum) {
            work[i * v_ld() + p] = sum;
            d_u[i * v_ld() + p] += to_end[i] * sum;
            d_v[i * v_ld() + p] = to_end[i] * u[i * v_ld() + p];
        });
        __syncthreads();
        product<T>(m, s.key, ByRow<T>{d_v, v_ld()}, ByRow<T>{d_state, v_ld()}, All{s.value},
                   [&](int i, int n, T sum) { d_k[i * k_ld() + n] = sum; });
        spread_rows(m, [&](int i, int lane) {
            T sum = 0;
            for (int p = lane; p < s.value; p += 32) sum += work[i * v_ld() + p] * u[i * v_ld() + p];
            sum = warp_sum(sum);
            if (lane == 0) d_exit[i] = to_end[i] * sum;
        });
        T inner = 0;
        if (with_state)
            spread(s.key, s.value, [&](int n, int p) { inner += state[n * v_ld() + p] * d_state[n * v_ld() + p]; });
        return from_start[m - 1] * sum_over_block(inner);  // its barriers end this method
    }

    /// d_u: from the gradient of u to that of the system's right side; d_v, d_β.
    __device__ void solve_backward() {
        spread(s.value, [&](int p) {
            for (int i = m - 1; i >= 0; --i) {
                T sum = d_u[i * v_ld() + p];
                for (int j = i + 1; j < m; ++j) sum -= keys[j * c_ld() + i] * d_v[j * v_ld() + p];
                d_u[i * v_ld() + p] = sum;
                d_v[i * v_ld() + p] = beta[i] * sum;
            }
        });
        __syncthreads();
        spread_rows(m, [&](int i, int lane) {
            T sum = 0;
            for (int p = lane; p < s.value; p += 32) sum += d_u[i * v_ld() + p] * w[i * v_ld() + p];
            sum = warp_sum(sum);
            if (lane == 0) d_beta[i] = sum;
        });
    }

    /// A step's decay weighs every pair (i, j) that it lies between, j < t ≤ i: going up from the last row, the
    /// columns' sums so far add up to exactly those.
    __device__ void masked_products() {
        product<T>(m, m, ByRow<T>{d_o, v_ld()}, ByRow<T>{u, v_ld()}, All{s.value}, [&](int i, int j, T d) {
            const int at = i * c_ld() + j;
            crossings[at] = j < i ? d * scores[at] : T(0);
            d_scores[at] = j <= i ? d * decay[at] : T(0);
        });
        product<T>(m, m, ByRow<T>{d_v, v_ld()}, ByRow<T>{u, v_ld()}, All{s.value}, [&](int i, int j, T d) {
            const int at = i * c_ld() + j;  // the same thread as above
            if (j < i) crossings[at] -= d * keys[at];
            d_keys[at] = j < i ? -d * decay[at] : T(0);
        });
        __syncthreads();
        spread(m, [&](int j) {
            T sum = 0;
            for (int i = m - 1; i > j; --i) crossings[i * c_ld() + j] = sum += crossings[i * c_ld() + j];
        });
        __syncthreads();
        spread_rows(m, [&](int i, int lane) {
            T sum = 0;
            for (int j = lane; j < i; j += 32) sum += crossings[i * c_ld() + j];
            sum = warp_sum(sum);
            if (lane == 0) d_crossing[i] = sum;
        });
    }

    __device__ void input_products() {
        const ByColumn<T> k_columns{k, k_ld()};
        product<T>(m, s.key, ByRow<T>{d_scores, c_ld()}, k_columns, Lower{1, m},
                   [&](int i, int n, T sum) { d_q[i * k_ld() + n] = sum; });
        const auto add = [&](int i, int n, T sum) { d_k[i * k_ld() + n] += sum; };
        product<T>(m, s.key, ByColumn<T>{d_scores, c_ld()}, ByColumn<T>{q, k_ld()}, Upper{1, m}, add);
        product<T>(m, s.key, ByRow<T>{d_keys, c_ld()}, k_columns, Lower{1, m}, add);
        product<T>(m, s.key, ByColumn<T>{d_keys, c_ld()}, k_columns, Upper{1, m}, add);
        __syncthreads();
    }

    /// The gradient of the state on entry, and what flows through it to Q, K and Λ.
    __device__ void state_backward() {
        const bool none = this->last();
        const T through = from_start[m - 1];
        spread(s.key, s.value, [&](int n, int p) {
            T* to = d_state + n * v_ld() + p;
            *to = none ? T(0) : through * *to;
        });
        entry_term(q, d_o, T(1), d_q);
        entry_term(k, d_v, T(-1), d_k);
    }
    /// One term out = sign · diag(e^Λ) X S_in (X = Q or K): adds to d_x, d_entry, d_state.
    __device__ void entry_term(const T* rows, const T* d_out, T sign, T* d_rows) {
        T* rows_v = w;  // no longer needed
        spread(m, s.value,
               [&](int i, int p) { rows_v[i * v_ld() + p] = sign * from_start[i] * d_out[i * v_ld() + p]; });
        __syncthreads();
        product<T>(m, s.key, ByRow<T>{rows_v, v_ld()}, ByRow<T>{state, v_ld()}, All{s.value}, [&](int i, int n, T sum) {
            work[i * k_ld() + n] = sum;
            d_rows[i * k_ld() + n] += sum;
        });
        product<T>(s.key, s.value, ByColumn<T>{rows, k_ld()}, ByColumn<T>{rows_v, v_ld()}, All{m},
                   [&](int n, int p, T sum) { d_state[n * v_ld() + p] += sum; });
        __syncthreads();
        spread_rows(m, [&](int i, int lane) {
            T sum = 0;
            for (int n = lane; n < s.key; n += 32) sum += rows[i * k_ld() + n] * work[i * k_ld() + n];
            sum = warp_sum(sum);
            if (lane == 0) d_entry[i] += sum;
        });
        __syncthreads();
    }

    /// A step's decay weighs the pairs it lies between, the outputs at or behind it (through the entry state), what the
    /// chunk wrote before it into the exit state, and the whole way from entry to exit.
    __device__ void collect(T through) {
        spread(m, [&](int i) {
            T before = 0, behind = 0;
            for (int row = 0; row < i; ++row) before += d_exit[row];
            for (int row = m - 1; row >= i; --row) behind += d_entry[row];
            d_log_decay[i] = through + before + d_crossing[i] + behind;
        });
        __syncthreads();
    }
};

}  // namespace whorl::gpu
