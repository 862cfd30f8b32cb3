// Table look-up, and the residual add.
#include <algorithm>

#include "gpu/runtime/cuda_backend.hpp"
#include "gpu/runtime/last_block.cuh"
#include "gpu/tiles/vector.cuh"

namespace whorl::gpu {
namespace {

constexpr int kWarps = 32;          // of a block that gathers one token's gradient
constexpr int kPartThreads = 1024;  // of a block that gathers all tokens' from a part of the rows
constexpr int kMostPartRows = 1024;
constexpr int kSearched = 128;              // rows that a warp looks through at a time
constexpr std::int64_t kSmallTable = 4096;  // elements of a table that has parts

__device__ int known_token(int token, int vocabulary) {
    return token >= 0 && token < vocabulary ? token : 0;
}

template <class T>
struct Add {
    View<T> x, y;
    __device__ void operator()(unsigned r, std::int64_t row, int j) const { y.row(r, row)[j] += x.row(r, row)[j]; }
};

/// The token of a row, of packed ones, too. Rows fit in 32 bits, whose division is several times cheaper.
struct TokenOf {
    View<int> tokens;
    int length, vocabulary;  // length: of a line of tokens (packed ones are one line)
    __device__ int operator()(std::int64_t r, std::int64_t row) const {
        const unsigned line = static_cast<unsigned>(row) / static_cast<unsigned>(length);
        return known_token(tokens.at(r, line)[static_cast<unsigned>(row) - line * static_cast<unsigned>(length)],
                           vocabulary);
    }
};

/// j counts pieces of the row.
template <class T, int Width>
struct LookUp {
    TokenOf token_of;
    View<T> weight, out;
    int features;
    __device__ void operator()(unsigned r, std::int64_t row, int j) const {
        store_vector(out.row(r, row) + j * Width,
                     load_vector<Width>(weight.at(r) + std::int64_t{token_of(r, row)} * features + j * Width));
    }
};

/// sum += the pieces at j of those of the `count` rows from d_out on whose token is `own`, in order; j < 0: nothing.
/// of(i): the token of row i < count. `found` has room for kSearched. Called by whole warps. (cub::DeviceRadixSort of
/// the tokens would take several kernels, and memory, every step; votes find a token's rows in their order.)
template <class T, int Width, class Of>
__device__ void add_rows_of(int own, int count, const Of& of, const T* d_out, std::int64_t stride, int j,
                            std::uint16_t* found, Vector<T, Width>& sum) {
    constexpr int ahead = 64 / static_cast<int>(sizeof(T));  // rows whose loads are on their way together
    const int lane = static_cast<int>(threadIdx.x) % 32;
    for (int begin = 0; begin < count; begin += kSearched) {
        int matches = 0;
#pragma unroll
        for (int first = begin; first < begin + kSearched; first += 32) {
            const int i = first + lane;
            const bool match = i < count && of(i) == own;
            const unsigned all = __ballot_sync(0xffffffffU, match);
            if (match) found[matches + __popc(all & ((1U << lane) - 1))] = static_cast<std::uint16_t>(i - begin);
            matches += __popc(all);
        }
        __syncwarp();
        for (int first = 0; first < matches; first += ahead) {
            Vector<T, Width> values[ahead];
#pragma unroll
            for (int i = 0; i < ahead; ++i) {
                values[i] = {};
                if (first + i < matches && j >= 0)
                    values[i] = load_vector<Width>(d_out + (begin + found[first + i]) * stride + j);
            }
#pragma unroll
            for (int i = 0; i < ahead; ++i)
#pragma unroll
                for (int e = 0; e < Width; ++e) sum.at[e] += values[i].at[e];
        }
        __syncwarp();
    }
}

/// A small table: the rows of one replica in parts, for each of which a block adds up all tokens' rows, a warp a
/// token's stretch of features. The parts are added in order by the blocks that come last. Grid: (parts, replicas).
template <class T, int Width>
__global__ void __launch_bounds__(kPartThreads)
    embed_parts_kernel(TokenOf token_of, View<T> d_out, View<T> d_weight, SequenceRows sequences, int features,
                       BlockSums<T> sums) {
    __shared__ int token[kMostPartRows];
    __shared__ std::uint16_t found[kPartThreads / 32][kSearched];
    const std::int64_t r = blockIdx.y;
    const RowRange rows(sequences.rows(r), blockIdx.x, gridDim.x);
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32,
              count = static_cast<int>(rows.end - rows.begin);
    for (int i = static_cast<int>(threadIdx.x); i < count; i += kPartThreads) token[i] = token_of(r, rows.begin + i);
    __syncthreads();
    T* part = sums.part(r, static_cast<int>(blockIdx.x));
    const int stretches = (features + 32 * Width - 1) / (32 * Width);
    for (int task = warp; task < token_of.vocabulary * stretches; task += kPartThreads / 32) {
        const int own = task / stretches, j = ((task - own * stretches) * 32 + lane) * Width;
        Vector<T, Width> sum{};
        add_rows_of(
            own, count, [&](int i) { return token[i]; }, d_out.row(r, rows.begin), d_out.stride2, j < features ? j : -1,
            found[warp], sum);
        if (j < features) store_vector(part + own * features + j, sum);
    }
    sums.finish(r, static_cast<int>(blockIdx.x), [&](int column, T total) { d_weight.at(r)[column] += total; });
}

/// A large table: one token of one replica and 32 features. Warps share the rows; a warp adds its rows in order, then
/// the warps' sums are added in order.
template <class T>
__global__ void embed_backward_kernel(TokenOf token_of, View<T> d_out, View<T> d_weight, SequenceRows sequences,
                                      int features) {
    __shared__ T sums[kWarps][33];
    __shared__ std::uint16_t found[kWarps][kSearched];
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    const int own = static_cast<int>(blockIdx.x), j = static_cast<int>(blockIdx.y) * 32 + lane;
    const std::int64_t r = blockIdx.z;
    const RowRange share(sequences.rows(r), static_cast<unsigned>(warp), kWarps);
    Vector<T, 1> sum{};
    add_rows_of(
        own, static_cast<int>(share.end - share.begin), [&](int i) { return token_of(r, share.begin + i); },
        d_out.row(r, share.begin), d_out.stride2, j < features ? j : -1, found[warp], sum);
    sums[warp][lane] = sum.at[0];
    __syncthreads();
    if (warp != 0 || j >= features) return;
    T total = 0;
    for (int w = 0; w < kWarps; ++w) total += sums[w][lane];
    d_weight.at(r)[std::int64_t{own} * features + j] += total;
}

/// How the rows of a replica are cut for a small table. (A large one has as many tokens as there can be blocks.)
struct EmbedParts {
    EmbedParts(std::int64_t rows, std::int64_t table) : small(table <= kSmallTable) {
        size = std::clamp<std::int64_t>(ceil_div(ceil_div(rows, 128), 64) * 64, 128, kMostPartRows);
        count = std::max<std::int64_t>(1, ceil_div(rows, size));
    }
    bool small;
    std::int64_t size, count;
};

TokenOf token_of(const Tensor& tokens, const Tensor& weight) {
    return {view<int>(tokens), static_cast<int>(tokens.features()), static_cast<int>(weight.rows())};
}

template <class T, int Width>
void embed_parts(const CudaBackend& backend, const EmbedParts& parts, const Tensor& tokens, const Tensor& d_out,
                 const Tensor& d_weight, const Tensor& scratch) {
    const BlockSums<T> sums(d_weight.rows() * d_weight.features(), parts.count);
    launch("embed_backward", embed_parts_kernel<T, Width>, dim3(grid_size(parts.count), grid_size(d_out.replicas())),
           dim3(kPartThreads), 0, backend.stream(), token_of(tokens, d_weight), view<T>(d_out), view<T>(d_weight),
           SequenceRows(d_out), static_cast<int>(d_out.features()),
           sums.at(scratch.at<T>(), backend.tickets(d_out.replicas() * sums.ticket_count())));
}

}  // namespace

void CudaBackend::add(const Tensor& x, const Tensor& y) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        for_each_element("add", stream_, x.replicas(), SequenceRows(x), x.features(), Add<T>{view<T>(x), view<T>(y)});
    });
}

