// Depthwise causal convolution followed by silu. Forward: one thread a few positions of a channel. Backward: one thread
// a channel of one sequence, which walks along the positions with its sums in registers. Four taps, the usual width,
// have kernels of their own that keep the window in registers, too.
#include <string>

#include "core/base/error.hpp"
#include "core/numerics/activations.hpp"
#include "gpu/cuda_backend.hpp"
#include "gpu/last_block.cuh"
#include "gpu/launch.cuh"

namespace whorl::gpu {
namespace {

constexpr int kMostTaps = 8;
constexpr int kConvThreads = 128;

template <class T>
struct Conv {
    View<T> x, weight, bias, state;
    int length, features, width;

    /// Input `t` of channel f, from the state before the sequence, zero before everything.
    __device__ T input(std::int64_t r, std::int64_t b, int t, int f) const {
        if (t >= 0) return x.at(r, b, t)[f];
        return state ? state.at(r, b, t + width - 1)[f] : T(0);
    }
    __device__ T pre_activation(std::int64_t r, std::int64_t b, int t, int f) const {
        const T* taps = weight.at(r) + std::int64_t{f} * width;
        T sum = bias ? bias.at(r)[f] : T(0);
        for (int w = 0; w < width; ++w) sum += taps[w] * input(r, b, t - width + 1 + w, f);
        return sum;
    }
};

constexpr int kUsualTaps = 4, kRun = 8;

/// A run of kRun positions; `run` counts the runs of all sequences.
template <class T>
struct ConvForward {
    Conv<T> conv;
    View<T> y;
    int runs;  // of a sequence
    __device__ void operator()(unsigned r, std::int64_t run, int f) const {
        const std::int64_t b = run / runs;
        const int begin = static_cast<int>(run % runs) * kRun;
        if (conv.width == kUsualTaps) return usual(r, b, begin, f);
        for (int t = begin; t < begin + kRun && t < conv.length; ++t)
            y.at(r, b, t)[f] = numerics::silu(conv.pre_activation(r, b, t, f));
    }
    __device__ void usual(unsigned r, std::int64_t b, int begin, int f) const {
        T window[kRun + kUsualTaps - 1], taps[kUsualTaps];
#pragma unroll
        for (int i = 0; i < kRun + kUsualTaps - 1; ++i) {
            const int t = begin + i - kUsualTaps + 1;
            window[i] = t < conv.length ? conv.input(r, b, t, f) : T(0);
        }
#pragma unroll
        for (int w = 0; w < kUsualTaps; ++w) taps[w] = conv.weight.at(r)[std::int64_t{f} * kUsualTaps + w];
        const T bias = conv.bias ? conv.bias.at(r)[f] : T(0);
#pragma unroll
        for (int i = 0; i < kRun; ++i) {
            T sum = bias;
#pragma unroll
            for (int w = 0; w < kUsualTaps; ++w) sum += taps[w] * window[i + w];
            if (begin + i < conv.length) y.at(r, b, begin + i)[f] = numerics::silu(sum);
        }
    }
};

/// state ← the last width-1 inputs. Going up, a row is written after it was read.
template <class T>
struct AdvanceState {
    Conv<T> conv;
    __device__ void operator()(unsigned r, std::int64_t b, int f) const {
        for (int i = 0; i < conv.width - 1; ++i)
            conv.state.at(r, b, i)[f] = conv.input(r, b, conv.length - conv.width + 1 + i, f);
    }
};

/// The gradients of taps and bias: a block has kConvThreads channels of one sequence, the last one adds the sequences.
template <class T>
struct ConvSums {
    BlockSums<T> sums;  // sets: blocks of channels of each replica; parts: sequences; columns: [taps, bias][thread]
    View<T> d_weight, d_bias;

