// y = x Wᵀ for every replica. Backward, one kernel: some blocks have tiles of d_x, others tiles of d_W over a part of
// the rows, all of which read d_y at about the same time. The parts of d_W are added in order by the blocks that come
// last.
#include "gpu/cuda_backend.hpp"
#include "gpu/gemm.cuh"
#include "gpu/last_block.cuh"

namespace whorl::gpu {
namespace {

constexpr int kWeightBlocks = 264;        // for the weight's gradient of one replica: two on each multiprocessor
constexpr std::int64_t kLeastRows = 128;  // of a part

/// Blocks that a multiprocessor's registers must hold at once: what the kernels reach without spilling.
template <Products P>
inline constexpr int kForwardBlocks = P == Products::float64   ? 1
                                      : P == Products::float32 ? 2
                                                               : 3;
template <Products P>
inline constexpr int kBackwardBlocks = P == Products::float64 ? 1 : 2;

template <class T>
struct LinearForward {
    TileSource<T> x, weight;
    TileTarget<T> y;
    int in, slots, ahead;
};

/// Grid: (tiles, replicas). Tiles of the same rows are neighbours.
template <class T, Products P, class Shape>
__global__ void __launch_bounds__(kGemmThreads, kForwardBlocks<P>) linear_forward_kernel(LinearForward<T> f) {
    T* shared = reinterpret_cast<T*>(dynamic_shared());
    const int across = (f.y.n + Shape::kN - 1) / Shape::kN, tile = static_cast<int>(blockIdx.x);
    const int first_m = tile / across * Shape::kM, first_n = tile % across * Shape::kN;
    const Lines<T> x = f.x.of(blockIdx.y), weight = f.weight.of(blockIdx.y);
    T sum[2][4][4] = {};
    TileProduct<T, P, Shape, true, true>{x, weight, first_m, first_n, f.y.m, f.y.n, 0, f.in, f.slots, f.ahead}.run(
        shared, sum);
    f.y.store(blockIdx.y, first_m, first_n, TileValues<T, Shape>(sum, shared));
}

/// The rows of one replica in parts for the weight's gradient; depends on one replica's shape only.
struct WeightParts {
    WeightParts(std::int64_t rows, std::int64_t out, std::int64_t in)
        : tiles(static_cast<int>(ceil_div(out, NarrowTile::kM) * ceil_div(in, NarrowTile::kN))) {
        const std::int64_t most = std::max<std::int64_t>(1, kWeightBlocks / tiles);
        const std::int64_t least = std::max(kLeastRows, ceil_div(rows, most));
        size = static_cast<int>(ceil_div(least, kGemmDepth) * kGemmDepth);
        count = static_cast<int>(std::max<std::int64_t>(1, ceil_div(rows, size)));
    }
    template <class T>
    BlockSums<T> sums() const {
        return {NarrowTile::kM * NarrowTile::kN, count};
    }
    int tiles, size, count;
};

template <class T>
struct LinearBackward {
    TileSource<T> x, weight, d_y;
    TileTarget<T> d_x, d_weight;
    WeightParts parts;
    BlockSums<T> sums;  // sets: tiles of d_W of each replica; columns: 16 values of each thread
    int rows, out, x_blocks, weight_blocks, slots, ahead;
};

template <class T, Products P>
using InputProduct = TileProduct<T, P, NarrowTile, true, false>;
template <class T, Products P>
using WeightProduct = TileProduct<T, P, NarrowTile, false, false>;

template <class T, Products P>
__device__ void input_tile(const LinearBackward<T>& f, int index, T* shared) {
    const int across = (f.d_x.n + NarrowTile::kN - 1) / NarrowTile::kN;
    const int first_m = index / across * NarrowTile::kM, first_n = index % across * NarrowTile::kN;
    const Lines<T> d_y = f.d_y.of(blockIdx.y), weight = f.weight.of(blockIdx.y);
    T sum[2][4][4] = {};
    InputProduct<T, P>{d_y, weight, first_m, first_n, f.d_x.m, f.d_x.n, 0, f.out, f.slots, f.ahead}.run(shared, sum);
    f.d_x.store(blockIdx.y, first_m, first_n, TileValues<T, NarrowTile>(sum, shared));
}

template <class T, Products P>
__device__ void weight_tile(const LinearBackward<T>& f, int index, T* shared) {
    const int across = (f.d_weight.n + NarrowTile::kN - 1) / NarrowTile::kN;
    const int tile = index % f.parts.tiles, part = index / f.parts.tiles;
    const int first_m = tile / across * NarrowTile::kM, first_n = tile % across * NarrowTile::kN;
    const int begin = part * f.parts.size, end = begin + f.parts.size < f.rows ? begin + f.parts.size : f.rows;
    const Lines<T> d_y = f.d_y.of(blockIdx.y), x = f.x.of(blockIdx.y);
    T sum[2][4][4] = {};
    WeightProduct<T, P>{d_y, x, first_m, first_n, f.d_weight.m, f.d_weight.n, begin, end, f.slots, f.ahead}.run(shared,
                                                                                                                sum);
    const TileValues<T, NarrowTile> values(sum, shared);
    const auto add = [&](int index_of_thread, T total) {
        f.d_weight.add(blockIdx.y, first_m + values.row(index_of_thread), first_n + values.column(index_of_thread),
                       total);
    };
    if (f.parts.count == 1) {
#pragma unroll
        for (int i = 0; i < 16; ++i) add(i, values.at(i));
        return;
    }
    const std::int64_t set = std::int64_t{blockIdx.y} * f.parts.tiles + tile;
    T* own = f.sums.part(set, part) + threadIdx.x;
#pragma unroll
    for (int i = 0; i < 16; ++i) own[i * kGemmThreads] = values.at(i);
    f.sums.template finish<8>(set, part, [&](int column, T total) { add(column / kGemmThreads, total); });
}

/// Grid: (tiles of d_x and parts of tiles of d_W, in turn; replicas).
template <class T, Products P>
__global__ void __launch_bounds__(kGemmThreads, kBackwardBlocks<P>) linear_backward_kernel(LinearBackward<T> f) {
    T* shared = reinterpret_cast<T*>(dynamic_shared());
    const int index = static_cast<int>(blockIdx.x);
    const int pairs = f.x_blocks < f.weight_blocks ? f.x_blocks : f.weight_blocks;
    const bool paired = index < 2 * pairs, for_weight = paired ? index % 2 == 1 : f.x_blocks < f.weight_blocks;
    const int own = paired ? index / 2 : index - pairs;
    if (for_weight)
        weight_tile<T, P>(f, own, shared);
    else
        input_tile<T, P>(f, own, shared);
}

template <class T, Products P, class Shape>
void forward(cudaStream_t stream, std::int64_t limit, const Tensor& x, const Tensor& weight, const Tensor& y) {
    using Product = TileProduct<T, P, Shape, true, true>;
    const Pipeline pipeline(Product::kSlot * std::int64_t{sizeof(T)}, x.features(), limit);
    const LinearForward<T> body{tile_source<T>(x, x.rows()),
                                tile_source<T>(weight, weight.rows()),
                                tile_target<T>(y, y.rows()),
                                static_cast<int>(x.features()),
                                pipeline.slots,
                                pipeline.ahead};
    const std::int64_t tiles = ceil_div(x.rows(), Shape::kM) * ceil_div(weight.rows(), Shape::kN);
    launch("linear_forward", linear_forward_kernel<T, P, Shape>, dim3(grid_size(tiles), grid_size(x.replicas())),
           dim3(kGemmThreads), pipeline.bytes, stream, body);
}

/// Calls body(std::integral_constant<Products, …>) with what floats are multiplied in, or float64.
template <class T, class Body>
void dispatch_products(Products products, const Body& body) {
    if constexpr (sizeof(T) == 8)
        body(std::integral_constant<Products, Products::float64>{});
    else if (products == Products::bf16)
        body(std::integral_constant<Products, Products::bf16>{});
    else if (products == Products::tf32)
        body(std::integral_constant<Products, Products::tf32>{});
    else
        body(std::integral_constant<Products, Products::float32>{});
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
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        dispatch_products<T>(products_, [&](auto products) {
            constexpr Products P = decltype(products)::value;
            const std::int64_t wide = ceil_div(x.rows(), WideTile::kM) * ceil_div(weight.rows(), WideTile::kN);
            if constexpr (sizeof(T) == 4)
                if (wide >= 2 * multiprocessors_) return forward<T, P, WideTile>(stream_, shared_limit_, x, weight, y);
            forward<T, P, NarrowTile>(stream_, shared_limit_, x, weight, y);
        });
    });
}

