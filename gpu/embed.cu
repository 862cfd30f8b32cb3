// Table look-up, and the residual add.
#include <algorithm>

#include "gpu/cuda_backend.hpp"
#include "gpu/last_block.cuh"
#include "gpu/pack.cuh"

namespace whorl::gpu {
namespace {

constexpr int kWarps = 32;         // of a block that gathers one token's gradient
constexpr int kPartThreads = 512;  // of a block that gathers all tokens' from a part of the rows
constexpr int kMostPartRows = 1024;
constexpr std::int64_t kSmallTable = 4096;  // elements of a table that has parts

__device__ int known_token(int token, int vocabulary) {
    return token >= 0 && token < vocabulary ? token : 0;
}

template <class T>
struct Add {
    View<T> x, y;
    __device__ void operator()(unsigned r, std::int64_t row, int j) const { y.row(r, row)[j] += x.row(r, row)[j]; }
};

/// j counts pieces of the row. length: of a line of tokens (Backend::embed_forward; packed tokens are one line).
template <class T, int Width>
struct LookUp {
    View<int> tokens;
    View<T> weight, out;
    int length, vocabulary, features;
    __device__ void operator()(unsigned r, std::int64_t row, int j) const {
        const int token = known_token(tokens.at(r, row / length)[row % length], vocabulary);
        store_pack(out.row(r, row) + j * Width,
                   load_pack<Width>(weight.at(r) + std::int64_t{token} * features + j * Width));
    }
};

/// sum += the pieces at j of the rows first + i whose bit i is set, in order; eight loads at a time. j < 0: nothing.
template <class T, int Width>
__device__ void add_found(const T* d_out, std::int64_t stride, unsigned long long found, int j, Pack<T, Width>& sum) {
    while (found != 0) {
        Pack<T, Width> values[8];
#pragma unroll
        for (int i = 0; i < 8; ++i) {
            const int bit = __ffsll(static_cast<long long>(found)) - 1;
            values[i] = {};
            if (bit >= 0 && j >= 0) values[i] = load_pack<Width>(d_out + bit * stride + j);
            found &= found - 1;
        }
#pragma unroll
        for (int i = 0; i < 8; ++i)
#pragma unroll
            for (int e = 0; e < Width; ++e) sum.at[e] += values[i].at[e];
    }
}

/// Which of 64 rows are `own`'s, as bits. Called by whole warps; of(i): the token of row i.
template <class Of>
__device__ unsigned long long rows_of_token(int own, const Of& of) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const bool low = of(lane) == own, high = of(32 + lane) == own;
    return __ballot_sync(0xffffffffU, low) | static_cast<unsigned long long>(__ballot_sync(0xffffffffU, high)) << 32;
}

/// A small table: the rows of one replica in parts, for each of which a block adds up all tokens' rows, a warp a token.
/// The parts are added in order by the blocks that come last. Grid: (parts, replicas).
template <class T, int Width>
__global__ void __launch_bounds__(kPartThreads)
    embed_parts_kernel(View<int> tokens, View<T> d_out, View<T> d_weight, Packing packing, int size, int length,
                       int vocabulary, int features, BlockSums<T> sums) {
    __shared__ int token[kMostPartRows];
    const std::int64_t r = blockIdx.y;
    const RowRange own_rows(packing.rows(r), blockIdx.x, gridDim.x);
    const std::int64_t begin = own_rows.begin;
    const int lane = static_cast<int>(threadIdx.x) % 32, count = static_cast<int>(own_rows.end - begin);
    for (int i = static_cast<int>(threadIdx.x); i < size; i += kPartThreads) {
        const std::int64_t row = begin + i;
        token[i] = i < count ? known_token(tokens.at(r, row / length)[row % length], vocabulary) : -1;
    }
    __syncthreads();
    T* part = sums.part(r, static_cast<int>(blockIdx.x));
    for (int own = static_cast<int>(threadIdx.x) / 32; own < vocabulary; own += kPartThreads / 32)
        for (int first = 0; first < features; first += 32 * Width) {
            const int j = first + lane * Width;
            Pack<T, Width> sum{};
            for (int i = 0; i < count; i += 64)
                add_found(d_out.row(r, begin + i), d_out.stride2,
                          rows_of_token(own, [&](int row) { return token[i + row]; }), j < features ? j : -1, sum);
            if (j < features) store_pack(part + own * features + j, sum);
        }
    sums.template finish<4>(r, static_cast<int>(blockIdx.x),
                            [&](int column, T total) { d_weight.at(r)[column] += total; });
}

/// A large table: one token of one replica and 32 features. Warps share the rows; a warp adds its rows in order, then
/// the warps' sums are added in order.
template <class T>
__global__ void embed_backward_kernel(View<int> tokens, View<T> d_out, View<T> d_weight, Packing packing, int length,
                                      int vocabulary, int features) {
    __shared__ T sums[kWarps][33];
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    const int own = static_cast<int>(blockIdx.x), j = static_cast<int>(blockIdx.y) * 32 + lane;
    const RowRange share(packing.rows(blockIdx.z), static_cast<unsigned>(warp), kWarps);
    const std::int64_t end = share.end;
    Pack<T, 1> sum{};
    for (std::int64_t first = share.begin; first < end; first += 64)
        add_found(d_out.row(blockIdx.z, first), d_out.stride2,
                  rows_of_token(own,
                                [&](int i) {
                                    const std::int64_t row = first + i;
                                    return row < end ? known_token(tokens.at(blockIdx.z, row / length)[row % length],
                                                                   vocabulary)
                                                     : -1;
                                }),
                  j < features ? j : -1, sum);
    sums[warp][lane] = sum.at[0];
    __syncthreads();
    if (warp != 0 || j >= features) return;
    T total = 0;
    for (int w = 0; w < kWarps; ++w) total += sums[w][lane];
    d_weight.at(blockIdx.z)[std::int64_t{own} * features + j] += total;
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

template <class T, int Width>
void embed_parts(const CudaBackend& backend, const EmbedParts& parts, const Tensor& tokens, const Tensor& d_out,
                 const Tensor& d_weight, const Tensor& scratch) {
    const BlockSums<T> sums(d_weight.rows() * d_weight.features(), parts.count);
    launch("embed_backward", embed_parts_kernel<T, Width>, dim3(grid_size(parts.count), grid_size(d_out.replicas())),
           dim3(kPartThreads), 0, backend.stream(), view<int>(tokens), view<T>(d_out), view<T>(d_weight),
           Packing(d_out), static_cast<int>(parts.size), static_cast<int>(tokens.features()),
           static_cast<int>(d_weight.rows()), static_cast<int>(d_out.features()),
           sums.at(scratch.at<T>(), backend.tickets(d_out.replicas() * sums.ticket_count())));
}

}  // namespace

void CudaBackend::add(const Tensor& x, const Tensor& y) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        for_each_element("add", stream_, x.replicas(), Packing(x), x.features(), Add<T>{view<T>(x), view<T>(y)});
    });
}

