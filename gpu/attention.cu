// Causal softmax attention by tiles of 32 queries and 32 keys, with an online softmax: no score leaves the block.
// Backward in two kernels: a block of queries finds its rows' maxima, sums and ⟨p, dp⟩ and their gradient; then a block
// of keys adds up what all later queries pass back to it. Each sum has one owner, so its order is fixed.
#include "core/numerics/rotation.hpp"
#include "gpu/block.cuh"
#include "gpu/cuda_backend.hpp"

namespace whorl::gpu {
namespace {

constexpr int kTile = 32;

struct AttentionShape {
    std::int64_t replicas = 0, batch = 0;
    int length = 0, heads = 0, k = 0, earlier = 0;  // earlier: keys in the cache, before the first query
    bool rope = false;
    __host__ __device__ int width() const { return heads * k; }
    __host__ __device__ int half() const { return k / 2; }
    std::int64_t tasks() const { return replicas * batch * heads * ceil_div(length, kTile); }
};

/// What a row of scores comes to: its maximum, the sum of e^{s - max}, and ⟨p, dp⟩.
template <class T>
struct RowFacts {
    T highest, total, mean;
};

template <class T>
struct AttentionViews {
    View<T> qkv, cache, d_y;
    const T *sin, *cos;  // [L, K/2]
};

template <class T>
struct TileMemory {
    __host__ __device__ TileMemory(BlockMemory& memory, const AttentionShape& s) : ld(row_ld(s.k)) {
        for (T** rows : {&q, &keys, &values, &out}) *rows = memory.take<T>(kTile * ld);
        scores = memory.take<T>(kTile * kLd);
        for (T** vector : {&highest, &total, &factor}) *vector = memory.take<T>(kTile);
    }
    static constexpr int kLd = row_ld(kTile);
    int ld;
    T *q, *keys, *values, *out;   // [32,K]
    T* scores;                    // [32,32]
    T *highest, *total, *factor;  // [32]
};
template <class T>
struct TileBackwardMemory : TileMemory<T> {
    __host__ __device__ TileBackwardMemory(BlockMemory& memory, const AttentionShape& s) : TileMemory<T>(memory, s) {
        for (T** rows : {&d_out, &second}) *rows = memory.take<T>(kTile * this->ld);
        d_scores = memory.take<T>(kTile * this->kLd);
        mean = memory.take<T>(kTile);
    }
    T *d_out, *second;  // [32,K]; second: another sum of the key blocks
    T *d_scores, *mean;
};

/// Head h of sequence b, and one tile of queries (or keys).
struct TileTask {
    std::int64_t r, b;
    int h, tile;
    __device__ TileTask(const AttentionShape& s, std::int64_t index) {
        const int tiles = (s.length + kTile - 1) / kTile;
        // Late tiles have the most work: they begin first.
        tile = tiles - 1 - static_cast<int>(index / (s.replicas * s.batch * s.heads));
        index %= s.replicas * s.batch * s.heads;
        h = static_cast<int>(index % s.heads);
        b = index / s.heads % s.batch;
        r = index / s.heads / s.batch;
    }
};

template <class T>
struct Tiles {
    const AttentionShape& s;
    const AttentionViews<T>& in;
    std::int64_t r, b;
    int h;

    /// Channels of part 0, 1, 2 (q, k, v) of position t.
    __device__ T* raw(int t, int part) const { return in.qkv.at(r, b, t) + part * s.width() + h * s.k; }

