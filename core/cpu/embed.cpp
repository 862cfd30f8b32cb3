// Table look-up.
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
        const Blocks blocks(out.rows(), 128, 16);
        const std::int64_t n = out.features();
        parallel_for(threads_, out.replicas() * blocks.count, [&](std::int64_t task, int) {
            const std::int64_t r = task / blocks.count, block = task % blocks.count;
            for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i) {
                const std::int64_t b = i / out.shape[2], t = i % out.shape[2];
                copy(static_cast<const T*>(weight.at<T>(r) + known_token(tokens, weight.rows(), r, b, t) * n),
                     out.at<T>(r, b, t), n);
            }
        });
    });
}

OpMemory CpuBackend::embed_memory(const Tensor&, const Tensor&) {
    return {};
}

// Rows repeat, so tasks share the features instead of the rows: each sum then runs over the batch in order.
void CpuBackend::embed_backward(const Tensor& tokens, const Tensor& d_out, const Tensor& d_weight, const Tensor&) {
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

}  // namespace whorl::cpu