void CudaBackend::linear_backward(const Tensor& x, const Tensor& weight, const Tensor& d_y, const Tensor& d_x,
                                  const Tensor& d_weight, const Tensor& scratch) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        dispatch_products<T>(products_, [&](auto products) {
            constexpr Products P = decltype(products)::value;
            const std::int64_t rows = x.rows(), in = x.features(), out = weight.rows();
            const WeightParts parts(rows, out, in);
            const std::int64_t x_blocks = d_x ? ceil_div(rows, NarrowTile::kM) * ceil_div(in, NarrowTile::kN) : 0;
            const BlockSums<T> sums = parts.sums<T>();
            const std::int64_t sets = parts.count > 1 ? x.replicas() * parts.tiles : 0;
            const std::int64_t weight_blocks = std::int64_t{parts.tiles} * parts.count;
            const std::int64_t slot = std::max(InputProduct<T, P>::kSlot, WeightProduct<T, P>::kSlot);
            const Pipeline pipeline(slot * std::int64_t{sizeof(T)}, std::max<std::int64_t>(parts.size, out),
                                    shared_limit_);
            const LinearBackward<T> body{tile_source<T>(x, rows),
                                         tile_source<T>(weight, out),
                                         tile_source<T>(d_y, rows),
                                         d_x ? tile_target<T>(d_x, rows) : TileTarget<T>{},
                                         tile_target<T>(d_weight, out),
                                         parts,
                                         sums.at(scratch.at<T>(), tickets(sets * sums.ticket_count())),
                                         static_cast<int>(rows),
                                         static_cast<int>(out),
                                         static_cast<int>(x_blocks),
                                         static_cast<int>(weight_blocks),
                                         pipeline.slots,
                                         pipeline.ahead};
            launch("linear_backward", linear_backward_kernel<T, P>,
                   dim3(grid_size(x_blocks + weight_blocks), grid_size(x.replicas())), dim3(kGemmThreads),
                   pipeline.bytes, stream_, body);
        });
    });
}

}  // namespace whorl::gpu
