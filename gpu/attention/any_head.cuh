// What the forward and the backward pass of attention share for heads of any size: the memory between their kernels,
// which kernel a head's size and a GPU's shared memory need.
//
// A block works on one head of one sequence and a tile of its queries (or keys), by chunks of the other side; no score
// leaves the block. Sums over channels and over chunks are products of the matrix units (any_head_tile.cuh).
#pragma once

#include <algorithm>

#include "gpu/attention/attention.cuh"
#include "gpu/tiles/tile_product.cuh"

namespace whorl::gpu {

__host__ __device__ constexpr int up_to_multiple(int n, int of) {
    return (n + of - 1) / of * of;
}

struct AnyHeadShape : AttentionShape {
    explicit AnyHeadShape(const AttentionShape& shape) : AttentionShape(shape) {}
    int tile = kOneTile, panel = 64;  // rows of a tile; channels whose sums a warp has at once
    /// Channels of a row in a block's memory, zeros behind the head's own.
    __host__ __device__ int depth() const { return up_to_multiple(k, panel); }
    __host__ __device__ int tile_rows() const { return least_of(tile, up_to_multiple(length, kTileRows)); }
    /// Keys that the forward pass has in memory at once. Decoding waits for memory more than for anything else.
    __host__ __device__ int key_rows() const {
        return least_of(length <= kTileRows ? 2 * tile : tile, up_to_multiple(earlier + length, kTileRows));
    }
    /// One tile has all: the backward pass keeps its weights in the block's memory.
    __host__ __device__ bool whole() const { return length <= tile; }
    __host__ __device__ int tiles() const { return (length + tile - 1) / tile; }
    std::int64_t tasks() const { return all_heads() * tiles(); }
};

/// From a row's scores to its weights p = largest · e^{s - highest}, and ⟨p, dp⟩.
template <class T>
struct RowWeights {
    T highest, largest, mean;
};

/// Activations are stored as S, the cache as T.
template <class T, class S>
struct AnyHeadViews {
    View<S> qkv, d_y;
    View<T> cache;
    const T *sin, *cos;  // [L, K/2]
};

/// Head h of sequence b, and one tile of queries (or keys). The last tiles begin first.
struct TileTask : HeadOfSequence {
    int tile;
    __device__ TileTask(const AnyHeadShape& s, std::int64_t index)
        : TileTask(s, index, s.replicas * s.batch * s.heads) {}

private:
    __device__ TileTask(const AnyHeadShape& s, std::int64_t index, std::int64_t heads)
        : HeadOfSequence(at(index % heads, s.batch, s.heads)), tile(s.tiles() - 1 - static_cast<int>(index / heads)) {}
};

/// Where a loop over panels ends: smaller panels than the largest are those of heads that have one.
template <class T, int Panel>
__device__ int panels_end(const AnyHeadShape& s) {
    return Panel < (sizeof(T) == sizeof(double) ? 32 : 64) ? Panel : s.k;
}

/// The largest tiles that shared memory has room for; else memory elsewhere. Memory: the block's buffers.
template <class T, template <class> class Memory>
struct AnyHeadPlan {
    AnyHeadPlan(const CudaBackend& backend, const AttentionShape& shape) : s(shape), blocks(plan(backend)) {}
    AnyHeadShape s;
    BlockPlan blocks;

private:
    BlockPlan plan(const CudaBackend& backend) {
        const std::int64_t limit = backend.shared_limit();
        s.panel = own_panel(s.k);
        for (s.tile = kOneTile; s.tile > kTileRows; s.tile /= 2)
            if (block_bytes<Memory<T>>(s) <= limit) break;
        if (block_bytes<Memory<T>>(s) > limit) s.panel = own_panel(64);  // the one kernel for memory elsewhere
        return {block_bytes<Memory<T>>(s), s.tasks(), limit, backend.multiprocessors()};
    }
    static int own_panel(int k) {
        if (sizeof(T) == sizeof(double)) return k <= 8 ? 8 : 32;
        return k <= 8 ? 8 : k <= 16 ? 16 : k <= 32 ? 32 : 64;
    }
};

/// body(P, Shared, Panel), constants: the kernel that a plan needs.
template <class T, class S, class Plan, class Body>
void with_any_head_kernel(const Plan& plan, Products products, const Body& body) {
    with_block_kernel<T, S>(plan.blocks, products, [&](auto chosen, auto shared) {
        const auto with = [&](auto panel) { body(chosen, shared, panel); };
        if constexpr (sizeof(T) == sizeof(double)) {
            if (plan.s.panel == 8) return with(std::integral_constant<int, 8>{});
            with(std::integral_constant<int, 32>{});
        } else {
            if constexpr (decltype(shared)::value) {
                if (plan.s.panel == 8) return with(std::integral_constant<int, 8>{});
                if (plan.s.panel == 16) return with(std::integral_constant<int, 16>{});
                if (plan.s.panel == 32) return with(std::integral_constant<int, 32>{});
            }
            with(std::integral_constant<int, 64>{});
        }
    });
}

/// Blocks of a kernel that share a multiprocessor's registers.
template <class T, int Panel, bool Shared>
constexpr int kAnyHeadBlocks = sizeof(T) == sizeof(double) || !Shared || Panel > 32 ? 1 : 2;

/// Buffers of the operation's scratch memory.
template <class T>
struct AnyHeadScratch {
    AnyHeadScratch(std::byte* base, const AnyHeadShape& s, const BlockPlan& blocks)
        : parts(base),
          angles(parts, s),
          row_weights(parts.take<RowWeights<T>>(s.whole() ? 0 : s.all_heads() * s.length)),
          outside(parts.take<std::byte>(blocks.scratch())) {}
    MemoryParts parts;
    AngleTables<T> angles;
    RowWeights<T>* row_weights;
    std::byte* outside;
};

/// Scratch memory that the backward pass needs.
std::int64_t any_head_backward_scratch(const CudaBackend& backend, DType dtype, const AttentionShape& s);

}  // namespace whorl::gpu
