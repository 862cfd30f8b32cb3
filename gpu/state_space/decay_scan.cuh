// The recurrence that Mamba-3 and Mamba-2 share, for one head of one sequence, chunk by chunk, by one block of threads
// (core/cpu/decay_scan.hpp states it). With Λ = Σ a and s_j = γ_j + b_{j+1},
//     y_t = e^{Λ_t} h_inᵀ q_t + Σ_{j<t} e^{Λ_t-Λ_j} s_j (q_t·k_j) v_j + γ_t (q_t·k_t) v_t
// so that one masked product per chunk and one state between chunks is the whole trapezoid. A chunk of one position is
// the recurrence itself. The state never leaves the block but for what the backward pass starts each chunk from.
//
// A chunk's rows are (position, rank). Every method ends with its results visible to the whole block, unless it says
// otherwise.
#pragma once

#include "gpu/state_space/sizes.cuh"
#include "gpu/tiles/decay_weights.cuh"
#include "gpu/tiles/weighed_tile.cuh"

namespace whorl::gpu {

struct ScanSizes {
    int length, rank, state, headdim, chunk;
};

template <class Sizes>
struct ScanShape : Known<Sizes, ScanSizes> {
    using Base = Known<Sizes, ScanSizes>;
    __host__ __device__ int position_of(int row) const { return Base::kSingle ? row : row / this->rank; }
    __host__ __device__ int chunks() const { return (this->length + this->chunk - 1) / this->chunk; }
    __host__ __device__ int rows() const { return this->chunk * this->rank; }
    __host__ __device__ int n_ld() const { return row_ld(this->state); }
    __host__ __device__ int p_ld() const { return row_ld(this->headdim); }
    __host__ __device__ int m_ld() const { return row_ld(rows()); }
    /// Rows that a row sees at most: (position, rank) sees all ranks of its position.
    __host__ __device__ int reach(int row, int m) const {
        return Base::kSingle ? row + 1 : least_of((row / this->rank + 1) * this->rank, m);
    }
};

/// The weights of a tile's pairs where a position has several rows.
template <class T, class Shape>
struct RankedWeights {
    const DecayWeights<T>& weights;
    const Shape& s;
    __device__ T operator()(int i, int j, int, int) const { return weights(s.position_of(i), s.position_of(j)); }
};

template <class T, class Sizes>
struct ScanForward {
    static constexpr Products P = kExactProducts<T>;

    /// In `reused` stand the scores; it holds scores_size() numbers and anything may lie there before outputs().
    __host__ __device__ ScanForward(BlockMemory& memory, const ScanShape<Sizes>& shape, int reused_size,
                                    bool with_state)
        : s(shape), weights(memory, shape.chunk) {
        const int rows = s.rows();
        q = memory.take<T>(rows * s.n_ld());
        k = memory.take<T>(rows * s.n_ld());
        v = memory.take<T>(rows * s.p_ld());
        y = memory.take<T>(rows * s.p_ld());
        reused = scores = memory.take<T>(most_of(reused_size, scores_size()));
        h = memory.take<T>(with_state ? s.state * s.p_ld() : 0);
        for (T** vector : {&log_decay, &gamma, &carry, &strength, &from_start, &to_end})
            *vector = memory.take<T>(s.chunk + 1);
    }

    ScanShape<Sizes> s;
    int begin = 0, positions = 0, m = 0;  // of the chunk at hand; m = positions · rank
    DecayWeights<T> weights;
    T *q, *k;                           // [m,N]
    T *v, *y;                           // [m,P]
    T *scores, *reused;                 // [m,m], masked: what multiplies v_j in y_i
    T* h;                               // [N,P]
    T *log_decay, *gamma, *carry;       // [C+1]: the next position's too
    T *strength, *from_start, *to_end;  // [C]

    __host__ __device__ int scores_size() const { return s.rows() * s.m_ld(); }
    __device__ bool last() const { return begin + positions == s.length; }

