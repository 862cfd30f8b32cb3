// The backward pass of delta_scan.cuh's chunk. With u = β ŵ and Y = (I + diag(β) tril(K Kᵀ ⊙ D, -1))^{-1}, for which
// diag(β) of the forward system's inverse is Y diag(β), a gradient d_u of u becomes
//     r = Yᵀ d_u,   d_v = β r,   d_β = r·ŵ,   d(K Kᵀ ⊙ D) = -(β r) uᵀ below the diagonal.
#pragma once

#include "gpu/delta_rule/delta_scan.cuh"
#include "gpu/tiles/pair_sums.cuh"

namespace whorl::gpu {

template <class T, Products P>
struct DeltaBackward : DeltaChunk<T, P> {
    using Base = DeltaChunk<T, P>;
    using Base::s, Base::m, Base::q, Base::k, Base::w, Base::system, Base::scores, Base::inverse, Base::weights,
        Base::state, Base::beta, Base::from_start, Base::to_end;

    __host__ __device__ DeltaBackward(BlockMemory& memory, const DeltaShape& shape)
        : Base(memory, shape, shape.chunks() > 1),
          pairs(memory, shape.chunk, Base::weights.table),
          exit_rows(memory, shape.chunk, shape.value),
          strength_rows(memory, shape.chunk, shape.value),
          query_rows(memory, shape.chunk, shape.key),
          key_rows(memory, shape.chunk, shape.key) {
        for (T** rows : {&d_o, &r}) *rows = memory.take<T>(s.chunk * s.v_ld);
        const int early = s.chunk * (u_ld() + s.c_ld()), late = 2 * s.chunk * s.k_ld();
        d_u = d_q = memory.take<T>(most_of(early, late));
        inverse = d_u + s.chunk * u_ld();
        d_k = d_q + s.chunk * s.k_ld();
        d_state = memory.take<T>(s.chunks() > 1 ? s.key * s.v_ld : 0);
        for (T** vector : {&exit_weight, &entry_weight, &d_exit, &d_entry, &d_crossing})
            *vector = memory.take<T>(s.chunk);
        through_parts = memory.take<T>(kBlockThreads / 32);
    }

    PairSums<T> pairs;                 // of the decays' gradient, in the place of the weights
    RowParts<T> exit_rows;             // ŵ·(K d_S)
    RowParts<T> strength_rows;         // ŵ·r
    RowParts<T> query_rows;            // q·d_q through the entry state
    RowParts<T> key_rows;              // k·d_k through it
    T* d_o;                            // [m,V], in
    T* r;                              // [m,V]
    T* d_u;                            // [m,V], rows u_ld() apart
    T *d_q, *d_k;                      // [m,K], out; in the place of d_u and the inverse
    T* d_state;                        // [K,V]: of the state behind the chunk, then of that before it
    T *exit_weight, *entry_weight;     // [m]: β e^{Λ_end-Λ}, -β e^Λ
    T *d_exit, *d_entry, *d_crossing;  // [m]
    T* through_parts;                  // [warps]: of the product of the states' entries with their gradients

    __host__ __device__ int u_ld() const { return column_ld(s.value); }

    /// From decay_sums; no barrier at the end.
    __device__ void row_weights() const {
        spread_from(3, m, [&](int i) {
            exit_weight[i] = beta[i] * to_end[i];
            entry_weight[i] = -beta[i] * from_start[i];
        });
    }

    /// Gradients of q, k (to d_q, d_k) and v (each once: d_v(i, p, value)) of the chunk from d_o, d_state and ŵ, and
    /// what state_gradient(), row_totals() and collect() need.
    template <class Out>
    __device__ __forceinline__ void backward(bool with_state, const Out& d_v) {
        const bool ahead = !this->last();
        this->template square_products<true>();
        invert_diagonal_blocks(m, system, inverse, s.c_ld());
        write_gradient(ahead);
        __syncthreads();
        join_diagonal_blocks(m, system, inverse, s.c_ld());
        solve_backward(d_v);
        __syncthreads();
        masked_products();
        if (ahead && with_state) state_through();
        __syncthreads();
        row_gradients(with_state, ahead);
        __syncthreads();
    }

