// What every operation's file needs to start kernels: error checks, dispatch over the scalar type, tensors as kernels
// see them, a kernel of one thread an element that several operations share, sums over a warp.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "core/backend/tensor.hpp"
#include "core/numerics/bf16.hpp"
#include "gpu/runtime/sequence_rows.cuh"

namespace whorl::gpu {

/// Throws RuntimeFailure naming `what` and the runtime's reason.
void check(cudaError_t status, const char* what);

/// Calls body(T{}) with the scalar type of `dtype`; this backend computes in float and double.
template <class Body>
void dispatch(DType dtype, const Body& body) {
    if (dtype == DType::f64)
        body(double{});
    else
        body(float{});
}

using numerics::Bf16;

/// Calls body(T{}, S{}): what is computed in, and what activations of `stored` hold.
template <class Body>
void dispatch_stored(DType stored, const Body& body) {
    if (stored == DType::f64)
        body(double{}, double{});
    else if (stored == DType::bf16)
        body(float{}, Bf16{});
    else
        body(float{}, float{});
}

/// A tensor inside a kernel: at(i, j, k) is the row's first element, null when the tensor is absent.
template <class T>
struct View {
    T* data = nullptr;
    std::int64_t stride0 = 0, stride1 = 0, stride2 = 0;

    __host__ __device__ explicit operator bool() const { return data != nullptr; }
    __host__ __device__ T* at(std::int64_t i, std::int64_t j = 0, std::int64_t k = 0) const {
        return data + i * stride0 + j * stride1 + k * stride2;
    }
    /// Row `index` of replica i, batch and position counted together.
    __host__ __device__ T* row(std::int64_t i, std::int64_t index) const {
        return data + i * stride0 + index * stride2;
    }
};

template <class T>
View<T> view(const Tensor& tensor) {
    return {reinterpret_cast<T*>(tensor.data), tensor.stride[0], tensor.stride[1], tensor.stride[2]};
}

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
    return (a + b - 1) / b;
}

inline unsigned grid_size(std::int64_t count) {
    return static_cast<unsigned>(count);
}

/// Starts a kernel and checks the launch. More than 48 KiB of shared memory must be asked for.
template <class... Parameters, class... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared,
            cudaStream_t stream, const Arguments&... arguments) {
    if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
    if (shared > 48 * 1024)
        check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared)),
              name);
#if defined(__CUDACC__)
    kernel<<<grid, block, shared, stream>>>(static_cast<Parameters>(arguments)...);
#else
    emulated::launch(name, kernel, grid, block, shared, stream, static_cast<Parameters>(arguments)...);
#endif
    check(cudaGetLastError(), name);
}

/// The block's shared memory that the launch asked for. (gpu/emulated defines it for this namespace.)
__device__ __forceinline__ std::byte* dynamic_shared() {
    extern __shared__ __align__(16) std::byte shared_bytes[];
    return shared_bytes;
}

// ---- one thread an element ------------------------------------------------------------------------------------------

constexpr int kElementThreads = 256;

template <class Body>
__global__ void element_kernel(Body body, const SequenceRows rows, int columns) {
    const std::int64_t index = std::int64_t{blockIdx.x} * kElementThreads + threadIdx.x;
    if (index >= rows.rows(blockIdx.y) * columns) return;
    if (rows.most_rows() * columns < (std::int64_t{1} << 31)) {  // 32-bit division is several times cheaper
        const unsigned row = static_cast<unsigned>(index) / static_cast<unsigned>(columns);
        body(blockIdx.y, row, static_cast<int>(static_cast<unsigned>(index) - row * static_cast<unsigned>(columns)));
    } else {
        body(blockIdx.y, index / columns, static_cast<int>(index % columns));
    }
}

/// body(replica, row, column) for every element. (thrust::for_each counts elements in one dimension of 64 bits, which
/// would have to be divided.)
template <class Body>
void for_each_element(const char* name, cudaStream_t stream, std::int64_t replicas, const SequenceRows& rows,
                      std::int64_t columns, const Body& body) {
    const dim3 grid(grid_size(ceil_div(rows.most_rows() * columns, kElementThreads)), grid_size(replicas));
    launch(name, element_kernel<Body>, grid, dim3(kElementThreads), 0, stream, body, rows, static_cast<int>(columns));
}

/// The sum over a warp, the same in all lanes; its order is fixed. (cub::WarpReduce leaves it in one lane, by as many
/// shuffles. Here and below: sums inside kernels whose lanes all go on with them.)
template <class T>
__device__ T warp_sum(T value) {
    for (int distance = 16; distance > 0; distance /= 2) value += __shfl_xor_sync(0xffffffffU, value, distance);
    return value;
}
/// Sums over a stretch of `width` lanes: up to this lane, and from it on. (cub::WarpScan has the first
/// alone, in the same order, and headers that take seconds of every file's compile time.)
template <class T>
__device__ T sum_up_to_lane(T value, int width = 32) {
    const int lane = static_cast<int>(threadIdx.x) % width;
    for (int distance = 1; distance < width; distance *= 2) {
        const T other = __shfl_up_sync(0xffffffffU, value, distance, width);
        if (lane >= distance) value += other;
    }
    return value;
}
template <class T>
__device__ T sum_from_lane(T value, int width = 32) {
    const int lane = static_cast<int>(threadIdx.x) % width;
    for (int distance = 1; distance < width; distance *= 2) {
        const T other = __shfl_down_sync(0xffffffffU, value, distance, width);
        if (lane + distance < width) value += other;
    }
    return value;
}
/// The sum over the lanes behind this one in its stretch.
template <class T>
__device__ T sum_behind_lane(T value, int width = 32) {
    const T behind = __shfl_down_sync(0xffffffffU, sum_from_lane(value, width), 1, width);
    return static_cast<int>(threadIdx.x) % width + 1 < width ? behind : T(0);
}

}  // namespace whorl::gpu
