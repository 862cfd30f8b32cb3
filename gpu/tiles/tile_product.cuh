// Products of small matrices in a block's memory by the matrix units: every warp takes tiles of 16 rows and 16
// columns. Sizes are free; what lies outside a matrix is neither read nor written.
#pragma once

#include <type_traits>

#include "gpu/tiles/block.cuh"
#include "gpu/tiles/operands.cuh"

namespace whorl::gpu {

/// body(P, Shared), constants: the kernel that a plan needs. The one that knows its memory to be shared is worth
/// compiling for float only, other products than float32 only there. S: what activations are stored as.
template <class T, class S, class Body>
void with_block_kernel(const BlockPlan& plan, Products products, const Body& body) {
    if constexpr (sizeof(T) == sizeof(double)) {
        body(std::integral_constant<Products, Products::float64>{}, std::false_type{});
    } else {
        if (plan.shared)
            with_stored_products<T, S>(products, [&](auto chosen) { body(chosen, std::true_type{}); });
        else
            body(std::integral_constant<Products, Products::float32>{}, std::false_type{});
    }
}

/// Products as exact as T. (The kind of product does not change what a block needs of memory: that is measured with
/// these.)
template <class T>
constexpr Products kExactProducts = sizeof(T) == sizeof(double) ? Products::float64 : Products::float32;

/// The sum over the four lanes of a row of results, the same in all of them.
template <class T>
__device__ __forceinline__ T tile_row_sum(T value) {
    value += __shfl_xor_sync(0xffffffffU, value, 1);
    return value + __shfl_xor_sync(0xffffffffU, value, 2);
}

/// A lane's elements of a tile of 16 rows and 8·kEighths columns: those of kEighths matrix-unit results (mma.cuh).
template <class T>
struct WarpTile {
    T sum[kEighths][4] = {};
};

/// The elements (index, k) that a lane needs of an operand, index fixed.
template <class T, class Operand, int Count>
struct TileRows {
    const T* at[Count];
    int step;

