// Depthwise causal convolution followed by silu. Weights lie channel-major as in checkpoints ([F,1,width]); each task
// turns them tap-major once, so that every inner loop runs over contiguous channels.
#include <algorithm>
#include <type_traits>

#include "core/cpu/cpu_backend.hpp"
#include "core/cpu/sequence_tasks.hpp"
#include "core/numerics/activations.hpp"

namespace whorl::cpu {
namespace {

constexpr std::int64_t kMostTaps = 8;  // config.cpp allows no wider filter
constexpr std::int64_t kPositionsAtOnce = 256;

struct ConvShape {
    std::int64_t features, width;
};

template <class T>
struct ConvBuffers {
    ConvBuffers(Scratch& scratch, const ConvShape& s)
        : taps(scratch.take<T>(s.width * s.features)),
          zeros(scratch.take<T>(s.features)),
          slopes(scratch.take<T>(s.width * s.features)) {}
    T* taps;    // [width,F]
    T* zeros;   // [F]: what lies before everything
    T* slopes;  // [width,F]: gradients of the last `width` pre-activations, position t in row t mod width
};

template <class T>
struct ConvSums {
    ConvSums(Scratch& scratch, const ConvShape& s)
        : taps(scratch.take<T>(s.width * s.features)), bias(scratch.take<T>(s.features)) {}
    T *taps, *bias;  // [width,F], [F]
};

ConvShape conv_shape(const Tensor& weight) {
    return {weight.shape[1], weight.features()};
}

/// One sequence. `kWidth` is the width where that is known to the compiler, else 0.
template <class T, int kWidth>
struct ConvSequence {
    const ConvShape& s;
    const Tensor& x;
    const Tensor& state;
    const T* bias;
    ConvBuffers<T>& buffers;
    std::int64_t r, b;

    std::int64_t width() const { return kWidth > 0 ? kWidth : s.width; }
    const T* taps() const { return buffers.taps; }
    std::int64_t length() const { return x.shape[2]; }

    void prepare(const T* weight) const {
        for (std::int64_t f = 0; f < s.features; ++f)
            for (std::int64_t w = 0; w < s.width; ++w) buffers.taps[w * s.features + f] = weight[f * s.width + w];
        fill(T(0), buffers.zeros, s.features);
    }
    /// Row t of x, from the state before the sequence, or zeros before everything.
    const T* input(std::int64_t t) const {
        if (t >= 0) return x.at<T>(r, b, t);
        return state ? state.at<T>(r, b, t + s.width - 1) : buffers.zeros;
    }
    /// The rows that position t sees: window[w] is row t - width + 1 + w.
    void window(std::int64_t t, const T** rows) const {
        for (std::int64_t w = 0; w < width(); ++w) rows[w] = input(t - width() + 1 + w);
    }
    T pre_activation(const T* const* rows, const T* shift, std::int64_t f) const {
        T sum = shift[f];
        for (std::int64_t w = 0; w < width(); ++w) sum = numerics::fma(taps()[w * s.features + f], rows[w][f], sum);
        return sum;
    }

    /// Positions [begin, end).
    void forward(const Tensor& y, std::int64_t begin, std::int64_t end) const {
        const T *rows[kMostTaps], *shift = bias ? bias : buffers.zeros;
        for (std::int64_t t = begin; t < end; ++t) {
            window(t, rows);
            T* out = y.at<T>(r, b, t);
#pragma omp simd
            for (std::int64_t f = 0; f < s.features; ++f) out[f] = numerics::silu(pre_activation(rows, shift, f));
        }
    }
    /// state ← the last width-1 inputs. Later rows first come from x, so copying upwards never overwrites what is
    /// needed.
    void advance_state() const {
        for (std::int64_t i = 0; i < s.width - 1; ++i)
            copy(input(length() - s.width + 1 + i), state.at<T>(r, b, i), s.features);
    }

