// The backward pass of decay_scan.cuh's chunk.
#pragma once

#include "core/numerics/rotation.hpp"
#include "gpu/state_space/decay_scan.cuh"
#include "gpu/tiles/pair_sums.cuh"

namespace whorl::gpu {

template <class T, class Sizes>
struct ScanBackward : ScanForward<T, Sizes> {
    using Base = ScanForward<T, Sizes>;
    using Base::begin, Base::positions, Base::m, Base::s, Base::q, Base::k, Base::v, Base::scores, Base::weights,
        Base::h, Base::gamma, Base::strength, Base::from_start, Base::to_end, Base::exit_weight, Base::reach,
        Base::seen, Base::seeing;
    using Base::P;

    /// `reused` holds kept_size numbers before backward(); `room` has space for room_size from query_gradient() on.
    __host__ __device__ ScanBackward(BlockMemory& memory, const ScanShape<Sizes>& shape, int kept_size, int room_size)
        : Base(memory, shape, most_of(kept_size, scores_part(shape, room_size) + d_scores_part(shape)),
               shape.chunks() > 1),
          d_y(Base::y),
          d_scores(Base::reused + scores_part(shape, room_size)),
          room(Base::reused),
          exit_rows(memory, shape.rows(), shape.headdim, shape.chunks() > 1),
          entry_rows(memory, shape.rows(), shape.state, shape.chunks() > 1),
          pairs(memory, shape.rows(),
                ScanShape<Sizes>::kSingle ? Base::weights.table : memory.take<T>(shape.rows() * kTileRows)),
          same(memory.take<T>(shape.rows() * shape.rank)),
          d_h(memory.take<T>(shape.chunks() > 1 ? shape.state * shape.p_ld() : 0)),
          d_q_columns(room + room_size),
          d_k_columns(d_q_columns + columns_size(shape)) {
        T* behind = d_scores;  // once these have been read
        for (T** vector : {&d_log_decay, &d_gamma, &d_carry}) *vector = behind, behind += s.chunk + 1;
        for (T** vector : {&d_strength, &d_exit, &d_entry, &d_crossing}) *vector = behind, behind += s.rows();
        callers = behind;
    }

    T* d_y;                              // [m,P], in
    T* d_scores;                         // [m,m]
    T* room;                             // the caller's, then d_q_columns and d_k_columns
    RowParts<T> exit_rows, entry_rows;   // v·(K d_h), q·(d_y hᵀ)
    PairSums<T> pairs;                   // of the decays' gradient; with rank 1 in the weights' place
    T* same;                             // [m, rank]: pairs of one position
    T* d_h;                              // [N,P]: of the state behind the chunk, then of that before it
    T *d_q_columns, *d_k_columns;        // [tiles,N], with one rank: sums over a tile's rows of what d_q, d_k returned
    T *d_log_decay, *d_gamma, *d_carry;  // [C+1], out; d_carry[i] is that of position i, from i = 1
    T *d_strength, *d_exit, *d_entry;    // [m]
    T* d_crossing;                       // [m]: of the pairs that a row's step lies between
    T* callers;                          // [C+1]: free for the caller behind backward(), until the next chunk

    __host__ __device__ static int tiles_of(int rows) { return (rows + kTileRows - 1) / kTileRows; }
    __host__ __device__ static int columns_size(const ScanShape<Sizes>& s) {
        return ScanShape<Sizes>::kSingle ? tiles_of(s.rows()) * s.state : 0;
    }
    __host__ __device__ static int room_part(const ScanShape<Sizes>& s, int room_size) {
        return room_size + 2 * columns_size(s);
    }
    /// The parts of `reused`. The room may lie where the scores were.
    __host__ __device__ static int scores_part(const ScanShape<Sizes>& s, int room_size) {
        return (most_of(room_part(s, room_size), s.rows() * s.m_ld()) + 3) / 4 * 4;
    }
    __host__ __device__ static int d_scores_part(const ScanShape<Sizes>& s) {
        return most_of(s.rows() * s.m_ld(), 4 * (s.chunk + 1 + s.rows()));
    }

