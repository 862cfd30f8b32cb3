// Causal softmax attention, backward. A tile of queries finds its rows' maxima, sums and ⟨p, dp⟩ and their gradient;
// then a tile of keys adds up what all later queries pass back to it. Where one tile has the whole sequence, one kernel
// does both and keeps the weights between them; else the second finds them again. Each sum has one owner, so its order
// is fixed.
#include "gpu/attention/any_head_rows.cuh"
#include "gpu/attention/any_head_tile.cuh"

namespace whorl::gpu {
namespace {

constexpr int kQueryTiles = 2;
/// Fewer where a warp has many sums.
template <int Panel>
constexpr int kKeyTiles = Panel > 32 ? 1 : 2;

/// Which gradients a launch finds.
enum class Gradients { all, queries, keys };

template <class T>
struct BackwardMemory {
    __host__ __device__ BackwardMemory(BlockMemory& memory, const AnyHeadShape& s)
        : ld(row_ld(s.depth())),
          weight_ld(row_ld(s.tile_rows())),
          q(memory.take<T>(s.tile_rows() * ld)),
          d_y(memory.take<T>(s.tile_rows() * ld)),
          keys(memory.take<T>(shares_behind_keys(s) ? most_of(2 * s.tile_rows(), kShareRows) * ld
                                                    : 2 * s.tile_rows() * ld)),
          values(keys + s.tile_rows() * ld),
          shares(shares_behind_keys(s) ? keys : memory.take<T>(kShareRows * ld)),
          weights(memory.take<T>(s.whole() ? s.tile_rows() * weight_ld : 0)),
          d_scores(memory.take<T>(s.whole() ? s.tile_rows() * weight_ld : 0)),
          of_rows(memory.take<RowWeights<T>>(s.tile_rows())),
          facts(memory.take<RowFacts<T>>(kShareRows)) {}
    /// Keys and values are read for the last time before the only panel's sums are there.
    __host__ __device__ static bool shares_behind_keys(const AnyHeadShape& s) { return s.depth() == s.panel; }

    int ld, weight_ld;
    T *q, *d_y, *keys, *values;  // [rows,K]
    T* shares;                   // [128,K]: the warps' sums
    T *weights, *d_scores;       // [query,key], of a whole sequence
    RowWeights<T>* of_rows;      // [query]
    RowFacts<T>* facts;          // [128]: of the warps' rows
};

template <class T, class S, Products P, int Panel, bool Whole>
struct BlockBackward {
    using QueryChunk = Chunk<T, kQueryTiles>;
    using KeyChunk = Chunk<T, kKeyTiles<Panel>>;

    const AnyHeadShape& s;
    const AnyHeadRows<T, S>& head;
    const BackwardMemory<T>& x;
    const View<S>& d_qkv;
    RowWeights<T>* row_weights;  // [R,B,H,L], from queries to keys
    int length;

    /// d_q of the tile of queries, and the facts of its rows; weights and d_scores of a whole sequence.
    __device__ void queries(int first) const {
        const int rows = least_of(s.tile, length - first), context = first + rows;
        const WarpShare share(rows);
        QueryChunk weights, slopes;  // of the last chunk: a whole sequence has no other
        RowSoftmax<T> softmax;
        T mean[2] = {};
        Place place;
        load_queries(first, rows);
        for_chunks(share, first, context, [&](const Place& at) {
            place = at;
            multiply(share, at, weights, slopes);
            T factor[2];
            softmax.add(weights, at.tiles, at.limit, factor);
            mean[0] *= factor[0];
            mean[1] *= factor[1];
            weights.each(slopes, 0, at.tiles, [&](int, int half, T& p, T& d) { mean[half] += p * d; });
        });
        store_facts(softmax, mean, x.facts);
        __syncthreads();
        RowWeights<T> of_rows[2];
        weigh_rows(share, first, rows, of_rows);
        if (Whole) keep_weights(share, place, softmax, of_rows, weights, slopes);
        for (int channel = 0; channel < panels_end<T, Panel>(s); channel += Panel) {
            PanelSums<T, Panel> d_q;
            if (Whole)
                d_q.template add<P>(slopes, 0, place.tiles, x.keys + place.at * x.ld + channel, x.ld);
            else
                for_chunks(share, first, context, [&](const Place& at) {
                    multiply(share, at, weights, slopes);
                    weights.each(slopes, 0, at.tiles, [&](int column, int half, T& score, T& d) {
                        const T p = of_rows[half].largest * numerics::exp(score - of_rows[half].highest);
                        d = column < at.limit[half] ? p * (d - of_rows[half].mean) : T(0);
                    });
                    d_q.template add<P>(slopes, 0, at.tiles, x.keys + at.at * x.ld + channel, x.ld);
                });
            share_sums(share, d_q, channel);
        }
        head.store_turned(d_qkv, first, rows, 0, head.factor(), ShareSum<T>{share, x.shares, x.ld});
    }

