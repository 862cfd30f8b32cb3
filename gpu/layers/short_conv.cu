// Depthwise causal convolution followed by silu. A thread has a vector of neighbouring channels and a run of positions,
// along which it walks with the window in registers. Blocks are kLanes vectors wide; their threads' runs follow one
// another through all sequences.
#include <string>

#include "core/base/error.hpp"
#include "core/numerics/activations.hpp"
#include "gpu/runtime/cuda_backend.hpp"
#include "gpu/runtime/last_block.cuh"
#include "gpu/tiles/vector.cuh"

namespace whorl::gpu {
namespace {

constexpr int kUsualTaps = 4, kMostTaps = 8;
constexpr int kThreads = 256, kLanes = 8, kBlockRuns = kThreads / kLanes, kWarps = kThreads / 32;
constexpr int kStep = 4;                           // positions whose loads are on their way together
constexpr int kForwardRun = 8, kBackwardRun = 16;  // positions of a run; a run on the way back repeats taps - 1 slopes

/// Positions in equal runs of at most `most`, a multiple of kStep.
struct Runs {
    Runs(std::int64_t batch, std::int64_t length, int most)
        : of_sequence(static_cast<int>(std::max<std::int64_t>(1, ceil_div(length, most)))),
          size(static_cast<int>(ceil_div(ceil_div(length, of_sequence), kStep)) * kStep),
          blocks(ceil_div(batch * of_sequence, kBlockRuns)) {}
    int of_sequence, size;
    std::int64_t blocks;
};

/// Filters of `width` taps among Taps, the last of them: the usual width has all, others are treated as longer.
template <class T, class S, int Width, int Taps>
struct Conv {
    using Piece = Vector<T, Width>;
    View<S> x;
    View<T> weight, bias, state;
    SequenceRows sequences;
    int features, width, runs, run;  // runs of a sequence, positions of a run

    __host__ __device__ int across() const { return (features + kLanes * Width - 1) / (kLanes * Width); }
    __device__ bool has(int tap) const { return Taps == kUsualTaps || tap >= Taps - width; }
};

/// What a thread works on, and its filters.
template <class T, class S, int Width, int Taps>
struct ConvThread {
    using Piece = Vector<T, Width>;
    const Conv<T, S, Width, Taps>& conv;
    int r, b, f, begin;  // first channel, first position
    bool inside;
    int length = 0;
    std::int64_t first_row = 0;  // of the sequence among the replica's
    Piece taps[Taps] = {}, bias = {};

