// With k, q of length one and α = e^g: w = v - α Sᵀk, u = β w, o = α Sᵀq + (k·q) u, S ← α S + k uᵀ. Columns of S do not
// see each other: a block has 64 of them, of one head of one sequence, all in shared memory between the sums Sᵀk, Sᵀq
// over what it has read and the rows that it writes.
#include "core/numerics/mixer_terms.hpp"
#include "gpu/delta_rule/delta_update.cuh"
#include "gpu/runtime/head_task.cuh"
#include "gpu/tiles/block.cuh"
#include "gpu/tiles/state_tile.cuh"

namespace whorl::gpu {
namespace {

constexpr int kColumns = 64;  // of a block

struct DeltaUpdateShape {
    std::int64_t replicas = 0, batch = 0;
    int heads = 0, v_heads = 0, key = 0, value = 0;
    bool negative = false;  // β up to 2
    Stripes tile;           // of the state's columns of a block
    __host__ __device__ int columns() const { return least_of(kColumns, value); }
};

template <class T>
struct DeltaUpdateViews {
    View<T> q, k, v, a, b, dt_bias, a_log, y, state;
};

template <class T, int Wide>
struct DeltaUpdateMemory {
    __host__ __device__ DeltaUpdateMemory(BlockMemory& memory, const DeltaUpdateShape& s) {
        held = memory.take<T>(s.tile.most_groups * Wide * kUpdateThreads * Wide);
        k = memory.take<T>(2 * s.key);
        squares = memory.take<T>(3);
        u = memory.take<T>(kColumns);
        sums = memory.take<T>(2 * s.tile.stripes * kColumns);
    }
    T* held;     // [strips, threads, Wide]
    T* k;        // [2,K]: k, q, raw
    T* squares;  // k·k, q·q, k·q, raw
    T* u;        // [columns]
    T* sums;     // [2, stripes, columns]: parts of Sᵀk, Sᵀq, raw
};

/// 64 columns of one head of one sequence.
template <class T, int Wide>
struct ColumnsUpdate {
    const DeltaUpdateShape& s;
    const DeltaUpdateViews<T>& in;
    const DeltaUpdateMemory<T, Wide>& own;
    std::int64_t r, b;
    int head, begin;  // of v's heads; first column

