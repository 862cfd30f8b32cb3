// y = x Wᵀ for every replica. The weight's gradient is a sum over all rows: blocks of rows, cut by shape, leave partial
// sums that are added in order.
#include "gpu/cuda_backend.hpp"
#include "gpu/gemm.cuh"
#include "gpu/reduce.cuh"

namespace whorl::gpu {
namespace {

/// Blocks of rows for the weight's gradient: as many as give every multiprocessor of a large GPU something to do.
Splits weight_splits(const Tensor& x, const Tensor& weight) {
    const std::int64_t tiles = ceil_div(weight.rows(), kTileM) * ceil_div(weight.features(), 64);
    return {x.rows(), 64, std::max<std::int64_t>(1, 256 / tiles)};
}

template <class T>
GemmOperand<T> operand(const Tensor& x) {
    return {x.at<T>(), x.stride[0], x.row_stride()};
}

}  // namespace

OpMemory CudaBackend::linear_memory(const Tensor& x, const Tensor& weight) {
    const std::int64_t partials = x.replicas() * weight_splits(x, weight).count;
    return {0, partials * weight.rows() * weight.features() * static_cast<std::int64_t>(size_of(x.dtype))};
}

void CudaBackend::linear_forward(const Tensor& x, const Tensor& weight, const Tensor& y) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const int rows = static_cast<int>(x.rows()), in = static_cast<int>(x.features()),
                  out = static_cast<int>(weight.rows());
        const Gemm<T> g{
            operand<T>(x), operand<T>(weight), y.at<T>(), y.stride[0], 0, y.row_stride(), rows, out, in, in};
        gemm<T, Layout::plain, Layout::transposed>("linear_forward", stream_, g, 1, x.replicas());
    });
}

void CudaBackend::linear_backward(const Tensor& x, const Tensor& weight, const Tensor& d_y, const Tensor& d_x,
                                  const Tensor& d_weight, const Tensor& scratch) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const int rows = static_cast<int>(x.rows()), in = static_cast<int>(x.features()),
                  out = static_cast<int>(weight.rows());
        if (d_x) {
            const Gemm<T> g{operand<T>(d_y),
                            operand<T>(weight),
                            d_x.at<T>(),
                            d_x.stride[0],
                            0,
                            d_x.row_stride(),
                            rows,
                            in,
                            out,
                            out};
            gemm<T, Layout::plain, Layout::plain>("linear_backward", stream_, g, 1, x.replicas());
        }
        const Splits splits = weight_splits(x, weight);
        const std::int64_t size = std::int64_t{out} * in;
        const Gemm<T> g{operand<T>(d_y),
                        operand<T>(x),
                        scratch.at<T>(),
                        splits.count * size,
                        size,
                        in,
                        out,
                        in,
                        rows,
                        static_cast<int>(splits.size)};
        gemm<T, Layout::transposed, Layout::plain>("linear_backward", stream_, g, splits.count, x.replicas());
        add_partials("linear_backward", stream_, static_cast<const T*>(scratch.at<T>()), x.replicas(), splits.count,
                     size, view<T>(d_weight));
    });
}

}  // namespace whorl::gpu