    /// Grid: (blocks of runs × blocks of channels, channels first; replicas).
    __device__ explicit ConvThread(const Conv<T, S, Width, Taps>& c) : conv(c), r(static_cast<int>(blockIdx.y)) {
        const unsigned across = static_cast<unsigned>(c.across()), block = blockIdx.x / across;
        const unsigned run = block * kBlockRuns + threadIdx.x / kLanes, runs = static_cast<unsigned>(c.runs);
        b = static_cast<int>(run / runs);
        begin = static_cast<int>(run % runs) * c.run;
        f = static_cast<int>((blockIdx.x - block * across) * kLanes + threadIdx.x % kLanes) * Width;
        inside = b < c.sequences.batch && f < c.features;
        if (!inside) return;
        length = c.sequences.length_of(r, b);
        first_row = c.sequences.first_row(r, b);
        load_filters();
    }
    __device__ void load_filters() {
        const T* from = conv.weight.at(r) + std::int64_t{f} * conv.width;
        if (conv.bias) bias = load_vector<Width>(conv.bias.at(r) + f);
#pragma unroll
        for (int e = 0; e < Width; ++e) {
            if constexpr (Taps == kUsualTaps) {
#pragma unroll
                for (int w = 0; w < Taps; w += Width) {
                    const Piece part = load_vector<Width>(from + e * Taps + w);
#pragma unroll
                    for (int i = 0; i < Width; ++i) taps[w + i].at[e] = part.at[i];
                }
            } else {
#pragma unroll
                for (int w = 0; w < Taps; ++w)
                    if (conv.has(w)) taps[w].at[e] = from[e * conv.width + w - (Taps - conv.width)];
            }
        }
    }
    /// Position t of activations, at the first channel.
    __device__ S* at(const View<S>& tensor, int t) const {
        return tensor.row(r, first_row + t) + f;
    }
    /// Input t ≥ 0, zero behind the end.
    __device__ Piece input(int t) const {
        return t < length ? load_vector<Width>(at(conv.x, t)) : Piece{};
    }
    /// Input t of any sign: from the state before the sequence, zero before everything.
    __device__ Piece earlier_input(int t) const {
        if (t >= 0) return input(t);
        const int kept = t + conv.width - 1;
        return conv.state && kept >= 0 ? load_vector<Width>(conv.state.at(r, b, kept) + f) : Piece{};
    }
    /// The inputs before the run, all but the last of a window.
    __device__ void enter(Piece (&window)[Taps]) const {
#pragma unroll
        for (int w = 1; w < Taps; ++w) window[w] = earlier_input(begin - Taps + w);
    }
    __device__ T pre_activation(const Piece (&window)[Taps], int e) const {
        T sum = bias.at[e];
#pragma unroll
        for (int w = 0; w < Taps; ++w)
            if (conv.has(w)) sum += taps[w].at[e] * window[w].at[e];
        return sum;
    }
};

template <int Count, class Piece>
__device__ void shift(Piece (&pieces)[Count], const Piece& next) {
#pragma unroll
    for (int i = 0; i + 1 < Count; ++i) pieces[i] = pieces[i + 1];
    pieces[Count - 1] = next;
}

/// state ← the last width-1 inputs, by the thread that has the sequence's first run and so has read the state. Going
/// up, a row is written after it was read.
template <class T, class S, int Width, int Taps>
__device__ void advance_state(const ConvThread<T, S, Width, Taps>& own) {
    const auto& conv = own.conv;
    for (int i = 0; i < conv.width - 1; ++i)
        store_vector(conv.state.at(own.r, own.b, i) + own.f, own.earlier_input(own.length - conv.width + 1 + i));
}

template <class T, class S, int Width, int Taps>
__global__ void __launch_bounds__(kThreads, Taps == kUsualTaps && sizeof(T) == 4 ? 4 : 1)
    conv_forward_kernel(const __grid_constant__ Conv<T, S, Width, Taps> conv, const __grid_constant__ View<S> y) {
    using Piece = Vector<T, Width>;
    const ConvThread<T, S, Width, Taps> own(conv);
    if (!own.inside) return;
    Piece window[Taps];
    own.enter(window);
    const int end = own.begin + conv.run < own.length ? own.begin + conv.run : own.length;
    for (int first = own.begin; first < end; first += kStep) {
        Piece x[kStep];
#pragma unroll
        for (int i = 0; i < kStep; ++i) x[i] = own.input(first + i);
#pragma unroll
        for (int i = 0; i < kStep; ++i) {
            shift(window, x[i]);
            Piece out;
#pragma unroll
            for (int e = 0; e < Width; ++e) out.at[e] = numerics::silu(own.pre_activation(window, e));
            if (first + i < end) store_vector(own.at(y, first + i), out);
        }
    }
    if (conv.state && own.begin == 0) advance_state(own);
}

/// The gradients of taps and bias: a block's threads add theirs, the last block adds the blocks.
template <class T, int Width, int Taps>
struct ConvSums {
    static constexpr int kColumns = (Taps + 1) * kLanes * Width;  // [taps, bias][channel]
    BlockSums<T> sums;  // sets: blocks of channels of each replica; parts: blocks of runs
    View<T> d_weight, d_bias;