void CudaBackend::embed_forward(const Tensor& tokens, const Tensor& weight, const Tensor& out) {
    dispatch(out.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        dispatch_width<T>(in_vectors(out) && in_vectors(weight), [&](auto width) {
            constexpr int W = decltype(width)::value;
            const LookUp<T, W> body{token_of(tokens, weight), view<T>(weight), view<T>(out),
                                    static_cast<int>(out.features())};
            for_each_element("embed_forward", stream_, out.replicas(), SequenceRows(out), out.features() / W, body);
        });
    });
}

OpMemory CudaBackend::embed_memory(const Tensor& tokens, const Tensor& weight) {
    const std::int64_t table = weight.rows() * weight.features();
    const EmbedParts parts(tokens.shape[1] * tokens.features(), table);
    if (!parts.small) return {};
    return {0, tokens.replicas() * parts.count * table * static_cast<std::int64_t>(size_of(weight.dtype))};
}

void CudaBackend::embed_backward(const Tensor& tokens, const Tensor& d_out, const Tensor& d_weight,
                                 const Tensor& scratch) {
    const EmbedParts parts(d_out.rows(), d_weight.rows() * d_weight.features());
    dispatch(d_out.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        if (parts.small && in_vectors(d_out)) return embed_parts<T, 2>(*this, parts, tokens, d_out, d_weight, scratch);
        if (parts.small) return embed_parts<T, 1>(*this, parts, tokens, d_out, d_weight, scratch);
        const dim3 grid(grid_size(d_weight.rows()), grid_size(ceil_div(d_out.features(), 32)),
                        grid_size(d_out.replicas()));
        launch("embed_backward", embed_backward_kernel<T>, grid, dim3(32 * kWarps), 0, stream_,
               token_of(tokens, d_weight), view<T>(d_out), view<T>(d_weight), SequenceRows(d_out),
               static_cast<int>(d_out.features()));
    });
}

}  // namespace whorl::gpu
