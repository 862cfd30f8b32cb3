// y = x Wᵀ for every replica. Backward, one kernel: some blocks have tiles of d_x, others tiles of d_W over a part of
// the rows, all of which read d_y at about the same time. The parts of d_W are added in order by the blocks that come
// last.
#include "gpu/runtime/cuda_backend.hpp"
#include "gpu/runtime/last_block.cuh"
#include "gpu/tiles/gemm.cuh"

namespace whorl::gpu {
namespace {

constexpr int kWeightBlocks = 264;        // for the weight's gradient of one replica: two on each multiprocessor
constexpr std::int64_t kLeastRows = 128;  // of a part; twice as many where several tiles leave their parts in memory
constexpr std::int64_t kShortSum = 128;   // places

/// Blocks that a multiprocessor's registers must hold at once: what the kernels reach without spilling.
template <Products P>
inline constexpr int kForwardBlocks = P == Products::float64   ? 1
                                      : P == Products::float32 ? 2
                                                               : 3;
template <Products P>
inline constexpr int kBackwardBlocks = P == Products::float64 ? 1 : 2;

/// x is stored as X, y as Y.
template <class T, class X, class Y>
struct LinearForward {
    TileSource<X> x;
    TileSource<T> weight;
    TileTargets<T, Y> y;
    SequenceRows sequences;
    int in, tiles_per_block, slots, ahead;
};

/// Where tile number `index` of an m × n matrix begins. Tiles of the same rows are neighbours.
template <class Shape>
__device__ TileAt tile_at(int index, int n) {
    const int across = (n + Shape::kN - 1) / Shape::kN;
    return {index / across * Shape::kM, index % across * Shape::kN};
}

template <class Shape>
__device__ int tiles_of(int m, int n) {
    return (m + Shape::kM - 1) / Shape::kM * ((n + Shape::kN - 1) / Shape::kN);
}

/// Grid: (runs of neighbouring tiles, replicas).
template <class T, class X, class Y, Products P, class Shape>
__global__ void __launch_bounds__(kGemmThreads, kForwardBlocks<P>) linear_forward_kernel(LinearForward<T, X, Y> f) {
    std::byte* shared = dynamic_shared();
    const int rows = static_cast<int>(f.sequences.rows(blockIdx.y)), all = tiles_of<Shape>(rows, f.y.length);
    const int first = static_cast<int>(blockIdx.x) * f.tiles_per_block;
    if (first >= all) return;
    const Lines<X> x = f.x.of(blockIdx.y, rows);
    const Lines<T> weight = f.weight.of(blockIdx.y, f.y.length);
    const TileTarget<T, Y> y = f.y.of(blockIdx.y, rows);
    TileProduct<T, X, T, P, Shape, true, true>{x, weight, rows, f.y.length, 0, f.in, f.slots, f.ahead}.run(
        shared, all - first < f.tiles_per_block ? all - first : f.tiles_per_block,
        [&](int tile) { return tile_at<Shape>(first + tile, f.y.length); },
        [&](const TileAt& at, const auto& sum) { y.store(at, TileValues<T, Shape>(sum, shared)); });
}

/// The rows of one replica in parts for the weight's gradient; depends on one replica's shape and rows only.
struct WeightParts {
    WeightParts(std::int64_t rows, std::int64_t out, std::int64_t in)
        : tiles(static_cast<int>(ceil_div(out, NarrowTile::kM) * ceil_div(in, NarrowTile::kN))) {
        const std::int64_t most = std::max<std::int64_t>(1, kWeightBlocks / tiles);
        const std::int64_t least = std::max(tiles == 1 ? kLeastRows : 2 * kLeastRows, ceil_div(rows, most));
        size = static_cast<int>(ceil_div(least, kGemmDepth) * kGemmDepth);
        count = static_cast<int>(std::max<std::int64_t>(1, ceil_div(rows, size)));
    }
    template <class T>
    BlockSums<T> sums() const {
        return {NarrowTile::kM * NarrowTile::kN, count};
    }
    /// Rows of a part where a packed batch has fewer of them.
    __device__ int share(int rows) const {
        const int least = (rows + count - 1) / count;
        return (least + kGemmDepth - 1) / kGemmDepth * kGemmDepth;
    }
    int tiles, size, count;
};

/// x and d_x are stored as X, d_y as Y.
template <class T, class X, class Y>
struct LinearBackward {
    TileSource<X> x;
    TileSource<T> weight;
    TileSource<Y> d_y;
    TileTargets<T, X> d_x;
    TileTargets<T> d_weight;
    WeightParts parts;
    BlockSums<T> sums;  // sets: tiles of d_W of each replica; columns: 16 values of each thread
    SequenceRows sequences;
    int out, x_blocks, weight_blocks, slots, ahead;
};

template <class T, class Y, Products P, class Shape>
using InputProduct = TileProduct<T, Y, T, P, Shape, true, false>;
template <class T, class X, class Y, Products P>
using WeightProduct = TileProduct<T, Y, X, P, NarrowTile, false, false>;

template <class T, class X, class Y, Products P, class Shape>
__device__ void input_tile(const LinearBackward<T, X, Y>& f, int index, std::byte* shared) {
    const int rows = static_cast<int>(f.sequences.rows(blockIdx.y));
    const TileAt place = tile_at<Shape>(index, f.d_x.length);
    if (place.m >= rows) return;
    const Lines<Y> d_y = f.d_y.of(blockIdx.y, rows);
    const Lines<T> weight = f.weight.of(blockIdx.y, f.out);
    const TileTarget<T, X> d_x = f.d_x.of(blockIdx.y, rows);
    InputProduct<T, Y, P, Shape>{d_y, weight, rows, d_x.n, 0, f.out, f.slots, f.ahead}.run(
        shared, 1, [&](int) { return place; },
        [&](const TileAt& at, const auto& sum) { d_x.store(at, TileValues<T, Shape>(sum, shared)); });
}

/// d_W += a finished tile, or what its part of the rows adds to it.
template <class T, class X, class Y>
__device__ void finish_weight_tile(const LinearBackward<T, X, Y>& f, int tile, int part, const TileAt& at,
                                   const TileValues<T, NarrowTile>& values) {
    const bool live = values.inside(at, f.out, f.d_weight.length);
    constexpr int vector = BlockSums<T>::kVector, vectors = 16 / vector;
    T total[16];
#pragma unroll
    for (int i = 0; i < 16; ++i) total[i] = values.at(i);
    const TileTarget<T> d_weight = f.d_weight.of(blockIdx.y, f.out);
    if (f.parts.count == 1) return d_weight.add(at, values, total);
    const std::int64_t set = std::int64_t{blockIdx.y} * f.parts.tiles + tile;
    if (live) {
#pragma unroll
        for (int p = 0; p < vectors; ++p) f.sums.store_own_vector(f.sums.part(set, part), p, total + p * vector);
    }
    bool last = false;
    f.sums.template finish_vectors<vectors>(set, part, live, [&](int p, const T* of_all) {
        last = true;
#pragma unroll
        for (int e = 0; e < vector; ++e) total[p * vector + e] = of_all[e];
    });
    if (last) d_weight.add(at, values, total);
}

template <class T, class X, class Y, Products P>
__device__ void weight_tile(const LinearBackward<T, X, Y>& f, int index, std::byte* shared) {
    const int tile = index % f.parts.tiles, part = index / f.parts.tiles;
    const int rows = static_cast<int>(f.sequences.rows(blockIdx.y)), size = f.parts.share(rows);
    const int begin = part * size < rows ? part * size : rows, end = begin + size < rows ? begin + size : rows;
    const Lines<Y> d_y = f.d_y.of(blockIdx.y, rows);
    const Lines<X> x = f.x.of(blockIdx.y, rows);
    WeightProduct<T, X, Y, P>{d_y, x, f.out, f.d_weight.length, begin, end, f.slots, f.ahead}.run(
        shared, 1, [&](int) { return tile_at<NarrowTile>(tile, f.d_weight.length); },
        [&](const TileAt& at, const auto& sum) {
            finish_weight_tile(f, tile, part, at, TileValues<T, NarrowTile>(sum, shared));
        });
}

/// Grid: (tiles of d_x and parts of tiles of d_W, in turn; replicas).
template <class T, class X, class Y, Products P, class Shape>
__global__ void __launch_bounds__(kGemmThreads, kBackwardBlocks<P>) linear_backward_kernel(LinearBackward<T, X, Y> f) {
    std::byte* shared = dynamic_shared();
    const int index = static_cast<int>(blockIdx.x);
    const int pairs = f.x_blocks < f.weight_blocks ? f.x_blocks : f.weight_blocks;
    const bool paired = index < 2 * pairs, for_weight = paired ? index % 2 == 1 : f.x_blocks < f.weight_blocks;
    const int own = paired ? index / 2 : index - pairs;
    if (for_weight)
        weight_tile<T, X, Y, P>(f, own, shared);
    else
        input_tile<T, X, Y, P, Shape>(f, own, shared);
}

/// Neighbouring tiles that a block makes one after the other: as many as leave every multiprocessor its blocks. (Tiles
/// that share the sum's places use the panels' memory at their end.)
template <class Shape>
std::int64_t tiles_in_a_run(std::int64_t tiles, std::int64_t blocks) {
    constexpr std::int64_t most = 16;
    return Shape::kWarpsK == 1 ? std::clamp<std::int64_t>(ceil_div(tiles, blocks), 1, most) : 1;
}

template <class T, class X, class Y, Products P, class Shape>
void forward(const CudaBackend& backend, const Tensor& x, const Tensor& weight, const Tensor& y) {
    using Product = TileProduct<T, X, T, P, Shape, true, true>;
    const std::int64_t tiles = ceil_div(x.rows(), Shape::kM) * ceil_div(weight.rows(), Shape::kN);
    const std::int64_t run = tiles_in_a_run<Shape>(
        tiles, std::max<std::int64_t>(1, backend.multiprocessors() * kForwardBlocks<P> / x.replicas()));
    const Pipeline pipeline(Product::kSlot, x.features(), backend.shared_limit(), Product::kExchange, run);
    const LinearForward<T, X, Y> body{tile_source<X>(x),
                                      tile_source<T>(weight),
                                      tile_target<T, Y>(y),
                                      SequenceRows(x),
                                      static_cast<int>(x.features()),
                                      static_cast<int>(run),
                                      pipeline.slots,
                                      pipeline.ahead};
    launch("linear_forward", linear_forward_kernel<T, X, Y, P, Shape>,
           dim3(grid_size(ceil_div(tiles, run)), grid_size(x.replicas())), dim3(kGemmThreads), pipeline.bytes,
           backend.stream(), body);
}

template <class T, class X, class Y, Products P, class Shape>
void backward(const CudaBackend& backend, const Tensor& x, const Tensor& weight, const Tensor& d_y, const Tensor& d_x,
              const Tensor& d_weight, const Tensor& scratch) {
    const std::int64_t rows = x.rows(), in = x.features(), out = weight.rows();
    const WeightParts parts(rows, out, in);
    const std::int64_t x_blocks = d_x ? ceil_div(rows, Shape::kM) * ceil_div(in, Shape::kN) : 0;
    const BlockSums<T> sums = parts.sums<T>();
    const std::int64_t sets = parts.count > 1 ? x.replicas() * parts.tiles : 0;
    const std::int64_t weight_blocks = std::int64_t{parts.tiles} * parts.count;
    using ForInput = InputProduct<T, Y, P, Shape>;
    using ForWeight = WeightProduct<T, X, Y, P>;
    const Pipeline pipeline(std::max(ForInput::kSlot, ForWeight::kSlot), std::max<std::int64_t>(parts.size, out),
                            backend.shared_limit(), std::max(ForInput::kExchange, ForWeight::kExchange));
    const LinearBackward<T, X, Y> body{tile_source<X>(x),
                                       tile_source<T>(weight),
                                       tile_source<Y>(d_y),
                                       d_x ? tile_target<T, X>(d_x) : TileTargets<T, X>{},
                                       tile_target<T>(d_weight),
                                       parts,
                                       sums.at(scratch.at<T>(), backend.tickets(sets * sums.ticket_count())),
                                       SequenceRows(x),
                                       static_cast<int>(out),
                                       static_cast<int>(x_blocks),
                                       static_cast<int>(weight_blocks),
                                       pipeline.slots,
                                       pipeline.ahead};
    launch("linear_backward", linear_backward_kernel<T, X, Y, P, Shape>,
           dim3(grid_size(x_blocks + weight_blocks), grid_size(x.replicas())), dim3(kGemmThreads), pipeline.bytes,
           backend.stream(), body);
}

/// Tiles of all of a replica's rows, if they are wide.
std::int64_t wide_tiles(std::int64_t rows, std::int64_t columns) {
    return ceil_div(rows, WideTile::kM) * ceil_div(columns, WideTile::kN);
}

/// Calls body(tile shape). Doubles would not find room for wide tiles.
template <class T, class Body>
void dispatch_shape(bool wide, const Body& body) {
    if constexpr (sizeof(T) == 4)
        if (wide) return body(WideTile{});
    body(NarrowTile{});
}

/// Calls body(T{}, X{}, Y{}, P) for x and y (or d_y), of which y may be of the residual stream or logits.
template <class Body>
void dispatch_linear(Products products, DType x, DType y, const Body& body) {
    dispatch_stored(x, [&](auto scalar, auto stored) {
        using T = decltype(scalar);
        using X = decltype(stored);
        with_stored_products<T, X>(products, [&](auto used) {
            if constexpr (!std::is_same_v<T, X>)
                if (y != x) return body(T{}, X{}, T{}, used);
            body(T{}, X{}, X{}, used);
        });
    });
}

}  // namespace

OpMemory CudaBackend::linear_memory(const Tensor& x, const Tensor& weight) {
    const WeightParts parts(x.rows(), weight.rows(), weight.features());
    OpMemory memory;
    dispatch(x.dtype, [&](auto scalar) {
        if (parts.count > 1) memory.scratch = x.replicas() * parts.tiles * parts.sums<decltype(scalar)>().bytes();
    });
    return memory;
}

void CudaBackend::linear_forward(const Tensor& x, const Tensor& weight, const Tensor& y) {
    dispatch_linear(products_, x.dtype, y.dtype, [&]<class T, class X, class Y>(T, X, Y, auto products) {
        constexpr Products P = decltype(products)::value;
        dispatch_shape<T>(wide_tiles(x.rows(), weight.rows()) >= 2 * multiprocessors_,
                          [&](auto shape) { forward<T, X, Y, P, decltype(shape)>(*this, x, weight, y); });
    });
}

void CudaBackend::linear_backward(const Tensor& x, const Tensor& weight, const Tensor& d_y, const Tensor& d_x,
                                  const Tensor& d_weight, const Tensor& scratch) {
    dispatch_linear(products_, x.dtype, d_y.dtype, [&]<class T, class X, class Y>(T, X, Y, auto products) {
        constexpr Products P = decltype(products)::value;
        // Of short sums, narrow tiles take longer to begin than to do; of long ones, wide tiles leave processors idle
        // unless there are many.
        const std::int64_t wide = wide_tiles(x.rows(), x.features());
        const bool short_sum = weight.rows() <= kShortSum;
        dispatch_shape<T>(wide >= (short_sum ? multiprocessors_ / 2 : 4 * multiprocessors_), [&](auto shape) {
            backward<T, X, Y, P, decltype(shape)>(*this, x, weight, d_y, d_x, d_weight, scratch);
        });
    });
}

}  // namespace whorl::gpu
