// The gradient norm with what follows from it, and AdamW, over flat slices.
#include "gpu/runtime/block_sum.cuh"
#include "gpu/runtime/cuda_backend.hpp"
#include "gpu/runtime/reduce.cuh"

namespace whorl::gpu {
namespace {

constexpr int kNormThreads = 256;

Splits slice_splits(const Tensor& slice) {
    return {slice.features(), 1024};
}

/// The step as kernels see it.
struct Optimizer {
    View<double> loss, correct, used;
    OptimizerStep step;

    explicit Optimizer(const OptimizerStep& asked)
        : loss(view<double>(asked.loss)),
          correct(view<double>(asked.correct)),
          used(view<double>(asked.used)),
          step(asked) {}

    template <class T>
    __device__ void settle_replica(std::int64_t r, double norm) const {
        ReplicaNumbers replica = step.replicas[r];
        const StepMetrics found{*loss.at(r), *correct.at(r), *used.at(r), norm};
        step.metrics[replica.at * step.metrics_stride + r] = found;
        step.updates_as<T>()[r] = settle<T>(step, found, step.steps[replica.at], replica);
        step.replicas[r] = replica;
    }
};

/// Grid: (parts of the slice, replicas), at most as many parts as a block has threads. The block of a replica that ends
/// last adds the parts, in an order that does not depend on which block that is.
template <class T>
__global__ void gradient_norm_kernel(Optimizer optimizer, View<T> gradient, std::int64_t size, std::int64_t part,
                                     double* partial) {
    const std::int64_t r = blockIdx.y;
    const T* g = gradient.at(r);
    const std::int64_t begin = blockIdx.x * part, end = begin + part < size ? begin + part : size;
    double sum = 0;
    for (std::int64_t i = begin + threadIdx.x; i < end; i += kNormThreads)
        sum += static_cast<double>(g[i]) * static_cast<double>(g[i]);
    sum = block_sum<kNormThreads>(sum);
    const int parts = static_cast<int>(gridDim.x);
    double* own = partial + r * parts;
    if (threadIdx.x == 0) own[blockIdx.x] = sum;
    if (!last_to_arrive(&optimizer.step.replicas[r].ticket, gridDim.x)) return;
    const double total =
        block_sum<kNormThreads>(static_cast<int>(threadIdx.x) < parts ? __ldcg(own + threadIdx.x) : 0.0);
    if (threadIdx.x == 0) optimizer.template settle_replica<T>(r, numerics::sqrt(total));
}

template <class T>
struct AdamW {
    const numerics::AdamWNumbers<T>* updates;
    View<T> gradient, mask, parameter, first, second;

    __device__ void operator()(unsigned r, std::int64_t, int i) const {
        const numerics::AdamWNumbers<T> numbers = updates[r];
        T& slope = gradient.at(r)[i];
        // A stopped replica keeps everything.
        if (numbers.clip != T(0))
            numerics::adamw(numbers, slope, mask.at(0)[i], parameter.at(r)[i], first.at(r)[i], second.at(r)[i]);
        slope = T(0);
    }
};

}  // namespace

OpMemory CudaBackend::gradient_norm_memory(const Tensor& gradient) {
    return {0, gradient.replicas() * slice_splits(gradient).count * static_cast<std::int64_t>(sizeof(double))};
}

void CudaBackend::gradient_norm(const OptimizerStep& step, const Tensor& gradient, const Tensor& scratch) {
    dispatch(gradient.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Splits splits = slice_splits(gradient);
        launch("gradient_norm", gradient_norm_kernel<T>, dim3(grid_size(splits.count), grid_size(gradient.replicas())),
               dim3(kNormThreads), 0, stream_, Optimizer(step), view<T>(gradient), gradient.features(), splits.size,
               reinterpret_cast<double*>(scratch.data));
    });
}

void CudaBackend::adamw(const OptimizerStep& step, const Tensor& gradient, const Tensor& mask, const Tensor& parameter,
                        const Tensor& first_moment, const Tensor& second_moment) {
    dispatch(parameter.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const AdamW<T> body{step.updates_as<T>(), view<T>(gradient),     view<T>(mask),
                            view<T>(parameter),   view<T>(first_moment), view<T>(second_moment)};
        for_each_element("adamw", stream_, parameter.replicas(), SequenceRows(1), parameter.features(), body);
    });
}

}  // namespace whorl::gpu
