// Gradients of decays from the pairs they weigh. A step's decay weighs every pair of a later output and an earlier
// input that it lies between, j < t ≤ i. Their sums are put together from tiles of 16 rows, so that no two large
// numbers are subtracted: pairs of two tiles by their row and column sums, pairs inside a tile from a table.
#pragma once

#include "gpu/tiles/weighed_tile.cuh"

namespace whorl::gpu {

/// The sum over the lanes of a tile's column. (They are four apart; cub::WarpReduce adds neighbours.)
template <class T>
__device__ T tile_column_sum(T value) {
    for (int distance = 4; distance < 32; distance *= 2) value += __shfl_xor_sync(0xffffffffU, value, distance);
    return value;
}

/// What the products leave of each row: a part for every tile across.
template <class T>
struct RowParts {
    __host__ __device__ RowParts(BlockMemory& memory, int rows_, int columns, bool wanted = true)
        : rows(rows_), parts(memory.take<T>(wanted ? tiles(columns) * rows_ : 0)) {}
    int rows;
    T* parts;  // [tiles across, rows]
    __host__ __device__ static int tiles(int columns) { return (columns + kTileColumns - 1) / kTileColumns; }
    /// What a tile's lanes hold of two rows each, added and left as the tile's part. Called by whole warps.
    __device__ __forceinline__ void leave(int row, int column, int m, const T (&lanes)[2]) const {
        const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
        for (int x = 0; x < 2; ++x) {
            const T sum = tile_row_sum(lanes[x]);
            const int i = row + lane / 4 + 8 * x;
            if (lane % 4 == 0 && i < m) parts[column / kTileColumns * rows + i] = sum;
        }
    }
    /// Leaves Σ_j tile(i, j) x[i·ld + j] of the warp's tile of a m × columns matrix.
    __device__ __forceinline__ void leave_dots(const WarpTile<T>& tile, int row, int column, int m, int columns,
                                               const T* x, int ld) const {
        T lanes[2] = {};
        each_inside(tile, row, column, m, columns,
                    [&](int i, int j, T element, int half) { lanes[half] += element * x[i * ld + j]; });
        leave(row, column, m, lanes);
    }
    __device__ T sum(int row, int columns) const {
        T total = 0;
#pragma unroll 1
        for (int tile = 0; tile < tiles(columns); ++tile) total += parts[tile * rows + row];
        return total;
    }
};

/// The sums over pairs (i, j), each pair a term t_ij of strength s_j: s_j t_ij is what the decays between them get.
template <class T>
struct PairSums {
    /// `table` holds rows · 16 numbers. A tile's own pairs overwrite it place by place, [i, j % 16] by the lane that
    /// makes the pair (i, j) and after it has.
    __host__ __device__ PairSums(BlockMemory& memory, int rows, T* table)
        : earlier(memory, rows, rows),
          inside(table),
          columns(memory.take<T>((rows + kTileRows - 1) / kTileRows * rows)) {}

    RowParts<T> earlier;  // Σ over earlier tiles' j
    T* inside;            // [m,16]: the pairs of a tile with itself
    T* columns;           // [tiles,m]: Σ over a tile's i, without s_j

    /// Takes in the warp's tile of m × m pairs: pair(i, j, n, x, s_j) is the term of the lane's element sum[n][x],
    /// strength(j) is s_j. Called by whole warps.
    template <class Pair, class Strength>
    __device__ __forceinline__ void add(int row, int column, int m, const Pair& pair, const Strength& strength) const {
        const int lane = static_cast<int>(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
        T rows[2] = {};
#pragma unroll
        for (int n = 0; n < kEighths; ++n) {
            const int block = (column + 8 * n) / kTileRows * kTileRows;  // the tile that these columns are rows of
            const int first = column + 8 * n + 2 * t;
            const T strengths[2] = {strength(least_of(first, m - 1)), strength(least_of(first + 1, m - 1))};
            T sums[2] = {};
#pragma unroll
            for (int x = 0; x < 4; ++x) {
                const int i = row + g + x / 2 * 8, j = first + x % 2;
                if (i >= m || j >= m) continue;
                const T term = pair(i, j, n, x, strengths[x % 2]), weighed = term * strengths[x % 2];
                sums[x % 2] += term;
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
        earlier.leave(row, column, m, rows);
    }
    /// Σ_i t_ij.
    __device__ T column_sum(int j, int m) const {
        T sum = 0;
#pragma unroll 1
        for (int tile = j / kTileRows; tile < (m + kTileRows - 1) / kTileRows; ++tile) sum += columns[tile * m + j];
        return sum;
    }
    /// out(row, Σ s_j t_ij over j < row ≤ i) for every row of the chunk. A thread has a row, half a warp a tile.
    template <class Strength, class Out>
    __device__ void crossings(int m, const Strength& strength, const Out& out) const {
        const int tiles = (m + kTileRows - 1) / kTileRows, lane = static_cast<int>(threadIdx.x) % kTileRows;
        constexpr int half = kBlockThreads / 2;  // the first warps have other work between the same barriers
        for (int row = (static_cast<int>(threadIdx.x) + half) % kBlockThreads; row < (m + 31) / 32 * 32;
             row += kBlockThreads) {
            const int own = row / kTileRows;
            const bool real = row < m;
            const T later = real ? below(row, own, tiles, m) * strength(row) : T(0);  // pairs with later tiles
            T around = 0;  // of earlier tiles with later ones
#pragma unroll 1
            for (int j = lane; j < own * kTileRows && own < tiles; j += kTileRows)
                around += below(j, own, tiles, m) * strength(j);
            const T previous = __shfl_up_sync(0xffffffffU, later, 1, kTileRows);
            const T sum = sum_from_lane(real ? earlier.sum(row, own * kTileRows) : T(0), kTileRows) +
                          sum_up_to_lane(lane > 0 ? previous : T(0), kTileRows);
            around = __shfl_sync(0xffffffffU, sum_from_lane(around, kTileRows), 0, kTileRows);
            const T within = crossing_inside(row, lane, m);
            if (real) out(row, sum + around + within);
        }
    }

private:
    /// Σ t_ij over i in tiles behind `tile`.
    __device__ T below(int j, int tile, int tiles, int m) const {
        T sum = 0;
#pragma unroll 1
        for (int at = tile + 1; at < tiles; ++at) sum += columns[at * m + j];
        return sum;
    }
    /// Of the row's own tile, whose table becomes sums over the rows from each on: first a lane has a column.
    __device__ T crossing_inside(int row, int lane, int m) const {
        T* const tile = inside + (row - lane) * kTileRows;
        T behind = 0, crossing = 0;
#pragma unroll
        for (int i = kTileRows - 1; i > 0; --i)
            if (i > lane && row - lane + i < m) tile[i * kTileRows + lane] = behind += tile[i * kTileRows + lane];
        __syncwarp();
#pragma unroll
        for (int j = 0; j + 1 < kTileRows; ++j)
            if (j < lane && row < m) crossing += tile[lane * kTileRows + j];
        return crossing;
    }
};

}  // namespace whorl::gpu
