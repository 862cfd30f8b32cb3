// Both sides of a warp's products, 16 terms of a sum at a time, from where they lie in a block's memory.
//
// Sums run over the 16 terms in an order of their own: a lane's four are 2t, 2t+1, 2t+8, 2t+9 (t = lane % 4), which are
// neighbours both in a row of memory and among a lane's results (mma.cuh).
#pragma once

#include <type_traits>

#include "gpu/runtime/launch.cuh"
#include "gpu/tiles/mma.cuh"
#include "gpu/tiles/vector.cuh"

namespace whorl::gpu {

constexpr int kTileRows = 16;
/// Columns of a warp's tile. 32 would load less for each product, but leave warps without a tile where sizes are small,
/// and kernels that could do both outgrow the instruction cache.
constexpr int kTileColumns = 16;
constexpr int kEighths = kTileColumns / 8;

__device__ __forceinline__ int lane_index() {
    return static_cast<int>(threadIdx.x) % 32;
}
/// The row of a lane's first results, and of its own left sides; its place in their columns.
__device__ __forceinline__ int lane_row() {
    return lane_index() / 4;
}
__device__ __forceinline__ int lane_place() {
    return lane_index() % 4;
}

/// 16 rows × 16 terms, and 16 terms × two eighths of 8 columns.
template <Products P>
struct Left {
    Fragment<P, 4> half[2];
};
template <Products P>
struct Right {
    Fragment<P, 2> half[kEighths][2];
};

/// sum: of 16 rows and two eighths.
template <Products P, class T>
__device__ __forceinline__ void multiply_add(T (&sum)[kEighths][4], const Left<P>& a, const Right<P>& b) {
#pragma unroll
    for (int n = 0; n < kEighths; ++n) {
#if __CUDA_ARCH__ >= 800
        if constexpr (P == Products::bf16)
            multiply_add(sum[n], a.half[0], a.half[1], b.half[n][0], b.half[n][1]);
        else
#endif
        {
            multiply_add(sum[n], a.half[0], b.half[n][0]);
            multiply_add(sum[n], a.half[1], b.half[n][1]);
        }
    }
}

/// Two neighbours of a row, and a lane's part of two rows. (Of bf16 in one register: Vector's would be moved one by
/// one.)
template <Products P, class E>
__device__ __forceinline__ Fragment<P, 2> right_of(const E* at) {
#if __CUDA_ARCH__ >= 800
    if constexpr (sizeof(E) == 2) {
        const unsigned pair[1] = {*reinterpret_cast<const unsigned*>(at)};
        return Fragment<P, 2>(pair);
    } else
#endif
    {
        const auto x = *reinterpret_cast<const Vector<E, 2>*>(at);
        return Fragment<P, 2>({x.at[0], x.at[1]});
    }
}
template <Products P, class E>
__device__ __forceinline__ Fragment<P, 4> left_of(const E* top, const E* bottom) {
#if __CUDA_ARCH__ >= 800
    if constexpr (sizeof(E) == 2) {
        const unsigned pairs[2] = {*reinterpret_cast<const unsigned*>(top), *reinterpret_cast<const unsigned*>(bottom)};
        return Fragment<P, 4>(pairs);
    } else
#endif
    {
        const auto x = *reinterpret_cast<const Vector<E, 2>*>(top), y = *reinterpret_cast<const Vector<E, 2>*>(bottom);
        return Fragment<P, 4>({x.at[0], y.at[0], x.at[1], y.at[1]});
    }
}

#if __CUDA_ARCH__ >= 800
/// Four matrices of 8 × 8 from shared memory: lane 8 i + j gives row j of matrix i.
template <bool Transposed>
__device__ __forceinline__ void load_matrices(unsigned (&x)[4], const Bf16* row) {
    const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
    if constexpr (Transposed)
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
                     : "r"(address)
                     : "memory");
    else
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
                     : "r"(address)
                     : "memory");
}
/// The element that a lane names to load_matrices: of 16 × 16 numbers whose matrices come row by row, or column by
/// column.
__device__ __forceinline__ const Bf16* matrix_row(const Bf16* at, int ld, bool by_rows) {
    const int matrix = lane_index() / 8, row = lane_index() % 8;
    const int down = by_rows ? matrix / 2 : matrix % 2, across = by_rows ? matrix % 2 : matrix / 2;
    return at + (row + 8 * down) * ld + 8 * across;
}
__device__ __forceinline__ Left<Products::bf16> left_matrices(const unsigned (&x)[4]) {
    const unsigned first[2] = {x[0], x[1]}, second[2] = {x[2], x[3]};
    return {{Fragment<Products::bf16, 4>(first), Fragment<Products::bf16, 4>(second)}};
}
__device__ __forceinline__ Right<Products::bf16> right_matrices(const unsigned (&x)[4]) {
    using Part = Fragment<Products::bf16, 2>;
    const unsigned one[4][1] = {{x[0]}, {x[1]}, {x[2]}, {x[3]}};
    return {{{Part(one[0]), Part(one[1])}, {Part(one[2]), Part(one[3])}}};
}
#endif