    /// d_k, d_v of the tile of keys. Of a whole sequence: from what queries() has left.
    __device__ void keys(int first) const {
        const int columns = least_of(s.tile, length - first);
        const WarpShare share(columns);
        const ShareSum<T> sum{share, x.shares, x.ld};
        for (int channel = 0; channel < panels_end<T, Panel>(s); channel += Panel) {
            PanelSums<T, Panel> d_k, d_v;
            if (Whole)
                add_queries(share, 0, 0, columns, channel, d_k, d_v);
            else
                for (int query = first; query < length; query += s.tile) {
                    const int rows = least_of(s.tile, length - query);
                    __syncthreads();
                    // The sums of the panel before may stand where the keys stood.
                    if (query == first) head.load_context(first, columns, x.keys, x.values, x.ld);
                    load_queries(query, rows);
                    spread(up_to_multiple(rows, kTileRows), [&](int i) {
                        x.of_rows[i] = i < rows ? kept(query + i) : RowWeights<T>{0, 1, 0};
                    });
                    wait_for_copies();
                    add_queries(share, first, query, rows, channel, d_k, d_v);
                }
            share_sums(share, d_v, channel);
            spread(columns, least_of(Panel, s.k - channel),
                   [&](int i, int c) { head.part(d_qkv, first + i, 2)[channel + c] = sum(i, channel + c); });
            share_sums(share, d_k, channel);
        }
        head.store_turned(d_qkv, first, columns, 1, T(1), sum);
    }

private:
    /// A chunk of keys in memory, and what a lane's two rows see of it.
    struct Place {
        int at = 0, tiles = 0, limit[2] = {0, 0};
    };

