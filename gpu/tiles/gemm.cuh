// Products of row-major matrices on the matrix units: c = op(a) op(b), cut into tiles by shape. Written here because
// the projections of small models (32…128 columns) are too small for a library's kernels to pay, and because each
// element is one sum in an order that one replica's shape and number of rows fix: replica r has the bits it has alone.
//
// Eight warps work on a tile, each on 32 × 32 of its elements, from panels that a pipeline of copies brings to shared
// memory. Wide tiles have all warps side by side; narrow ones have two groups of four that share the sum's places.
#pragma once

#include <algorithm>

#include "gpu/runtime/launch.cuh"
#include "gpu/tiles/operands.cuh"
#include "gpu/tiles/panel.cuh"

namespace whorl::gpu {

constexpr int kGemmThreads = 256, kGemmDepth = 32;

template <int WarpsM, int WarpsN, int WarpsK>
struct TileShape {
    static constexpr int kWarpsM = WarpsM, kWarpsN = WarpsN, kWarpsK = WarpsK;
    static constexpr int kM = 32 * WarpsM, kN = 32 * WarpsN;
    static constexpr int kBlocks = WarpsK == 2 ? 1 : 2;  // of 16 rows that a warp holds in the end
    static_assert(WarpsM * WarpsN * WarpsK * 32 == kGemmThreads && WarpsK <= 2);
};
using WideTile = TileShape<4, 2, 1>;
using NarrowTile = TileShape<2, 2, 2>;

/// Where a thread stands in a tile.
template <class Shape>
struct TilePlace {
    int row, column, half, g, t;  // of its warp's first element; which part of the sum; place in the fragments
    __device__ TilePlace() {
        const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
        row = warp / Shape::kWarpsN % Shape::kWarpsM * 32;
        column = warp % Shape::kWarpsN * 32;
        half = warp / (Shape::kWarpsM * Shape::kWarpsN);
        g = lane / 4;
        t = lane % 4;
    }
};

/// Where a tile begins.
struct TileAt {
    int m, n;
};

/// Shared memory of one product of matrices that are stored as SA and SB: a few slots of panels of both.
template <class T, class SA, class SB, Products P, class Shape, bool AAlong, bool BAlong>
struct TileProduct {
    using A = Panel<SA, AAlong, Shape::kM, kGemmDepth>;
    using B = Panel<SB, BAlong, Shape::kN, kGemmDepth>;
    static constexpr int kSlot = A::kBytes + B::kBytes;
    static constexpr int kExchange =  // that the halves of a sum swap
        Shape::kWarpsK == 2 ? kGemmThreads * 16 * static_cast<int>(sizeof(T)) : 0;
    using Sum = T[2][2][kEighths][4];  // of each 16 × 16 block of the warp's elements

    const Lines<SA>& a;
    const Lines<SB>& b;
    int m, n, begin, end;
    int slots, ahead;  // panels copied before they are needed; slots = min(ahead + 1, all steps)

    /// For each of `tiles` tiles, one after the other, finish(place, sum) with sum = op(a) op(b) over the places
    /// [begin, end) in the tile at place_of(number). The panels of a tile are on their way while the one before is
    /// finished; `finish` may use the shared memory only when there is a single tile.
    template <class PlaceOf, class Finish>
    __device__ void run(std::byte* shared, int tiles, const PlaceOf& place_of, const Finish& finish) const {
        const TilePlace<Shape> place;
        const int steps = (end - begin + kGemmDepth - 1) / kGemmDepth;
        Copies<PlaceOf> copies(*this, shared, tiles, steps, place_of);
        for (int step = 0; step < ahead; ++step) copies.next();
        int slot = 0;
        for (int tile = 0; tile < tiles; ++tile) {
            const TileAt at = place_of(tile);
            const bool busy = at.m + place.row < m && at.n + place.column < n;
            Sum sum = {};
            for (int step = 0; step < steps; ++step) {
                if (ahead > 0) wait_for_copies(ahead > 1);
                __syncthreads();  // everybody's copies have landed, and the slot to be filled is read no more
                copies.next();
                if (ahead == 0) {
                    wait_for_copies(false);
                    __syncthreads();
                }
                if (busy) add_products(shared + slot * kSlot, place, sum);
                slot = slot + 1 == slots ? 0 : slot + 1;
            }
            finish(at, sum);
        }
    }

private:
    /// The panels of all steps of all tiles, one after the other.
    template <class PlaceOf>
    struct Copies {
        const TileProduct& of;
        const PlaceOf& place_of;
        std::byte* const shared;
        int slot = 0, tile = 0, tiles, step = 0, steps;
        PanelStream<kGemmThreads, SA, AAlong, Shape::kM, kGemmDepth> a;
        PanelStream<kGemmThreads, SB, BAlong, Shape::kN, kGemmDepth> b;

