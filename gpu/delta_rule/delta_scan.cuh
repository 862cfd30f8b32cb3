// The gated delta rule for one head of one sequence, chunk by chunk, by one block of threads (core/cpu/delta_scan.hpp
// states it). A chunk solves a unit lower-triangular system for all its corrections ŵ at once:
//     (I + tril(K Kᵀ ⊙ D, -1) diag β) Ŵ = V - diag(e^Λ) K S_in,   o = diag(e^Λ) Q S_in + tril(Q Kᵀ ⊙ D) diag(β) Ŵ
// with D_ij = e^{Λ_i-Λ_j}. A chunk of one position is the recurrence itself. The system's inverse is made explicitly,
// so that all else is products: its entries are what the chunk's transitions, none of which lengthens a vector, leave
// of a key, and stay below 2. Every method ends with its results visible to the whole block, unless it says otherwise.
#pragma once

#include "gpu/delta_rule/unit_lower_inverse.cuh"
#include "gpu/tiles/decay_weights.cuh"
#include "gpu/tiles/weighed_tile.cuh"

namespace whorl::gpu {

/// Leading dimension of rows of n numbers that products read down columns only: an odd number of eights, so that four
/// rows of eight lie in different banks.
__host__ __device__ constexpr int column_ld(int n) {
    return 8 * ((n + 7) / 8 | 1);
}

struct DeltaShape {
    int length, key, value, chunk;
    int v_ld = row_ld(value);
    __host__ __device__ int chunks() const { return (length + chunk - 1) / chunk; }
    __host__ __device__ DeltaShape read_by_columns() const { return {length, key, value, chunk, column_ld(value)}; }
    __host__ __device__ int k_ld() const { return row_ld(key); }
    __host__ __device__ int c_ld() const { return row_ld(chunk); }
};

/// body(which, first row, first column, tile) for the tiles at and below the diagonals of some m × m matrices, a warp
/// each.
template <class T, class Body>
__device__ __forceinline__ void for_lower_tiles(int matrices, int m, const Body& body) {
    static_assert(kTileRows == kTileColumns);
    const int across = (m + kTileRows - 1) / kTileRows;
    int which = 0, row = 0, column = static_cast<int>(threadIdx.x) / 32;  // in tiles
#pragma unroll 1
    while (true) {
        for (; column > row; row = row + 1 < across ? row + 1 : 0) {
            column -= row + 1;
            which += row + 1 == across;
        }
        if (which >= matrices) return;
        WarpTile<T> tile;
        body(which, row * kTileRows, column * kTileColumns, tile);
        column += kBlockThreads / 32;
    }
}

/// What both passes make of a chunk.
template <class T, Products P>
struct DeltaChunk {
    __host__ __device__ DeltaChunk(BlockMemory& memory, const DeltaShape& shape, bool with_state)
        : s(shape), weights(memory, shape.chunk) {
        for (T** rows : {&q, &k}) *rows = memory.take<T>(s.chunk * s.k_ld());
        w = memory.take<T>(s.chunk * s.v_ld);
        for (T** square : {&system, &scores}) *square = memory.take<T>(s.chunk * s.c_ld());
        state = memory.take<T>(with_state ? s.key * s.v_ld : 0);
        for (T** vector : {&log_decay, &beta, &from_start, &to_end}) *vector = memory.take<T>(s.chunk);
    }

    DeltaShape s;
    int begin = 0, m = 0;  // of the chunk at hand
    DecayWeights<T> weights;
    T *q, *k;                // [m,K], normalised
    T* w;                    // [m,V]: ŵ (forward: on entry v)
    T* system;               // [m,m]: K Kᵀ ⊙ D strictly below the diagonal, times β
    T* scores;               // [m,m]: Q Kᵀ ⊙ D up to the diagonal
    T* inverse;              // [m,m]: of I + system
    T* state;                // [K,V], that before the chunk
    T *log_decay, *beta;     // [m]
    T *from_start, *to_end;  // [m]: decay from the chunk's start up to i, behind i to its end

    __device__ bool last() const { return begin + m == s.length; }
    __device__ void enter(int chunk) {
        begin = chunk * s.chunk;
        m = least_of(s.chunk, s.length - begin);
    }
    /// Places of the sum where the rows of a tile have a lower-triangular matrix's entries.
    __device__ SumRange lower(int row) const { return {0, least_of(row + kTileRows, m)}; }