    void backward(const Tensor& d_y, const Tensor& d_x, const ConvSums<T>& sums) const {
        for (std::int64_t t = 0; t < length() + width() - 1; ++t) {
            T* slope = buffers.slopes + t % width() * s.features;
            if (t < length())
                slope_row(t, d_y.at<T>(r, b, t), slope, sums);
            else
                fill(T(0), slope, s.features);
            if (t >= width() - 1) input_row(t - width() + 1, d_x.at<T>(r, b, t - width() + 1));
        }
    }
    /// slope ← gradient of position t's pre-activation; adds it to the sums of bias and taps.
    void slope_row(std::int64_t t, const T* d_y, T* slope, const ConvSums<T>& sums) const {
        const T *rows[kMostTaps], *shift = bias ? bias : buffers.zeros;
        window(t, rows);
#pragma omp simd
        for (std::int64_t f = 0; f < s.features; ++f) {
            const T d = d_y[f] * numerics::silu_derivative(pre_activation(rows, shift, f));
            slope[f] = d;
            sums.bias[f] += d;
            for (std::int64_t w = 0; w < width(); ++w) {
                T& tap = sums.taps[w * s.features + f];
                tap = numerics::fma(d, rows[w][f], tap);
            }
        }
    }
    /// d_x of row t: position t + i saw it through tap width - 1 - i.
    void input_row(std::int64_t t, T* d_x) const {
        const T* slopes[kMostTaps];
        for (std::int64_t w = 0; w < width(); ++w)
            slopes[w] = buffers.slopes + (t + width() - 1 - w) % width() * s.features;
#pragma omp simd
        for (std::int64_t f = 0; f < s.features; ++f) {
            T sum = 0;
            for (std::int64_t w = 0; w < width(); ++w)
                sum = numerics::fma(taps()[w * s.features + f], slopes[w][f], sum);
            d_x[f] = sum;
        }
    }
};

/// body(width), a constant of the compiler for the width that all presets have.
template <class Body>
void with_width(const ConvShape& s, const Body& body) {
    if (s.width == 4)
        body(std::integral_constant<int, 4>{});
    else
        body(std::integral_constant<int, 0>{});
}

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
        with_width(shape, [&](auto width) {
            const auto of = [&](std::int64_t r, std::int64_t b, ConvBuffers<T>& buffers) {
                return ConvSequence<T, width>{shape, x, state, bias ? bias.at<T>(r) : nullptr, buffers, r, b};
            };
            // The positions of a sequence need nothing of each other: threads share them as they share heads.
            const std::int64_t blocks = (x.shape[2] + kPositionsAtOnce - 1) / kPositionsAtOnce;
            for_each_sequence_part<ConvBuffers<T>>(
                threads_, x, scratch, shape, blocks,
                [&](std::int64_t r, std::int64_t b, std::int64_t first, std::int64_t end, auto& buffers) {
                    const auto sequence = of(r, b, buffers);
                    sequence.prepare(weight.at<T>(r));
                    sequence.forward(y, first * kPositionsAtOnce, std::min(end * kPositionsAtOnce, x.shape[2]));
                });
            if (!state) return;
            for_each_sequence<ConvBuffers<T>>(
                threads_, x, scratch, shape,
                [&](std::int64_t r, std::int64_t b, auto& buffers) { of(r, b, buffers).advance_state(); });
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
        const auto collect = [&](std::int64_t r, const ConvSums<T>& sums) {
            T* to = d_weight.at<T>(r);
            for (std::int64_t f = 0; f < n; ++f)
                for (std::int64_t w = 0; w < shape.width; ++w) to[f * shape.width + w] += sums.taps[w * n + f];
            add_to(d_bias, r, sums.bias, n);
        };
        with_width(shape, [&](auto width) {
            for_each_sequence_with_sums<T, ConvBuffers<T>, ConvSums<T>>(
                threads_, x, scratch, shape,
                [&](std::int64_t r, std::int64_t b, auto& buffers, auto& sums) {
                    const ConvSequence<T, width> sequence{shape, x, {}, bias ? bias.at<T>(r) : nullptr, buffers, r, b};
                    sequence.prepare(weight.at<T>(r));
                    sequence.backward(d_y, d_x, sums);
                },
                collect);
        });
    });
}

}  // namespace whorl::cpu
