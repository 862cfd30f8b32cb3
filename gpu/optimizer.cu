// AdamW (Loshchilov & Hutter, 2019; decoupled decay scaled by the learning rate) and the gradient norm, over flat
// slices.
#include <cmath>

#include "core/numerics/floating.hpp"
#include "gpu/cuda_backend.hpp"
#include "gpu/reduce.cuh"

namespace whorl::gpu {
namespace {

constexpr int kNormThreads = 256;

Splits slice_splits(const Tensor& slice) {
    return {slice.features(), 4096};
}

__device__ double norm_block_sum(double value) {
    __shared__ double warps[kNormThreads / 32];
    value = warp_sum(value);
    if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = value;
    __syncthreads();
    double sum = 0;
    for (const double warp : warps) sum += warp;
    return sum;
}

template <class T>
__global__ void square_sums_kernel(View<T> gradient, std::int64_t size, std::int64_t part, double* partial) {
    const T* g = gradient.at(blockIdx.y);
    const std::int64_t begin = blockIdx.x * part, end = begin + part < size ? begin + part : size;
    double sum = 0;
    for (std::int64_t i = begin + threadIdx.x; i < end; i += kNormThreads)
        sum += static_cast<double>(g[i]) * static_cast<double>(g[i]);
    sum = norm_block_sum(sum);
    if (threadIdx.x == 0) partial[std::int64_t{blockIdx.y} * gridDim.x + blockIdx.x] = sum;
}

struct Norm {
    const double* partial;
    std::int64_t parts;
    View<double> norm;
    __device__ void operator()(unsigned, std::int64_t r, int) const {
        double sum = 0;
        for (std::int64_t part = 0; part < parts; ++part) sum += partial[r * parts + part];
        *norm.at(r) = numerics::sqrt(sum);
    }
};

template <class T>
struct AdamW {
    View<double> learning_rate, weight_decay, clip_scale;
    View<T> gradient, mask, parameter, first, second;
    T beta1, beta2, epsilon, correction1, correction2;

    __device__ void operator()(unsigned r, std::int64_t, int i) const {
        const T clip = static_cast<T>(*clip_scale.at(r));
        if (clip == T(0)) return;  // a stopped replica keeps everything
        const T rate = static_cast<T>(*learning_rate.at(r)), decay = rate * static_cast<T>(*weight_decay.at(r));
        const T slope = gradient.at(r)[i] * clip;
        const T m = beta1 * first.at(r)[i] + (T(1) - beta1) * slope;
        const T v = beta2 * second.at(r)[i] + (T(1) - beta2) * slope * slope;
        first.at(r)[i] = m;
        second.at(r)[i] = v;
        const T change = rate * (m * correction1) / (numerics::sqrt(v * correction2) + epsilon);
        const T flag = mask.at(0)[i], trained = flag > T(0) ? T(1) : T(0), decayed = flag > T(1) ? decay : T(0);
        T* w = parameter.at(r) + i;
        *w -= trained * (change + decayed * *w);
    }
};

}  // namespace

OpMemory CudaBackend::gradient_norm_memory(const Tensor& gradient) {
    return {0, gradient.replicas() * slice_splits(gradient).count * static_cast<std::int64_t>(sizeof(double))};
}

void CudaBackend::gradient_norm(const Tensor& gradient, const Tensor& norm, const Tensor& scratch) {
    dispatch(gradient.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Splits splits = slice_splits(gradient);
        auto* partial = reinterpret_cast<double*>(scratch.data);
        launch("gradient_norm", square_sums_kernel<T>, dim3(grid_size(splits.count), grid_size(gradient.replicas())),
               dim3(kNormThreads), 0, stream_, view<T>(gradient), gradient.features(), splits.size, partial);
        for_each_element("gradient_norm", stream_, 1, gradient.replicas(), 1,
                         Norm{partial, splits.count, view<double>(norm)});
    });
}

void CudaBackend::adamw(const AdamWStep& step, const Tensor& gradient, const Tensor& mask, const Tensor& parameter,
                        const Tensor& first_moment, const Tensor& second_moment) {
    dispatch(parameter.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const AdamW<T> body{view<double>(step.learning_rate),
                            view<double>(step.weight_decay),
                            view<double>(step.clip_scale),
                            view<T>(gradient),
                            view<T>(mask),
                            view<T>(parameter),
                            view<T>(first_moment),
                            view<T>(second_moment),
                            static_cast<T>(step.beta1),
                            static_cast<T>(step.beta2),
                            static_cast<T>(step.epsilon),
                            static_cast<T>(1 / (1 - std::pow(step.beta1, static_cast<double>(step.step)))),
                            static_cast<T>(1 / (1 - std::pow(step.beta2, static_cast<double>(step.step))))};
        for_each_element("adamw", stream_, parameter.replicas(), 1, parameter.features(), body);
    });
}

}  // namespace whorl::gpu
