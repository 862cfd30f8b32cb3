// Table look-up, the choice of the rows that carry a loss, and the residual add.
#include <algorithm>

#include "gpu/cuda_backend.hpp"
#include "gpu/launch.cuh"

namespace whorl::gpu {
namespace {

constexpr int kAhead = 4;         // groups of rows looked at together
constexpr int kWarps = 32;        // of a block that gathers one token's gradient
constexpr int kUnused = 1 << 30;  // above every slot index

__device__ int known_token(int token, int vocabulary) {
    return token >= 0 && token < vocabulary ? token : 0;
}

template <class T>
struct Add {
    View<T> x, y;
    __device__ void operator()(unsigned r, std::int64_t row, int j) const { y.row(r, row)[j] += x.row(r, row)[j]; }
};

template <class T>
struct LookUp {
    View<int> tokens;
    View<T> weight, out;
    int length, vocabulary, features;
    __device__ void operator()(unsigned r, std::int64_t row, int j) const {
        const int token = known_token(tokens.at(r, row / length)[row % length], vocabulary);
        out.row(r, row)[j] = weight.at(r)[std::int64_t{token} * features + j];
    }
};

/// sum + feature j of the rows first + i whose bit i is set, in order; four loads at a time. j < 0: nothing.
template <class T>
__device__ T add_found(const View<T>& d_out, std::int64_t first, unsigned found, int j, T sum) {
    while (found != 0) {
        T values[4];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const int bit = __ffs(static_cast<int>(found)) - 1;
            values[i] = bit >= 0 && j >= 0 ? d_out.row(blockIdx.z, first + bit)[j] : T(0);
            found &= found - 1;
        }
#pragma unroll
        for (int i = 0; i < 4; ++i) sum += values[i];
    }
    return sum;
}

/// One token of one replica and 32 features. Warps share the rows; a warp adds its rows in order, then the warps' sums
/// are added in order.
template <class T>
__global__ void embed_backward_kernel(View<int> tokens, View<T> d_out, View<T> d_weight, std::int64_t rows, int length,
                                      int vocabulary, int features) {
    __shared__ T sums[kWarps][33];
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    const int own = static_cast<int>(blockIdx.x), j = static_cast<int>(blockIdx.y) * 32 + lane;
    const std::int64_t share = (rows + kWarps - 1) / kWarps, begin = warp * share,
                       end = begin + share < rows ? begin + share : rows;
    T sum = 0;
    for (std::int64_t first = begin; first < end; first += 32 * kAhead) {
        bool mine[kAhead];  // known for several groups of rows before the first is followed
#pragma unroll
        for (int a = 0; a < kAhead; ++a) {
            const std::int64_t row = first + 32 * a + lane;
            mine[a] = row < end && known_token(tokens.at(blockIdx.z, row / length)[row % length], vocabulary) == own;
        }
#pragma unroll
        for (int a = 0; a < kAhead; ++a)
            sum = add_found(d_out, first + 32 * a, __ballot_sync(0xffffffffU, mine[a]), j < features ? j : -1, sum);
    }
    sums[warp][lane] = sum;
    __syncthreads();
    if (warp != 0 || j >= features) return;
    T total = 0;
    for (int w = 0; w < kWarps; ++w) total += sums[w][lane];
    d_weight.at(blockIdx.z)[std::int64_t{own} * features + j] += total;
}

template <class T>
struct Gather {
    View<T> x;
    View<int> row_of;
    View<T> out;
    __device__ void operator()(unsigned r, std::int64_t m, int j) const {
        const int from = row_of.at(r)[m];
        out.row(r, m)[j] = from < 0 ? T(0) : x.row(r, from)[j];
    }
};

constexpr int kScatterThreads = 512, kMostScatterRows = 4096;

/// A row may be named by several slots. Each block has some rows of a replica: it reads all slots, learns the lowest
/// and the highest of each of its rows, and adds between those in order. Grid: (blocks of rows, replicas).
template <class T>
__global__ void scatter_kernel(View<T> d_out, View<int> row_of, View<T> d_x, std::int64_t rows, int rows_per_block,
                               int slots, int features) {
    int* lowest = reinterpret_cast<int*>(dynamic_shared());
    int* highest = lowest + rows_per_block;
    const std::int64_t r = blockIdx.y, first = std::int64_t{blockIdx.x} * rows_per_block;
    const int count = static_cast<int>(rows - first < rows_per_block ? rows - first : rows_per_block);
    const int* slot = row_of.at(r);
    for (int i = static_cast<int>(threadIdx.x); i < count; i += kScatterThreads) {
        lowest[i] = kUnused;
        highest[i] = -1;
    }
    __syncthreads();
#pragma unroll 8
    for (int m = static_cast<int>(threadIdx.x); m < slots; m += kScatterThreads) {
        const std::int64_t row = slot[m] - first;
        if (slot[m] < 0 || row < 0 || row >= count) continue;
        atomicMin(lowest + row, m);
        atomicMax(highest + row, m);
    }
    __syncthreads();
    const int lane = static_cast<int>(threadIdx.x) % 32;
    for (int i = static_cast<int>(threadIdx.x) / 32; i < count; i += kScatterThreads / 32) {
        T* to = d_x.row(r, first + i);
        for (int j = lane; j < features; j += 32) {
            T sum = 0;
            for (int m = lowest[i]; m <= highest[i]; ++m)
                if (slot[m] == first + i) sum += d_out.row(r, m)[j];
            to[j] = sum;
        }
    }
}

}  // namespace

