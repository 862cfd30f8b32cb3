// Rows under RMSNorm, forward and backward, as a few lanes of a warp see them: each lane has a piece of 16 bytes (four
// of longer rows; rows that are longer still are read twice).
#pragma once

#include "core/numerics/mixer_terms.hpp"
#include "gpu/tiles/vector.cuh"

namespace whorl::gpu {

/// How a row of n features lies in `lanes` neighbouring lanes: pieces of Width, Kept of them in a lane's registers;
/// with one, that is the whole row.
template <class T, int Width, int Kept>
struct NormRow {
    using Piece = Vector<T, Width>;
    int n, lanes;

    /// Calls body(first feature) for the lane's share, which comes in one go or, of a long row, in several.
    template <class Body>
    __device__ void for_shares(int lane, const Body& body) const {
        if constexpr (Kept == 1) {
            if (lane * Width < n) body(lane * Width);
        } else {
            for (int first = lane * Width; first < n; first += Kept * lanes * Width) body(first);
        }
    }
    __device__ bool kept() const { return Kept == 1 || n <= Kept * lanes * Width; }

    /// Calls body(i, feature) for the pieces of a share.
    template <class Body>
    __device__ void for_pieces(int first, const Body& body) const {
#pragma unroll
        for (int i = 0; i < Kept; ++i)
            if (Kept == 1 || first + i * lanes * Width < n) body(i, first + i * lanes * Width);
    }
    /// The pieces of a share, zero when the row is not there.
    template <class S>
    __device__ void load(Piece (&pieces)[Kept], const S* row, int first) const {
#pragma unroll
        for (int i = 0; i < Kept; ++i) pieces[i] = {};
        if (row) for_pieces(first, [&](int i, int j) { pieces[i] = load_vector<Width>(row + j); });
    }
    /// The sum over the row's lanes, the same in all of them. Called by whole warps. (The parts of a warp that
    /// cub::WarpReduce adds have a size that is known when compiling.)
    __device__ T add_lanes(T value) const {
        for (int distance = lanes / 2; distance > 0; distance /= 2)
            value += __shfl_xor_sync(0xffffffffU, value, distance);
        return value;
    }
};

/// Calls body(NormRow) for rows of n features: as few lanes as have a row in one piece each, else a whole warp.
template <class T, class Body>
void with_norm_row(std::int64_t n, bool vectors, const Body& body) {
    dispatch_width<T>(vectors, [&](auto width) {
        constexpr int W = decltype(width)::value;
        int lanes = 1;
        while (lanes < 32 && lanes * W < n) lanes *= 2;
        if (lanes * W >= n)
            body(NormRow<T, W, 1>{static_cast<int>(n), lanes});
        else
            body(NormRow<T, W, 4>{static_cast<int>(n), lanes});
    });
}

/// Rows of one kind that belong to rows of another: slots to rows of the batch, or the other way.
struct ChosenRows {
    View<int> row_of, slot_of;  // absent: every row is its own
    int slots;

    /// The row of slot m, -1 for none.
    __device__ std::int64_t row(std::int64_t r, std::int64_t m) const { return row_of ? row_of.at(r)[m] : m; }
    __device__ void remember(std::int64_t r, std::int64_t row, std::int64_t m) const {
        if (slot_of) slot_of.at(r)[row] = static_cast<int>(m);
    }
    /// The slot of a row, -1 for none. What a row that was not chosen finds in slot_of is from an earlier time.
    __device__ int slot(std::int64_t r, std::int64_t row) const {
        const int m = slot_of.at(r)[row];
        return m >= 0 && m < slots && row_of.at(r)[m] == row ? m : -1;
    }
};

/// Rows of T, whose norm is stored as S.
template <class T, class S, int Width, int Kept>
struct NormForward {
    NormRow<T, Width, Kept> shape;
    ChosenRows chosen;
    View<T> x, residual, sum, weight;
    View<S> y;
    View<T> inverse;
    bool keeps_sum;  // else x is the sum
    T epsilon;