    /// Called by all threads of a block, those that have nothing with zeros. (Lanes of one channel are kLanes apart;
    /// cub::WarpReduce adds neighbours.)
    template <class S>
    __device__ void finish(const Conv<T, S, Width, Taps>& conv, Vector<T, Width> (&own)[Taps + 1]) const {
        static_assert(kWarps * kColumns >= kThreads);
        __shared__ T shared[kWarps * kColumns];
        const int thread = static_cast<int>(threadIdx.x), lane = thread % 32;
#pragma unroll
        for (int w = 0; w <= Taps; ++w)
#pragma unroll
            for (int e = 0; e < Width; ++e) {
                T sum = own[w].at[e];
                for (int distance = kLanes; distance < 32; distance *= 2)
                    sum += __shfl_xor_sync(0xffffffffU, sum, distance);
                if (lane < kLanes) shared[thread / 32 * kColumns + (w * kLanes + lane) * Width + e] = sum;
            }
        __syncthreads();
        const int across = conv.across(), part = static_cast<int>(blockIdx.x) / across,
                  channels = static_cast<int>(blockIdx.x) % across;
        const std::int64_t r = blockIdx.y, set = r * across + channels;
        for (int column = thread; column < kColumns; column += kThreads) {
            T sum = 0;
            for (int warp = 0; warp < kWarps; ++warp) sum += shared[warp * kColumns + column];
            sums.part(set, part)[column] = sum;
        }
        sums.finish_narrow(set, part, shared, [&](int column, T total) {
            const int w = column / (kLanes * Width), f = channels * kLanes * Width + column % (kLanes * Width);
            if (f >= conv.features) return;
            if (w == Taps) {
                if (d_bias) d_bias.at(r)[f] += total;
            } else if (conv.has(w)) {
                d_weight.at(r)[std::int64_t{f} * conv.width + w - (Taps - conv.width)] += total;
            }
        });
    }
};

/// A run on the way back. Gradient t - (taps - 1) of the input is complete with slope t, so that the walk goes on for
/// as many positions behind the run's end.
template <class T, class S, int Width, int Taps>
struct ConvBackward {
    using Piece = Vector<T, Width>;
    static constexpr int kBehind = Taps - 1;
    const ConvThread<T, S, Width, Taps>& own;
    const View<S>&d_y, &d_x;
    Piece window[Taps] = {}, slopes[Taps] = {}, sums[Taps + 1] = {};  // sums: taps', then bias'

    __device__ Piece d_output(int t) const { return t < own.length ? load_vector<Width>(own.at(d_y, t)) : Piece{}; }
    __device__ void run() {
        own.enter(window);
        const int end = own.begin + own.conv.run < own.length ? own.begin + own.conv.run : own.length;
        int first = own.begin;
        for (; first < end; first += kStep) steps<kStep, true>(first);
        steps<kBehind, false>(first);
    }

private:
    template <int Count, bool OfRun>
    __device__ void steps(int first) {
        Piece x[Count], d[Count];
#pragma unroll
        for (int i = 0; i < Count; ++i) {
            x[i] = own.input(first + i);
            d[i] = d_output(first + i);
        }
#pragma unroll
        for (int i = 0; i < Count; ++i) step<OfRun>(first + i, x[i], d[i]);
    }
    template <bool OfRun>
    __device__ void step(int t, const Piece& x, Piece slope) {
        shift(window, x);
        Piece d_input = {};
#pragma unroll
        for (int e = 0; e < Width; ++e) slope.at[e] *= numerics::silu_derivative(own.pre_activation(window, e));
        shift(slopes, slope);
#pragma unroll
        for (int e = 0; e < Width; ++e) {
#pragma unroll
            for (int w = 0; w < Taps; ++w) {
                if (!own.conv.has(w)) continue;
                if (OfRun) sums[w].at[e] += slope.at[e] * window[w].at[e];
                d_input.at[e] += own.taps[w].at[e] * slopes[kBehind - w].at[e];
            }
            if (OfRun) sums[Taps].at[e] += slope.at[e];
        }
        const int of = t - kBehind;
        if (of >= own.begin && of < own.length) store_vector(own.at(d_x, of), d_input);
    }
};

template <class T, class S, int Width, int Taps>
__global__ void __launch_bounds__(kThreads, Taps == kUsualTaps ? 2 : 1)
    conv_backward_kernel(const __grid_constant__ Conv<T, S, Width, Taps> conv, const __grid_constant__ View<S> d_y,
                         const __grid_constant__ View<S> d_x, const __grid_constant__ ConvSums<T, Width, Taps> out) {
    const ConvThread<T, S, Width, Taps> own(conv);
    ConvBackward<T, S, Width, Taps> backward{own, d_y, d_x};
    if (own.inside) backward.run();
    out.finish(conv, backward.sums);
}

/// Calls body(Conv) for the vectors and taps that the tensors allow.
template <class T, class S, class Body>
void with_conv(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& state, const Runs& runs,
               bool vectors, const Body& body) {
    const bool usual = weight.features() == kUsualTaps;
    const bool whole =
        vectors && in_vectors(x) && (!usual || in_vectors(weight)) && in_vectors(bias) && in_vectors(state);
    dispatch_width<T>(whole, [&](auto width) {
        constexpr int W = decltype(width)::value;
        const auto with_taps = [&](auto taps) {
            body(Conv<T, S, W, decltype(taps)::value>{
                view<S>(x), view<T>(weight), view<T>(bias), view<T>(state), SequenceRows(x),
                static_cast<int>(weight.shape[1]), static_cast<int>(weight.features()), runs.of_sequence, runs.size});
        };
        if (usual)
            with_taps(std::integral_constant<int, kUsualTaps>{});
        else
            with_taps(std::integral_constant<int, kMostTaps>{});
    });
}

Runs backward_runs(const Tensor& x) {
    return {x.shape[1], x.shape[2], kBackwardRun};
}

}  // namespace

OpMemory CudaBackend::short_conv_memory(const Tensor& x, const Tensor& weight) {
    if (weight.features() > kMostTaps)
        throw UserError("short_conv: a width of " + std::to_string(weight.features()) + " is more than the " +
                        std::to_string(kMostTaps) + " that the GPU takes; choose a smaller one, or --device cpu");
    OpMemory memory;
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        constexpr int W = 16 / static_cast<int>(sizeof(T));  // narrower vectors need no more
        const std::int64_t taps = weight.features() == kUsualTaps ? kUsualTaps : kMostTaps;
        const BlockSums<T> sums((taps + 1) * kLanes * W, backward_runs(x).blocks);
        memory.scratch = x.replicas() * ceil_div(weight.shape[1], kLanes * W) * sums.bytes();
    });
    return memory;
}

