// What the forward and the backward pass of attention share: shapes, the memory between their kernels, which kernel a
// head's size and a GPU's shared memory need.
//
// A block works on one head of one sequence and a tile of its queries (or keys), by chunks of the other side; no score
// leaves the block. Sums over channels and over chunks are products of the matrix units (attention_tile.cuh).
#pragma once

#include <algorithm>

#include "core/numerics/rotation.hpp"
#include "gpu/runtime/cuda_backend.hpp"
#include "gpu/runtime/head_task.cuh"
#include "gpu/tiles/tile_product.cuh"

namespace whorl::gpu {

__host__ __device__ constexpr int up_to_multiple(int n, int of) {
    return (n + of - 1) / of * of;
}

struct AttentionShape {
    std::int64_t replicas = 0, batch = 0;
    SequenceRows sequences;             // of the sequences
    int length = 0;                     // of a sequence, at most
    int heads = 0, k = 0, earlier = 0;  // earlier: keys in the cache, before the first query
    bool rope = false;
    int tile = 64, panel = 64;  // rows of a tile; channels whose sums a warp has at once
    __host__ __device__ int width() const { return heads * k; }
    __host__ __device__ int half() const { return k / 2; }
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
    std::int64_t tasks() const { return replicas * batch * heads * tiles(); }
};

/// From a row's scores to its weights p = largest · e^{s - highest}, and ⟨p, dp⟩.
template <class T>
struct RowWeights {
    T highest, largest, mean;
};

/// Activations are stored as S, the cache as T.
template <class T, class S>
struct AttentionViews {
    View<S> qkv, d_y;
    View<T> cache;
    const T *sin, *cos;  // [L, K/2]
};

/// Head h of sequence b, and one tile of queries (or keys). The last tiles begin first.
struct TileTask : HeadOfSequence {
    int tile;
    __device__ TileTask(const AttentionShape& s, std::int64_t index)
        : TileTask(s, index, s.replicas * s.batch * s.heads) {}

private:
    __device__ TileTask(const AttentionShape& s, std::int64_t index, std::int64_t heads)
        : HeadOfSequence(at(index % heads, s.batch, s.heads)), tile(s.tiles() - 1 - static_cast<int>(index / heads)) {}
};

/// Where a loop over panels ends: smaller panels than the largest are those of heads that have one.
template <class T, int Panel>
__device__ int panels_end(const AttentionShape& s) {
    return Panel < (sizeof(T) == sizeof(double) ? 32 : 64) ? Panel : s.k;
}

/// The largest tiles that shared memory has room for; else memory elsewhere. Memory: the block's buffers.
template <class T, template <class> class Memory>
struct AttentionPlan {
    AttentionPlan(const CudaBackend& backend, AttentionShape shape) : s(shape), blocks(plan(backend)) {}
    AttentionShape s;
    BlockPlan blocks;

private:
    BlockPlan plan(const CudaBackend& backend) {
        const std::int64_t limit = backend.shared_limit();
        s.panel = own_panel(s.k);
        for (s.tile = 64; s.tile > kTileRows; s.tile /= 2)
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
void with_attention_kernel(const Plan& plan, Products products, const Body& body) {
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
constexpr int kAttentionBlocks = sizeof(T) == sizeof(double) || !Shared || Panel > 32 ? 1 : 2;

/// Buffers of the operation's scratch memory.
template <class T>
struct AttentionScratch {
    AttentionScratch(std::byte* base, const AttentionShape& s, const BlockPlan& blocks) {
        const auto take = [&](std::int64_t size) {
            std::byte* part = base + bytes;
            bytes += (size + kAlignment - 1) / kAlignment * kAlignment;
            return part;
        };
        const std::int64_t angles = std::int64_t{s.length} * s.half() * static_cast<std::int64_t>(sizeof(T));
        sin = reinterpret_cast<T*>(take(angles));
        cos = reinterpret_cast<T*>(take(angles));
        row_weights = reinterpret_cast<RowWeights<T>*>(take(
            s.whole() ? 0
                      : s.replicas * s.batch * s.heads * s.length * static_cast<std::int64_t>(sizeof(RowWeights<T>))));
        outside = take(blocks.scratch());
    }
    std::int64_t bytes = 0;
    T *sin, *cos;
    RowWeights<T>* row_weights;
    std::byte* outside;
};

inline AttentionShape attention_shape(const AttentionConfig& c, const Tensor& qkv, std::int64_t earlier) {
    AttentionShape s;
    s.replicas = qkv.replicas();
    s.batch = qkv.shape[1];
    s.sequences = SequenceRows(qkv);
    s.length = static_cast<int>(qkv.shape[2]);
    s.heads = static_cast<int>(c.num_heads);
    s.k = static_cast<int>(c.head_dim);
    s.earlier = static_cast<int>(earlier);
    s.rope = c.positions == Positions::rope;
    return s;
}

template <class T>
__global__ void angle_kernel(T* sin, T* cos, std::int64_t first, int count, int half) {
    const int index = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    if (index >= count * half) return;
    const auto turn = numerics::sincos(numerics::rope_angle<T>(first + index / half, index % half, half));
    sin[index] = turn.sin;
    cos[index] = turn.cos;
}

template <class T>
void make_angles(const CudaBackend& backend, const AttentionShape& s, const AttentionScratch<T>& work,
                 std::int64_t first) {
    if (!s.rope || s.half() == 0) return;
    launch("attention", angle_kernel<T>, dim3(grid_size(ceil_div(std::int64_t{s.length} * s.half(), 256))), dim3(256),
           0, backend.stream(), work.sin, work.cos, first, s.length, s.half());
}

/// Scratch memory that the backward pass needs.
std::int64_t attention_backward_scratch(const CudaBackend& backend, DType dtype, const AttentionShape& s);

}  // namespace whorl::gpu