    __device__ void enter(int chunk) {
        begin = chunk * s.chunk;
        positions = least_of(s.chunk, s.length - begin);
        m = positions * s.rank;
    }

    /// From log_decay, γ, b of the chunk and of the position behind it: sums and strengths. No barrier at the end.
    __device__ void decay_sums() {
        chunk_decays(positions, log_decay, from_start, to_end);
        spread_from(2, positions,
                    [&](int i) { strength[i] = gamma[i] + (begin + i + 1 < s.length ? carry[i + 1] : T(0)); });
        weights.ends(positions, log_decay);
    }
    /// From decay_sums; no barrier at the end.
    __device__ void pair_decays() { weights.pairs(positions); }
    /// Of an input in the state behind the chunk.
    __device__ T exit_weight(int position) const { return to_end[position] * strength[position]; }

    /// weight(i, j, n, x) of the elements sum[n][x] of a lane's tile, for positions j < i.
    __device__ __forceinline__ auto tile_weights(int row, int column) const {
        if constexpr (ScanShape<Sizes>::kSingle)
            return TileWeights<T>(weights, row, column, positions);
        else
            return RankedWeights<T, ScanShape<Sizes>>{weights, s};
    }
    /// Rows that the tile at `row` sees.
    __device__ int reach(int row) const { return s.reach(least_of(row + kTileRows, m) - 1, m); }
    /// The sum over those, and over those that see the tile.
    __device__ SumRange seen(int row) const { return {0, reach(row)}; }
    __device__ SumRange seeing(int row) const { return {s.position_of(row) * s.rank, m}; }

    /// y of the chunk; with_state: h is that before the chunk, else it is zero.
    __device__ void outputs(bool with_state) {
        const int n_ld = s.n_ld(), p_ld = s.p_ld(), m_ld = s.m_ld();
        for_tiles<T>(m, m, [&](int row, int column, WarpTile<T>& score) {
            if (column >= reach(row)) return;
            add_product<P>(score, ByRow<T>{q, n_ld}, row, m, ByRow<T>{k, n_ld}, column, m, 0, s.state);
            const auto weight = tile_weights(row, column);
            each_of(score, [&](int i, int j, int n, int x, T sum) {
                i += row, j += column;
                if (i >= m || j >= m) return;
                const int pi = s.position_of(i), pj = s.position_of(j);
                scores[i * m_ld + j] = sum * (pj < pi    ? weight(i, j, n, x) * strength[pj]
                                              : pj == pi ? gamma[pi]
                                                         : T(0));
            });
        });
        __syncthreads();
        tile_products<P, T>(
            m, s.headdim,
            [&](int i, int p, T within, T before) {
                y[i * p_ld + p] = with_state ? within + from_start[s.position_of(i)] * before : within;
            },
            factors(ByRow<T>{scores, m_ld}, ByColumn<T>{v, p_ld}, [&](int row) { return seen(row); }),
            factors(ByRow<T>{q, n_ld}, ByColumn<T>{h, p_ld}, All{with_state ? s.state : 0}));
        __syncthreads();
    }

    /// v ← e^{Λ_end-Λ} s v at (row, p), as advance() wants it.
    __device__ void weigh_input(int i, int p) const { v[i * s.p_ld() + p] *= exit_weight(s.position_of(i)); }
    /// h ← e^{Λ_end} h + Kᵀ (weighed V), from zero without a state.
    __device__ void advance(bool with_state) {
        const T through = with_state ? from_start[positions - 1] : T(0);
        tile_products<P, T>(
            s.state, s.headdim,
            [&](int n, int p, T sum) {
                const int at = n * s.p_ld() + p;
                h[at] = with_state ? through * h[at] + sum : sum;
            },
            factors(ByColumn<T>{k, s.n_ld()}, ByColumn<T>{v, s.p_ld()}, All{m}));
        __syncthreads();
    }
};

}  // namespace whorl::gpu
