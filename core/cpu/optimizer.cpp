// The gradient norm with what follows from it, and AdamW, over flat slices.
#include <algorithm>
#include <cmath>

#include "core/cpu/cpu_backend.hpp"
#include "core/cpu/parallel.hpp"
#include "core/cpu/vector_math.hpp"

namespace whorl::cpu {
namespace {

Blocks slice_blocks(const Tensor& slice) {
    return {slice.features(), 4096, 64};
}

template <class T>
void settle_replica(const OptimizerStep& step, std::int64_t r, double norm) {
    ReplicaNumbers& replica = step.replicas[r];
    const StepMetrics found{*step.loss.at<double>(r), *step.correct.at<double>(r), *step.used.at<double>(r), norm};
    step.metrics[replica.at * step.metrics_stride + r] = found;
    step.updates_as<T>()[r] = settle<T>(step, found, step.steps[replica.at], replica);
}

}  // namespace

OpMemory CpuBackend::gradient_norm_memory(const Tensor& gradient) {
    return {0, gradient.replicas() * slice_blocks(gradient).count * static_cast<std::int64_t>(sizeof(double))};
}

void CpuBackend::gradient_norm(const OptimizerStep& step, const Tensor& gradient, const Tensor& scratch) {
    dispatch(gradient.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Blocks blocks = slice_blocks(gradient);
        auto* partial = reinterpret_cast<double*>(scratch.data);
        parallel_for(threads_, gradient.replicas() * blocks.count, [&](std::int64_t task, int) {
            const T* g = gradient.at<T>(task / blocks.count);
            const std::int64_t block = task % blocks.count;
            const std::int64_t begin = blocks.begin(block);
            partial[task] = sum_over<double>(blocks.end(block) - begin, [&](double sum, std::int64_t i) {
                const auto slope = static_cast<double>(g[begin + i]);
                return numerics::fma(slope, slope, sum);
            });
        });
        for (std::int64_t r = 0; r < gradient.replicas(); ++r) {
            double sum = 0;
            for (std::int64_t block = 0; block < blocks.count; ++block) sum += partial[r * blocks.count + block];
            settle_replica<T>(step, r, std::sqrt(sum));
        }
    });
}

void CpuBackend::adamw(const OptimizerStep& step, const Tensor& gradient, const Tensor& mask, const Tensor& parameter,
                       const Tensor& first_moment, const Tensor& second_moment) {
    dispatch(parameter.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Blocks blocks = slice_blocks(parameter);
        parallel_for(threads_, parameter.replicas() * blocks.count, [&](std::int64_t task, int) {
            const std::int64_t r = task / blocks.count, block = task % blocks.count;
            const std::int64_t begin = blocks.begin(block), end = blocks.end(block);
            const numerics::AdamWNumbers<T> numbers = step.updates_as<T>()[r];
            T *g = gradient.at<T>(r), *w = parameter.at<T>(r), *m = first_moment.at<T>(r), *v = second_moment.at<T>(r);
            const T* flags = mask.at<T>();
            if (numbers.clip != T(0))  // a stopped replica keeps everything
#pragma omp simd
                for (std::int64_t i = begin; i < end; ++i) numerics::adamw(numbers, g[i], flags[i], w[i], m[i], v[i]);
            std::fill(g + begin, g + end, T(0));
        });
    });
}

}  // namespace whorl::cpu
