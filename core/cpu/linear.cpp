// y = x Wᵀ for every replica, cut into row blocks by shape.
#include "core/cpu/cpu_backend.hpp"
#include "core/cpu/gemm.hpp"
#include "core/cpu/parallel.hpp"
#include "core/cpu/scratch.hpp"
#include "core/cpu/vector_math.hpp"

namespace whorl::cpu {
namespace {

constexpr std::int64_t kRowsPerTask = 256;  // keeps a block's rows in the second-level cache
constexpr std::int64_t kMostPartials = 16;  // partial weight gradients of one replica

Blocks row_blocks(const Tensor& x) {
    return {x.rows(), kRowsPerTask, 1 << 20};
}
Blocks partial_blocks(const Tensor& x) {
    return {x.rows(), kRowsPerTask, kMostPartials};
}

template <class T>
Matrix<T> rows_of(const Tensor& x, std::int64_t replica, std::int64_t begin, std::int64_t end) {
    return {x.at<T>(replica) + begin * x.row_stride(), end - begin, x.features(), x.row_stride()};
}
template <class T>
Matrix<const T> as_const(Matrix<T> m) {
    return {m.data, m.rows, m.cols, m.ld};
}
template <class T>
Matrix<T> weight_of(const Tensor& weight, std::int64_t replica) {
    return {weight.at<T>(replica), weight.rows(), weight.features(), weight.row_stride()};
}

std::int64_t partial_size(const Tensor& weight) {
    return padded(weight.rows() * weight.features(), weight.dtype);
}

}  // namespace

OpMemory CpuBackend::linear_memory(const Tensor& x, const Tensor& weight) {
    const std::int64_t partials = x.replicas() * partial_blocks(x).count;
    return {0, partials * partial_size(weight) * static_cast<std::int64_t>(size_of(x.dtype))};
}

void CpuBackend::linear_forward(const Tensor& x, const Tensor& weight, const Tensor& y) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Blocks blocks = row_blocks(x);
        parallel_for(threads_, x.replicas() * blocks.count, [&](std::int64_t task, int) {
            const std::int64_t r = task / blocks.count, block = task % blocks.count;
            const std::int64_t begin = blocks.begin(block), end = blocks.end(block);
            gemm_nt(as_const(rows_of<T>(x, r, begin, end)), as_const(weight_of<T>(weight, r)),
                    rows_of<T>(y, r, begin, end), Write::assign);
        });
    });
}

void CpuBackend::linear_backward(const Tensor& x, const Tensor& weight, const Tensor& d_y, const Tensor& d_x,
                                 const Tensor& d_weight, const Tensor& scratch) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Blocks blocks = partial_blocks(x);
        const std::int64_t size = partial_size(weight), out = weight.rows(), in = weight.features();
        parallel_for(threads_, x.replicas() * blocks.count, [&](std::int64_t task, int) {
            const std::int64_t r = task / blocks.count, block = task % blocks.count;
            const std::int64_t begin = blocks.begin(block), end = blocks.end(block);
            const Matrix<const T> slope = as_const(rows_of<T>(d_y, r, begin, end));
            if (d_x) gemm_nn(slope, as_const(weight_of<T>(weight, r)), rows_of<T>(d_x, r, begin, end), Write::assign);
            const Matrix<T> partial{scratch.at<T>() + task * size, out, in, in};
            gemm_tn(slope, as_const(rows_of<T>(x, r, begin, end)), partial, Write::assign);
        });
        parallel_for(threads_, x.replicas(), [&](std::int64_t r, int) {
            for (std::int64_t block = 0; block < blocks.count; ++block)
                accumulate(static_cast<const T*>(scratch.at<T>() + (r * blocks.count + block) * size),
                           d_weight.at<T>(r), out * in);
        });
    });
}

}  // namespace whorl::cpu
