// Table look-up, and the residual add.
#include <algorithm>

#include "gpu/cuda_backend.hpp"
#include "gpu/launch.cuh"

namespace whorl::gpu {
namespace {

constexpr int kAhead = 4;   // groups of rows looked at together
constexpr int kWarps = 32;  // of a block that gathers one token's gradient

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

}  // namespace whorl::gpu