    __device__ __forceinline__ TileRows(const Operand& operand, int first, int count, int apart) {
        const int lane = static_cast<int>(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
        step = Operand::kByRow ? 1 : operand.ld;
#pragma unroll
        for (int i = 0; i < Count; ++i) {
            const int index = least_of(first + g + i * apart, count - 1);
            at[i] = operand.data + (Operand::kByRow ? index * operand.ld + t : t * operand.ld + index);
        }
    }
    __device__ __forceinline__ T get(int i, int k) const {
        return at[i][k * step];
    }
    /// Zero at and behind `end`.
    __device__ __forceinline__ T get(int i, int k, int end) const {
        const int t = static_cast<int>(threadIdx.x) % 4;
        return k + t < end ? at[i][k * step] : T(0);
    }
};

/// tile += Σ_{begin ≤ k < end} a(first_row + i, k) b(first_column + j, k).
template <Products P, class T, class A, class B>
__device__ __forceinline__ void add_product(WarpTile<T>& tile, const A& a, int first_row, int rows, const B& b,
                                            int first_column, int columns, int begin, int end) {
    const TileRows<T, A, 2> a_rows(a, first_row, rows, 8);
    const TileRows<T, B, kEighths> b_rows(b, first_column, columns, 8);
    int k = begin;
#pragma unroll 1
    for (; k + 8 <= end; k += 8) {
        const Fragment<P, 4> x({a_rows.get(0, k), a_rows.get(1, k), a_rows.get(0, k + 4), a_rows.get(1, k + 4)});
#pragma unroll
        for (int n = 0; n < kEighths; ++n) {
            const Fragment<P, 2> y({b_rows.get(n, k), b_rows.get(n, k + 4)});
            multiply_add(tile.sum[n], x, y);
        }
    }
    if (k >= end) return;
    const Fragment<P, 4> x(
        {a_rows.get(0, k, end), a_rows.get(1, k, end), a_rows.get(0, k + 4, end), a_rows.get(1, k + 4, end)});
#pragma unroll
    for (int n = 0; n < kEighths; ++n) {
        const Fragment<P, 2> y({b_rows.get(n, k, end), b_rows.get(n, k + 4, end)});
        multiply_add(tile.sum[n], x, y);
    }
}

/// body(first row, first column, tile) for every tile of a rows × columns matrix, a warp each.
template <class T, class Body>
__device__ __forceinline__ void for_tiles(int rows, int columns, const Body& body) {
    constexpr int warps = kBlockThreads / 32;
    const int across = (columns + kTileColumns - 1) / kTileColumns;
    int row = 0, column = static_cast<int>(threadIdx.x) / 32;
#pragma unroll 1
    while (true) {
        while (column >= across) {
            column -= across;
            row += kTileRows;
        }
        if (row >= rows) return;
        WarpTile<T> tile;
        body(row, column * kTileColumns, tile);
        column += warps;
    }
}

/// The elements of a lane: body(row, column, n, x, sum[n][x]), row and column inside the tile.
template <class T, class Body>
__device__ __forceinline__ void each_of(const WarpTile<T>& tile, const Body& body) {
    const int lane = static_cast<int>(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
#pragma unroll
    for (int n = 0; n < kEighths; ++n)
#pragma unroll
        for (int x = 0; x < 4; ++x) body(g + x / 2 * 8, 8 * n + 2 * t + x % 2, n, x, tile.sum[n][x]);
}
/// The elements of two tiles together: body(row, column, first, second, half of the rows).
template <class T, class Body>
__device__ __forceinline__ void each_of(const WarpTile<T>& first, const WarpTile<T>& second, const Body& body) {
    const int lane = static_cast<int>(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
#pragma unroll
    for (int n = 0; n < kEighths; ++n)
#pragma unroll
        for (int x = 0; x < 4; ++x)
            body(g + x / 2 * 8, 8 * n + 2 * t + x % 2, first.sum[n][x], second.sum[n][x], x / 2);
}
/// The same for two neighbours of a row at once, from an even column: body(row, column, n, half of the rows, first,
/// second).
template <class T, class Body>
__device__ __forceinline__ void each_pair_of(const WarpTile<T>& first, const WarpTile<T>& second, const Body& body) {
    const int lane = static_cast<int>(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
#pragma unroll
    for (int n = 0; n < kEighths; ++n)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const T one[2] = {first.sum[n][2 * half], first.sum[n][2 * half + 1]};
            const T two[2] = {second.sum[n][2 * half], second.sum[n][2 * half + 1]};
            body(g + 8 * half, 8 * n + 2 * t, n, half, one, two);
        }
}

/// One product of several that share a tile: Σ of a(i, k) b(j, k) over k in range(first row of the tile).
template <class A, class B, class Range>
struct Factors {
    A a;
    B b;
    Range range;
};
template <class A, class B, class Range>
__device__ __forceinline__ Factors<A, B, Range> factors(const A& a, const B& b, const Range& range) {
    return {a, b, range};
}

template <Products P, class T, class A, class B, class Range>
__device__ __forceinline__ void add_factors(WarpTile<T>& tile, const Factors<A, B, Range>& f, int row, int rows,
                                            int column, int columns) {
    const SumRange k = f.range(row);
    add_product<P>(tile, f.a, row, rows, f.b, column, columns, k.begin, k.end);
}

/// out(i, j, sum of each product…) for i < rows, j < columns. Both operands are addressed by their own index first.
/// Products of equal sizes give a thread the same elements.
template <Products P, class T, class Out, class First>
__device__ __forceinline__ void tile_products(int rows, int columns, const Out& out, const First& first) {
    for_tiles<T>(rows, columns, [&](int row, int column, WarpTile<T>& tile) {
        add_factors<P>(tile, first, row, rows, column, columns);
        each_of(tile, tile, [&](int i, int j, T sum, T, int) {
            if (row + i < rows && column + j < columns) out(row + i, column + j, sum);
        });
    });
}
template <Products P, class T, class Out, class First, class Second>
__device__ __forceinline__ void tile_products(int rows, int columns, const Out& out, const First& first,
                                              const Second& second) {
    for_tiles<T>(rows, columns, [&](int row, int column, WarpTile<T>& one) {
        WarpTile<T> two;
        add_factors<P>(one, first, row, rows, column, columns);
        add_factors<P>(two, second, row, rows, column, columns);
        each_of(one, two, [&](int i, int j, T sum, T other, int) {
            if (row + i < rows && column + j < columns) out(row + i, column + j, sum, other);
        });
    });
}

}  // namespace whorl::gpu
