// The backward pass of decay_scan.cuh's chunk.
//
// A step's decay weighs every pair of a later output and an earlier input that it lies between, j < t ≤ i. Their sums
// are put together from tiles of 16 rows, so that no two large numbers are subtracted: pairs of two tiles by their row
// and column sums, pairs inside a tile from a table.
#pragma once

#include "gpu/decay_scan.cuh"

namespace whorl::gpu {

/// Sums over the lanes of a tile's row, and of its column.
template <class T>
__device__ T tile_row_sum(T value) {
    value += __shfl_xor_sync(0xffffffffU, value, 1);
    return value + __shfl_xor_sync(0xffffffffU, value, 2);
}
template <class T>
__device__ T tile_column_sum(T value) {
    for (int distance = 4; distance < 32; distance *= 2) value += __shfl_xor_sync(0xffffffffU, value, distance);
    return value;
}

/// What the products leave of each row: a part for every tile across.
template <class T>
struct RowParts {
    __host__ __device__ RowParts(BlockMemory& memory, int rows_, int columns)
        : rows(rows_), parts(memory.take<T>(tiles(columns) * rows_)) {}
    int rows;
    T* parts;  // [tiles across, rows]
    __host__ __device__ static int tiles(int columns) { return (columns + kTileColumns - 1) / kTileColumns; }
    __device__ T* of(int column) const { return parts + column / kTileColumns * rows; }
    __device__ T sum(int row, int columns) const {
        T total = 0;
        for (int tile = 0; tile < tiles(columns); ++tile) total += parts[tile * rows + row];
        return total;
    }
};

template <class T, Products P, bool Single>
struct ScanBackward : ScanForward<T, P, Single> {
    using Base = ScanForward<T, P, Single>;
    using Base::begin, Base::positions, Base::m, Base::s, Base::q, Base::k, Base::v, Base::scores, Base::weights,
        Base::h, Base::gamma, Base::strength, Base::from_start, Base::to_end, Base::reach, Base::seen, Base::seeing;

    /// `reused` holds kept_size numbers before backward(), and scores_room behind the scores' last use.
    __host__ __device__ ScanBackward(BlockMemory& memory, const ScanShape<Single>& shape, int kept_size,
                                     int scores_room)
        : Base(memory, shape,
               most_of(kept_size, most_of(scores_room, shape.rows() * shape.m_ld()) + shape.rows() * shape.m_ld()),
               shape.chunks() > 1),
          d_y(Base::y),
          d_scores(Base::reused + most_of(scores_room, shape.rows() * shape.m_ld())),
          crossing_rows(memory, shape.rows(), shape.rows()),
          exit_rows(memory, shape.rows(), shape.headdim),
          entry_rows(memory, shape.rows(), shape.state),
          inside(Single ? Base::weights.table : memory.take<T>(shape.rows() * kTileRows)),
          columns(memory.take<T>((shape.rows() + kTileRows - 1) / kTileRows * shape.rows())),
          same(memory.take<T>(shape.rows() * shape.rank())),
          d_h(memory.take<T>(shape.chunks() > 1 ? shape.state * shape.p_ld() : 0)) {
        for (T** vector : {&d_log_decay, &d_gamma, &d_carry}) *vector = memory.take<T>(s.chunk + 1);
        for (T** vector : {&d_strength, &d_exit, &d_entry}) *vector = memory.take<T>(s.rows());
    }

    T* d_y;                              // [m,P], in
    T* d_scores;                         // [m,m]
    RowParts<T> crossing_rows;           // Σ over earlier tiles' j of pair (i, j)
    RowParts<T> exit_rows, entry_rows;   // v·(K d_h), q·(d_y hᵀ)
    T* inside;                           // [m,16]: the pairs of a tile with itself; with rank 1 in the weights' place
    T* columns;                          // [tiles,m]: Σ over a tile's i of the pair over s_j
    T* same;                             // [m, rank]: pairs of one position
    T* d_h;                              // [N,P]: of the state behind the chunk, then of that before it
    T *d_log_decay, *d_gamma, *d_carry;  // [C+1], out; d_carry[i] is that of position i, from i = 1
    T *d_strength, *d_exit, *d_entry;    // [m]

