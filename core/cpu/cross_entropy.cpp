// Mean cross-entropy over each replica's supervised rows, its gradient, and the count of argmax hits. Sums in double,
// in the order of the blocks.
#include <algorithm>
#include <array>

#include "core/cpu/cpu_backend.hpp"
#include "core/cpu/parallel.hpp"
#include "core/cpu/vector_math.hpp"
#include "core/numerics/activations.hpp"

namespace whorl::cpu {
namespace {

/// -Σ_j q_j log softmax(logits)_j with q = (1-smoothing) onehot(target) + smoothing/n; d (may be logits itself, may be
/// null) ← (softmax - q)·weight.
template <class T>
T row_loss(const T* logits, std::int64_t n, std::int64_t target, T smoothing, T weight, T* d) {
    const T highest = *std::max_element(logits, logits + n);
    const T total = sum_over<T>(n, [&](T sum, std::int64_t j) { return sum + numerics::exp(logits[j] - highest); });
    const T sum = sum_over<T>(n, [&](T partial, std::int64_t j) { return partial + logits[j]; });
    const T share = smoothing / static_cast<T>(n);
    const T loss = numerics::log(total) + highest - (1 - smoothing) * logits[target] - share * sum;
    if (d) {
#pragma omp simd
        for (std::int64_t j = 0; j < n; ++j) d[j] = (numerics::exp(logits[j] - highest) / total - share) * weight;
        d[target] -= (1 - smoothing) * weight;
    }
    return loss;
}

constexpr std::int64_t kMostBlocks = 16;

struct Sums {
    double loss = 0, correct = 0;
};

/// One replica's supervised rows.
template <class T>
struct ReplicaLoss {
    const Tensor &logits, &d_logits;
    const std::int32_t *row_of, *target;
    std::int64_t vocabulary, replica;
    double smoothing, count;

    Sums block(std::int64_t begin, std::int64_t end) const {
        const T weight = count > 0 ? static_cast<T>(1 / count) : T(0);
        Sums sums;
        for (std::int64_t m = begin; m < end; ++m) {
            const T* row = logits.at<T>(replica, 0, m);
            T* d = d_logits ? d_logits.at<T>(replica, 0, m) : nullptr;
            if (row_of[m] < 0) {
                if (d) std::fill(d, d + vocabulary, T(0));
                continue;
            }
            sums.correct += std::max_element(row, row + vocabulary) - row == target[m] ? 1 : 0;
            sums.loss +=
                static_cast<double>(row_loss(row, vocabulary, target[m], static_cast<T>(smoothing), weight, d));
        }
        return sums;
    }
};

}  // namespace

void CpuBackend::cross_entropy(const Tensor& logits, const Supervision& supervision, std::int64_t vocabulary,
                               const Tensor& loss, const Tensor& correct, const Tensor& used, const Tensor& d_logits) {
    dispatch(logits.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Blocks blocks(logits.rows(), 64, kMostBlocks);
        // Few replicas: threads share the blocks of each; many: each thread takes whole replicas. The sums are the
        // same.
        const bool few = logits.replicas() < threads_;
        parallel_for(few ? 1 : threads_, logits.replicas(), [&](std::int64_t r, int) {
            const std::int32_t* row_of = supervision.row_of.at<std::int32_t>(r);
            double count = 0;
            for (std::int64_t m = 0; m < logits.rows(); ++m) count += row_of[m] >= 0 ? 1 : 0;
            const ReplicaLoss<T> replica{logits,
                                         d_logits,
                                         row_of,
                                         supervision.target.at<std::int32_t>(r),
                                         vocabulary,
                                         r,
                                         supervision.label_smoothing,
                                         count};
            std::array<Sums, kMostBlocks> partial{};
            parallel_for(few ? threads_ : 1, blocks.count, [&](std::int64_t block, int) {
                partial[static_cast<std::size_t>(block)] = replica.block(blocks.begin(block), blocks.end(block));
            });
            Sums total;
            for (const Sums& sums : partial) {
                total.loss += sums.loss;
                total.correct += sums.correct;
            }
            *loss.at<double>(r) = count > 0 ? total.loss / count : 0;
            *correct.at<double>(r) = total.correct;
            *used.at<double>(r) = count;
        });
    });
}

}  // namespace whorl::cpu
