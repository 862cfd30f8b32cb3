// Causal softmax attention, forward: tiles of 64 queries against chunks of 32 keys with an online softmax.
#include "gpu/attention/any_head.cuh"
#include "gpu/attention/any_head_rows.cuh"
#include "gpu/attention/any_head_tile.cuh"

namespace whorl::gpu {
namespace {

constexpr int kChunkTiles = 2;
template <class T>
struct ForwardMemory {
    __host__ __device__ ForwardMemory(BlockMemory& memory, const AnyHeadShape& s)
        : ld(row_ld(s.depth())),
          panel_ld(row_ld(s.panel)),
          q(memory.take<T>(s.tile_rows() * ld)),
          keys(memory.take<T>(most_of(2 * s.key_rows() * ld, kShareRows * panel_ld))),
          values(keys + s.key_rows() * ld),
          shares(keys),
          facts(memory.take<RowFacts<T>>(kShareRows)) {}
    int ld, panel_ld;
    T *q, *keys, *values;  // [rows,K]
    T* shares;             // [128,panel]: the warps' sums, when keys and values have been read
    RowFacts<T>* facts;    // [128]
};

/// A tile of queries of one head.
template <class T, class S, Products P, int Panel>
struct BlockForward {
    const AnyHeadShape& s;
    const AnyHeadRows<T, S>& head;
    const ForwardMemory<T>& x;
    int first, rows, context;  // queries, and the keys that the last one sees
    WarpShare share;

    __device__ BlockForward(const AnyHeadShape& shape, const AnyHeadRows<T, S>& head_rows,
                            const ForwardMemory<T>& memory, int first_query)
        : s(shape),
          head(head_rows),
          x(memory),
          first(first_query),
          rows(least_of(shape.tile, head_rows.length - first_query)),
          context(shape.earlier + first_query + rows),
          share(rows) {}

    __device__ void run(const View<S>& y) const {
        head.load_queries(first, rows, x.q, x.ld);
        for (int channel = 0; channel < panels_end<T, Panel>(s); channel += Panel) {
            RowSoftmax<T> softmax;
            PanelSums<T, Panel> out;
            for (int key = 0; key < context; key += s.key_rows()) {
                const int columns = least_of(s.key_rows(), context - key);
                __syncthreads();
                head.load_context(key, columns, x.keys, x.values, x.ld);
                wait_for_copies();
                add_keys(key, columns, channel, softmax, out);
            }
            share_sums(softmax, out);
            const ShareSum<T> sum{share, x.shares, x.panel_ld};
            spread(rows, least_of(Panel, s.k - channel),
                   [&](int i, int c) { head.at(y, first + i)[head.h * s.k + channel + c] = sum(i, c); });
        }
    }

private:
    /// The warp's chunks of the keys in memory.
    __device__ __forceinline__ void add_keys(int key, int columns, int channel, RowSoftmax<T>& softmax,
                                             PanelSums<T, Panel>& out) const {
        constexpr int step = Chunk<T, kChunkTiles>::kColumns;
        const int query = s.earlier + first + share.row();
        columns = share.idle() ? 0 : least_of(columns, query + kTileRows - key);  // that the last row sees
#pragma unroll 1
        for (int at = step * share.split; at < columns; at += step * share.splits) {
            const int tiles = least_of(kChunkTiles, (columns - at + kTileColumns - 1) / kTileColumns);
            const int seen = query + lane_row() + 1 - key - at;
            const int limit[2] = {least_of(seen, columns - at), least_of(seen + 8, columns - at)};
            Chunk<T, kChunkTiles> chunk;
            T factor[2];
            multiply_rows<P>(chunk, 0, tiles, x.q + share.row() * x.ld, x.keys + at * x.ld, x.ld,
                             up_to_multiple(s.k, 8));
            softmax.add(chunk, tiles, limit, factor);
            out.scale(factor);
            out.template add<P>(chunk, 0, tiles, x.values + at * x.ld + channel, x.ld);
        }
    }
    /// Leaves the warps' weighed outputs, and all threads behind a barrier.
    __device__ __forceinline__ void share_sums(const RowSoftmax<T>& softmax, PanelSums<T, Panel>& out) const {
        const T none[2] = {};
        store_facts(softmax, none, x.facts);
        __syncthreads();
        if (!share.idle()) {
            T factor[2];
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                const RowWeights<T> row = weights_of_row(share, x.facts, share.row() + lane_row() + 8 * half);
                factor[half] = row.largest * numerics::exp(softmax.highest[half] - row.highest);
            }
            out.scale(factor);
            out.store(x.shares, x.panel_ld);
        }
        __syncthreads();
    }
};

template <class T, class S, Products P, int Panel, bool Shared>
__global__ void __launch_bounds__(kBlockThreads, kAnyHeadBlocks<T, Panel, Shared>)
    forward_kernel(AnyHeadShape s, AnyHeadViews<T, S> in, View<S> y, std::int64_t tasks, std::byte* outside,
                   std::int64_t bytes) {
    BlockMemory memory(block_memory<Shared>(outside, bytes));
    const ForwardMemory<T> x(memory, s);
    for (std::int64_t index = blockIdx.x; index < tasks; index += gridDim.x) {
        const TileTask task(s, index);
        const AnyHeadRows<T, S> head(s, in, task);
        if (task.tile * s.tile >= head.length) continue;
        BlockForward<T, S, P, Panel>(s, head, x, task.tile * s.tile).run(y);
        __syncthreads();
    }
}

}  // namespace

std::int64_t any_head_scratch(const CudaBackend& backend, DType dtype, const AttentionShape& s, std::int64_t capacity) {
    AttentionShape longest = s;
    longest.earlier = static_cast<int>(capacity);
    std::int64_t bytes = 0;
    dispatch(dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const AnyHeadPlan<T, ForwardMemory> plan(backend, longest);
        bytes = AnyHeadScratch<T>(nullptr, plan.s, plan.blocks).parts.bytes();
    });
    return std::max(bytes, any_head_backward_scratch(backend, dtype, s));
}

void any_head_forward(const CudaBackend& backend, const AttentionCall& call) {
    dispatch_stored(call.qkv.dtype, [&](auto scalar, auto stored) {
        using T = decltype(scalar);
        using S = decltype(stored);
        const AnyHeadPlan<T, ForwardMemory> plan(backend, call.shape);
        const AnyHeadShape& s = plan.s;
        const BlockPlan& blocks = plan.blocks;
        const AnyHeadScratch<T> work(call.scratch.data, s, blocks);
        const AnyHeadViews<T, S> in{view<S>(call.qkv), {}, view<T>(call.cache), work.angles.sin, work.angles.cos};
        with_any_head_kernel<T, S>(plan, backend.products(), [&](auto products, auto shared, auto panel) {
            launch("attention_forward", forward_kernel<T, S, products(), panel(), shared()>,
                   dim3(grid_size(blocks.blocks)), dim3(kBlockThreads),
                   blocks.shared ? static_cast<std::size_t>(blocks.bytes) : 0, backend.stream(), s, in, view<S>(call.y),
                   s.tasks(), blocks.shared ? nullptr : work.outside, blocks.bytes);
        });
    });
}

}  // namespace whorl::gpu