    /// d_S ← e^{Λ_end} d_S + (diag(e^Λ) Q)ᵀ d_O - (diag(e^Λ) K)ᵀ d_V. No barrier at the end.
    __device__ __forceinline__ void state_gradient() {
        const bool none = this->last();
        const T through = from_start[m - 1];
        for_tiles<T>(s.key, s.value, [&](int row, int column, WarpTile<T>& tile) {
#pragma unroll 1
            for (int keys = 0; keys < 2; ++keys) {
                const ByWeighedColumn<T> values{keys ? r : d_o, s.v_ld, keys ? entry_weight : from_start};
                add_product<P>(tile, ByColumn<T>{keys ? k : q, s.k_ld()}, row, s.key, values, column, s.value, 0, m);
            }
            each_inside(tile, row, column, s.key, s.value, [&](int n, int p, T sum, int) {
                T* to = d_state + n * s.v_ld + p;
                *to = none ? sum : through * *to + sum;
            });
        });
    }
    /// From the tiles' parts: what flows through pairs and states, of each row. No barrier at the end.
    __device__ void row_totals(bool with_state) {
        const bool ahead = !this->last();
        pairs.crossings(
            m, [&](int j) { return beta[j]; }, [&](int i, T sum) { d_crossing[i] = sum; });
        spread_from(4, m, [&](int i) {
            d_exit[i] = ahead ? exit_weight[i] * exit_rows.sum(i, s.value) : T(0);
            d_entry[i] = with_state ? query_rows.sum(i, s.key) + key_rows.sum(i, s.key) : T(0);
        });
    }
    /// A step's decay weighs the pairs it lies between, the outputs at or behind it (through the entry state), what the
    /// chunk wrote before it into the exit state, and the whole way from entry to exit. out(i, d log_decay, d_β) by one
    /// thread each; no barrier at the end.
    template <class Out>
    __device__ __forceinline__ void collect(bool with_state, bool ahead, const Out& out) {
        T through = 0;
        if (ahead && with_state)
            for (int warp = 0; warp < kBlockThreads / 32; ++warp) through += through_parts[warp];
        spread_groups(m, [&](int i, int lane) {
            T sum = 0;
            if (i >= 0) {
                if (lane == 0) sum = d_crossing[i];
#pragma unroll 1
                for (int row = lane; row < i; row += kGroupLanes) sum += d_exit[row];
#pragma unroll 1
                for (int row = i + lane; row < m; row += kGroupLanes) sum += d_entry[row];
            }
            sum = group_sum(sum);
            if (i >= 0 && lane == 0) out(i, from_start[m - 1] * through + sum, strength_rows.sum(i, s.value));
        });
    }

private:
    /// d_u = scoresᵀ d_o + e^{Λ_end-Λ} ⊙ (K d_S). No barrier at the end.
    __device__ __forceinline__ void write_gradient(bool ahead) {
        const int v_ld = s.v_ld;
        for_tiles<T>(m, s.value, [&](int row, int column, WarpTile<T>& tile) {
            if (ahead) {
                add_product<P>(tile, ByRow<T>{k, s.k_ld()}, row, m, ByColumn<T>{d_state, v_ld}, column, s.value, 0,
                               s.key);
                exit_rows.leave_dots(tile, row, column, m, s.value, w, v_ld);
                weigh_rows(tile, row, m, to_end);
            }
            add_product<P>(tile, ByColumn<T>{scores, s.c_ld()}, row, m, ByColumn<T>{d_o, v_ld}, column, s.value, row,
                           m);
            each_inside(tile, row, column, m, s.value, [&](int i, int p, T sum, int) { d_u[i * u_ld() + p] = sum; });
        });
    }
    /// r = Yᵀ d_u. No barrier at the end.
    template <class Out>
    __device__ __forceinline__ void solve_backward(const Out& d_v) {
        const int v_ld = s.v_ld;
        for_tiles<T>(m, s.value, [&](int row, int column, WarpTile<T>& tile) {
            add_product<P>(tile, ByColumn<T>{inverse, s.c_ld()}, row, m, ByColumn<T>{d_u, u_ld()}, column, s.value, row,
                           m);
            strength_rows.leave_dots(tile, row, column, m, s.value, w, v_ld);
            each_inside(tile, row, column, m, s.value, [&](int i, int p, T sum, int) {
                r[i * v_ld + p] = sum;
                d_v(i, p, beta[i] * sum);
            });
        });
    }