        __device__ Copies(const TileProduct& product, std::byte* memory, int tile_count, int step_count,
                          const PlaceOf& places)
            : of(product),
              place_of(places),
              shared(memory),
              tiles(tile_count),
              steps(step_count),
              a(product.a, places(0).m, product.begin),
              b(product.b, places(0).n, product.begin) {}

        __device__ void next() {
            if (step == steps && ++tile < tiles) {
                a = {of.a, place_of(tile).m, of.begin};
                b = {of.b, place_of(tile).n, of.begin};
                step = 0;
            }
            if (step < steps) {
                a.copy(reinterpret_cast<SA*>(shared + slot * kSlot));
                b.copy(reinterpret_cast<SB*>(shared + slot * kSlot + A::kBytes));
                slot = slot + 1 == of.slots ? 0 : slot + 1;
                ++step;
            }
            end_of_copies();
        }
    };

    __device__ static void add_products(const std::byte* slot, const TilePlace<Shape>& at, Sum& sum) {
        const SA* a_panel = reinterpret_cast<const SA*>(slot);
        const SB* b_panel = reinterpret_cast<const SB*>(slot + A::kBytes);
#pragma unroll
        for (int i = 0; i < kGemmDepth / 16 / Shape::kWarpsK; ++i) {
            const int k = 16 * (i * Shape::kWarpsK + at.half);
            const Right<P> first = right(b_panel, at.column, k), second = right(b_panel, at.column + kTileColumns, k);
#pragma unroll
            for (int block = 0; block < 2; ++block) {
                const Left<P> rows = left(a_panel, at.row + kTileRows * block, k);
                multiply_add(sum[block][0], rows, first);
                multiply_add(sum[block][1], rows, second);
            }
        }
    }
    __device__ static Left<P> left(const SA* panel, int row, int k) {
        if constexpr (AAlong)
            return left_rows<P>(A::at(panel, row, k), A::kStride);
        else
            return left_columns<P>(A::at(panel, row, k), A::kStride);
    }
    __device__ static Right<P> right(const SB* panel, int column, int k) {
        if constexpr (BAlong)
            return right_rows<P>(B::at(panel, column, k), B::kStride);
        else
            return right_columns<P>(B::at(panel, column, k), B::kStride);
    }
};

/// What a thread holds of a finished tile: kBlocks blocks of 16 rows, each with pairs of neighbours in 4 × 2 places.
template <class T, class Shape>
struct TileValues {
    T value[Shape::kBlocks][4][4];
    TilePlace<Shape> place;

    /// Adds the halves of the sum where there are two; each half then holds 16 of the warp's 32 rows.
    __device__ TileValues(const T (&sum)[2][2][kEighths][4], std::byte* shared) {
        const auto of = [&](int block, int i) { return sum[block][i / 8][i / 4 % 2][i % 4]; };
        if constexpr (Shape::kWarpsK == 1) {
#pragma unroll
            for (int i = 0; i < 32; ++i) value[i / 16][i / 4 % 4][i % 4] = of(i / 16, i % 16);
        } else {
            constexpr int other_half = kGemmThreads / 2 * 16;
            T* own = reinterpret_cast<T*>(shared) + threadIdx.x / 32 * 512 + threadIdx.x % 32;
            const T* theirs = own + (place.half == 0 ? other_half : -other_half);
            __syncthreads();  // the panels are read no more
#pragma unroll
            for (int i = 0; i < 16; ++i) own[32 * i] = place.half == 0 ? of(1, i) : of(0, i);
            __syncthreads();
#pragma unroll
            for (int i = 0; i < 16; ++i)
                value[0][i / 4][i % 4] = (place.half == 0 ? of(0, i) : of(1, i)) + theirs[32 * i];
            place.row += 16 * place.half;
        }
    }

