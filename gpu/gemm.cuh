// Batched matrix product c = op(a) op(b) for row-major matrices with any leading dimension, cut into tiles by shape.
// Written here because the projections of small models (32…128 columns) are too small for a library's kernels to pay,
// and because each element is one sum in a fixed order whatever the batch: replica r has the bits it has alone.
#pragma once

#include "gpu/launch.cuh"

namespace whorl::gpu {

enum class Layout { plain, transposed };  // element (i, k) of op(a) is a[i·ld + k], or a[k·ld + i]

template <class T>
struct GemmOperand {
    const T* data;
    std::int64_t batch;  // elements from one matrix of the batch to the next
    std::int64_t ld;
};

template <class T>
struct Gemm {
    GemmOperand<T> a, b;
    T* c;
    std::int64_t c_batch, c_split, c_ld;
    int m, n, k;
    int k_part;  // length of the sum that one split takes
};

constexpr int kTileM = 128, kGemmThreads = 256;
/// Length of the piece of the sum that shared memory holds (twice: one is filled while the other is used).
template <class T>
inline constexpr int kTileK = sizeof(T) == 4 ? 16 : 8;

/// Tile of `Width` rows × kTileK of op(x), zero outside [rows) × [k_end), on its way through registers. A thread's
/// items share their place along the contiguous side and are `stride` apart along the other.
template <class T, Layout L, int Width>
struct TileLoader {
    static constexpr bool kPlain = L == Layout::plain;
    static constexpr int kDepth = kTileK<T>, kCount = Width * kDepth / kGemmThreads;
    static constexpr int kApart = kGemmThreads / (kPlain ? kDepth : Width);
    const T* from;
    std::int64_t stride, k_stride;
    int rows_left, row, column;
    T values[kCount];

