// One block a head of a sequence: h ← α h + β k' v'ᵀ + γ k vᵀ and y = hᵀ q, where k', v' are the last position's B and
// x. The state is [N, P] in memory: every thread copies the strips that it will update into a ring in shared memory,
// and all of a usual state is on its way before anything else is done. What comes before (Δ, A, λ, norms, rotation) and
// after (skip, norm, gate, mix) hides behind these copies and behind the other blocks of the multiprocessor.
#include "core/numerics/discretization.hpp"
#include "core/numerics/mixer_terms.hpp"
#include "core/numerics/rotation.hpp"
#include "gpu/runtime/head_task.cuh"
#include "gpu/state_space/state_update.cuh"
#include "gpu/tiles/block.cuh"
#include "gpu/tiles/state_tile.cuh"

namespace whorl::gpu {
namespace {

template <class T>
struct UpdateViews {
    View<T> z, xbc, ddt, da, u, angle, dt_bias, d, a_log, b_bias, c_bias, b_norm, c_norm, mimo_x, mimo_z, mimo_o, norm;
};

/// What a block keeps in shared memory. Ranks: the ranks there is room for; those that the layer lacks hold zeros.
/// Wide: columns, and rows, of the state that a thread handles together.
template <class T, int Ranks, int Wide>
struct UpdateMemory {
    static constexpr int kAhead = 16 / Wide;  // groups of rows under way
    enum Part { last_k, k, q, parts };

    __host__ __device__ UpdateMemory(BlockMemory& memory, const StateSpaceShape& s, const Stripes& tile)
        : state(s.state) {
        const int groups = least_of(kAhead, tile.most_groups);
        ring = memory.take<T>(most_of(groups * Wide, Ranks) * kUpdateThreads * Wide);
        rows = memory.take<T>(parts * Ranks * s.state);
        bias = memory.take<T>(2 * s.rank * s.state);
        weight = memory.take<T>(2 * s.state);
        for (T** table : {&sin, &cos}) *table = memory.take<T>(s.angles);
        for (T** matrix : {&v, &gate, &mimo_o, &last_v}) *matrix = memory.take<T>(s.rank * s.headdim);
        x = s.mimo ? memory.take<T>(s.headdim) : v;
        z = s.mimo ? memory.take<T>(s.headdim) : gate;
        step = memory.take<numerics::Coefficients<T>>(1);
    }
    __device__ T* row(int part, int rank) const { return rows + (part * Ranks + rank) * state; }

    int state;
    T* ring;                        // [strips, threads, Wide]; in the end the threads' parts of y of every rank
    T* rows;                        // [parts, Ranks, N]
    T *bias, *weight;               // [2, rank, N], [2, N]: B's, then C's
    T *sin, *cos;                   // [S]
    T *v, *gate, *mimo_o, *last_v;  // [rank, P]; at first v and gate are the mixes of x and z
    T *x, *z;                       // [P]
    numerics::Coefficients<T>* step;
};

/// One head of one sequence.
template <class T, int Ranks, int Wide>
struct HeadUpdate {
    using Memory = UpdateMemory<T, Ranks, Wide>;
    static constexpr int kAhead = Memory::kAhead;
    const StateSpaceShape& s;
    const UpdateViews<T>& in;
    const Memory& own;
    T* state;  // of this head
    std::int64_t r, b;
    int h;
    Stripes layout;  // of the state

    __device__ T* carried_h() const { return state + (s.carries_input ? s.angles : 0); }
    __device__ T* carried_k() const { return carried_h() + s.state * s.headdim; }
    __device__ T* carried_v() const { return carried_k() + s.rank * s.state; }