    /// What queries leave for keys of position t.
    __device__ RowWeights<T>& kept(int t) const {
        return row_weights[((head.r * s.batch + head.b) * s.heads + head.h) * s.length + t];
    }
    __device__ void load_queries(int first, int rows) const {
        head.load_queries(first, rows, x.q, x.ld);
        head.load_slopes(first, rows, x.d_y, x.ld);
    }
    /// body(place) for the warp's chunks of all keys, which come into memory tile by tile.
    template <class Body>
    __device__ __forceinline__ void for_chunks(const WarpShare& share, int first, int context, const Body& body) const {
        for (int key = 0; key < context; key += s.tile) {
            int columns = least_of(s.tile, context - key);
            __syncthreads();
            head.load_context(key, columns, x.keys, x.values, x.ld);
            wait_for_copies();
            const int query = first + share.row();
            columns = share.idle() ? 0 : least_of(columns, query + kTileRows - key);  // that the last row sees
#pragma unroll 1
            for (int at = QueryChunk::kColumns * share.split; at < columns; at += QueryChunk::kColumns * share.splits) {
                const int seen = query + lane_row() + 1 - key - at;
                body(Place{at,
                           least_of(kQueryTiles, (columns - at + kTileColumns - 1) / kTileColumns),
                           {least_of(seen, columns - at), least_of(seen + 8, columns - at)}});
            }
        }
    }
    /// q·k and d_y·v of the warp's queries and a chunk of keys.
    __device__ __forceinline__ void multiply(const WarpShare& share, const Place& place, QueryChunk& scores,
                                             QueryChunk& slopes) const {
        const int row = share.row() * x.ld, column = place.at * x.ld, depth = up_to_multiple(s.k, 8);
        multiply_rows<P>(scores, 0, place.tiles, x.q + row, x.keys + column, x.ld, depth);
        multiply_rows<P>(slopes, 0, place.tiles, x.d_y + row, x.values + column, x.ld, depth);
    }
    /// From the scores of the lane's rows to their weights; the first splits leave it for the keys.
    __device__ __forceinline__ void weigh_rows(const WarpShare& share, int first, int rows,
                                               RowWeights<T> (&of_rows)[2]) const {
        if (share.idle()) return;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int i = share.row() + lane_row() + 8 * half;
            of_rows[half] = weights_of_row(share, x.facts, i);
            if (!Whole && share.split == 0 && lane_place() == 0 && i < rows) kept(first + i) = of_rows[half];
        }
    }
    /// The chunk's e^{s - max} become weights, its d_y·v gradients of scores; both stay in memory, too.
    __device__ __forceinline__ void keep_weights(const WarpShare& share, const Place& place,
                                                 const RowSoftmax<T>& softmax, const RowWeights<T> (&of_rows)[2],
                                                 QueryChunk& weights, QueryChunk& slopes) const {
        if (place.tiles == 0) return;
        T factor[2];
#pragma unroll
        for (int half = 0; half < 2; ++half)
            factor[half] = of_rows[half].largest * numerics::exp(softmax.highest[half] - of_rows[half].highest);
        const int own = (share.row() + lane_row()) * x.weight_ld + place.at;
        weights.each(slopes, 0, place.tiles, [&](int column, int half, T& p, T& d) {
            p *= factor[half];
            d = p * (d - of_rows[half].mean);
            const int to = own + 8 * half * x.weight_ld + column;
            x.weights[to] = p;
            x.d_scores[to] = d;
        });
    }
    /// What the queries [query, query + rows) in memory add to the gradients of the warp's 16 keys.
    __device__ __forceinline__ void add_queries(const WarpShare& share, int first, int query, int rows, int channel,
                                                PanelSums<T, Panel>& d_k, PanelSums<T, Panel>& d_v) const {
        if (share.idle()) return;
        const int key = first + share.row();
#pragma unroll 1
        for (int at = KeyChunk::kColumns * share.split; at < rows; at += KeyChunk::kColumns * share.splits) {
            const int from = most_of(0, (key - query - at) / kTileRows),  // queries before the keys see none of them
                to = least_of(kKeyTiles<Panel>, (rows - at + kTileRows - 1) / kTileRows);
            if (from >= to) continue;
            KeyChunk weights, slopes;
            if (Whole)
                read_weights(share.row(), at, from, to, weights, slopes);
            else
                find_weights(share.row(), at, key - query - at, from, to, weights, slopes);
            d_v.template add<P>(weights, from, to, x.d_y + at * x.ld + channel, x.ld);
            d_k.template add<P>(slopes, from, to, x.q + at * x.ld + channel, x.ld);
        }
    }
    __device__ __forceinline__ void read_weights(int row, int at, int from, int to, KeyChunk& weights,
                                                 KeyChunk& slopes) const {
        weights.each(slopes, from, to, [&](int column, int half, T& p, T& d) {
            const int place = (at + column) * x.weight_ld + row + lane_row() + 8 * half;
            p = x.weights[place];
            d = x.d_scores[place];
        });
    }
    /// behind: the first key's position minus the first query's.
    __device__ __forceinline__ void find_weights(int row, int at, int behind, int from, int to, KeyChunk& weights,
                                                 KeyChunk& slopes) const {
        const int depth = up_to_multiple(s.k, 8);
        multiply_rows<P>(weights, from, to, x.keys + row * x.ld, x.q + at * x.ld, x.ld, depth);
        multiply_rows<P>(slopes, from, to, x.values + row * x.ld, x.d_y + at * x.ld, x.ld, depth);
        weights.each(slopes, from, to, [&](int column, int half, T& score, T& d) {
            const RowWeights<T>& query = x.of_rows[at + column];
            const bool seen = behind + lane_row() + 8 * half <= column;
            score = seen ? query.largest * numerics::exp(score - query.highest) : T(0);
            d = score * (d - query.mean);
        });
    }
    /// Leaves the warps' sums of a panel, and all threads behind a barrier.
    __device__ __forceinline__ void share_sums(const WarpShare& share, const PanelSums<T, Panel>& sums,
                                               int channel) const {
        __syncthreads();
        if (!share.idle()) sums.store(x.shares + channel, x.ld);
        __syncthreads();
    }
};

template <class T, class S, Products P, int Panel, bool Shared, Gradients Wanted>
__global__ void __launch_bounds__(kBlockThreads, kAnyHeadBlocks<T, Panel, Shared>)
    backward_kernel(AnyHeadShape s, AnyHeadViews<T, S> in, View<S> d_qkv, RowWeights<T>* row_weights,
                    std::int64_t tasks, std::byte* outside, std::int64_t bytes) {
    BlockMemory memory(block_memory<Shared>(outside, bytes));
    const BackwardMemory<T> x(memory, s);
    for (std::int64_t index = blockIdx.x; index < tasks; index += gridDim.x) {
        const TileTask task(s, index);
        const AnyHeadRows<T, S> head(s, in, task);
        const BlockBackward<T, S, P, Panel, Wanted == Gradients::all> block{s,     head,        x,
                                                                            d_qkv, row_weights, head.length};
        const int query = task.tile * s.tile, key = (s.tiles() - 1 - task.tile) * s.tile;
        if (Wanted != Gradients::keys && query < head.length) block.queries(query);
        // The first keys are seen by the most queries: they begin first.
        if (Wanted != Gradients::queries && key < head.length) block.keys(key);
        __syncthreads();
    }
}

}  // namespace