    __device__ TileLoader(const T* x, std::int64_t ld, int first, int rows)
        : stride(kApart * ld), k_stride(kPlain ? 1 : ld), rows_left(rows - first) {
        const int index = static_cast<int>(threadIdx.x);
        row = kPlain ? index / kDepth : index % Width;
        column = kPlain ? index % kDepth : index / Width;
        from = x + (kPlain ? (first + row) * ld + column : column * ld + first + row);
    }
    __device__ void load(int k, int k_end) {
        const T* at = from + k * k_stride;
#pragma unroll
        for (int item = 0; item < kCount; ++item) {
            const bool inside = kPlain ? row + item * kApart < rows_left && k + column < k_end
                                       : row < rows_left && k + column + item * kApart < k_end;
            values[item] = inside ? at[item * stride] : T(0);
        }
    }
    __device__ void store(T (*tile)[Width + 4]) const {
#pragma unroll
        for (int item = 0; item < kCount; ++item)
            tile[column + (kPlain ? 0 : item * kApart)][row + (kPlain ? item * kApart : 0)] = values[item];
    }
};

/// Four neighbours, in one access when they are aligned.
template <class T>
__device__ void store_four(T* to, const T* from, int count, bool aligned) {
    if (aligned && count >= 4) {
        if constexpr (sizeof(T) == 4) {
            *reinterpret_cast<float4*>(to) = make_float4(from[0], from[1], from[2], from[3]);
        } else {
            *reinterpret_cast<double2*>(to) = make_double2(from[0], from[1]);
            *reinterpret_cast<double2*>(to + 2) = make_double2(from[2], from[3]);
        }
        return;
    }
#pragma unroll
    for (int j = 0; j < 4; ++j)
        if (j < count) to[j] = from[j];
}

/// Tiles of 128 × 64·Groups; a thread has 8 rows in two groups of four, and 4·Groups columns in groups of four.
/// Grid: (tiles of n, tiles of m × splits, batch).
template <class T, Layout A, Layout B, int Groups>
__global__ void __launch_bounds__(kGemmThreads, sizeof(T) == 4 ? 2 : 1)
    gemm_kernel(Gemm<T> g, int tiles_m, bool aligned) {
    constexpr int tile_n = 64 * Groups, depth = kTileK<T>;
    __shared__ __align__(16) T a_tile[2][depth][kTileM + 4];
    __shared__ __align__(16) T b_tile[2][depth][tile_n + 4];
    const int first_n = static_cast<int>(blockIdx.x) * tile_n,
              first_m = static_cast<int>(blockIdx.y) % tiles_m * kTileM, split = static_cast<int>(blockIdx.y) / tiles_m;
    const int begin = split * g.k_part, end = begin + g.k_part < g.k ? begin + g.k_part : g.k;
    const int row = static_cast<int>(threadIdx.x) / 16 * 4, column = static_cast<int>(threadIdx.x) % 16 * 4;
    // op(b) is [k, n]: its "plain" element (k, n) is what the loader calls transposed.
    TileLoader<T, A, kTileM> a_load(g.a.data + blockIdx.z * g.a.batch, g.a.ld, first_m, g.m);
    TileLoader<T, B == Layout::plain ? Layout::transposed : Layout::plain, tile_n> b_load(
        g.b.data + blockIdx.z * g.b.batch, g.b.ld, first_n, g.n);
    T sum[8][4 * Groups] = {};
    a_load.load(begin, end);
    b_load.load(begin, end);
    a_load.store(a_tile[0]);
    b_load.store(b_tile[0]);
    __syncthreads();
    int buffer = 0;
    for (int k = begin; k < end; k += depth, buffer ^= 1) {
        const bool more = k + depth < end;
        if (more) {
            a_load.load(k + depth, end);
            b_load.load(k + depth, end);
        }
#pragma unroll 4
        for (int at = 0; at < depth; ++at) {
            T x[8], y[4 * Groups];
#pragma unroll
            for (int i = 0; i < 8; ++i) x[i] = a_tile[buffer][at][row + i % 4 + i / 4 * 64];
#pragma unroll
            for (int j = 0; j < 4 * Groups; ++j) y[j] = b_tile[buffer][at][column + j % 4 + j / 4 * 64];
#pragma unroll
            for (int i = 0; i < 8; ++i)
#pragma unroll
                for (int j = 0; j < 4 * Groups; ++j) sum[i][j] += x[i] * y[j];
        }
        if (!more) break;
        a_load.store(a_tile[buffer ^ 1]);
        b_load.store(b_tile[buffer ^ 1]);
        __syncthreads();
    }
    T* c = g.c + blockIdx.z * g.c_batch + split * g.c_split;
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        const int to_row = first_m + row + i % 4 + i / 4 * 64;
        if (to_row >= g.m) continue;
#pragma unroll
        for (int group = 0; group < Groups; ++group) {
            const int to_column = first_n + column + group * 64;
            store_four(c + to_row * g.c_ld + to_column, sum[i] + 4 * group, g.n - to_column, aligned);
        }
    }
}

template <class T, Layout A, Layout B>
void gemm(const char* name, cudaStream_t stream, const Gemm<T>& g, std::int64_t splits, std::int64_t batch) {
    const std::int64_t tiles_m = ceil_div(g.m, kTileM);
    const bool narrow = g.n <= 64;
    const bool aligned =
        reinterpret_cast<std::uintptr_t>(g.c) % 16 == 0 && g.c_ld % 4 == 0 && g.c_batch % 4 == 0 && g.c_split % 4 == 0;
    const dim3 grid(grid_size(ceil_div(g.n, narrow ? 64 : 128)), grid_size(tiles_m * splits), grid_size(batch));
    launch(name, narrow ? gemm_kernel<T, A, B, 1> : gemm_kernel<T, A, B, 2>, grid, dim3(kGemmThreads), 0, stream, g,
           static_cast<int>(tiles_m), aligned);
}

}  // namespace whorl::gpu