    /// Rows [first, first + count) of q or k, turned by their positions and scaled.
    __device__ void load_turned(int first, int count, int part, T scale, T* to, int ld) const {
        const int half = s.rope ? s.half() : 0;
        spread(count, half, [&](int i, int j) {
            const T* row = raw(first + i, part);
            const std::int64_t at = std::int64_t{first + i} * half + j;
            const auto turned = numerics::rotate<T>({row[j], row[half + j]}, in.cos[at], in.sin[at]);
            to[i * ld + j] = scale * turned.x;
            to[i * ld + half + j] = scale * turned.y;
        });
        spread(count, s.k - 2 * half,
               [&](int i, int c) { to[i * ld + 2 * half + c] = scale * raw(first + i, part)[2 * half + c]; });
    }
    __device__ void load_plain(int first, int count, int part, T* to, int ld) const {
        copy_rows(count, s.k, to, ld, raw(first, part), in.qkv.stride2);
    }
    /// Keys and values [first, first + count) of the context: from the cache when there is one.
    __device__ void load_context(int first, int count, T* keys, T* values, int ld) const {
        if (!in.cache) {
            load_turned(first, count, 1, T(1), keys, ld);
            load_plain(first, count, 2, values, ld);
            return;
        }
        copy_rows(count, s.k, keys, ld, in.cache.at(r, b, first) + h * s.k, in.cache.stride2);
        copy_rows(count, s.k, values, ld, in.cache.at(r, b, first) + s.width() + h * s.k, in.cache.stride2);
    }
    __device__ T factor() const { return T(1) / numerics::sqrt(static_cast<T>(s.k)); }
    /// Gradient rows back through scale and rotation into part of d_qkv.
    __device__ void store_turned(const View<T>& d_qkv, int first, int count, int part, T scale, const T* from,
                                 int ld) const {
        const int half = s.rope ? s.half() : 0;
        spread(count, half, [&](int i, int j) {
            T* row = d_qkv.at(r, b, first + i) + part * s.width() + h * s.k;
            const std::int64_t at = std::int64_t{first + i} * half + j;
            const numerics::Pair<T> slope{scale * from[i * ld + j], scale * from[i * ld + half + j]};
            const auto back = numerics::rotate_back(slope, in.cos[at], in.sin[at]);
            row[j] = back.x;
            row[half + j] = back.y;
        });
        spread(count, s.k - 2 * half, [&](int i, int c) {
            const int at = 2 * half + c;
            (d_qkv.at(r, b, first + i) + part * s.width() + h * s.k)[at] = scale * from[i * ld + at];
        });
    }
};

template <class T>
__global__ void angle_kernel(T* sin, T* cos, std::int64_t first, int count, int half) {
    const int index = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    if (index >= count * half) return;
    const auto turn = numerics::sincos(numerics::rope_angle<T>(first + index / half, index % half, half));
    sin[index] = turn.sin;
    cos[index] = turn.cos;
}

/// Puts the new keys, turned, and values behind those that the cache holds.
template <class T>
struct FillCache {
    AttentionShape s;
    AttentionViews<T> in;
    __device__ void operator()(unsigned r, std::int64_t row, int column) const {
        const std::int64_t b = row / s.length;
        const int t = static_cast<int>(row % s.length), c = column % s.k, half = s.rope ? s.half() : 0;
        const T *key = in.qkv.at(r, b, t) + s.width() + (column - c), *value = key + s.width();
        T* to = in.cache.at(r, b, s.earlier + t);
        T turned = key[c];
        if (c < 2 * half) {
            const int j = c % half;
            const std::int64_t at = std::int64_t{t} * half + j;
            const auto pair = numerics::rotate<T>({key[j], key[half + j]}, in.cos[at], in.sin[at]);
            turned = c < half ? pair.x : pair.y;
        }
        to[column] = turned;
        to[s.width() + column] = value[c];
    }
};

/// scores[i][j] = q_i·k_j, minus infinity where key j is later than query i.
template <class T>
__device__ void score_tile(const TileMemory<T>& x, int rows, int columns, int k, int first_query, int first_key) {
    product<T>(rows, columns, ByRow<T>{x.q, x.ld}, ByRow<T>{x.keys, x.ld}, k, [&](int i, int j, T sum) {
        x.scores[i * x.kLd + j] = first_key + j <= first_query + i ? sum : -numerics::detail::infinity<T>;
    });
}

template <class T, bool Shared>
__global__ void __launch_bounds__(kBlockThreads)
    forward_kernel(AttentionShape s, AttentionViews<T> in, View<T> y, std::int64_t tasks, std::byte* outside,
                   std::int64_t bytes) {
    BlockMemory memory(block_memory<Shared>(outside, bytes));
    TileMemory<T> x(memory, s);
    for (std::int64_t index = blockIdx.x; index < tasks; index += gridDim.x) {
        const TileTask task(s, index);
        const Tiles<T> tiles{s, in, task.r, task.b, task.h};
        const int first = task.tile * kTile, rows = least_of(kTile, s.length - first),
                  context = s.earlier + first + rows;
        tiles.load_turned(first, rows, 0, tiles.factor(), x.q, x.ld);
        spread(rows, [&](int i) {
            x.highest[i] = -numerics::detail::infinity<T>;
            x.total[i] = 0;
        });
        spread(rows, s.k, [&](int i, int c) { x.out[i * x.ld + c] = 0; });
        for (int key = 0; key < context; key += kTile) {
            const int columns = least_of(kTile, context - key);
            __syncthreads();
            tiles.load_context(key, columns, x.keys, x.values, x.ld);
            wait_for_copies();
            score_tile(x, rows, columns, s.k, s.earlier + first, key);
            __syncthreads();
            spread_rows(rows, [&](int i, int lane) {
                T* row = x.scores + i * x.kLd;
                const T score = lane < columns ? row[lane] : -numerics::detail::infinity<T>;
                T highest = score;
                for (int distance = 16; distance > 0; distance /= 2) {
                    const T other = __shfl_xor_sync(0xffffffffU, highest, distance);
                    highest = other > highest ? other : highest;
                }
                const T before = x.highest[i];
                highest = before > highest ? before : highest;
                const T p = lane < columns ? numerics::exp(score - highest) : T(0);
                const T total = warp_sum(p), factor = numerics::exp(before - highest);
                if (lane < columns) row[lane] = p;
                __syncwarp();
                if (lane != 0) return;
                x.highest[i] = highest;
                x.total[i] = x.total[i] * factor + total;
                x.factor[i] = factor;
            });
            __syncthreads();
            product<T>(rows, s.k, ByRow<T>{x.scores, x.kLd}, ByColumn<T>{x.values, x.ld}, columns,
                       [&](int i, int c, T sum) { x.out[i * x.ld + c] = x.out[i * x.ld + c] * x.factor[i] + sum; });
        }
        __syncthreads();
        spread(rows, s.k, [&](int i, int c) {
            y.at(task.r, task.b, first + i)[task.h * s.k + c] = x.out[i * x.ld + c] / x.total[i];
        });
        __syncthreads();
    }
}

template <class T>
__device__ void load_slopes(const AttentionViews<T>& in, const TileTask& task, const AttentionShape& s, int first,
                            int rows, T* to, int ld) {
    copy_rows(rows, s.k, to, ld, in.d_y.at(task.r, task.b, first) + task.h * s.k, in.d_y.stride2);
}

/// d_q of a tile of queries, and the facts of its rows.
template <class T, bool Shared>
__global__ void __launch_bounds__(kBlockThreads)
    query_backward_kernel(AttentionShape s, AttentionViews<T> in, View<T> d_qkv, RowFacts<T>* facts, std::int64_t tasks,
                          std::byte* outside, std::int64_t bytes) {
    BlockMemory memory(block_memory<Shared>(outside, bytes));
    TileBackwardMemory<T> x(memory, s);
    for (std::int64_t index = blockIdx.x; index < tasks; index += gridDim.x) {
        const TileTask task(s, index);
        const Tiles<T> tiles{s, in, task.r, task.b, task.h};
        const int first = task.tile * kTile, rows = least_of(kTile, s.length - first), context = first + rows;
        tiles.load_turned(first, rows, 0, tiles.factor(), x.q, x.ld);
        load_slopes(in, task, s, first, rows, x.d_out, x.ld);
        spread(rows, [&](int i) {
            x.highest[i] = -numerics::detail::infinity<T>;
            x.total[i] = x.mean[i] = 0;
        });
        spread(rows, s.k, [&](int i, int c) { x.out[i * x.ld + c] = 0; });
        for (const bool facts_known : {false, true})
            for (int key = 0; key < context; key += kTile) {
                const int columns = least_of(kTile, context - key);
                __syncthreads();
                tiles.load_context(key, columns, x.keys, x.values, x.ld);
                wait_for_copies();
                score_tile<T>(x, rows, columns, s.k, first, key);
                product<T>(rows, columns, ByRow<T>{x.d_out, x.ld}, ByRow<T>{x.values, x.ld}, s.k,
                           [&](int i, int j, T sum) { x.d_scores[i * x.kLd + j] = sum; });
                __syncthreads();
                spread_rows(rows, [&](int i, int lane) {
                    const T score = lane < columns ? x.scores[i * x.kLd + lane] : -numerics::detail::infinity<T>;
                    const T d = lane < columns ? x.d_scores[i * x.kLd + lane] : T(0);
                    if (facts_known) {
                        const T p = numerics::exp(score - x.highest[i]) / x.total[i];
                        if (lane < columns) x.d_scores[i * x.kLd + lane] = p * (d - x.mean[i]);
                        return;
                    }
                    T highest = score;
                    for (int distance = 16; distance > 0; distance /= 2) {
                        const T other = __shfl_xor_sync(0xffffffffU, highest, distance);
                        highest = other > highest ? other : highest;
                    }
                    const T before = x.highest[i];
                    highest = before > highest ? before : highest;
                    const T p = lane < columns ? numerics::exp(score - highest) : T(0);
                    const T total = warp_sum(p), mean = warp_sum(p * d), factor = numerics::exp(before - highest);
                    __syncwarp();
                    if (lane != 0) return;
                    x.highest[i] = highest;
                    x.total[i] = x.total[i] * factor + total;
                    x.mean[i] = x.mean[i] * factor + mean;
                });
                __syncthreads();
                if (!facts_known && key + kTile >= context) spread(rows, [&](int i) { x.mean[i] /= x.total[i]; });
                if (!facts_known) continue;
                product<T>(rows, s.k, ByRow<T>{x.d_scores, x.kLd}, ByColumn<T>{x.keys, x.ld}, columns,
                           [&](int i, int c, T sum) { x.out[i * x.ld + c] += sum; });
            }
        __syncthreads();
        tiles.store_turned(d_qkv, first, rows, 0, tiles.factor(), x.out, x.ld);
        RowFacts<T>* to = facts + ((task.r * s.batch + task.b) * s.heads + task.h) * s.length + first;
        spread(rows, [&](int i) { to[i] = {x.highest[i], x.total[i], x.mean[i]}; });
        __syncthreads();
    }
}

/// d_k, d_v of a tile of keys.
template <class T, bool Shared>
__global__ void __launch_bounds__(kBlockThreads)
    key_backward_kernel(AttentionShape s, AttentionViews<T> in, View<T> d_qkv, const RowFacts<T>* facts,
                        std::int64_t tasks, std::byte* outside, std::int64_t bytes) {
    BlockMemory memory(block_memory<Shared>(outside, bytes));
    TileBackwardMemory<T> x(memory, s);
    for (std::int64_t index = blockIdx.x; index < tasks; index += gridDim.x) {
        const TileTask task(s, index);
        const Tiles<T> tiles{s, in, task.r, task.b, task.h};
        const int first = task.tile * kTile, columns = least_of(kTile, s.length - first);
        const RowFacts<T>* own = facts + ((task.r * s.batch + task.b) * s.heads + task.h) * s.length;
        tiles.load_context(first, columns, x.keys, x.values, x.ld);
        spread(columns, s.k, [&](int i, int c) { x.out[i * x.ld + c] = x.second[i * x.ld + c] = 0; });
        for (int query = first; query < s.length; query += kTile) {
            const int rows = least_of(kTile, s.length - query);
            __syncthreads();
            tiles.load_turned(query, rows, 0, tiles.factor(), x.q, x.ld);
            load_slopes(in, task, s, query, rows, x.d_out, x.ld);
            spread(rows, [&](int i) {
                x.highest[i] = own[query + i].highest;
                x.total[i] = own[query + i].total;
                x.mean[i] = own[query + i].mean;
            });
            wait_for_copies();
            score_tile<T>(x, rows, columns, s.k, query, first);
            product<T>(rows, columns, ByRow<T>{x.d_out, x.ld}, ByRow<T>{x.values, x.ld}, s.k,
                       [&](int i, int j, T d) {  // the same thread wrote the score
                           T* score = x.scores + i * x.kLd + j;
                           const T p = numerics::exp(*score - x.highest[i]) / x.total[i];
                           *score = p;
                           x.d_scores[i * x.kLd + j] = p * (d - x.mean[i]);
                       });
            __syncthreads();
            product<T>(columns, s.k, ByColumn<T>{x.d_scores, x.kLd}, ByColumn<T>{x.q, x.ld}, rows,
                       [&](int j, int c, T sum) { x.out[j * x.ld + c] += sum; });
            product<T>(columns, s.k, ByColumn<T>{x.scores, x.kLd}, ByColumn<T>{x.d_out, x.ld}, rows,
                       [&](int j, int c, T sum) { x.second[j * x.ld + c] += sum; });
        }
        __syncthreads();
        tiles.store_turned(d_qkv, first, columns, 1, T(1), x.out, x.ld);
        spread(columns, s.k, [&](int i, int c) {
            d_qkv.at(task.r, task.b, first + i)[2 * s.width() + task.h * s.k + c] = x.second[i * x.ld + c];
        });
        __syncthreads();
    }
}

AttentionShape shape_of(const AttentionConfig& c, const Tensor& qkv, std::int64_t earlier) {
    AttentionShape s;
    s.replicas = qkv.replicas();
    s.batch = qkv.shape[1];
    s.length = static_cast<int>(qkv.shape[2]);
    s.heads = static_cast<int>(c.num_heads);
    s.k = static_cast<int>(c.head_dim);
    s.earlier = static_cast<int>(earlier);
    s.rope = c.positions == Positions::rope;
    return s;
}

template <class Memory>
BlockPlan plan(const CudaBackend& backend, const AttentionShape& s) {
    return {block_bytes<Memory>(s), s.tasks(), backend.shared_limit(), backend.multiprocessors()};
}

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
        facts = reinterpret_cast<RowFacts<T>*>(
            take(s.replicas * s.batch * s.heads * s.length * static_cast<std::int64_t>(sizeof(RowFacts<T>))));
        outside = take(blocks.scratch());
    }
    std::int64_t bytes = 0;
    T *sin, *cos;
    RowFacts<T>* facts;
    std::byte* outside;
};