std::int64_t any_head_backward_scratch(const CudaBackend& backend, DType dtype, const AttentionShape& s) {
    std::int64_t bytes = 0;
    dispatch(dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const AnyHeadPlan<T, BackwardMemory> plan(backend, s);
        bytes = AnyHeadScratch<T>(nullptr, plan.s, plan.blocks).parts.bytes();
    });
    return bytes;
}

void any_head_backward(const CudaBackend& backend, const AttentionCall& call) {
    dispatch_stored(call.qkv.dtype, [&](auto scalar, auto stored) {
        using T = decltype(scalar);
        using S = decltype(stored);
        const AnyHeadPlan<T, BackwardMemory> plan(backend, call.shape);
        const AnyHeadShape& s = plan.s;
        const BlockPlan& blocks = plan.blocks;
        const AnyHeadScratch<T> work(call.scratch.data, s, blocks);
        const AnyHeadViews<T, S> in{view<S>(call.qkv), view<S>(call.d_y), {}, work.angles.sin, work.angles.cos};
        const auto find = [&](auto gradients) {
            with_any_head_kernel<T, S>(plan, backend.products(), [&](auto products, auto shared, auto panel) {
                launch("attention_backward", backward_kernel<T, S, products(), panel(), shared(), gradients()>,
                       dim3(grid_size(blocks.blocks)), dim3(kBlockThreads),
                       blocks.shared ? static_cast<std::size_t>(blocks.bytes) : 0, backend.stream(), s, in,
                       view<S>(call.d_qkv), work.row_weights, s.tasks(), blocks.shared ? nullptr : work.outside,
                       blocks.bytes);
            });
        };
        if (s.whole()) return find(std::integral_constant<Gradients, Gradients::all>{});
        find(std::integral_constant<Gradients, Gradients::queries>{});
        find(std::integral_constant<Gradients, Gradients::keys>{});
    });
}

}  // namespace whorl::gpu
