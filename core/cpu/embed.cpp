// Table look-up, and the choice of the rows that carry a loss.
#include "core/cpu/cpu_backend.hpp"
#include "core/cpu/parallel.hpp"
#include "core/cpu/vector_math.hpp"

namespace whorl::cpu {

namespace {

std::int64_t known_token(const Tensor& tokens, std::int64_t vocabulary, std::int64_t r, std::int64_t b,
                         std::int64_t t) {
    const std::int64_t token = tokens.at<std::int32_t>(r, b)[t];
    return token >= 0 && token < vocabulary ? token : 0;
}

}  // namespace

void CpuBackend::embed_forward(const Tensor& tokens, const Tensor& weight, const Tensor& out) {
    dispatch(out.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Blocks blocks(out.shape[1], 1, 16);
        const std::int64_t n = out.features();
        parallel_for(threads_, out.replicas() * blocks.count, [&](std::int64_t task, int) {
            const std::int64_t r = task / blocks.count, block = task % blocks.count;
            for (std::int64_t b = blocks.begin(block); b < blocks.end(block); ++b)
                for (std::int64_t t = 0; t < out.shape[2]; ++t)
                    copy(static_cast<const T*>(weight.at<T>(r) + known_token(tokens, weight.rows(), r, b, t) * n),
                         out.at<T>(r, b, t), n);
        });
    });
}

// Rows repeat, so tasks share the features instead of the rows: each sum then runs over the batch in order.
void CpuBackend::embed_backward(const Tensor& tokens, const Tensor& d_out, const Tensor& d_weight) {
    dispatch(d_out.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const std::int64_t n = d_out.features();
        const Blocks blocks(n, 16, 16);
        parallel_for(threads_, d_out.replicas() * blocks.count, [&](std::int64_t task, int) {
            const std::int64_t r = task / blocks.count, first = blocks.begin(task % blocks.count),
                               end = blocks.end(task % blocks.count);
            for (std::int64_t b = 0; b < d_out.shape[1]; ++b)
                for (std::int64_t t = 0; t < d_out.shape[2]; ++t)
                    accumulate(static_cast<const T*>(d_out.at<T>(r, b, t) + first),
                               d_weight.at<T>(r) + known_token(tokens, d_weight.rows(), r, b, t) * n + first,
                               end - first);
        });
    });
}

void CpuBackend::gather_rows(const Tensor& x, const Tensor& row_of, const Tensor& out) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const std::int64_t n = x.features();
        const Blocks blocks(row_of.features(), 256, 16);
        parallel_for(threads_, x.replicas() * blocks.count, [&](std::int64_t task, int) {
            const std::int64_t r = task / blocks.count, block = task % blocks.count;
            for (std::int64_t m = blocks.begin(block); m < blocks.end(block); ++m) {
                const std::int64_t from = row_of.at<std::int32_t>(r)[m];
                T* to = out.at<T>(r, 0, m);
                if (from < 0)
                    fill(T(0), to, n);
                else
                    copy(static_cast<const T*>(x.at<T>(r) + from * x.row_stride()), to, n);
            }
        });
    });
}

void CpuBackend::scatter_rows(const Tensor& d_out, const Tensor& row_of, const Tensor& d_x) {
    dispatch(d_x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const std::int64_t n = d_x.features(), slots = row_of.features();
        parallel_for(threads_, d_x.replicas(), [&](std::int64_t r, int) {
            for (std::int64_t i = 0; i < d_x.rows(); ++i) fill(T(0), d_x.at<T>(r) + i * d_x.row_stride(), n);
            for (std::int64_t m = 0; m < slots; ++m) {
                const std::int64_t to = row_of.at<std::int32_t>(r)[m];
                if (to >= 0)
                    accumulate(static_cast<const T*>(d_out.at<T>(r, 0, m)), d_x.at<T>(r) + to * d_x.row_stride(), n);
            }
        });
    });
}

}  // namespace whorl::cpu
