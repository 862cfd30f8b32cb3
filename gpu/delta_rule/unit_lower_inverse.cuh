// The inverse of a unit lower-triangular matrix by a block of threads: its diagonal blocks of 16 column by column, a
// thread each, then blocks of twice the size from two neighbours,
//     [X₁  0; X₂₁ X₂]  with  X₂₁ = -X₂ (A₂₁ X₁).
#pragma once

#include "gpu/tiles/tile_product.cuh"

namespace whorl::gpu {

/// Column `column` of x ← (I + strictly lower part of a)^{-1} inside its diagonal block, zeros included. Both [m,m],
/// rows ld apart.
template <class T>
__device__ __forceinline__ void invert_column(int column, int m, const T* a, T* x, int ld) {
    const int first = column / kTileRows * kTileRows, own = column - first;
    a += first * ld + first;
    x += first * ld + column;
    T solved[kTileRows];
#pragma unroll
    for (int i = 0; i < kTileRows; ++i) {
        solved[i] = 0;
        if (first + i >= m) continue;
        T sum = 0;
#pragma unroll
        for (int j = 0; j < i; j += 4) {
            T four[4];
            load_four(a + i * ld + j, four);
#pragma unroll
            for (int c = 0; c < 4; ++c)
                if (j + c < i) sum -= four[c] * solved[j + c];
        }
        solved[i] = i < own ? T(0) : i == own ? T(1) : sum;
        x[i * ld] = solved[i];
    }
}
/// All diagonal blocks, by threads from the last warp on; no barrier at the end.
template <class T>
__device__ __forceinline__ void invert_diagonal_blocks(int m, const T* a, T* x, int ld) {
    spread_from(kBlockThreads / 32 - 1, m, [&](int column) { invert_column(column, m, a, x, ld); });
}

/// From the inverses of the diagonal blocks to the whole inverse: x at and below the blocks of 16 on the diagonal.
/// What is above them is no part of the result: A₂₁ X₁ stands there, transposed, meanwhile.
template <class T>
__device__ __forceinline__ void join_diagonal_blocks(int m, const T* a, T* x, int ld) {
    constexpr Products P = kExactProducts<T>;  // errors of an inverse pass through all that it multiplies
#pragma unroll 1
    for (int size = kTileRows; size < m; size *= 2) {
        const int pairs = (m - size + 2 * size - 1) / (2 * size);
        /// body(first row of X₁, rows of X₂, row and column of a tile of X₂₁)
        const auto each_tile = [&](const auto& body) {
            for_tiles<T>(pairs * size, size, [&](int row, int column, WarpTile<T>& tile) {
                const int start = row / size * 2 * size, rows = least_of(size, m - start - size);
                if (row % size < rows) body(start, rows, row % size, column, tile);
            });
        };
        each_tile([&](int start, int rows, int row, int column, WarpTile<T>& tile) {
            add_product<P>(tile, ByRow<T>{a + (start + size) * ld + start, ld}, row, rows,
                           ByColumn<T>{x + start * ld + start, ld}, column, size, column, size);
            T* to = x + start * ld + start + size;
            each_of(tile, tile, [&](int i, int j, T sum, T, int) {
                if (row + i < rows) to[(column + j) * ld + row + i] = sum;
            });
        });
        __syncthreads();
        each_tile([&](int start, int rows, int row, int column, WarpTile<T>& tile) {
            add_product<P>(tile, ByRow<T>{x + (start + size) * ld + start + size, ld}, row, rows,
                           ByRow<T>{x + start * ld + start + size, ld}, column, size, 0,
                           least_of(row + kTileRows, rows));
            T* to = x + (start + size) * ld + start;
            each_of(tile, tile, [&](int i, int j, T sum, T, int) {
                if (row + i < rows) to[(row + i) * ld + column + j] = -sum;
            });
        });
        __syncthreads();
    }
}

}  // namespace whorl::gpu