void CudaBackend::embed_forward(const Tensor& tokens, const Tensor& weight, const Tensor& out) {
    dispatch(out.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        dispatch_width<T>(in_packs(out) && in_packs(weight), [&](auto width) {
            constexpr int W = decltype(width)::value;
            const LookUp<T, W> body{view<int>(tokens),
                                    view<T>(weight),
                                    view<T>(out),
                                    static_cast<int>(tokens.features()),
                                    static_cast<int>(weight.rows()),
                                    static_cast<int>(out.features())};
            for_each_element("embed_forward", stream_, out.replicas(), Packing(out), out.features() / W, body);
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
        if (parts.small && in_packs(d_out)) return embed_parts<T, 2>(*this, parts, tokens, d_out, d_weight, scratch);
        if (parts.small) return embed_parts<T, 1>(*this, parts, tokens, d_out, d_weight, scratch);
        const dim3 grid(grid_size(d_weight.rows()), grid_size(ceil_div(d_out.features(), 32)),
                        grid_size(d_out.replicas()));
        launch("embed_backward", embed_backward_kernel<T>, grid, dim3(32 * kWarps), 0, stream_, view<int>(tokens),
               view<T>(d_out), view<T>(d_weight), Packing(d_out), static_cast<int>(tokens.features()),
               static_cast<int>(d_weight.rows()), static_cast<int>(d_out.features()));
    });
}

}  // namespace whorl::gpu