    /// All gradients of the chunk from d_y and d_h. h holds the state before the chunk (with_state). Each gradient of
    /// v, q and k comes once: d_v(row, p, value); d_q and d_k(row, n, first, second) for n even and n + 1 (which may be
    /// the state size, and is nothing then), the same lane having the same places in both. They return the pair whose
    /// columns are to be added up. Overwrites scores and d_y.
    template <class InputOut, class QueryOut, class KeyOut>
    __device__ __forceinline__ void backward(bool with_state, const InputOut& d_v, const QueryOut& d_q,
                                             const KeyOut& d_k) {
        __shared__ T through[kBlockThreads / 32];  // h·d_h, of each warp
        const bool passes = with_state && !this->last();
        if (passes) state_through(through);
        masked_products();
        __syncthreads();
        input_gradient(d_v);
        __syncthreads();  // the scores have been read: their memory may be written
        query_gradient(with_state, d_q);
        key_gradient(d_k);
        if (with_state) carry_gradient();
        __syncthreads();
        row_totals(with_state);
        __syncthreads();
        collect(passes ? through : nullptr);
        __syncthreads();
    }

private:
    __device__ void state_through(T* of_warps) const {
        T inner = 0;
        spread(s.state, s.headdim, [&](int n, int p) { inner += h[n * s.p_ld() + p] * d_h[n * s.p_ld() + p]; });
        inner = warp_sum(inner);
        if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = inner;
    }
    /// scores and d_scores masked; the sums over pairs for γ, s and the decay.
    __device__ void masked_products() {
        for_tiles<T>(m, m, [&](int row, int column, WarpTile<T>& score) {
            if (column >= reach(row)) return;
            WarpTile<T> d;
            add_product<P>(score, ByRow<T>{q, s.n_ld()}, row, m, ByRow<T>{k, s.n_ld()}, column, m, 0, s.state);
            add_product<P>(d, ByRow<T>{d_y, s.p_ld()}, row, m, ByRow<T>{v, s.p_ld()}, column, m, 0, s.headdim);
            const auto weight = this->tile_weights(row, column);
            pairs.add(
                row, column, m,
                [&](int i, int j, int n, int x, T s_j) {
                    return mask_pair(i, j, score.sum[n][x], d.sum[n][x], s_j, weight, n, x);
                },
                [&](int j) { return strength_of(j); });
        });
    }
    /// s_j of the row j.
    __device__ T strength_of(int j) const { return strength[s.position_of(j)]; }
    /// Writes the pair's masked score and its gradient; returns its term of the decays' gradient over s_j.
    template <class Weight>
    __device__ __forceinline__ T mask_pair(int i, int j, T score, T d, T s_j, const Weight& weight, int n, int x) {
        const int pi = s.position_of(i), pj = s.position_of(j), at = i * s.m_ld() + j;
        T factor = 0, pair = 0;
        if (pj < pi) {
            const T decays = weight(i, j, n, x);
            factor = decays * s_j;
            pair = d * score * decays;
        } else if (pj == pi) {
            factor = gamma[pi];
            same[i * s.rank + j - pj * s.rank] = d * score;
        }
        scores[at] = score * factor;
        d_scores[at] = d * factor;
        return pair;
    }

    template <class Out>
    __device__ void input_gradient(const Out& d_v) {
        const bool ahead = !this->last();
        for_tiles<T>(m, s.headdim, [&](int row, int column, WarpTile<T>& within) {
            WarpTile<T> behind;
            const SumRange range = seeing(row);
            add_product<P>(within, ByColumn<T>{scores, s.m_ld()}, row, m, ByColumn<T>{d_y, s.p_ld()}, column, s.headdim,
                           range.begin, range.end);
            add_product<P>(behind, ByRow<T>{k, s.n_ld()}, row, m, ByColumn<T>{d_h, s.p_ld()}, column, s.headdim, 0,
                           ahead ? s.state : 0);
            T rows[2] = {};
            each_of(within, behind, [&](int i, int p, T sum, T through, int half) {
                i += row, p += column;
                if (i >= m || p >= s.headdim) return;
                const int position = s.position_of(i);
                rows[half] += v[i * s.p_ld() + p] * through;
                d_v(i, p, sum + exit_weight(position) * through);
            });
            if (ahead) exit_rows.leave(row, column, m, rows);
        });
    }