/// Left side from anywhere in memory: element (i, k) at at[i·ld + k].
template <Products P, class E>
__device__ __forceinline__ Left<P> left_rows_from(const E* at, std::int64_t ld) {
    const E* top = at + lane_row() * ld + 2 * lane_place();
    const E* bottom = top + 8 * ld;
    return {{left_of<P>(top, bottom), left_of<P>(top + 8, bottom + 8)}};
}
/// Right side likewise: element (k, j) at at[j·ld + k].
template <Products P, class E>
__device__ __forceinline__ Right<P> right_rows_from(const E* at, std::int64_t ld) {
    const E* first = at + lane_row() * ld + 2 * lane_place();
    const auto of = [&](int n, int half) { return right_of<P>(first + 8 * n * ld + 8 * half); };
    return {{{of(0, 0), of(0, 1)}, {of(1, 0), of(1, 1)}}};
}

/// The same from a block's memory, where ldmatrix moves what is in bf16: rows begin at multiples of 16 bytes.
template <Products P, class E>
__device__ __forceinline__ Left<P> left_rows(const E* at, int ld) {
#if __CUDA_ARCH__ >= 800
    if constexpr (sizeof(E) == 2) {
        unsigned x[4];
        load_matrices<false>(x, matrix_row(at, ld, false));
        return left_matrices(x);
    } else
#endif
        return left_rows_from<P>(at, ld);
}
template <Products P, class E>
__device__ __forceinline__ Right<P> right_rows(const E* at, int ld) {
#if __CUDA_ARCH__ >= 800
    if constexpr (sizeof(E) == 2) {
        unsigned x[4];
        load_matrices<false>(x, matrix_row(at, ld, true));
        return right_matrices(x);
    } else
#endif
        return right_rows_from<P>(at, ld);
}
/// Right side: element (k, j) at at[k·ld + j].
template <Products P, class E>
__device__ __forceinline__ Right<P> right_columns(const E* at, int ld) {
#if __CUDA_ARCH__ >= 800
    if constexpr (sizeof(E) == 2) {
        unsigned x[4];
        load_matrices<true>(x, matrix_row(at, ld, false));
        return right_matrices(x);
    } else
#endif
    {
        const E* first = at + 2 * lane_place() * ld + lane_row();
        const auto of = [&](int n, int half) {
            const E* x = first + 8 * half * ld + 8 * n;
            return Fragment<P, 2>({x[0], x[ld]});
        };
        return {{{of(0, 0), of(0, 1)}, {of(1, 0), of(1, 1)}}};
    }
}
/// Left side: element (i, k) at at[k·ld + i].
template <Products P, class E>
__device__ __forceinline__ Left<P> left_columns(const E* at, int ld) {
#if __CUDA_ARCH__ >= 800
    if constexpr (sizeof(E) == 2) {
        unsigned x[4];
        load_matrices<true>(x, matrix_row(at, ld, true));
        return left_matrices(x);
    } else
#endif
    {
        const E* first = at + 2 * lane_place() * ld + lane_row();
        const auto of = [&](int half) {
            const E* x = first + 8 * half * ld;
            return Fragment<P, 4>({x[0], x[8], x[ld], x[ld + 8]});
        };
        return {{of(0), of(1)}};
    }
}

}  // namespace whorl::gpu