    /// From log_decay; no barrier at the end.
    __device__ void decay_sums() {
        chunk_decays(m, log_decay, from_start, to_end);
        weights.ends(m, log_decay);
    }

    /// system and scores. OfRow: the system is diag(β) tril(…), else tril(…) diag(β).
    template <bool OfRow>
    __device__ __forceinline__ void square_products() {
        const ByRow<T> keys{k, s.k_ld()};
        for_lower_tiles<T>(2, m, [&](int which, int row, int column, WarpTile<T>& tile) {
            const bool queries = which > 0;
            T* to = queries ? scores : system;
            add_product<P>(tile, ByRow<T>{queries ? q : k, s.k_ld()}, row, m, keys, column, m, 0, s.key);
            const TileWeights<T> decays(weights, row, column, m);
            each_of(tile, [&](int i, int j, int n, int x, T sum) {
                i += row, j += column;
                if (i >= m || j >= m) return;
                const T weight = j < i ? decays(i, j, n, x) : T(queries && j == i);
                to[i * s.c_ld() + j] = sum * (queries ? weight : weight * beta[OfRow ? i : j]);
            });
        });
        __syncthreads();
    }
};

template <class T, Products P>
struct DeltaForward : DeltaChunk<T, P> {
    using Base = DeltaChunk<T, P>;
    using Base::s, Base::m, Base::q, Base::k, Base::w, Base::system, Base::scores, Base::inverse, Base::state,
        Base::beta, Base::from_start, Base::to_end;

    __host__ __device__ DeltaForward(BlockMemory& memory, const DeltaShape& shape)
        : Base(memory, shape.read_by_columns(), true) {
        u = memory.take<T>(s.chunk * s.v_ld);
        inverse = memory.take<T>(s.chunk * s.c_ld());
    }

    T* u;  // [m,V]: β ŵ

    /// u from v in w; keep(i, p, ŵ) once each.
    template <class Keep>
    __device__ __forceinline__ void solve(bool with_state, const Keep& keep) {
        this->template square_products<false>();
        invert_diagonal_blocks(m, system, inverse, s.c_ld());
        if (with_state)
            tile_products<P, T>(
                m, s.value, [&](int i, int p, T sum) { w[i * s.v_ld + p] -= from_start[i] * sum; },
                factors(ByRow<T>{k, s.k_ld()}, ByColumn<T>{state, s.v_ld}, All{s.key}));
        __syncthreads();
        join_diagonal_blocks(m, system, inverse, s.c_ld());
        tile_products<P, T>(
            m, s.value,
            [&](int i, int p, T sum) {
                keep(i, p, sum);
                u[i * s.v_ld + p] = beta[i] * sum;
            },
            factors(ByRow<T>{inverse, s.c_ld()}, ByColumn<T>{w, s.v_ld}, [&](int row) { return this->lower(row); }));
        __syncthreads();
    }

    /// out(i, p, o), once each. No barrier at the end.
    template <class Out>
    __device__ __forceinline__ void outputs(bool with_state, const Out& out) {
        for_tiles<T>(m, s.value, [&](int row, int column, WarpTile<T>& o) {
            if (with_state) {
                add_product<P>(o, ByRow<T>{q, s.k_ld()}, row, m, ByColumn<T>{state, s.v_ld}, column, s.value, 0, s.key);
                weigh_rows(o, row, m, from_start);
            }
            add_product<P>(o, ByRow<T>{scores, s.c_ld()}, row, m, ByColumn<T>{u, s.v_ld}, column, s.value, 0,
                           this->lower(row).end);
            each_inside(o, row, column, m, s.value, [&](int i, int p, T sum, int) { out(i, p, sum); });
        });
    }

    /// S ← e^{Λ_end} S + (diag(e^{Λ_end-Λ}) K)ᵀ U, from zero without a state; keep(n, p, S) once each.
    template <class Keep>
    __device__ __forceinline__ void advance(bool with_state, const Keep& keep) {
        const T through = with_state ? from_start[m - 1] : T(0);
        tile_products<P, T>(
            s.key, s.value,
            [&](int n, int p, T sum) {
                T* to = state + n * s.v_ld + p;
                const T after = with_state ? through * *to + sum : sum;
                *to = after;
                keep(n, p, after);
            },
            factors(ByColumn<T>{k, s.k_ld()}, ByWeighedColumn<T>{u, s.v_ld, to_end}, All{m}));
        __syncthreads();
    }
};

}  // namespace whorl::gpu