    __device__ void run(const View<T>& y, std::int64_t position) const {
        const StripeOfThread<Wide> tile(layout, s.headdim);
        const bool last_warp = threadIdx.x >= kUpdateThreads - 32;  // has the fewest angles
        const T raw_dt = in.ddt.at(r, b)[h], dt_bias = in.dt_bias.at(r)[h], skip = in.d.at(r)[h];
        T raw_decay = 0, raw_weight = 0;
        if (last_warp) {
            raw_decay = in.a_log ? in.a_log.at(r)[h] : in.da.at(r, b)[h];
            if (s.learned_weight) raw_weight = in.u.at(r, b)[h];
        }
        fetch();
        end_of_copies();
        for (int index = 0; index < kAhead; ++index) fetch_group(tile, index);
        const T dt = numerics::step_size(raw_dt, dt_bias);
        if (last_warp) {
            const T decay = in.a_log ? numerics::head_decay_rate(raw_decay)
                                     : numerics::data_decay_rate(raw_decay, s.heavy_tail, static_cast<T>(s.a_floor)),
                    weight = s.learned_weight ? numerics::sigmoid(raw_weight) : static_cast<T>(s.fixed_weight);
            const auto step = numerics::exp_trapezoid(dt, decay, weight);
            if (threadIdx.x == kUpdateThreads - 1) *own.step = step;
        }
        wait_for_copies_but<kAhead>();
        turns(dt, position);
        __syncthreads();
        each_by_warp(3 * s.rank, [&](int i) { i < 2 * s.rank ? turn_row(i) : mix_input(i - 2 * s.rank); });
        __syncthreads();
        stream(tile, *own.step);
        __syncthreads();
        finish_ranks(tile, skip);
        __syncthreads();
        for (int p = static_cast<int>(threadIdx.x); p < s.headdim; p += kUpdateThreads) {
            T out = 0;
            for (int rank = 0; rank < s.rank; ++rank) out += own.v[rank * s.headdim + p];
            y.at(r, b)[h * s.headdim + p] = out;
        }
    }

private:
    /// Starts the copies of all inputs, raw: of a kind by a warp each, but phases and their speeds by the threads that
    /// will turn them.
    __device__ void fetch() const {
        const int warp = static_cast<int>(threadIdx.x) / 32;
        static_assert(kUpdateThreads == 4 * 32);
        const T* const x = in.xbc.at(r, b);
        if (warp < 2) {
            fetch_projected(x + s.heads * s.headdim, warp != 0);
        } else if (warp == 2) {
            fetch_row(own.x, x + h * s.headdim, s.headdim);
            if (s.gate.on) fetch_row(own.z, in.z.at(r, b) + h * s.headdim, s.headdim);
            fetch_last();
        } else if (s.mimo) {
            fetch_rows<Wide>(own.v, in.mimo_x.at(r, h), s.rank, s.headdim, in.mimo_x.stride2);
            fetch_rows<Wide>(own.gate, in.mimo_z.at(r, h), s.rank, s.headdim, in.mimo_z.stride2);
            fetch_rows<Wide>(own.mimo_o, in.mimo_o.at(r, h), s.rank, s.headdim, in.mimo_o.stride2);
        }
        if (s.rotation != Rotation::data_dependent) return;
        for (int j = static_cast<int>(threadIdx.x); j < s.angles; j += kUpdateThreads) {
            copy_async<1>(own.cos + j, state + j, 1);
            copy_async<1>(own.sin + j, in.angle.at(r, b) + j, 1);
        }
    }
    __device__ void fetch_row(T* to, const T* from, int count) const { fetch_rows<Wide>(to, from, 1, count, count); }
    /// C (second) or B of every rank, its biases and weights; zeros for ranks that there is only room for.
    __device__ void fetch_projected(const T* from, bool second) const {
        const int group = s.groups == 1 ? 0 : h / (s.heads / s.groups);
        const View<T>&bias = second ? in.c_bias : in.b_bias, &norm = second ? in.c_norm : in.b_norm;
        T* const rows = own.row(second ? Memory::q : Memory::k, 0);
        fetch_rows<Wide>(rows, from + ((second ? s.rank * s.groups : 0) + group) * s.state, s.rank, s.state,
                         std::int64_t{s.groups} * s.state);
        if (bias)
            fetch_rows<Wide>(own.bias + (second ? s.rank * s.state : 0), bias.at(r, h), s.rank, s.state, bias.stride2);
        if (norm) fetch_row(own.weight + (second ? s.state : 0), norm.at(r), s.state);
        zeros(rows + s.rank * s.state, (Ranks - s.rank) * s.state);
    }
    /// The last position's k and v of every rank, or zeros.
    __device__ void fetch_last() const {
        T* const rows = own.row(Memory::last_k, 0);
        zeros(rows + (s.carries_input ? s.rank * s.state : 0), (s.carries_input ? Ranks - s.rank : Ranks) * s.state);
        if (!s.carries_input) return zeros(own.last_v, s.rank * s.headdim);
        fetch_rows<Wide>(rows, carried_k(), s.rank, s.state, s.state);
        fetch_rows<Wide>(own.last_v, carried_v(), s.rank, s.headdim, s.headdim);
    }
    __device__ static void zeros(T* to, int count) {
        each_by_lane(count, [&](int i) { to[i] = 0; });
    }

