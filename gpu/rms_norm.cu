// RMSNorm with the residual add, one warp a row.
#include "core/numerics/mixer_terms.hpp"
#include "gpu/cuda_backend.hpp"
#include "gpu/last_block.cuh"
#include "gpu/reduce.cuh"

namespace whorl::gpu {
namespace {

template <class T>
struct RmsForward {
    View<T> x, residual, sum, weight, y, inverse;
    int n;
    T epsilon;
    __device__ void operator()(unsigned r, std::int64_t row, int lane) const {
        const T* in = x.row(r, row);
        T square = 0;
        for (int j = lane; j < n; j += 32) {
            T value = in[j];
            if (residual) {
                value += residual.row(r, row)[j];
                sum.row(r, row)[j] = value;
            }
            square += value * value;
        }
        const T scale = numerics::inverse_rms(warp_sum(square), static_cast<T>(n), epsilon);
        if (residual) in = sum.row(r, row);  // each lane reads what it wrote
        if (lane == 0) *inverse.row(r, row) = scale;
        T* out = y.row(r, row);
        const T* w = weight.at(r);
        for (int j = lane; j < n; j += 32) out[j] = w[j] * (in[j] * scale);
    }
};

template <class T>
struct RmsBackward {
    View<T> sum, weight, inverse, d_y, d_sum;
    int n;

    /// One row by one warp; visit(j, d_weight's term) for each of the lane's features.
    template <class Visit>
    __device__ void row(std::int64_t r, std::int64_t index, int lane, const Visit& visit) const {
        const T *in = sum.row(r, index), *slope = d_y.row(r, index), *w = weight.at(r);
        T* out = d_sum.row(r, index);
        const T scale = *inverse.row(r, index);
        if (n <= 32 * kKept) return kept_row(in, slope, w, out, scale, lane, visit);
        T projection = 0;
        for (int j = lane; j < n; j += 32) projection += slope[j] * w[j] * in[j];
        const T pull = warp_sum(projection) * scale * scale / static_cast<T>(n);
        for (int j = lane; j < n; j += 32) {
            out[j] += scale * (slope[j] * w[j] - in[j] * pull);
            visit(j, slope[j] * in[j] * scale);
        }
    }

private:
    static constexpr int kKept = 4;
    /// The same for a row that fits the lanes' registers: everything is loaded before anything is waited for.
    template <class Visit>
    __device__ void kept_row(const T* in, const T* slope, const T* w, T* out, T scale, int lane,
                             const Visit& visit) const {
        T x[kKept], d[kKept], before[kKept], weights[kKept], projection = 0;
#pragma unroll
        for (int i = 0; i < kKept; ++i) {
            const int j = lane + 32 * i;
            const bool inside = j < n;
            x[i] = inside ? in[j] : T(0);
            d[i] = inside ? slope[j] : T(0);
            before[i] = inside ? out[j] : T(0);
            weights[i] = inside ? w[j] : T(0);
        }
#pragma unroll
        for (int i = 0; i < kKept; ++i) projection += d[i] * weights[i] * x[i];
        const T pull = warp_sum(projection) * scale * scale / static_cast<T>(n);
#pragma unroll
        for (int i = 0; i < kKept; ++i) {
            const int j = lane + 32 * i;
            if (j >= n) continue;
            out[j] = before[i] + scale * (d[i] * weights[i] - x[i] * pull);
            visit(j, d[i] * x[i] * scale);
        }
    }
};

/// Grid: (splits of the rows, replicas). The warps take turns with the rows of the split, and each keeps its part of
/// the weight's gradient, [warps][n] in shared memory. d_weight += the sum over the splits.
template <class T>
__global__ void rms_backward_kernel(RmsBackward<T> body, std::int64_t rows, std::int64_t size, BlockSums<T> splits,
                                    View<T> d_weight) {
    T* sums = reinterpret_cast<T*>(dynamic_shared());
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32,
              warps = static_cast<int>(blockDim.x) / 32;
    T* own = sums + warp * body.n;
    for (int j = lane; j < body.n; j += 32) own[j] = 0;
    const std::int64_t begin = blockIdx.x * size, end = begin + size < rows ? begin + size : rows;
    for (std::int64_t index = begin + warp; index < end; index += warps)
        body.row(blockIdx.y, index, lane, [&](int j, T term) { own[j] += term; });
    __syncthreads();
    T* part = splits.part(blockIdx.y, static_cast<int>(blockIdx.x));
    for (int j = static_cast<int>(threadIdx.x); j < body.n; j += static_cast<int>(blockDim.x)) {
        T sum = 0;
        for (int w = 0; w < warps; ++w) sum += sums[w * body.n + j];
        part[j] = sum;
    }
    splits.template finish<1>(blockIdx.y, static_cast<int>(blockIdx.x),
                              [&](int j, T total) { d_weight.at(blockIdx.y)[j] += total; });
}

Splits row_splits(const Tensor& x) {
    return {x.rows(), 16, 512};
}
template <class T>
BlockSums<T> split_sums(const Tensor& x) {
    return {x.features(), row_splits(x).count};
}

}  // namespace

OpMemory CudaBackend::rms_norm_memory(const Tensor& x) {
    OpMemory memory;
    dispatch(x.dtype, [&](auto scalar) { memory.scratch = x.replicas() * split_sums<decltype(scalar)>(x).bytes(); });
    return memory;
}

void CudaBackend::rms_norm_forward(const Tensor& x, const Tensor& residual, const Tensor& sum, const Tensor& weight,
                                   const Tensor& y, const Tensor& inverse, double epsilon) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const RmsForward<T> body{view<T>(x),
                                 view<T>(residual),
                                 view<T>(sum),
                                 view<T>(weight),
                                 view<T>(y),
                                 view<T>(inverse),
                                 static_cast<int>(x.features()),
                                 static_cast<T>(epsilon)};
        for_each_row("rms_norm_forward", stream_, x.replicas(), x.rows(), body);
    });
}

void CudaBackend::rms_norm_backward(const Tensor& sum, const Tensor& weight, const Tensor& inverse, const Tensor& d_y,
                                    const Tensor& d_sum, const Tensor& d_weight, const Tensor& scratch) {
    dispatch(sum.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const RmsBackward<T> body{view<T>(sum), view<T>(weight), view<T>(inverse),
                                  view<T>(d_y), view<T>(d_sum),  static_cast<int>(sum.features())};
        const Splits splits = row_splits(sum);
        const BlockSums<T> sums = split_sums<T>(sum);
        const auto bytes = sum.features() * static_cast<std::int64_t>(sizeof(T));  // of one warp
        unsigned warps = kRowWarps;
        while (warps > 1 && warps * bytes > shared_limit_) warps /= 2;
        launch("rms_norm_backward", rms_backward_kernel<T>, dim3(grid_size(splits.count), grid_size(sum.replicas())),
               dim3(32 * warps), static_cast<std::size_t>(warps * bytes), stream_, body, sum.rows(), splits.size,
               sums.at(scratch.at<T>(), tickets(sum.replicas() * sums.ticket_count())), view<T>(d_weight));
    });
}

}  // namespace whorl::gpu