template <class T>
void make_angles(const CudaBackend& backend, const AttentionShape& s, const AttentionScratch<T>& work,
                 std::int64_t first) {
    if (!s.rope || s.half() == 0) return;
    launch("attention", angle_kernel<T>, dim3(grid_size(ceil_div(std::int64_t{s.length} * s.half(), 256))), dim3(256),
           0, backend.stream(), work.sin, work.cos, first, s.length, s.half());
}

}  // namespace

OpMemory CudaBackend::attention_memory(const AttentionConfig& config, const Tensor& qkv, std::int64_t capacity) {
    OpMemory memory;
    dispatch(qkv.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const AttentionShape s = shape_of(config, qkv, capacity);
        memory.scratch = std::max(AttentionScratch<T>(nullptr, s, plan<TileMemory<T>>(*this, s)).bytes,
                                  AttentionScratch<T>(nullptr, s, plan<TileBackwardMemory<T>>(*this, s)).bytes);
    });
    return memory;
}

void CudaBackend::attention_forward(const AttentionConfig& config, const Tensor& qkv, const Tensor& y,
                                    const Tensor& cache, std::int64_t position, const Tensor& scratch) {
    dispatch(qkv.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const AttentionShape s = shape_of(config, qkv, cache ? position : 0);
        const BlockPlan blocks = plan<TileMemory<T>>(*this, s);
        const AttentionScratch<T> work(scratch.data, s, blocks);
        make_angles(*this, s, work, position);
        const AttentionViews<T> in{view<T>(qkv), view<T>(cache), {}, work.sin, work.cos};
        if (cache)
            for_each_element("attention_forward", stream_, s.replicas, s.batch * s.length, s.width(),
                             FillCache<T>{s, in});
        launch("attention_forward", WHORL_BLOCK_KERNEL(forward_kernel, T, blocks), dim3(grid_size(blocks.blocks)),
               dim3(kBlockThreads), blocks.shared ? static_cast<std::size_t>(blocks.bytes) : 0, stream_, s, in,
               view<T>(y), s.tasks(), blocks.shared ? nullptr : work.outside, blocks.bytes);
    });
}