    static constexpr int kCount = 16 * Shape::kBlocks;
    /// Whether any of the warp's values lie in an m × n matrix; the tile begins at `at`.
    __device__ bool inside(const TileAt& at, int m, int n) const {
        return at.m + place.row < m && at.n + place.column < n;
    }
    /// Value i of kCount, an even i and the next one being neighbours in a row; its place in the tile.
    __device__ T at(int i) const {
        return value[i / 16][i / 4 % 4][i % 4];
    }
    __device__ int row(int i) const {
        return place.row + i / 16 * 16 + i / 2 % 2 * 8 + place.g;
    }
    __device__ int column(int i) const {
        return place.column + i / 4 % 4 * 8 + 2 * place.t + i % 2;
    }
};

/// A matrix that receives tiles of T and is stored as S.
template <class T, class S = T>
struct TileTarget {
    S* data;
    std::int64_t ld;
    int m, n;
    bool aligned;  // pairs that begin at an even column can be written at once

    __device__ void store(int row, int column, T first, T second) const {
        if (row >= m || column >= n) return;
        S* to = data + row * ld + column;
        if (aligned && column + 1 < n) {
            store_vector(to, Vector<T, 2>{first, second});
        } else {
            to[0] = first;
            if (column + 1 < n) to[1] = second;
        }
    }
    /// The tile that begins at `at`.
    template <class Shape>
    __device__ void store(const TileAt& at, const TileValues<T, Shape>& values) const {
#pragma unroll
        for (int i = 0; i < values.kCount; i += 2)
            store(at.m + values.row(i), at.n + values.column(i), values.at(i), values.at(i + 1));
    }
    /// Adds a thread's terms to the tile that begins at `at`: all that is there is loaded before anything is stored.
    template <class Shape, int Count>
    __device__ void add(const TileAt& at, const TileValues<T, Shape>& places, const T (&terms)[Count]) const {
        static_assert(Count == TileValues<T, Shape>::kCount);
        T sum[Count];
        const auto inside = [&](int i) { return at.m + places.row(i) < m && at.n + places.column(i) < n; };
        const auto place = [&](int i) { return (at.m + places.row(i)) * ld + at.n + places.column(i); };
#pragma unroll
        for (int i = 0; i < Count; ++i) sum[i] = inside(i) ? data[place(i)] + terms[i] : T(0);
#pragma unroll
        for (int i = 0; i < Count; ++i)
            if (inside(i)) data[place(i)] = sum[i];
    }
};

/// The same of all replicas; each has `lines` rows of its own.
template <class T, class S = T>
struct TileTargets {
    S* data;
    std::int64_t batch, ld;
    int length;
    bool aligned;
    __device__ TileTarget<T, S> of(std::int64_t replica, int lines) const {
        return {data + replica * batch, ld, lines, length, aligned};
    }
};

/// The matrices of all replicas, as Lines of one.
template <class T>
struct TileSource {
    const T* data;
    std::int64_t batch, ld;
    int length;
    bool aligned;
    __device__ Lines<T> of(std::int64_t replica, int lines) const {
        return {data + replica * batch, ld, lines, length, aligned};
    }
};

template <class T>
TileSource<T> tile_source(const Tensor& x) {
    const std::int64_t group = 16 / static_cast<std::int64_t>(sizeof(T));
    const bool aligned = reinterpret_cast<std::uintptr_t>(x.data) % 16 == 0 && x.row_stride() % group == 0 &&
                         (x.replicas() == 1 || x.stride[0] % group == 0);
    return {x.at<T>(), x.stride[0], x.row_stride(), static_cast<int>(x.features()), aligned};
}
template <class T, class S = T>
TileTargets<T, S> tile_target(const Tensor& y) {
    const bool aligned = reinterpret_cast<std::uintptr_t>(y.data) % (2 * sizeof(S)) == 0 && y.row_stride() % 2 == 0 &&
                         (y.replicas() == 1 || y.stride[0] % 2 == 0);
    return {y.at<S>(), y.stride[0], y.row_stride(), static_cast<int>(y.features()), aligned};
}

/// Slots of panels, and how many are copied ahead: two where shared memory has room, fewer elsewhere.
struct Pipeline {
    int slots, ahead;
    std::size_t bytes;
    /// `least`: bytes that are needed at the end, when the panels are read no more.
    Pipeline(std::int64_t slot_bytes, std::int64_t depth, std::int64_t limit, std::int64_t least,
             std::int64_t tiles = 1) {
        const std::int64_t steps = tiles * std::max<std::int64_t>(1, ceil_div(depth, kGemmDepth));
        ahead = static_cast<int>(std::clamp<std::int64_t>(limit / slot_bytes - 1, 0, 2));
        slots = static_cast<int>(std::min<std::int64_t>(ahead + 1, steps));
        bytes = static_cast<std::size_t>(std::max(slots * slot_bytes, least));
    }
};

}  // namespace whorl::gpu
