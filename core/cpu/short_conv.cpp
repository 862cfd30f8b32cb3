// Depthwise causal convolution followed by silu. Weights lie channel-major as in checkpoints ([F,1,width]); each task
// turns them tap-major once, so that every inner loop runs over contiguous channels.
#include <algorithm>

#include "core/cpu/cpu_backend.hpp"
#include "core/cpu/sequence_tasks.hpp"
#include "core/numerics/activations.hpp"

namespace whorl::cpu {
namespace {

struct ConvShape {
    std::int64_t features, width;
};

template <class T>
struct ConvBuffers {
    ConvBuffers(Scratch& scratch, const ConvShape& s)
        : taps(scratch.take<T>(s.width * s.features)), sum(scratch.take<T>(s.features)) {}
    T* taps;  // [width,F]
    T* sum;   // [F]
};

template <class T>
struct ConvSums {
    ConvSums(Scratch& scratch, const ConvShape& s)
        : taps(scratch.take<T>(s.width * s.features)), bias(scratch.take<T>(s.features)) {}
    T *taps, *bias;  // [width,F], [F]
};

template <class T>
void transpose_taps(const ConvShape& s, const T* weight, T* taps) {
    for (std::int64_t f = 0; f < s.features; ++f)
        for (std::int64_t w = 0; w < s.width; ++w) taps[w * s.features + f] = weight[f * s.width + w];
}

ConvShape conv_shape(const Tensor& weight) {
    return {weight.shape[1], weight.features()};
}

/// One sequence: the row t - width + 1 + w of x, from the state before the sequence, or null before everything.
template <class T>
struct ConvSequence {
    const ConvShape& s;
    const Tensor& x;
    const Tensor& state;
    std::int64_t r, b;

    const T* input(std::int64_t t) const {
        if (t >= 0) return x.at<T>(r, b, t);
        return state ? state.at<T>(r, b, t + s.width - 1) : nullptr;
    }
    void pre_activation(std::int64_t t, const T* taps, const T* bias, T* sum) const {
        if (bias)
            copy(bias, sum, s.features);
        else
            fill(T(0), sum, s.features);
        for (std::int64_t w = 0; w < s.width; ++w)
            if (const T* in = input(t - s.width + 1 + w)) multiply_add(taps + w * s.features, in, sum, s.features);
    }
    /// state ← the last width-1 inputs. Later rows first come from x, so copying upwards never overwrites what is
    /// needed.
    void advance_state() const {
        const std::int64_t length = x.shape[2];
        for (std::int64_t i = 0; i < s.width - 1; ++i)
            copy(input(length - s.width + 1 + i), state.at<T>(r, b, i), s.features);
    }
};

}  // namespace

OpMemory CpuBackend::short_conv_memory(const Tensor& x, const Tensor& weight) {
    OpMemory memory;
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        memory.scratch = backward_scratch_bytes<ConvBuffers<T>, ConvSums<T>>(threads_, x, conv_shape(weight));
    });
    return memory;
}

void CpuBackend::short_conv_forward(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& state,
                                    const Tensor& y, const Tensor& scratch) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const ConvShape shape = conv_shape(weight);
        for_each_sequence<ConvBuffers<T>>(
            threads_, x, scratch, shape, [&](std::int64_t r, std::int64_t b, auto& buffers) {
                transpose_taps(shape, weight.at<T>(r), buffers.taps);
                const ConvSequence<T> sequence{shape, x, state, r, b};
                for (std::int64_t t = 0; t < x.shape[2]; ++t) {
                    sequence.pre_activation(t, buffers.taps, bias ? bias.at<T>(r) : nullptr, buffers.sum);
                    T* out = y.at<T>(r, b, t);
#pragma omp simd
                    for (std::int64_t f = 0; f < shape.features; ++f) out[f] = numerics::silu(buffers.sum[f]);
                }
                if (state) sequence.advance_state();
            });
    });
}

void CpuBackend::short_conv_backward(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& d_y,
                                     const Tensor& d_x, const Tensor& d_weight, const Tensor& d_bias,
                                     const Tensor& scratch) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const ConvShape shape = conv_shape(weight);
        const std::int64_t n = shape.features;
        const auto one_sequence = [&](std::int64_t r, std::int64_t b, ConvBuffers<T>& buffers, ConvSums<T>& sums) {
            transpose_taps(shape, weight.at<T>(r), buffers.taps);
            const ConvSequence<T> sequence{shape, x, {}, r, b};
            for (std::int64_t t = 0; t < x.shape[2]; ++t) fill(T(0), d_x.at<T>(r, b, t), n);
            for (std::int64_t t = 0; t < x.shape[2]; ++t) {
                T* slope = buffers.sum;
                sequence.pre_activation(t, buffers.taps, bias ? bias.at<T>(r) : nullptr, slope);
                const T* d = d_y.at<T>(r, b, t);
#pragma omp simd
                for (std::int64_t f = 0; f < n; ++f) slope[f] = d[f] * numerics::silu_derivative(slope[f]);
                accumulate(static_cast<const T*>(slope), sums.bias, n);
                for (std::int64_t w = std::max<std::int64_t>(0, shape.width - 1 - t); w < shape.width; ++w) {
                    const std::int64_t from = t - shape.width + 1 + w;
                    multiply_add(static_cast<const T*>(slope), sequence.input(from), sums.taps + w * n, n);
                    multiply_add(static_cast<const T*>(slope), static_cast<const T*>(buffers.taps + w * n),
                                 d_x.at<T>(r, b, from), n);
                }
            }
        };
        for_each_sequence_with_sums<T, ConvBuffers<T>, ConvSums<T>>(
            threads_, x, scratch, shape, one_sequence, [&](std::int64_t r, const ConvSums<T>& sums) {
                T* to = d_weight.at<T>(r);
                for (std::int64_t f = 0; f < n; ++f)
                    for (std::int64_t w = 0; w < shape.width; ++w) to[f * shape.width + w] += sums.taps[w * n + f];
                add_to(d_bias, r, sums.bias, n);
            });
    });
}

}  // namespace whorl::cpu