    __device__ void run() const {
        const int columns = least_of(kColumns, s.value - begin);
        const StripeOfThread<Wide> tile(s.tile, columns);
        T* const first = in.state.at(r, b) + std::int64_t{head} * s.key * s.value + begin + tile.column;
        const T raw_rate = in.a_log.at(r)[head], raw_dt = in.a.at(r, b)[head], dt_bias = in.dt_bias.at(r)[head],
                raw_beta = in.b.at(r, b)[head];
        fetch();
        end_of_copies();
        for (int i = 0; i < tile.count; ++i)
            copy_group<Wide>(own.held, i * Wide, first + tile.row(i) * s.value, s.value);
        end_of_copies();
        const T decay = numerics::exp(numerics::head_decay_rate(raw_rate) * numerics::step_size(raw_dt, dt_bias)),
                beta = numerics::write_strength(raw_beta, s.negative);
        wait_for_copies_but<1>();
        __syncthreads();
        squares();
        wait_for_copies_but<0>();
        sums(tile);
        __syncthreads();
        const T k_scale = numerics::inverse_length(own.squares[0]),
                q_scale = numerics::inverse_length(own.squares[1]) / numerics::sqrt(static_cast<T>(s.key));
        outputs(columns, tile.stripes, decay, beta, k_scale, q_scale);
        __syncthreads();
        update(tile, first, decay, k_scale);
    }

private:
    __device__ void fetch() const {
        const int offset = static_cast<int>(std::int64_t{head} * s.heads / s.v_heads) * s.key;
        each_by_warp(2, [&](int second) {
            fetch_rows<Wide>(own.k + second * s.key, (second ? in.q : in.k).at(r, b) + offset, 1, s.key, s.key);
        });
    }
    __device__ void squares() const {
        each_by_warp(3, [&](int i) {
            const T *left = own.k + (i == 1 ? s.key : 0), *right = own.k + (i == 0 ? 0 : s.key);
            T sum = 0;
            each_by_lane(s.key, [&](int n) { sum = numerics::fma(left[n], right[n], sum); });
            sum = warp_sum(sum);
            if (threadIdx.x % 32 == 0) own.squares[i] = sum;
        });
    }
    /// The thread's part of Sᵀk and Sᵀq.
    __device__ void sums(const StripeOfThread<Wide>& tile) const {
        if (tile.count == 0) return;
        Strip<T, Wide> along_k{}, along_q{};
        for (int i = 0; i < tile.count; ++i) {
            T k[Wide], q[Wide];
            load_shared(own.k + tile.row(i), k);
            load_shared(own.k + s.key + tile.row(i), q);
#pragma unroll
            for (int d = 0; d < Wide; ++d) {
                Strip<T, Wide> strip;
                load_shared(own_strip<Wide>(own.held, i * Wide + d), strip.of);
#pragma unroll
                for (int e = 0; e < Wide; ++e) {
                    along_k.of[e] = numerics::fma(k[d], strip.of[e], along_k.of[e]);
                    along_q.of[e] = numerics::fma(q[d], strip.of[e], along_q.of[e]);
                }
            }
        }
#pragma unroll
        for (int e = 0; e < Wide; ++e) {
            T* to = own.sums + tile.stripe * kColumns + tile.column + e;
            to[0] = along_k.of[e];
            to[tile.stripes * kColumns] = along_q.of[e];
        }
    }
    __device__ void outputs(int columns, int stripes, T decay, T beta, T k_scale, T q_scale) const {
        const int p = static_cast<int>(threadIdx.x);
        if (p >= columns) return;
        T along_k = 0, along_q = 0;
        for (int stripe = 0; stripe < stripes; ++stripe) {
            along_k += own.sums[stripe * kColumns + p];
            along_q += own.sums[(stripes + stripe) * kColumns + p];
        }
        const int column = head * s.value + begin + p;
        const T u = beta * (in.v.at(r, b)[column] - decay * k_scale * along_k);
        own.u[p] = u;
        in.y.at(r, b)[column] = decay * q_scale * along_q + own.squares[2] * k_scale * q_scale * u;
    }
    /// The thread's strips of S.
    __device__ void update(const StripeOfThread<Wide>& tile, T* first, T decay, T k_scale) const {
        if (tile.count == 0) return;
        Strip<T, Wide> u;
#pragma unroll
        for (int e = 0; e < Wide; ++e) u.of[e] = k_scale * own.u[tile.column + e];
        for (int i = 0; i < tile.count; ++i) {
            T k[Wide];
            load_shared(own.k + tile.row(i), k);
#pragma unroll
            for (int d = 0; d < Wide; ++d) {
                Strip<T, Wide> strip;
                load_shared(own_strip<Wide>(own.held, i * Wide + d), strip.of);
#pragma unroll
                for (int e = 0; e < Wide; ++e) strip.of[e] = numerics::fma(k[d], u.of[e], decay * strip.of[e]);
                store_strip(first + (tile.row(i) + d) * s.value, strip);
            }
        }
    }
};

/// Grid: (heads of all sequences, parts of the columns, replicas).
template <class T, int Wide>
__global__ void __launch_bounds__(kUpdateThreads) delta_update_kernel(DeltaUpdateShape s, DeltaUpdateViews<T> in) {
    BlockMemory memory(block_memory<true>(nullptr, 0));
    const DeltaUpdateMemory<T, Wide> own(memory, s);
    const HeadOfSequence task = head_of_block(s.v_heads, blockIdx.z);
    const ColumnsUpdate<T, Wide> columns{s, in, own, task.r, task.b, task.h, static_cast<int>(blockIdx.y) * kColumns};
    columns.run();
}

template <class T, int Wide>
bool start(const CudaBackend& backend, DeltaUpdateShape s, const DeltaUpdateViews<T>& in) {
    s.tile = Stripes::of(Wide, s.key, s.columns());
    BlockMemory measure;
    const DeltaUpdateMemory<T, Wide> memory(measure, s);
    if (measure.used() > backend.shared_limit()) return false;
    launch("gated_delta_update", delta_update_kernel<T, Wide>,
           dim3(grid_size(s.batch * s.v_heads), grid_size(ceil_div(s.value, kColumns)), grid_size(s.replicas)),
           dim3(kUpdateThreads), static_cast<std::size_t>(measure.used()), backend.stream(), s, in);
    return true;
}

template <class T>
DeltaUpdateViews<T> views(const GatedDeltaTensors& t, const Tensor& y, const Tensor& state) {
    return {view<T>(t.q),       view<T>(t.k),     view<T>(t.v), view<T>(t.a),  view<T>(t.b),
            view<T>(t.dt_bias), view<T>(t.a_log), view<T>(y),   view<T>(state)};
}

}  // namespace

bool delta_update(const CudaBackend& backend, const GatedDeltaNetConfig& c, const GatedDeltaTensors& in,
                  const Tensor& y, const Tensor& state) {
    DeltaUpdateShape s;
    s.replicas = y.replicas();
    s.batch = y.shape[1];
    s.heads = static_cast<int>(c.num_heads);
    s.v_heads = static_cast<int>(c.v_heads());
    s.key = static_cast<int>(c.head_dim);
    s.value = static_cast<int>(c.head_v_dim());
    s.negative = c.allow_neg_eigval;
    if (y.dtype == DType::f64) return start<double, 1>(backend, s, views<double>(in, y, state));
    const bool aligned = s.value % 4 == 0 && s.key % 4 == 0 && reinterpret_cast<std::uintptr_t>(state.data) % 16 == 0 &&
                         state.stride[0] % 4 == 0 && state.stride[1] % 4 == 0;
    if (aligned) return start<float, 4>(backend, s, views<float>(in, y, state));
    return start<float, 1>(backend, s, views<float>(in, y, state));
}

}  // namespace whorl::gpu
