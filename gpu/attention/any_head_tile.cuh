// What a warp does with 16 queries (or keys) and a chunk of the other side. Its scores stay in registers: the lanes'
// results of one product are, in another order of the sum, their left side of the next.
#pragma once

#include "gpu/attention/any_head.cuh"

namespace whorl::gpu {

constexpr int kBlockWarps = kBlockThreads / 32;
/// Rows that all warps have together.
constexpr int kShareRows = kBlockWarps * kTileRows;

/// How a block's warps share a tile of at most 64 rows: each 16 of them are one warp's or several warps', who then take
/// turns at the chunks of the other side and add up at the end.
struct WarpShare {
    int groups, splits, group, split;
    __device__ explicit WarpShare(int rows) {
        const int warp = static_cast<int>(threadIdx.x) / 32;
        groups = (rows + kTileRows - 1) / kTileRows;
        splits = kBlockWarps / (groups > 2 ? 4 : groups);
        group = warp / splits;
        split = warp % splits;
    }
    __device__ bool idle() const { return group >= groups; }
    __device__ int row() const { return group * kTileRows; }
    /// Where split w has row i among kShareRows.
    __device__ int place(int i, int w) const { return (i / kTileRows * splits + w) * kTileRows + i % kTileRows; }
};

/// Scores of a warp's 16 rows and 16 · Count columns.
template <class T, int Count>
struct Chunk {
    static constexpr int kColumns = Count * kTileColumns;
    WarpTile<T> tile[Count];

    /// body(column, half of the rows, element) for the lane's elements of tiles [from, to).
    template <class Body>
    __device__ __forceinline__ void each(int from, int to, const Body& body) {
        each(*this, from, to, [&](int column, int half, T& element, T&) { body(column, half, element); });
    }
    /// The same with the other chunk's element.
    template <class Body>
    __device__ __forceinline__ void each(Chunk& other, int from, int to, const Body& body) {
#pragma unroll
        for (int i = 0; i < Count; ++i)
            if (from <= i && i < to)
#pragma unroll
                for (int n = 0; n < kEighths; ++n)
#pragma unroll
                    for (int x = 0; x < 4; ++x)
                        body(i * kTileColumns + 8 * n + 2 * lane_place() + x % 2, x / 2, tile[i].sum[n][x],
                             other.tile[i].sum[n][x]);
    }
};

/// chunk(i, j) = Σ_{c < depth} a[i][c] b[j][c] of tiles [from, to). depth: a multiple of 8, zeros behind the channels.
template <Products P, class T, int Count>
__device__ __forceinline__ void multiply_rows(Chunk<T, Count>& chunk, int from, int to, const T* a, const T* b, int ld,
                                              int depth) {
    chunk = {};
    const int own = lane_row() * ld + lane_place();
    a += own;
    b += own;
#pragma unroll 1
    for (int k = 0; k < depth; k += 8) {
        const Fragment<P, 4> x({a[k], a[8 * ld + k], a[k + 4], a[8 * ld + k + 4]});
#pragma unroll
        for (int i = 0; i < Count; ++i)
            if (from <= i && i < to)
#pragma unroll
                for (int n = 0; n < kEighths; ++n) {
                    const T* row = b + (i * kTileColumns + 8 * n) * ld + k;
                    multiply_add(chunk.tile[i].sum[n], x, Fragment<P, 2>({row[0], row[4]}));
                }
    }
}

/// A lane's part of 16 rows and Panel channels.
template <class T, int Panel>
struct PanelSums {
    T sum[Panel / 8][4] = {};