void CudaBackend::add(const Tensor& x, const Tensor& y) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        for_each_element("add", stream_, x.replicas(), x.rows(), x.features(), Add<T>{view<T>(x), view<T>(y)});
    });
}

void CudaBackend::embed_forward(const Tensor& tokens, const Tensor& weight, const Tensor& out) {
    dispatch(out.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const LookUp<T> body{view<int>(tokens),
                             view<T>(weight),
                             view<T>(out),
                             static_cast<int>(out.shape[2]),
                             static_cast<int>(weight.rows()),
                             static_cast<int>(out.features())};
        for_each_element("embed_forward", stream_, out.replicas(), out.rows(), out.features(), body);
    });
}

void CudaBackend::embed_backward(const Tensor& tokens, const Tensor& d_out, const Tensor& d_weight) {
    dispatch(d_out.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const dim3 grid(grid_size(d_weight.rows()), grid_size(ceil_div(d_out.features(), 32)),
                        grid_size(d_out.replicas()));
        launch("embed_backward", embed_backward_kernel<T>, grid, dim3(32 * kWarps), 0, stream_, view<int>(tokens),
               view<T>(d_out), view<T>(d_weight), d_out.rows(), static_cast<int>(d_out.shape[2]),
               static_cast<int>(d_weight.rows()), static_cast<int>(d_out.features()));
    });
}

void CudaBackend::gather_rows(const Tensor& x, const Tensor& row_of, const Tensor& out) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        for_each_element("gather_rows", stream_, x.replicas(), row_of.features(), x.features(),
                         Gather<T>{view<T>(x), view<int>(row_of), view<T>(out)});
    });
}

void CudaBackend::scatter_rows(const Tensor& d_out, const Tensor& row_of, const Tensor& d_x) {
    dispatch(d_x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const std::int64_t rows = std::clamp<std::int64_t>(ceil_div(d_x.rows(), 128), 64, kMostScatterRows);
        launch("scatter_rows", scatter_kernel<T>,
               dim3(grid_size(ceil_div(d_x.rows(), rows)), grid_size(d_x.replicas())), dim3(kScatterThreads),
               static_cast<std::size_t>(rows) * 2 * sizeof(int), stream_, view<T>(d_out), view<int>(row_of),
               view<T>(d_x), d_x.rows(), static_cast<int>(rows), static_cast<int>(row_of.features()),
               static_cast<int>(d_x.features()));
    });
}

}  // namespace whorl::gpu
