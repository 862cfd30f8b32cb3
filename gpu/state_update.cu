// One block a head of a sequence: h ← α h + β k' v'ᵀ + γ k vᵀ and y = hᵀ q, where k', v' are the last position's B and
// x. The state is [N, P] in memory: every thread copies the strips that it will update into a ring in shared memory,
// and all of a usual state is on its way before anything else is done. What comes before (Δ, A, λ, norms, rotation) and
// after (skip, norm, gate, mix) hides behind these copies and behind the other blocks of the multiprocessor.
#include "core/numerics/discretization.hpp"
#include "core/numerics/mixer_terms.hpp"
#include "core/numerics/rotation.hpp"
#include "gpu/block.cuh"
#include "gpu/state_tile.cuh"
#include "gpu/state_update.cuh"

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

    __host__ __device__ UpdateMemory(BlockMemory& memory, const StateSpaceShape& s) : state(s.state) {
        const int groups = least_of(kAhead, StripeOfThread<Wide>::most_groups(s.state, s.headdim));
        ring = memory.take<T>(most_of(groups * Wide, Ranks) * kUpdateThreads * Wide);
        rows = memory.take<T>(parts * Ranks * s.state);
        bias = memory.take<T>(2 * s.rank * s.state);
        weight = memory.take<T>(2 * s.state);
        for (T** table : {&sin, &cos}) *table = memory.take<T>(s.angles);
        for (T** matrix : {&v, &gate, &mimo_o, &last_v}) *matrix = memory.take<T>(s.rank * s.headdim);
        x = s.mimo ? memory.take<T>(s.headdim) : v;
        z = s.mimo ? memory.take<T>(s.headdim) : gate;
    }
    __device__ T* row(int part, int rank) const { return rows + (part * Ranks + rank) * state; }

    int state;
    T* ring;                        // [strips, threads, Wide]; in the end the threads' parts of y of every rank
    T* rows;                        // [parts, Ranks, N]
    T *bias, *weight;               // [2, rank, N], [2, N]: B's, then C's
    T *sin, *cos;                   // [S]
    T *v, *gate, *mimo_o, *last_v;  // [rank, P]; at first v and gate are the mixes of x and z
    T *x, *z;                       // [P]
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

    __device__ T* carried_h() const { return state + (s.carries_input ? s.angles : 0); }
    __device__ T* carried_k() const { return carried_h() + s.state * s.headdim; }
    __device__ T* carried_v() const { return carried_k() + s.rank * s.state; }

    __device__ void run(const View<T>& y, std::int64_t position) const {
        const StripeOfThread<Wide> tile(s.state, s.headdim, s.headdim);
        const T raw_dt = in.ddt.at(r, b)[h], dt_bias = in.dt_bias.at(r)[h],
                raw_decay = in.a_log ? in.a_log.at(r)[h] : in.da.at(r, b)[h],
                raw_weight = s.learned_weight ? in.u.at(r, b)[h] : T(0), skip = in.d.at(r)[h];
        fetch();
        end_of_copies();
        for (int index = 0; index < kAhead; ++index) fetch_group(tile, index);
        const T dt = numerics::step_size(raw_dt, dt_bias),
                decay = in.a_log ? numerics::head_decay_rate(raw_decay)
                                 : numerics::data_decay_rate(raw_decay, s.heavy_tail, static_cast<T>(s.a_floor)),
                weight = s.learned_weight ? numerics::sigmoid(raw_weight) : static_cast<T>(s.fixed_weight);
        wait_for_copies_but<kAhead>();
        turns(dt, position);
        __syncthreads();
        each_by_warp(3 * s.rank, [&](int i) { i < 2 * s.rank ? turn_row(i) : mix_input(i - 2 * s.rank); });
        __syncthreads();
        stream(tile, numerics::exp_trapezoid(dt, decay, weight));
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
    /// Starts the copies of all inputs, raw; phases and their speeds by the threads that will turn them.
    __device__ void fetch() const {
        each_by_warp(3 * s.rank + 2, [&](int i) {
            if (i < 2 * s.rank)
                fetch_row(i, i >= s.rank, i % s.rank);
            else if (i < 3 * s.rank)
                fetch_rank(i - 2 * s.rank);
            else if (i == 3 * s.rank)
                fetch_input();
            else if (in.b_norm)
                for (const int second : {0, 1})
                    copy_vector<Wide>(own.weight + second * s.state, (second ? in.c_norm : in.b_norm).at(r), s.state);
        });
        each_by_warp(Memory::parts * (Ranks - s.rank), [&](int i) {
            T* const row = own.row(i % Memory::parts, s.rank + i / Memory::parts);
            each_by_lane(s.state, [&](int n) { row[n] = 0; });
        });
        if (s.turning != Turning::data) return;
        for (int j = static_cast<int>(threadIdx.x); j < s.angles; j += kUpdateThreads) {
            copy_async<1>(own.cos + j, state + j, 1);
            copy_async<1>(own.sin + j, in.angle.at(r, b) + j, 1);
        }
    }
    __device__ void fetch_row(int i, bool second, int rank) const {
        const int group = h / (s.heads / s.groups);
        copy_vector<Wide>(own.row(second ? Memory::q : Memory::k, rank),
                          in.xbc.at(r, b) + s.heads * s.headdim + (i * s.groups + group) * s.state, s.state);
        const View<T>& bias = second ? in.c_bias : in.b_bias;
        if (bias) copy_vector<Wide>(own.bias + i * s.state, bias.at(r, h, rank), s.state);
    }
    /// The last position's k and v, or zeros, and the mixes of the ranks.
    __device__ void fetch_rank(int rank) const {
        const int at = rank * s.headdim;
        if (s.carries_input) {
            copy_vector<Wide>(own.row(Memory::last_k, rank), carried_k() + rank * s.state, s.state);
            copy_vector<Wide>(own.last_v + at, carried_v() + at, s.headdim);
        } else {
            each_by_lane(s.state, [&](int n) { own.row(Memory::last_k, rank)[n] = 0; });
            each_by_lane(s.headdim, [&](int p) { own.last_v[at + p] = 0; });
        }
        if (!s.mimo) return;
        copy_vector<Wide>(own.v + at, in.mimo_x.at(r, h, rank), s.headdim);
        copy_vector<Wide>(own.gate + at, in.mimo_z.at(r, h, rank), s.headdim);
        copy_vector<Wide>(own.mimo_o + at, in.mimo_o.at(r, h, rank), s.headdim);
    }
    __device__ void fetch_input() const {
        copy_vector<Wide>(own.x, in.xbc.at(r, b) + h * s.headdim, s.headdim);
        if (s.gating != Gating::none) copy_vector<Wide>(own.z, in.z.at(r, b) + h * s.headdim, s.headdim);
    }

    /// The phases, advanced, and their sines.
    __device__ void turns(T dt, std::int64_t position) const {
        for (int j = static_cast<int>(threadIdx.x); j < s.angles; j += kUpdateThreads) {
            const T phase = s.turning == Turning::data
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
        const int rank = i % s.rank, pairs = s.angles, plain = s.state - 2 * pairs;
        T* const row = own.row(second ? Memory::q : Memory::k, rank);
        T squares = 0;
        if (in.b_norm) each_by_lane(s.state, [&](int n) { squares = numerics::fma(row[n], row[n], squares); });
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
            if (s.gating != Gating::none) own.gate[at] = numerics::silu(s.mimo ? own.z[p] * own.gate[at] : own.z[p]);
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
        const bool norm_last = s.gating == Gating::norm_last, normed = s.gating == Gating::norm_first || norm_last;
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
                if (s.gating != Gating::none) out[p] *= gate[p];
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
    state_update_kernel(StateSpaceShape s, UpdateViews<T> in, View<T> y, View<T> state, std::int64_t position) {
    BlockMemory memory(block_memory<true>(nullptr, 0));
    const UpdateMemory<T, Ranks, Wide> own(memory, s);
    const std::int64_t task = blockIdx.x, b = task / s.heads % s.batch, r = task / s.heads / s.batch;
    const int h = static_cast<int>(task % s.heads),
              carried = s.state * s.headdim + (s.carries_input ? s.angles + s.rank * (s.state + s.headdim) : 0);
    const HeadUpdate<T, Ranks, Wide> head{s, in, own, state.at(r, b) + std::int64_t{h} * carried, r, b, h};
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
    BlockMemory measure;
    const UpdateMemory<T, Ranks, Wide> memory(measure, s);
    if (measure.used() > backend.shared_limit()) return false;
    launch("state_update", state_update_kernel<T, Ranks, Wide>, dim3(grid_size(s.replicas * s.batch * s.heads)),
           dim3(kUpdateThreads), static_cast<std::size_t>(measure.used()), backend.stream(), s, views<T>(in),
           view<T>(y), view<T>(state), position);
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