    __device__ void row(std::int64_t r, std::int64_t index, bool inside, int lane) const {
        using Piece = Vector<T, Width>;
        const std::int64_t from = inside ? chosen.row(r, index) : -1;
        const T* in = from >= 0 ? x.row(r, from) : nullptr;
        const T* extra = from >= 0 && residual ? residual.row(r, from) : nullptr;
        T* total = inside && keeps_sum ? sum.row(r, index) : nullptr;
        Piece value[Kept] = {}, other[Kept] = {};
        T square = 0;
        shape.for_shares(lane, [&](int first) {
            shape.load(value, in, first);
            shape.load(other, extra, first);
            shape.for_pieces(first, [&](int i, int j) {
#pragma unroll
                for (int e = 0; e < Width; ++e) {
                    value[i].at[e] += other[i].at[e];
                    square += value[i].at[e] * value[i].at[e];
                }
                if (total) store_vector(total + j, value[i]);
            });
        });
        const T scale = numerics::inverse_rms(shape.add_lanes(square), static_cast<T>(shape.n), epsilon);
        if (!inside) return;
        if (lane == 0) {
            *inverse.row(r, index) = scale;
            if (from >= 0) chosen.remember(r, from, index);
        }
        S* out = y.row(r, index);
        shape.for_shares(lane, [&](int first) {
            if (!shape.kept()) shape.load(value, total ? total : in, first);  // each lane reads what it wrote
            shape.load(other, weight.at(r), first);
            shape.for_pieces(first, [&](int i, int j) {
#pragma unroll
                for (int e = 0; e < Width; ++e) value[i].at[e] = other[i].at[e] * (value[i].at[e] * scale);
                store_vector(out + j, value[i]);
            });
        });
    }
};

template <class T, class S, int Width, int Kept>
struct NormBackward {
    using Piece = Vector<T, Width>;
    NormRow<T, Width, Kept> shape;
    View<T> sum, weight, inverse;
    View<S> d_y;
    View<T> d_x;

    /// Row `from` of the norm (< 0: none), whose gradient goes to d_x's row `index` or, with Overwrite, is this.
    /// visit(i, feature, d_weight's terms) for each piece of a share.
    template <bool Overwrite, class Visit>
    __device__ void row(std::int64_t r, std::int64_t index, std::int64_t from, bool inside, int lane,
                        const Visit& visit) const {
        const T* in = from >= 0 ? sum.row(r, from) : nullptr;
        const S* slope = from >= 0 ? d_y.row(r, from) : nullptr;
        const T scale = from >= 0 ? *inverse.row(r, from) : T(0);
        T* out = inside ? d_x.row(r, index) : nullptr;
        Piece x[Kept] = {}, d[Kept] = {}, w[Kept] = {}, before[Kept] = {};
        T projection = 0;
        const auto load = [&](int first) {
            shape.load(x, in, first);
            shape.load(d, slope, first);
            shape.load(before, Overwrite ? nullptr : out, first);
            shape.load(w, weight.at(r), first);
        };
        shape.for_shares(lane, [&](int first) {
            load(first);
            shape.for_pieces(first, [&](int i, int) {
#pragma unroll
                for (int e = 0; e < Width; ++e) projection += d[i].at[e] * w[i].at[e] * x[i].at[e];
            });
        });
        const T pull = shape.add_lanes(projection) * scale * scale / static_cast<T>(shape.n);
        if (!inside) return;
        shape.for_shares(lane, [&](int first) {
            if (!shape.kept()) load(first);
            shape.for_pieces(first, [&](int i, int j) {
#pragma unroll
                for (int e = 0; e < Width; ++e) {  // fma by hand: compilers round now one product, now the other
                    before[i].at[e] += scale * numerics::fma(d[i].at[e], w[i].at[e], -(x[i].at[e] * pull));
                    d[i].at[e] *= x[i].at[e] * scale;
                }
                store_vector(out + j, before[i]);
                visit(i, j, d[i]);
            });
        });
    }
};

/// The weight's gradient that a block gathers: [groups of lanes][n] in shared memory; of short rows, each lane's share
/// in registers until the end.
template <class T, int Width, int Kept>
struct NormWeightSums {
    const NormRow<T, Width, Kept>& shape;
    T* own;
    int lane;
    Vector<T, Width> kept[Kept] = {};

    __device__ void clear() {
        if (!shape.kept())
            for (int j = lane; j < shape.n; j += shape.lanes) own[j] = 0;
        __syncwarp();
    }
    __device__ void add(int i, int feature, const Vector<T, Width>& terms) {
#pragma unroll
        for (int e = 0; e < Width; ++e)
            if (shape.kept())
                kept[i].at[e] += terms.at[e];
            else
                own[feature + e] += terms.at[e];
    }
    __device__ void leave() {
        if (!shape.kept()) return;
        shape.for_shares(
            lane, [&](int first) { shape.for_pieces(first, [&](int i, int j) { store_vector(own + j, kept[i]); }); });
    }
};

}  // namespace whorl::gpu
