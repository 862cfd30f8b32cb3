// Mean cross-entropy over each replica's supervised rows, its gradient, and the count of argmax hits. Sums in double, in order.
#include <algorithm>

#include "core/cpu/cpu_backend.hpp"
#include "core/cpu/parallel.hpp"
#include "core/numerics/activations.hpp"

namespace whorl::cpu {
namespace {

/// -log softmax(logits)[target]; d (may be logits itself, may be null) ← (softmax - onehot)·weight.
template <class T>
T row_loss(const T* logits, std::int64_t n, std::int64_t target, T weight, T* d) {
    const T highest = *std::max_element(logits, logits + n);
    T total = 0;
    for (std::int64_t j = 0; j < n; ++j) total += numerics::exp(logits[j] - highest);
    const T loss = numerics::log(total) + highest - logits[target];
    if (d) {
        for (std::int64_t j = 0; j < n; ++j) d[j] = numerics::exp(logits[j] - highest) / total * weight;
        d[target] -= weight;
    }
    return loss;
}

}  // namespace

void CpuBackend::cross_entropy(const Tensor& logits, const Supervision& supervision, std::int64_t vocabulary,
                               const Tensor& loss, const Tensor& correct, const Tensor& used, const Tensor& d_logits) {
    dispatch(logits.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const std::int64_t slots = logits.rows();
        parallel_for(threads_, logits.replicas(), [&](std::int64_t r, int) {
            const std::int32_t *row_of = supervision.row_of.at<std::int32_t>(r), *target = supervision.target.at<std::int32_t>(r);
            double count = 0, total = 0, hits = 0;
            for (std::int64_t m = 0; m < slots; ++m) count += row_of[m] >= 0 ? 1 : 0;
            const T weight = count > 0 ? static_cast<T>(1 / count) : T(0);
            for (std::int64_t m = 0; m < slots; ++m) {
                const T* row = logits.at<T>(r, 0, m);
                T* d = d_logits ? d_logits.at<T>(r, 0, m) : nullptr;
                if (row_of[m] < 0) {
                    if (d) std::fill(d, d + vocabulary, T(0));
                    continue;
                }
                hits += std::max_element(row, row + vocabulary) - row == target[m] ? 1 : 0;
                total += static_cast<double>(row_loss(row, vocabulary, target[m], weight, d));
            }
            *loss.at<double>(r) = count > 0 ? total / count : 0;
            *correct.at<double>(r) = hits;
            *used.at<double>(r) = count;
        });
    });
}

}  // namespace whorl::cpu