    template <class Out>
    __device__ void query_gradient(bool with_state, const Out& d_q) {
        for_tiles<T>(m, s.state, [&](int row, int column, WarpTile<T>& within) {
            WarpTile<T> entry;
            add_product<P>(within, ByRow<T>{d_scores, s.m_ld()}, row, m, ByColumn<T>{k, s.n_ld()}, column, s.state, 0,
                           reach(row));
            add_product<P>(entry, ByRow<T>{d_y, s.p_ld()}, row, m, ByRow<T>{h, s.p_ld()}, column, s.state, 0,
                           with_state ? s.headdim : 0);
            T rows[2] = {}, columns[kEighths][2] = {};
            each_pair_of(within, entry, [&](int i, int c, int n, int half, const T(&sum)[2], const T(&before)[2]) {
                i += row, c += column;
                if (i >= m || c >= s.state) return;
                numerics::Pair<T> d{sum[0], sum[1]};
                if (with_state) {
                    const T scale = from_start[s.position_of(i)];
                    const T* own = q + i * s.n_ld() + c;
                    rows[half] += scale * (before[0] * own[0]);
                    if (c + 1 < s.state) rows[half] += scale * (before[1] * own[1]);
                    d.x += scale * before[0];
                    d.y += scale * before[1];
                }
                const auto given = d_q(i, c, d.x, d.y);
                columns[n][0] += given.x;
                columns[n][1] += given.y;
            });
            leave_columns(d_q_columns, row, column, columns);
            if (with_state) entry_rows.leave(row, column, m, rows);
        });
    }
    template <class Out>
    __device__ void key_gradient(const Out& d_k) {
        const bool ahead = !this->last();
        for_tiles<T>(m, s.state, [&](int row, int column, WarpTile<T>& within) {
            WarpTile<T> exit;
            const SumRange range = seeing(row);
            add_product<P>(within, ByColumn<T>{d_scores, s.m_ld()}, row, m, ByColumn<T>{q, s.n_ld()}, column, s.state,
                           range.begin, range.end);
            add_product<P>(exit, ByRow<T>{v, s.p_ld()}, row, m, ByRow<T>{d_h, s.p_ld()}, column, s.state, 0,
                           ahead ? s.headdim : 0);
            T columns[kEighths][2] = {};
            each_pair_of(within, exit, [&](int i, int c, int n, int, const T(&sum)[2], const T(&behind)[2]) {
                i += row, c += column;
                if (i >= m || c >= s.state) return;
                const int position = s.position_of(i);
                const T scale = ahead ? exit_weight(position) : T(0);
                const auto given = d_k(i, c, sum[0] + scale * behind[0], sum[1] + scale * behind[1]);
                columns[n][0] += given.x;
                columns[n][1] += given.y;
            });
            leave_columns(d_k_columns, row, column, columns);
        });
    }
    /// A tile's sums over its rows.
    __device__ __forceinline__ void leave_columns(T* to, int row, int column, const T (&lanes)[kEighths][2]) const {
        if constexpr (!ScanShape<Sizes>::kSingle) return;
        const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
        for (int n = 0; n < kEighths; ++n)
#pragma unroll
            for (int x = 0; x < 2; ++x) {
                const T sum = tile_column_sum(lanes[n][x]);
                const int c = column + 8 * n + 2 * lane + x;  // of the first four lanes
                if (lane < 4 && c < s.state) to[row / kTileRows * s.state + c] = sum;
            }
    }

    /// d_h ← e^{Λ_end} d_h + Qᵀ diag(e^Λ) dY. No barrier at the end.
    __device__ void carry_gradient() {
        const bool none = this->last();
        const T through = from_start[positions - 1];
        __syncthreads();
        spread(m, s.headdim, [&](int i, int p) { d_y[i * s.p_ld() + p] *= from_start[s.position_of(i)]; });
        __syncthreads();
        tile_products<P, T>(
            s.state, s.headdim,
            [&](int n, int p, T sum) {
                const int at = n * s.p_ld() + p;
                d_h[at] = none ? sum : through * d_h[at] + sum;
            },
            factors(ByColumn<T>{q, s.n_ld()}, ByColumn<T>{d_y, s.p_ld()}, All{m}));
    }

    /// From the tiles' parts: d_s, and what flows through the states, of each row.
    __device__ void row_totals(bool with_state) {
        const bool ahead = !this->last();
        spread(m, [&](int j) {
            const int position = s.position_of(j);
            const T sum = pairs.column_sum(j, m);
            const T exit = ahead ? exit_rows.sum(j, s.headdim) * to_end[position] : T(0);
            d_strength[j] = sum + exit;
            d_exit[j] = exit * strength[position];
        });
        if (with_state) spread_from(2, m, [&](int i) { d_entry[i] = entry_rows.sum(i, s.state); });
        pairs.crossings(
            m, [&](int j) { return strength_of(j); }, [&](int row, T sum) { d_crossing[row] = sum; });
    }
    /// A step's decay weighs the pairs it lies between, the outputs at or behind it (through the entry state), what the
    /// chunk wrote before it into the exit state, and the whole way from entry to exit. d_γ, d_b come from d_s.
    __device__ void collect(const T* state_through) {
        const bool with_state = begin > 0, ahead = !this->last();
        T through = 0;
        if (state_through)
            for (int warp = 0; warp < kBlockThreads / 32; ++warp) through += state_through[warp];
        through *= from_start[positions - 1];
        spread_groups(positions, [&](int i, int lane) {
            T sum = 0;
            const int first = i * s.rank;
            if (i >= 0) {
                if (lane == 0) sum = d_crossing[first];
                if (ahead)
                    for (int row = lane; row < first; row += kGroupLanes) sum += d_exit[row];
                if (with_state)
                    for (int row = first + lane; row < m; row += kGroupLanes) sum += d_entry[row];
            }
            sum = group_sum(sum);
            if (i < 0 || lane != 0) return;
            d_log_decay[i] = through + sum;
            T d_s = 0, d_g = 0;
            for (int r = 0; r < s.rank; ++r) d_s += d_strength[first + r];
            for (int pair = 0; pair < s.rank * s.rank; ++pair) d_g += same[first * s.rank + pair];
            d_gamma[i] = d_g + d_s;
            d_carry[i + 1] = d_s;
        });
    }
};

}  // namespace whorl::gpu
