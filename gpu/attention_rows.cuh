// Rows of q, k, v and their gradients between global memory and a block's.
#pragma once

#include "gpu/attention.cuh"

namespace whorl::gpu {

/// Zeros behind a matrix's columns up to `width`, and in the rows that 16s have behind its own: products of whole tiles
/// read them.
template <class T>
__device__ void clear_edges(T* to, int ld, int rows, int columns, int width) {
    if (columns < width) spread(rows, width - columns, [&](int i, int c) { to[i * ld + columns + c] = 0; });
    const int missing = up_to_multiple(rows, kTileRows) - rows;
    if (missing > 0) spread(missing, width, [&](int i, int c) { to[(rows + i) * ld + c] = 0; });
}

/// One head of one sequence.
template <class T>
struct HeadRows {
    const AttentionShape& s;
    const AttentionViews<T>& in;
    std::int64_t r, b;
    int h;

    /// Channels of part 0, 1, 2 (q, k, v) of position t.
    __device__ T* part(const View<T>& qkv, int t, int which) const {
        return qkv.at(r, b, t) + which * s.width() + h * s.k;
    }
    __device__ T factor() const { return T(1) / numerics::sqrt(static_cast<T>(s.k)); }

    /// Rows [first, first + count) of q or k, turned by their positions and scaled.
    __device__ void load_turned(int first, int count, int which, T scale, T* to, int ld) const {
        const int half = s.rope ? s.half() : 0;
        spread(count, half, [&](int i, int j) {
            const T* row = part(in.qkv, first + i, which);
            const std::int64_t at = std::int64_t{first + i} * half + j;
            const auto turned = numerics::rotate<T>({row[j], row[half + j]}, in.cos[at], in.sin[at]);
            to[i * ld + j] = scale * turned.x;
            to[i * ld + half + j] = scale * turned.y;
        });
        spread(count, s.k - 2 * half,
               [&](int i, int c) { to[i * ld + 2 * half + c] = scale * part(in.qkv, first + i, which)[2 * half + c]; });
        clear_edges(to, ld, count, s.k, s.depth());
    }
    __device__ void load(const View<T>& from, int first, int count, int channel, T* to, int ld) const {
        copy_rows(count, s.k, to, ld, from.at(r, b, first) + channel, from.stride2);
        clear_edges(to, ld, count, s.k, s.depth());
    }
    __device__ void load_queries(int first, int count, T* to, int ld) const {
        load_turned(first, count, 0, factor(), to, ld);
    }
    /// Keys and values [first, first + count) of the context: from the cache when there is one.
    __device__ void load_context(int first, int count, T* keys, T* values, int ld) const {
        if (in.cache) {
            load(in.cache, first, count, h * s.k, keys, ld);
            load(in.cache, first, count, s.width() + h * s.k, values, ld);
        } else {
            load_turned(first, count, 1, T(1), keys, ld);
            load(in.qkv, first, count, 2 * s.width() + h * s.k, values, ld);
        }
    }
    __device__ void load_slopes(int first, int count, T* to, int ld) const {
        load(in.d_y, first, count, h * s.k, to, ld);
    }

    /// The gradient slope(i, c) of turned and scaled rows back into part `which` of d_qkv.
    template <class Slope>
    __device__ void store_turned(const View<T>& d_qkv, int first, int count, int which, T scale,
                                 const Slope& slope) const {
        const int half = s.rope ? s.half() : 0;
        spread(count, half, [&](int i, int j) {
            T* row = part(d_qkv, first + i, which);
            const std::int64_t at = std::int64_t{first + i} * half + j;
            const auto back =
                numerics::rotate_back<T>({scale * slope(i, j), scale * slope(i, half + j)}, in.cos[at], in.sin[at]);
            row[j] = back.x;
            row[half + j] = back.y;
        });
        spread(count, s.k - 2 * half,
               [&](int i, int c) { part(d_qkv, first + i, which)[2 * half + c] = scale * slope(i, 2 * half + c); });
    }
};

}  // namespace whorl::gpu