    /// The gradients of Q Kᵀ in the place of scores, those of K Kᵀ and of its transpose in that of the system; the sums
    /// over pairs. No barrier at the end.
    __device__ __forceinline__ void masked_products() {
        for_lower_tiles<T>(1, m, [&](int, int row, int column, WarpTile<T>& d_score) {
            WarpTile<T> d_system;
            const ByRow<T> w_rows{w, s.v_ld};
            add_product<P>(d_score, ByRow<T>{d_o, s.v_ld}, row, m, w_rows, column, m, 0, s.value);
            add_product<P>(d_system, ByRow<T>{r, s.v_ld}, row, m, w_rows, column, m, 0, s.value);
            const TileWeights<T> decays(weights, row, column, m);
            pairs.add(
                row, column, m,
                [&](int i, int j, int n, int x, T strength) {
                    return mask_pair(i, j, d_score.sum[n][x], d_system.sum[n][x], strength,
                                     j < i ? decays(i, j, n, x) : T(0));
                },
                [&](int j) { return beta[j]; });
        });
    }
    /// d_score, d_system: d_o_i·ŵ_j and r_i·ŵ_j; strength: β_j. Returns the pair's term of the decays' gradient over
    /// β_j. The system's place (i, j) is this lane's alone up to the diagonal, and so is (j, i), which holds nothing
    /// before.
    __device__ __forceinline__ T mask_pair(int i, int j, T d_score, T d_system, T strength, T decay) const {
        const int at = i * s.c_ld() + j;
        if (j >= i) {
            scores[at] = j == i ? d_score * strength : T(0);
            if (j == i) system[at] = 0;
            return 0;
        }
        const T pair = d_score * scores[at] - d_system * system[at], weight = strength * decay;
        scores[at] = d_score * weight;
        system[at] = system[j * s.c_ld() + i] = -d_system * (beta[i] * weight);
        return pair;
    }
    __device__ __forceinline__ void state_through() {
        T inner = 0;
        spread(s.key, s.value, [&](int n, int p) { inner += state[n * s.v_ld + p] * d_state[n * s.v_ld + p]; });
        inner = warp_sum(inner);
        if (threadIdx.x % 32 == 0) through_parts[threadIdx.x / 32] = inner;
    }

    /// With d_scores, and d_keys as it stands beside its transpose:
    ///     d_q = e^Λ ⊙ (d_O S_inᵀ) + d_scores K
    ///     d_k = -e^Λ ⊙ (d_V S_inᵀ) + (d_keys + d_keysᵀ) K + e^{Λ_end-Λ} ⊙ (U d_Sᵀ) + d_scoresᵀ Q
    /// No barrier at the end.
    __device__ __forceinline__ void row_gradients(bool with_state, bool ahead) {
        const int padded = (m + kTileRows - 1) / kTileRows * kTileRows;
        for_tiles<T>(2 * padded, s.key, [&](int row, int column, WarpTile<T>& tile) {
            const bool keys = row >= padded;
            if (keys) row -= padded;
            if (with_state) entry_term(keys, row, column, tile);
            add_product<P>(tile, ByRow<T>{keys ? system : scores, s.c_ld()}, row, m, ByColumn<T>{k, s.k_ld()}, column,
                           s.key, 0, keys ? m : this->lower(row).end);
            if (keys) key_terms(ahead, row, column, tile);
            T* to = keys ? d_k : d_q;
            each_inside(tile, row, column, m, s.key, [&](int i, int n, T sum, int) { to[i * s.k_ld() + n] = sum; });
        });
    }
    __device__ __forceinline__ void entry_term(bool keys, int row, int column, WarpTile<T>& tile) const {
        add_product<P>(tile, ByRow<T>{keys ? r : d_o, s.v_ld}, row, m, ByRow<T>{state, s.v_ld}, column, s.key, 0,
                       s.value);
        weigh_rows(tile, row, m, keys ? entry_weight : from_start);
        RowParts<T> to = query_rows;
        if (keys) to.parts = key_rows.parts;
        to.leave_dots(tile, row, column, m, s.key, keys ? k : q, s.k_ld());
    }
    __device__ __forceinline__ void key_terms(bool ahead, int row, int column, WarpTile<T>& tile) const {
        add_product<P>(tile, ByColumn<T>{scores, s.c_ld()}, row, m, ByColumn<T>{q, s.k_ld()}, column, s.key, row, m);
        if (!ahead) return;
        WarpTile<T> exit;
        add_product<P>(exit, ByRow<T>{w, s.v_ld}, row, m, ByRow<T>{d_state, s.v_ld}, column, s.key, 0, s.value);
        weigh_rows(exit, row, m, exit_weight);
#pragma unroll
        for (int n = 0; n < kEighths; ++n)
#pragma unroll
            for (int x = 0; x < 4; ++x) tile.sum[n][x] += exit.sum[n][x];
    }
};

}  // namespace whorl::gpu
