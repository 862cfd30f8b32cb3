// Rows of q, k, v and their gradients between global memory and a block's.
#pragma once

#include "gpu/attention/any_head.cuh"

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
template <class T, class S>
struct AnyHeadRows {
    const AnyHeadShape& s;
    const AnyHeadViews<T, S>& in;
    std::int64_t r, b, first_row;  // of the sequence among the replica's
    int h, length;

    __device__ AnyHeadRows(const AnyHeadShape& shape, const AnyHeadViews<T, S>& views, const TileTask& task)
        : s(shape),
          in(views),
          r(task.r),
          b(task.b),
          first_row(shape.sequences.first_row(task.r, task.b)),
          h(task.h),
          length(shape.sequences.length_of(task.r, task.b)) {}

    /// Position t of activations.
    __device__ S* at(const View<S>& tensor, int t) const { return tensor.row(r, first_row + t); }
    /// Channels of part 0, 1, 2 (q, k, v) of position t.
    __device__ S* part(const View<S>& qkv, int t, int which) const { return at(qkv, t) + which * s.width() + h * s.k; }
    __device__ T factor() const { return T(1) / numerics::sqrt(static_cast<T>(s.k)); }

    /// Rows [first, first + count) of q or k, turned by their positions and scaled.
    __device__ void load_turned(int first, int count, int which, T scale, T* to, int ld) const {
        const int half = s.rope ? s.half() : 0;
        spread(count, half, [&](int i, int j) {
            const S* row = part(in.qkv, first + i, which);
            const std::int64_t at = std::int64_t{first + i} * half + j;
            const auto turned = numerics::rotate<T>({row[j], row[half + j]}, in.cos[at], in.sin[at]);
            to[i * ld + j] = scale * turned.x;
            to[i * ld + half + j] = scale * turned.y;
        });
        spread(count, s.k - 2 * half,
               [&](int i, int c) { to[i * ld + 2 * half + c] = scale * part(in.qkv, first + i, which)[2 * half + c]; });
        clear_edges(to, ld, count, s.k, s.depth());
    }
    template <class From>
    __device__ void load(const From* from, std::int64_t stride, int count, T* to, int ld) const {
        copy_rows(count, s.k, to, ld, from, stride);
        clear_edges(to, ld, count, s.k, s.depth());
    }
    __device__ void load_queries(int first, int count, T* to, int ld) const {
        load_turned(first, count, 0, factor(), to, ld);
    }
    /// Keys and values [first, first + count) of the context: from the cache when there is one.
    __device__ void load_context(int first, int count, T* keys, T* values, int ld) const {
        if (in.cache) {
            const T* from = in.cache.at(r, b, first) + h * s.k;
            load(from, in.cache.stride2, count, keys, ld);
            load(from + s.width(), in.cache.stride2, count, values, ld);
        } else {
            load_turned(first, count, 1, T(1), keys, ld);
            load(part(in.qkv, first, 2), in.qkv.stride2, count, values, ld);
        }
    }
    __device__ void load_slopes(int first, int count, T* to, int ld) const {
        load(at(in.d_y, first) + h * s.k, in.d_y.stride2, count, to, ld);
    }

    /// The gradient slope(i, c) of turned and scaled rows back into part `which` of d_qkv.
    template <class Slope>
    __device__ void store_turned(const View<S>& d_qkv, int first, int count, int which, T scale,
                                 const Slope& slope) const {
        const int half = s.rope ? s.half() : 0;
        spread(count, half, [&](int i, int j) {
            S* row = part(d_qkv, first + i, which);
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