    /// All gradients of the chunk from d_y and d_h. h holds the state before the chunk (with_state). Each gradient of
    /// v, q and k comes once: d_v(row, p, value); d_q and d_k(row, n, first, second) for n even and n + 1 (which may be
    /// the state size, and is nothing then), the same lane having the same places in both. Overwrites scores and d_y.
    template <class InputOut, class QueryOut, class KeyOut>
    __device__ __forceinline__ void backward(bool with_state, const InputOut& d_v, const QueryOut& d_q,
                                             const KeyOut& d_k) {
        const T through = this->last() || !with_state ? T(0) : state_through();
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
        collect(through);
        __syncthreads();
    }

private:
    __device__ T state_through() {
        T inner = 0;
        spread(s.state, s.headdim, [&](int n, int p) { inner += h[n * s.p_ld() + p] * d_h[n * s.p_ld() + p]; });
        return from_start[positions - 1] * sum_over_block(inner);
    }

    /// scores and d_scores masked; the sums over pairs for γ, s and the decay.
    __device__ void masked_products() {
        for_tiles<T>(m, m, [&](int row, int column, WarpTile<T>& score) {
            if (column >= reach(row)) return;
            WarpTile<T> d;
            add_product<P>(score, ByRow<T>{q, s.n_ld()}, row, m, ByRow<T>{k, s.n_ld()}, column, m, 0, s.state);
            add_product<P>(d, ByRow<T>{d_y, s.p_ld()}, row, m, ByRow<T>{v, s.p_ld()}, column, m, 0, s.headdim);
            mask_tile(row, column, score, d);
        });
    }
    __device__ __forceinline__ void mask_tile(int row, int column, const WarpTile<T>& score, const WarpTile<T>& d) {
        const int lane = static_cast<int>(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
        T rows[2] = {};
#pragma unroll
        for (int n = 0; n < kEighths; ++n) {
            const int block = (column + 8 * n) / kTileRows * kTileRows;  // the tile that these columns are rows of
            T sums[2] = {};
#pragma unroll
            for (int x = 0; x < 4; ++x) {
                const int i = row + g + x / 2 * 8, j = column + 8 * n + 2 * t + x % 2;
                if (i >= m || j >= m) continue;
                const T pair = mask_pair(i, j, score.sum[n][x], d.sum[n][x]);
                sums[x % 2] += pair;
                const T weighed = pair * strength[s.position_of(j)];
                if (block < row) rows[x / 2] += weighed;
                if (block == row) inside[i * kTileRows + j - block] = weighed;
            }
#pragma unroll
            for (int x = 0; x < 2; ++x) {
                const int j = column + 8 * n + 2 * t + x;
                const T sum = tile_column_sum(sums[x]);
                if (g == 0 && j < m) columns[row / kTileRows * m + j] = sum;
            }
        }
#pragma unroll
        for (int x = 0; x < 2; ++x) {
            const T sum = tile_row_sum(rows[x]);
            const int i = row + g + 8 * x;
            if (t == 0 && i < m) crossing_rows.of(column)[i] = sum;
        }
    }
    /// Writes the pair's masked score and its gradient; returns its term of the decays' gradient over s_j.
    __device__ __forceinline__ T mask_pair(int i, int j, T score, T d) {
        const int pi = s.position_of(i), pj = s.position_of(j), at = i * s.m_ld() + j;
        T factor = 0, pair = 0;
        if (pj < pi) {
            const T weight = weights(pi, pj);
            factor = weight * strength[pj];
            pair = d * score * weight;
        } else if (pj == pi) {
            factor = gamma[pi];
            same[i * s.rank() + j - pj * s.rank()] = d * score;
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
                d_v(i, p, sum + to_end[position] * strength[position] * through);
            });
            leave_rows(exit_rows, row, column, rows);
        });
    }
    /// What a tile's lanes hold of two rows each, added and left as the tile's part.
    __device__ void leave_rows(const RowParts<T>& to, int row, int column, const T (&rows)[2]) const {
        const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
        for (int x = 0; x < 2; ++x) {
            const T sum = tile_row_sum(rows[x]);
            const int i = row + lane / 4 + 8 * x;
            if (lane % 4 == 0 && i < m) to.of(column)[i] = sum;
        }
    }

    template <class Out>
    __device__ void query_gradient(bool with_state, const Out& d_q) {
        for_tiles<T>(m, s.state, [&](int row, int column, WarpTile<T>& within) {
            WarpTile<T> entry;
            add_product<P>(within, ByRow<T>{d_scores, s.m_ld()}, row, m, ByColumn<T>{k, s.n_ld()}, column, s.state, 0,
                           reach(row));
            add_product<P>(entry, ByRow<T>{d_y, s.p_ld()}, row, m, ByRow<T>{h, s.p_ld()}, column, s.state, 0,
                           with_state ? s.headdim : 0);
            T rows[2] = {};
            each_pair_of(within, entry, [&](int i, int c, const T(&sum)[2], const T(&before)[2], int half) {
                i += row, c += column;
                if (i >= m || c >= s.state) return;
                const T scale = from_start[s.position_of(i)];
                const T* own = q + i * s.n_ld() + c;
                rows[half] += scale * (before[0] * own[0]);
                if (c + 1 < s.state) rows[half] += scale * (before[1] * own[1]);
                d_q(i, c, sum[0] + scale * before[0], sum[1] + scale * before[1]);
            });
            if (with_state) leave_rows(entry_rows, row, column, rows);
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
            each_pair_of(within, exit, [&](int i, int c, const T(&sum)[2], const T(&behind)[2], int) {
                i += row, c += column;
                if (i >= m || c >= s.state) return;
                const int position = s.position_of(i);
                const T scale = ahead ? to_end[position] * strength[position] : T(0);
                d_k(i, c, sum[0] + scale * behind[0], sum[1] + scale * behind[1]);
            });
        });
    }

    /// d_h ← e^{Λ_end} d_h + Qᵀ diag(e^Λ) dY. No barrier at the end.
    __device__ void carry_gradient() {
        const bool none = this->last();
        const T through = from_start[positions - 1];
        __syncthreads();
        spread(m, s.headdim, [&](int i, int p) { d_y[i * s.p_ld() + p] *= from_start[s.position_of(i)]; });
        __syncthreads();
        tile_products<P, T>(
            s.state, s.headdim, Everywhere{},
            [&](int n, int p, T sum) {
                T* to = d_h + n * s.p_ld() + p;
                *to = none ? sum : through * *to + sum;
            },
            factors(ByColumn<T>{q, s.n_ld()}, ByColumn<T>{d_y, s.p_ld()}, All{m}));
    }

    /// From the tiles' parts: d_s, and what flows through the states, of each row.
    __device__ void row_totals(bool with_state) {
        const int tiles = (m + kTileRows - 1) / kTileRows;
        const bool ahead = !this->last();
        spread(m, [&](int j) {
            const int position = s.position_of(j);
            T sum = 0;
            for (int tile = j / kTileRows; tile < tiles; ++tile) sum += columns[tile * m + j];
            const T exit = ahead ? exit_rows.sum(j, s.headdim) * to_end[position] : T(0);
            d_strength[j] = sum + exit;
            d_exit[j] = exit * strength[position];
        });
        if (with_state) spread_from(2, m, [&](int i) { d_entry[i] = entry_rows.sum(i, s.state); });
    }
    /// A step's decay weighs the pairs it lies between, the outputs at or behind it (through the entry state), what the
    /// chunk wrote before it into the exit state, and the whole way from entry to exit. d_γ, d_b come from d_s.
    __device__ void collect(T through) {
        const bool with_state = begin > 0, ahead = !this->last();
        spread_groups(positions, [&](int i, int lane) {
            T sum = 0;
            const int first = i * s.rank();
            if (i >= 0) {
                sum = crossing(first, lane);
                if (ahead)
                    for (int row = lane; row < first; row += kGroupLanes) sum += d_exit[row];
                if (with_state)
                    for (int row = first + lane; row < m; row += kGroupLanes) sum += d_entry[row];
            }
            sum = group_sum(sum);
            if (i < 0 || lane != 0) return;
            d_log_decay[i] = through + sum;
            T d_s = 0, d_g = 0;
            for (int r = 0; r < s.rank(); ++r) d_s += d_strength[first + r];
            for (int pair = 0; pair < s.rank() * s.rank(); ++pair) d_g += same[first * s.rank() + pair];
            d_gamma[i] = d_g + d_s;
            d_carry[i + 1] = d_s;
        });
    }
    /// A lane's part of Σ pair (i, j) over j < first ≤ i.
    __device__ T crossing(int first, int lane) const {
        const int tiles = (m + kTileRows - 1) / kTileRows, own = first / kTileRows, start = own * kTileRows,
                  end = least_of(start + kTileRows, m);
        T sum = 0;
        for (int i = first + lane; i < end; i += kGroupLanes) {
            sum += crossing_rows.sum(i, start);
            for (int j = 0; j < first - start; ++j) sum += inside[i * kTileRows + j];
        }
        for (int j = lane; j < first; j += kGroupLanes) {
            T below = 0;
            for (int tile = own + 1; tile < tiles; ++tile) below += columns[tile * m + j];
            sum += below * strength[s.position_of(j)];
        }
        return sum;
    }
};

}  // namespace whorl::gpu