void CudaBackend::short_conv_forward(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& state,
                                     const Tensor& y, const Tensor&) {
    dispatch_stored(x.dtype, [&](auto scalar, auto stored) {
        using T = decltype(scalar);
        using S = decltype(stored);
        const Runs runs(x.shape[1], x.shape[2], kForwardRun);
        with_conv<T, S>(x, weight, bias, state, runs, in_vectors(y),
                        [&]<int Width, int Taps>(const Conv<T, S, Width, Taps>& conv) {
                            launch("short_conv_forward", conv_forward_kernel<T, S, Width, Taps>,
                                   dim3(grid_size(runs.blocks * conv.across()), grid_size(x.replicas())),
                                   dim3(kThreads), 0, stream_, conv, view<S>(y));
                        });
    });
}

void CudaBackend::short_conv_backward(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& d_y,
                                      const Tensor& d_x, const Tensor& d_weight, const Tensor& d_bias,
                                      const Tensor& scratch) {
    dispatch_stored(x.dtype, [&](auto scalar, auto stored) {
        using T = decltype(scalar);
        using S = decltype(stored);
        const Runs runs = backward_runs(x);
        with_conv<T, S>(x, weight, bias, {}, runs, in_vectors(d_y) && in_vectors(d_x),
                        [&]<int Width, int Taps>(const Conv<T, S, Width, Taps>& conv) {
                            using Sums = ConvSums<T, Width, Taps>;
                            const BlockSums<T> sums(Sums::kColumns, runs.blocks);
                            const std::int64_t sets = x.replicas() * conv.across();
                            launch("short_conv_backward", conv_backward_kernel<T, S, Width, Taps>,
                                   dim3(grid_size(runs.blocks * conv.across()), grid_size(x.replicas())),
                                   dim3(kThreads), 0, stream_, conv, view<S>(d_y), view<S>(d_x),
                                   Sums{sums.at(scratch.at<T>(), tickets(sets * sums.ticket_count())),
                                        view<T>(d_weight), view<T>(d_bias)});
                        });
    });
}

}  // namespace whorl::gpu