    /// The phases, advanced, and their sines.
    __device__ void turns(T dt, std::int64_t position) const {
        for (int j = static_cast<int>(threadIdx.x); j < s.angles; j += kUpdateThreads) {
            const T phase = s.rotation == Rotation::data_dependent
                                ? numerics::advance_phase(own.cos[j], numerics::angular_velocity(own.sin[j]), dt)
                                : numerics::rope_angle<T>(position, j, s.angles);
            const auto turn = numerics::sincos(phase);
            own.sin[j] = turn.sin;
            own.cos[j] = turn.cos;
            state[j] = phase;
        }
    }
    /// B or C of one rank, in one warp: RMSNorm·w + bias, then the rotation. This position's k is the next one's last.
    __device__ void turn_row(int i) const {
        const bool second = i >= s.rank, biased = static_cast<bool>(second ? in.c_bias : in.b_bias);
        const int rank = second ? i - s.rank : i, pairs = s.angles, plain = s.state - 2 * pairs;
        T* const row = own.row(second ? Memory::q : Memory::k, rank);
        T squares = 0;
        if (in.b_norm)
#pragma unroll 4  // loads side by side: the block waits for its last row
            for (int n = static_cast<int>(threadIdx.x) % 32; n < s.state; n += 32)
                squares = numerics::fma(row[n], row[n], squares);
        const T scale = numerics::inverse_rms(warp_sum(squares), static_cast<T>(s.state), static_cast<T>(s.epsilon));
        const auto value = [&](int n) {
            const T normed = in.b_norm ? row[n] * (scale * own.weight[(second ? s.state : 0) + n]) : row[n];
            return biased ? normed + own.bias[i * s.state + n] : normed;
        };
        each_by_lane(pairs + plain, [&](int j) {
            if (j >= pairs) {
                const int n = numerics::rotated_channel(j + pairs, pairs, s.state, s.neighbours);
                row[n] = value(n);
                return;
            }
            const int at = numerics::rotated_channel(j, pairs, s.state, s.neighbours),
                      beside = numerics::rotated_channel(pairs + j, pairs, s.state, s.neighbours);
            const auto turned = numerics::rotate(numerics::Pair<T>{value(at), value(beside)}, own.cos[j], own.sin[j]);
            row[at] = turned.x;
            row[beside] = turned.y;
        });
        if (second || !s.carries_input) return;
        __syncwarp();
        each_by_lane(s.state, [&](int n) { carried_k()[rank * s.state + n] = row[n]; });
    }
    /// v and the gate of one rank. This position's v is the next one's last.
    __device__ void mix_input(int rank) const {
        each_by_lane(s.headdim, [&](int p) {
            const int at = rank * s.headdim + p;
            const T v = s.mimo ? own.x[p] * own.v[at] : own.x[p];
            own.v[at] = v;
            if (s.carries_input) carried_v()[at] = v;
            if (s.gate.on) own.gate[at] = numerics::silu(s.mimo ? own.z[p] * own.gate[at] : own.z[p]);
        });
    }

