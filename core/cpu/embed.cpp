// Table look-up, and the choice of the rows that carry a loss. One task a replica: rows may repeat, so sums stay in order.
#include "core/cpu/cpu_backend.hpp"
#include "core/cpu/parallel.hpp"
#include "core/cpu/vector_math.hpp"

namespace whorl::cpu {

void CpuBackend::embed_forward(const Tensor& tokens, const Tensor& weight, const Tensor& out) {
    dispatch(out.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const std::int64_t batch = out.shape[1], length = out.shape[2], n = out.features(), vocabulary = weight.rows();
        parallel_for(threads_, out.replicas(), [&](std::int64_t r, int) {
            for (std::int64_t b = 0; b < batch; ++b)
                for (std::int64_t t = 0; t < length; ++t) {
                    const std::int64_t token = tokens.at<std::int32_t>(r, b)[t];
                    const std::int64_t known = token >= 0 && token < vocabulary ? token : 0;
                    copy(static_cast<const T*>(weight.at<T>(r) + known * n), out.at<T>(r, b, t), n);
                }
        });
    });
}

void CpuBackend::embed_backward(const Tensor& tokens, const Tensor& d_out, const Tensor& d_weight) {
    dispatch(d_out.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const std::int64_t batch = d_out.shape[1], length = d_out.shape[2], n = d_out.features(), vocabulary = d_weight.rows();
        parallel_for(threads_, d_out.replicas(), [&](std::int64_t r, int) {
            for (std::int64_t b = 0; b < batch; ++b)
                for (std::int64_t t = 0; t < length; ++t) {
                    const std::int64_t token = tokens.at<std::int32_t>(r, b)[t];
                    const std::int64_t known = token >= 0 && token < vocabulary ? token : 0;
                    accumulate(static_cast<const T*>(d_out.at<T>(r, b, t)), d_weight.at<T>(r) + known * n, n);
                }
        });
    });
}

void CpuBackend::gather_rows(const Tensor& x, const Tensor& row_of, const Tensor& out) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const std::int64_t n = x.features(), slots = row_of.features();
        parallel_for(threads_, x.replicas(), [&](std::int64_t r, int) {
            for (std::int64_t m = 0; m < slots; ++m) {
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
            fill(T(0), d_x.at<T>(r), d_x.rows() * d_x.row_stride());
            for (std::int64_t m = 0; m < slots; ++m) {
                const std::int64_t to = row_of.at<std::int32_t>(r)[m];
                if (to >= 0) accumulate(static_cast<const T*>(d_out.at<T>(r, 0, m)), d_x.at<T>(r) + to * d_x.row_stride(), n);
            }
        });
    });
}

}  // namespace whorl::cpu