    /// Called by all threads of a block, those behind the last channel with anything.
    template <int Count>
    __device__ void finish(const T (&taps)[Count], T bias, int width, int features) const {
        const int first = static_cast<int>(blockIdx.x) * kConvThreads;
        const std::int64_t r = blockIdx.z, set = r * gridDim.x + blockIdx.x;
        T* own = sums.part(set, static_cast<int>(blockIdx.y)) + threadIdx.x;
#pragma unroll
        for (int w = 0; w < Count; ++w)
            if (w < width) own[w * kConvThreads] = taps[w];
        own[width * kConvThreads] = bias;
        sums.template finish<4>(set, static_cast<int>(blockIdx.y), [&](int column, T total) {
            const int f = first + column % kConvThreads, w = column / kConvThreads;
            if (f >= features) return;
            if (w < width)
                d_weight.at(r)[std::int64_t{f} * width + w] += total;
            else if (d_bias)
                d_bias.at(r)[f] += total;
        });
    }
};

/// One channel of one sequence: its part of the sums, and d_x.
template <class T>
__device__ void conv_channel(const Conv<T>& conv, const View<T>& d_y, const View<T>& d_x, int f, T (&sums)[kMostTaps],
                             T& bias) {
    const std::int64_t r = blockIdx.z, b = blockIdx.y;
    const int width = conv.width;
    for (int t = 0; t < conv.length; ++t) {
        const T slope = d_y.at(r, b, t)[f] * numerics::silu_derivative(conv.pre_activation(r, b, t, f));
        bias += slope;
#pragma unroll
        for (int w = 0; w < kMostTaps; ++w)
            if (w < width) sums[w] += slope * conv.input(r, b, t - width + 1 + w, f);
        d_x.at(r, b, t)[f] = slope;  // until its place is taken below
    }
    const T* taps = conv.weight.at(r) + std::int64_t{f} * width;
    for (int t = 0; t < conv.length; ++t) {
        T sum = 0;
        for (int w = 0; w < width; ++w) {
            const int later = t + width - 1 - w;
            if (later < conv.length) sum += taps[w] * d_x.at(r, b, later)[f];
        }
        d_x.at(r, b, t)[f] = sum;
    }
}

/// Grid: (blocks of channels, sequences, replicas).
template <class T>
__global__ void conv_backward_kernel(Conv<T> conv, View<T> d_y, View<T> d_x, ConvSums<T> out) {
    const int f = static_cast<int>(blockIdx.x) * kConvThreads + static_cast<int>(threadIdx.x);
    T sums[kMostTaps] = {}, bias = 0;
    if (f < conv.features) conv_channel(conv, d_y, d_x, f, sums, bias);
    out.finish(sums, bias, conv.width, conv.features);
}

/// The same for four taps. Gradient t - 3 of the input is complete with slope t.
template <class T>
__device__ void usual_conv_channel(const Conv<T>& conv, const View<T>& d_y, const View<T>& d_x, int f,
                                   T (&sums)[kUsualTaps], T& bias_sum) {
    constexpr int taps_count = kUsualTaps, behind = taps_count - 1;
    const std::int64_t r = blockIdx.z, b = blockIdx.y;
    T taps[taps_count], window[taps_count] = {}, slopes[taps_count] = {};
#pragma unroll
    for (int w = 0; w < taps_count; ++w) taps[w] = conv.weight.at(r)[std::int64_t{f} * taps_count + w];
    const T bias = conv.bias ? conv.bias.at(r)[f] : T(0);
    for (int begin = 0; begin < conv.length + behind; begin += kRun) {
        T x[kRun], d[kRun];  // loaded before any is needed; zero behind the end
#pragma unroll
        for (int i = 0; i < kRun; ++i) {
            const bool inside = begin + i < conv.length;
            x[i] = inside ? conv.x.at(r, b, begin + i)[f] : T(0);
            d[i] = inside ? d_y.at(r, b, begin + i)[f] : T(0);
        }
#pragma unroll
        for (int i = 0; i < kRun; ++i) {
#pragma unroll
            for (int w = 0; w < behind; ++w) {
                window[w] = window[w + 1];
                slopes[w] = slopes[w + 1];
            }
            window[behind] = x[i];
            T sum = bias;
#pragma unroll
            for (int w = 0; w < taps_count; ++w) sum += taps[w] * window[w];
            const T slope = slopes[behind] = d[i] * numerics::silu_derivative(sum);
            bias_sum += slope;
            T d_input = 0;
#pragma unroll
            for (int w = 0; w < taps_count; ++w) {
                sums[w] += slope * window[w];
                d_input += taps[w] * slopes[behind - w];
            }
            const int t = begin + i - behind;
            if (t >= 0 && t < conv.length) d_x.at(r, b, t)[f] = d_input;
        }
    }
}

template <class T>
__global__ void usual_conv_backward_kernel(Conv<T> conv, View<T> d_y, View<T> d_x, ConvSums<T> out) {
    const int f = static_cast<int>(blockIdx.x) * kConvThreads + static_cast<int>(threadIdx.x);
    T sums[kUsualTaps] = {}, bias = 0;
    if (f < conv.features) usual_conv_channel(conv, d_y, d_x, f, sums, bias);
    out.finish(sums, bias, kUsualTaps, conv.features);
}

template <class T>
Conv<T> conv_of(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& state) {
    return {view<T>(x),
            view<T>(weight),
            view<T>(bias),
            view<T>(state),
            static_cast<int>(x.shape[2]),
            static_cast<int>(weight.shape[1]),
            static_cast<int>(weight.features())};
}

template <class T>
BlockSums<T> conv_sums(const Tensor& x, const Tensor& weight) {
    return {kConvThreads * (weight.features() + 1), x.shape[1]};
}
std::int64_t conv_sets(const Tensor& x, const Tensor& weight) {
    return x.replicas() * ceil_div(weight.shape[1], kConvThreads);
}

}  // namespace

OpMemory CudaBackend::short_conv_memory(const Tensor& x, const Tensor& weight) {
    if (weight.features() > kMostTaps)
        throw UserError("short_conv: a width of " + std::to_string(weight.features()) + " is more than the " +
                        std::to_string(kMostTaps) + " that the GPU takes; choose a smaller one, or --device cpu");
    OpMemory memory;
    dispatch(x.dtype, [&](auto scalar) {
        memory.scratch = conv_sets(x, weight) * conv_sums<decltype(scalar)>(x, weight).bytes();
    });
    return memory;
}

void CudaBackend::short_conv_forward(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& state,
                                     const Tensor& y, const Tensor&) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Conv<T> conv = conv_of<T>(x, weight, bias, state);
        const std::int64_t runs = ceil_div(conv.length, kRun);
        for_each_element("short_conv_forward", stream_, x.replicas(), x.shape[1] * runs, weight.shape[1],
                         ConvForward<T>{conv, view<T>(y), static_cast<int>(runs)});
        if (state)
            for_each_element("short_conv_forward", stream_, x.replicas(), x.shape[1], weight.shape[1],
                             AdvanceState<T>{conv});
    });
}

void CudaBackend::short_conv_backward(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& d_y,
                                      const Tensor& d_x, const Tensor& d_weight, const Tensor& d_bias,
                                      const Tensor& scratch) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Conv<T> conv = conv_of<T>(x, weight, bias, {});
        const BlockSums<T> sums = conv_sums<T>(x, weight);
        const dim3 grid(grid_size(ceil_div(conv.features, kConvThreads)), grid_size(x.shape[1]),
                        grid_size(x.replicas()));
        launch("short_conv_backward",
               conv.width == kUsualTaps ? usual_conv_backward_kernel<T> : conv_backward_kernel<T>, grid,
               dim3(kConvThreads), 0, stream_, conv, view<T>(d_y), view<T>(d_x),
               ConvSums<T>{sums.at(scratch.at<T>(), tickets(conv_sets(x, weight) * sums.ticket_count())),
                           view<T>(d_weight), view<T>(d_bias)});
    });
}

}  // namespace whorl::gpu