    __device__ T* group(const StripeOfThread<Wide>& tile, int index) const {
        return carried_h() + tile.row(index) * s.headdim + tile.column;
    }
    __device__ void fetch_group(const StripeOfThread<Wide>& tile, int index) const {
        if (index < tile.count) copy_group<Wide>(own.ring, index % kAhead * Wide, group(tile, index), s.headdim);
        end_of_copies();
    }
    /// The thread's strips of h, one group after the other, and their part of y.
    __device__ void stream(const StripeOfThread<Wide>& tile, const numerics::Coefficients<T>& step) const {
        if (tile.count == 0) return;
        Strip<T, Wide> last_v[Ranks], v[Ranks], y[Ranks]{};  // weighted by β, γ
#pragma unroll
        for (int rank = 0; rank < Ranks; ++rank)
#pragma unroll
            for (int e = 0; e < Wide; ++e) {
                const int at = rank * s.headdim + tile.column + e;
                last_v[rank].of[e] = rank < s.rank ? step.beta * own.last_v[at] : T(0);
                v[rank].of[e] = rank < s.rank ? step.gamma * own.v[at] : T(0);
            }
#pragma unroll 1
        for (int index = 0; index < tile.count; ++index) {
            wait_for_copies_but<kAhead - 1>();
            update_group(index % kAhead * Wide, tile.row(index), group(tile, index), step.alpha, last_v, v, y);
            fetch_group(tile, index + kAhead);
        }
#pragma unroll
        for (int rank = 0; rank < Ranks; ++rank)
#pragma unroll
            for (int e = 0; e < Wide; ++e) own_strip<Wide>(own.ring, rank)[e] = y[rank].of[e];
    }
    __device__ void update_group(int strip, int row, T* to, T alpha, const Strip<T, Wide> (&last_v)[Ranks],
                                 const Strip<T, Wide> (&v)[Ranks], Strip<T, Wide> (&y)[Ranks]) const {
        Strip<T, Wide> strips[Wide];
#pragma unroll
        for (int d = 0; d < Wide; ++d) {
            load_shared(own_strip<Wide>(own.ring, strip + d), strips[d].of);
#pragma unroll
            for (int e = 0; e < Wide; ++e) strips[d].of[e] *= alpha;
        }
#pragma unroll
        for (int rank = 0; rank < Ranks; ++rank) {
            T last_k[Wide], k[Wide];
            load_shared(own.row(Memory::last_k, rank) + row, last_k);
            load_shared(own.row(Memory::k, rank) + row, k);
#pragma unroll
            for (int d = 0; d < Wide; ++d)
#pragma unroll
                for (int e = 0; e < Wide; ++e)
                    strips[d].of[e] = numerics::fma(k[d], v[rank].of[e],
                                                    numerics::fma(last_k[d], last_v[rank].of[e], strips[d].of[e]));
        }
#pragma unroll
        for (int d = 0; d < Wide; ++d) store_strip(to + d * s.headdim, strips[d]);
#pragma unroll
        for (int rank = 0; rank < Ranks; ++rank) {
            T q[Wide];
            load_shared(own.row(Memory::q, rank) + row, q);
#pragma unroll
            for (int d = 0; d < Wide; ++d)
#pragma unroll
                for (int e = 0; e < Wide; ++e) y[rank].of[e] = numerics::fma(q[d], strips[d].of[e], y[rank].of[e]);
        }
    }

