// AdamW (Loshchilov & Hutter, 2019; decoupled decay scaled by the learning rate) and the gradient norm, over flat
// slices.
#include <cmath>

#include "core/cpu/cpu_backend.hpp"
#include "core/cpu/parallel.hpp"

namespace whorl::cpu {
namespace {

Blocks slice_blocks(const Tensor& slice) {
    return {slice.features(), 4096, 64};
}

}  // namespace

OpMemory CpuBackend::gradient_norm_memory(const Tensor& gradient) {
    return {0, gradient.replicas() * slice_blocks(gradient).count * static_cast<std::int64_t>(sizeof(double))};
}

void CpuBackend::gradient_norm(const Tensor& gradient, const Tensor& norm, const Tensor& scratch) {
    dispatch(gradient.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Blocks blocks = slice_blocks(gradient);
        auto* partial = reinterpret_cast<double*>(scratch.data);
        parallel_for(threads_, gradient.replicas() * blocks.count, [&](std::int64_t task, int) {
            const T* g = gradient.at<T>(task / blocks.count);
            const std::int64_t block = task % blocks.count;
            double sum = 0;
#pragma omp simd reduction(+ : sum)
            for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i)
                sum += static_cast<double>(g[i]) * static_cast<double>(g[i]);
            partial[task] = sum;
        });
        for (std::int64_t r = 0; r < gradient.replicas(); ++r) {
            double sum = 0;
            for (std::int64_t block = 0; block < blocks.count; ++block) sum += partial[r * blocks.count + block];
            *norm.at<double>(r) = std::sqrt(sum);
        }
    });
}

void CpuBackend::adamw(const AdamWStep& step, const Tensor& gradient, const Tensor& mask, const Tensor& parameter,
                       const Tensor& first_moment, const Tensor& second_moment) {
    dispatch(parameter.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Blocks blocks = slice_blocks(parameter);
        const T beta1 = static_cast<T>(step.beta1), beta2 = static_cast<T>(step.beta2),
                epsilon = static_cast<T>(step.epsilon);
        const T correction1 = static_cast<T>(1 / (1 - std::pow(step.beta1, static_cast<double>(step.step))));
        const T correction2 = static_cast<T>(1 / (1 - std::pow(step.beta2, static_cast<double>(step.step))));
        parallel_for(threads_, parameter.replicas() * blocks.count, [&](std::int64_t task, int) {
            const std::int64_t r = task / blocks.count, block = task % blocks.count;
            const T clip = static_cast<T>(*step.clip_scale.at<double>(r));
            if (clip == T(0)) return;  // a stopped replica keeps everything
            const T rate = static_cast<T>(*step.learning_rate.at<double>(r));
            const T decay = rate * static_cast<T>(*step.weight_decay.at<double>(r));
            const T *g = gradient.at<T>(r), *flags = mask.at<T>();
            T *w = parameter.at<T>(r), *m = first_moment.at<T>(r), *v = second_moment.at<T>(r);
#pragma omp simd
            for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i) {
                const T slope = g[i] * clip;
                m[i] = beta1 * m[i] + (T(1) - beta1) * slope;
                v[i] = beta2 * v[i] + (T(1) - beta2) * slope * slope;
                const T change = rate * (m[i] * correction1) / (std::sqrt(v[i] * correction2) + epsilon);
                const T trained = flags[i] > T(0) ? T(1) : T(0), decayed = flags[i] > T(1) ? decay : T(0);
                w[i] -= trained * (change + decayed * w[i]);
            }
        });
    });
}

}  // namespace whorl::cpu