void CudaBackend::attention_backward(const AttentionConfig& config, const Tensor& qkv, const Tensor& d_y,
                                     const Tensor& d_qkv, const Tensor& scratch) {
    dispatch(qkv.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const AttentionShape s = shape_of(config, qkv, 0);
        const BlockPlan blocks = plan<TileBackwardMemory<T>>(*this, s);
        const AttentionScratch<T> work(scratch.data, s, blocks);
        make_angles(*this, s, work, 0);
        const AttentionViews<T> in{view<T>(qkv), {}, view<T>(d_y), work.sin, work.cos};
        const dim3 grid(grid_size(blocks.blocks));
        const std::size_t shared = blocks.shared ? static_cast<std::size_t>(blocks.bytes) : 0;
        std::byte* outside = blocks.shared ? nullptr : work.outside;
        launch("attention_backward", WHORL_BLOCK_KERNEL(query_backward_kernel, T, blocks), grid, dim3(kBlockThreads),
               shared, stream_, s, in, view<T>(d_qkv), work.facts, s.tasks(), outside, blocks.bytes);
        launch("attention_backward", WHORL_BLOCK_KERNEL(key_backward_kernel, T, blocks), grid, dim3(kBlockThreads),
               shared, stream_, s, in, view<T>(d_qkv), work.facts, s.tasks(), outside, blocks.bytes);
    });
}

}  // namespace whorl::gpu