    /// y of every rank, in one warp each, in place of v: norm(y + D v) ⊙ gate in some order, weighted for the mix.
    __device__ void finish_ranks(const StripeOfThread<Wide>& tile, T skip) const {
        const bool norm_last = s.gate.norm == OutprojNorm::post_gate,
                   normed = s.gate.norm == OutprojNorm::pre_gate || norm_last;
        each_by_warp(s.rank, [&](int rank) {
            T* const out = own.v + rank * s.headdim;
            const T* const gate = own.gate + rank * s.headdim;
            T squares = 0;
            each_by_lane(s.headdim, [&](int p) {
                T sum = 0;
                for (int stripe = 0; stripe < tile.stripes; ++stripe)
                    sum += own.ring[rank * kUpdateThreads * Wide + stripe * s.headdim + p];
                out[p] = numerics::fma(skip, out[p], sum);
                const T last = norm_last ? out[p] * gate[p] : out[p];
                squares = numerics::fma(last, last, squares);
            });
            T scale = 0;
            if (normed)
                scale = numerics::inverse_rms(warp_sum(squares), static_cast<T>(s.headdim), static_cast<T>(s.epsilon));
            each_by_lane(s.headdim, [&](int p) {
                if (s.gate.on) out[p] *= gate[p];
                if (normed) out[p] *= scale * in.norm.at(r)[h * s.headdim + p];
                if (s.mimo) out[p] *= own.mimo_o[rank * s.headdim + p];
            });
        });
    }
};

/// Blocks that a multiprocessor should have room for: what the registers allow.
constexpr int blocks_wanted(int ranks, std::size_t scalar) {
    return scalar > sizeof(float) ? 2 : ranks == 1 ? 6 : ranks <= 4 ? 4 : 3;
}

template <class T, int Ranks, int Wide>
__global__ void __launch_bounds__(kUpdateThreads, blocks_wanted(Ranks, sizeof(T)))
    state_update_kernel(StateSpaceShape s, Stripes layout, UpdateViews<T> in, View<T> y, View<T> state,
                        std::int64_t position) {
    BlockMemory memory(block_memory<true>(nullptr, 0));
    const UpdateMemory<T, Ranks, Wide> own(memory, s, layout);
    const HeadOfSequence task = head_of_block(s.heads, blockIdx.z);
    const int carried = s.state * s.headdim + (s.carries_input ? s.angles + s.rank * (s.state + s.headdim) : 0);
    T* const own_state = state.at(task.r, task.b) + std::int64_t{task.h} * carried;
    const HeadUpdate<T, Ranks, Wide> head{s, in, own, own_state, task.r, task.b, task.h, layout};
    head.run(y, position);
}

template <class T>
UpdateViews<T> views(const Mamba3Tensors& t) {
    return {view<T>(t.z),      view<T>(t.xbc),     view<T>(t.ddt),    view<T>(t.da),     view<T>(t.u),
            view<T>(t.angle),  view<T>(t.dt_bias), view<T>(t.d),      view<T>(t.a_log),  view<T>(t.b_bias),
            view<T>(t.c_bias), view<T>(t.b_norm),  view<T>(t.c_norm), view<T>(t.mimo_x), view<T>(t.mimo_z),
            view<T>(t.mimo_o), view<T>(t.norm)};
}

/// Whether every row of every head's h begins at a multiple of four floats, and rows come in fours.
bool aligned(const StateSpaceShape& s, const Tensor& state) {
    const int carried = s.carries_input ? s.angles + s.rank * (s.state + s.headdim) : 0;
    return s.headdim % 4 == 0 && s.state % 4 == 0 && carried % 4 == 0 && (!s.carries_input || s.angles % 4 == 0) &&
           reinterpret_cast<std::uintptr_t>(state.data) % 16 == 0 && state.stride[0] % 4 == 0 &&
           state.stride[1] % 4 == 0;
}

template <class T, int Ranks, int Wide>
bool start(const CudaBackend& backend, const StateSpaceShape& s, const Mamba3Tensors& in, const Tensor& y,
           const Tensor& state, std::int64_t position) {
    if (s.rank > Ranks || (s.headdim + Wide - 1) / Wide > kUpdateThreads) return false;
    const Stripes layout = Stripes::of(Wide, s.state, s.headdim);
    BlockMemory measure;
    const UpdateMemory<T, Ranks, Wide> memory(measure, s, layout);
    if (measure.used() > backend.shared_limit()) return false;
    launch("state_update", state_update_kernel<T, Ranks, Wide>,
           dim3(grid_size(s.batch * s.heads), 1, grid_size(s.replicas)), dim3(kUpdateThreads),
           static_cast<std::size_t>(measure.used()), backend.stream(), s, layout, views<T>(in), view<T>(y),
           view<T>(state), position);
    return true;
}

}  // namespace

bool state_update(const CudaBackend& backend, const StateSpaceShape& s, const Mamba3Tensors& in, const Tensor& y,
                  const Tensor& state, std::int64_t position) {
    if (y.dtype == DType::f64) return start<double, 8, 1>(backend, s, in, y, state, position);
    if (!aligned(s, state)) return start<float, 8, 1>(backend, s, in, y, state, position);
    if (s.rank == 1) return start<float, 1, 4>(backend, s, in, y, state, position);
    if (s.rank <= 4) return start<float, 4, 4>(backend, s, in, y, state, position);
    return start<float, 8, 4>(backend, s, in, y, state, position);
}

}  // namespace whorl::gpu
