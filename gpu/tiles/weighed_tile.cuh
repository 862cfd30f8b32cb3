// Weights of tile products' operands and of their results, so that no matrix has to be weighed in memory first.
#pragma once

#include "gpu/tiles/tile_product.cuh"

namespace whorl::gpu {

/// Element (index, k) is weight[k] · data[k·ld + index].
template <class T>
struct ByWeighedColumn {
    static constexpr bool kByRow = false;
    const T* data;
    int ld;
    const T* weight;
};

template <class T, int Count>
struct TileRows<T, ByWeighedColumn<T>, Count> {
    TileRows<T, ByColumn<T>, Count> rows;
    const T* weight;  // from the lane's first place of the sum on

    __device__ __forceinline__ TileRows(const ByWeighedColumn<T>& operand, int first, int count, int apart)
        : rows({operand.data, operand.ld}, first, count, apart),
          weight(operand.weight + static_cast<int>(threadIdx.x) % 4) {}
    __device__ __forceinline__ T get(int i, int k) const { return weight[k] * rows.get(i, k); }
    /// Zero at and behind `end`.
    __device__ __forceinline__ T get(int i, int k, int end) const {
        return k + static_cast<int>(threadIdx.x) % 4 < end ? get(i, k) : T(0);
    }
};

/// The tile at (row, …) of a matrix of m rows ← weight[i] · its row i.
template <class T>
__device__ __forceinline__ void weigh_rows(WarpTile<T>& tile, int row, int m, const T* weight) {
    const int g = static_cast<int>(threadIdx.x) % 32 / 4;
    const T weights[2] = {weight[least_of(row + g, m - 1)], weight[least_of(row + g + 8, m - 1)]};
#pragma unroll
    for (int n = 0; n < kEighths; ++n)
#pragma unroll
        for (int x = 0; x < 4; ++x) tile.sum[n][x] *= weights[x / 2];
}

/// body(i, j, element, half of the tile's rows) for the lane's elements of the tile at (row, column) of a rows ×
/// columns matrix.
template <class T, class Body>
__device__ __forceinline__ void each_inside(const WarpTile<T>& tile, int row, int column, int rows, int columns,
                                            const Body& body) {
    each_of(tile, tile, [&](int i, int j, T element, T, int half) {
        if (row + i < rows && column + j < columns) body(row + i, column + j, element, half);
    });
}

}  // namespace whorl::gpu