    /// += Σ_j chunk(i, j) rows[j][c] over tiles [from, to).
    template <Products P, int Count>
    __device__ __forceinline__ void add(const Chunk<T, Count>& chunk, int from, int to, const T* rows, int ld) {
        rows += 2 * lane_place() * ld + lane_row();
#pragma unroll
        for (int i = 0; i < Count; ++i)
            if (from <= i && i < to)
#pragma unroll
                for (int n = 0; n < kEighths; ++n) {
                    const T(&own)[4] = chunk.tile[i].sum[n];
                    const Fragment<P, 4> x({own[0], own[2], own[1], own[3]});  // columns 2t, 2t+1 in place of t, t+4
                    const T* row = rows + (i * kTileColumns + 8 * n) * ld;
#pragma unroll
                    for (int e = 0; e < Panel / 8; ++e)
                        multiply_add(sum[e], x, Fragment<P, 2>({row[8 * e], row[ld + 8 * e]}));
                }
    }
    __device__ __forceinline__ void scale(const T (&factor)[2]) {
#pragma unroll
        for (int e = 0; e < Panel / 8; ++e)
#pragma unroll
            for (int x = 0; x < 4; ++x) sum[e][x] *= factor[x / 2];
    }
    /// To the warp's own of kShareRows rows.
    __device__ __forceinline__ void store(T* shares, int ld) const {
        T* to = shares + (static_cast<int>(threadIdx.x) / 32 * kTileRows + lane_row()) * ld + 2 * lane_place();
#pragma unroll
        for (int e = 0; e < Panel / 8; ++e)
#pragma unroll
            for (int x = 0; x < 4; ++x) to[x / 2 * 8 * ld + 8 * e + x % 2] = sum[e][x];
    }
};

/// Element (i, c) of what the splits of a group have stored, in the order of the splits.
template <class T>
struct ShareSum {
    WarpShare share;
    const T* shares;
    int ld;
    __device__ T operator()(int i, int c) const {
        T sum = 0;
#pragma unroll 1
        for (int w = 0; w < share.splits; ++w) sum += shares[share.place(i, w) * ld + c];
        return sum;
    }
};

/// The online softmax of a lane's two rows over the chunks that its warp has.
template <class T>
struct RowSoftmax {
    T highest[2] = {-numerics::detail::infinity<T>, -numerics::detail::infinity<T>};
    T total[2] = {};  // of the lane's own columns

    /// chunk ← e^{chunk - maximum} in columns below `limit`, else 0. factor: what earlier sums have to be multiplied
    /// by.
    template <int Count>
    __device__ __forceinline__ void add(Chunk<T, Count>& chunk, int tiles, const int (&limit)[2], T (&factor)[2]) {
        T base[2] = {highest[0], highest[1]};
        chunk.each(0, tiles, [&](int column, int half, T& score) {
            if (column >= limit[half]) score = -numerics::detail::infinity<T>;
            base[half] = score > base[half] ? score : base[half];
        });
#pragma unroll
        for (int half = 0; half < 2; ++half) {
#pragma unroll
            for (int distance = 1; distance <= 2; distance *= 2) {
                const T other = __shfl_xor_sync(0xffffffffU, base[half], distance);
                base[half] = other > base[half] ? other : base[half];
            }
            const T before = highest[half];
            highest[half] = base[half];
            if (base[half] == -numerics::detail::infinity<T>) base[half] = 0;  // nothing seen yet
            factor[half] = numerics::exp(before - base[half]);
            total[half] *= factor[half];
        }
        chunk.each(0, tiles, [&](int, int half, T& score) {
            score = numerics::exp(score - base[half]);
            total[half] += score;
        });
    }
};

/// What a warp's chunks of a row come to: the maximum, Σ e^{s - max}, Σ e^{s - max} dp.
template <class T>
struct RowFacts {
    T highest, total, mean;
};

/// Leaves the rows' facts of each warp in shares; a barrier must follow.
template <class T>
__device__ __forceinline__ void store_facts(const RowSoftmax<T>& softmax, const T (&mean)[2], RowFacts<T>* shares) {
    RowFacts<T>* to = shares + static_cast<int>(threadIdx.x) / 32 * kTileRows + lane_row();
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const T total = tile_row_sum(softmax.total[half]), sum = tile_row_sum(mean[half]);
        if (lane_place() == 0) to[8 * half] = {softmax.highest[half], total, sum};
    }
}
/// Of row i, from the facts of all splits.
template <class T>
__device__ __forceinline__ RowWeights<T> weights_of_row(const WarpShare& share, const RowFacts<T>* shares, int i) {
    T highest = -numerics::detail::infinity<T>, total = 0, mean = 0;
#pragma unroll 1
    for (int w = 0; w < share.splits; ++w) {
        const T other = shares[share.place(i, w)].highest;
        highest = other > highest ? other : highest;
    }
#pragma unroll 1
    for (int w = 0; w < share.splits; ++w) {
        const RowFacts<T> part = shares[share.place(i, w)];
        const T factor = numerics::exp(part.highest - highest);
        total += factor * part.total;
        mean += factor * part.mean;
    }
    return {highest, T(1) / total, mean / total};
}

}  // namespace whorl::gpu
