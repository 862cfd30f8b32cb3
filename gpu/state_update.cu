// One block a head of a sequence: h ← α h + β k' v'ᵀ + γ k vᵀ and y = hᵀ q, where k', v' are the last position's B and
// x. The state is [N, P] in memory; loads of its first rows start before anything else does, and go on while rows are
// updated, so that what comes before (Δ, A, λ, norms, rotation) and after (skip, norm, gate, mix) hides behind them and
// behind the other blocks of the multiprocessor.
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
template <class T, int Ranks, int Wide>
struct UpdateMemory {
    static constexpr int kRow = Ranks == 1 ? 4 : 3 * Ranks;
    enum Part { last_k = 0, k = Ranks, q = 2 * Ranks };  // of a row of `rows`

    __host__ __device__ UpdateMemory(BlockMemory& memory, const StateSpaceShape& s) {
        const int mixes = s.mimo ? s.rank * s.headdim : 0;
        rows = memory.take<T>(s.state * kRow);
        bias = memory.take<T>(2 * s.rank * s.state);
        weight = memory.take<T>(2 * s.state);
        for (T** table : {&sin, &cos}) *table = memory.take<T>(s.angles);
        for (T** vector : {&x, &z}) *vector = memory.take<T>(s.headdim);
        last_v = memory.take<T>(s.rank * s.headdim);
        for (T** mix : {&mimo_x, &mimo_z, &mimo_o}) *mix = memory.take<T>(mixes);
        scale = memory.take<T>(2 * Ranks);
        sums = memory.take<T>(StripeOfThread<Wide>::stripes_of(s.state, s.headdim) * Ranks * s.headdim);
    }
    T* rows;                      // [N, kRow]: last k, k and q of every rank
    T *bias, *weight;             // [2, rank, N], [2, N]: B's, then C's
    T *sin, *cos;                 // [S]
    T *x, *z, *last_v;            // [P], [P], [rank, P]
    T *mimo_x, *mimo_z, *mimo_o;  // [rank, P]
    T* scale;                     // [2, rank]: 1/rms of B's and C's rows; then of the gate's norm
    T* sums;                      // [stripes, Ranks, P]: parts of y
};

/// One head of one sequence.
template <class T, int Ranks, int Wide>
struct HeadUpdate {
    using Memory = UpdateMemory<T, Ranks, Wide>;
    static constexpr int kHeld = Ranks > 1 ? 4 : 8;  // strips under way
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
        Strip<T, Wide> held[kHeld];
        T* const first = carried_h() + tile.stripe * s.headdim + tile.column;
#pragma unroll
        for (int i = 0; i < kHeld; ++i)
            if (i < tile.count) held[i] = load_strip<T, Wide>(first + i * tile.stripes * s.headdim);
        fetch();
        const T dt = numerics::step_size(in.ddt.at(r, b)[h], in.dt_bias.at(r)[h]);
        const auto step = numerics::exp_trapezoid(dt, decay_rate(), trapezoid_weight());
        turns(dt, position);
        wait_for_copies();
        scales();
        __syncthreads();
        turn_rows();
        __syncthreads();
        keep_input();
        stream(tile, first, held, step);
        __syncthreads();
        write(y, tile.stripes);
    }

private:
    __device__ T decay_rate() const {
        return in.a_log ? numerics::head_decay_rate(in.a_log.at(r)[h])
                        : numerics::data_decay_rate(in.da.at(r, b)[h], s.heavy_tail, static_cast<T>(s.a_floor));
    }
    __device__ T trapezoid_weight() const {
        return s.learned_weight ? numerics::sigmoid(in.u.at(r, b)[h]) : static_cast<T>(s.fixed_weight);
    }

    /// Starts the copies of all inputs, raw.
    __device__ void fetch() const {
        const T* row = in.xbc.at(r, b);
        const int group = h / (s.heads / s.groups), inner = s.heads * s.headdim;
        each_of_rows(2 * s.rank, s.state, [&](int i, int n) {
            const bool second = i >= s.rank;
            const int rank = second ? i - s.rank : i;
            copy_async(own.rows + n * Memory::kRow + (second ? Memory::q : Memory::k) + rank,
                       row + inner + (i * s.groups + group) * s.state + n);
            const View<T>& bias = second ? in.c_bias : in.b_bias;
            if (bias) copy_async(own.bias + i * s.state + n, bias.at(r, h, rank) + n);
        });
        if (in.b_norm)
            each_of_rows(2, s.state, [&](int i, int n) {
                copy_async(own.weight + i * s.state + n, (i ? in.c_norm : in.b_norm).at(r) + n);
            });
        fetch_last();
        each_of_rows(2, s.headdim, [&](int i, int p) {
            if (i == 0) copy_async(own.x + p, row + h * s.headdim + p);
            if (i == 1 && s.gating != Gating::none) copy_async(own.z + p, in.z.at(r, b) + h * s.headdim + p);
        });
        if (s.mimo)
            each_of_rows(3 * s.rank, s.headdim, [&](int i, int p) {
                const int which = i / s.rank, rank = i - which * s.rank;
                const View<T>& mix = which == 0 ? in.mimo_x : which == 1 ? in.mimo_z : in.mimo_o;
                copy_async((which == 0   ? own.mimo_x
                            : which == 1 ? own.mimo_z
                                         : own.mimo_o) +
                               rank * s.headdim + p,
                           mix.at(r, h, rank) + p);
            });
    }
    /// The last position's k and v, or zeros; and zeros for the ranks that are not there.
    __device__ void fetch_last() const {
        each_of_rows(Ranks, s.state, [&](int rank, int n) {
            T* to = own.rows + n * Memory::kRow + rank;
            if (rank >= s.rank)
                to[Memory::last_k] = to[Memory::k] = to[Memory::q] = 0;
            else if (s.carries_input)
                copy_async(to + Memory::last_k, carried_k() + rank * s.state + n);
            else
                to[Memory::last_k] = 0;
        });
        each_of_rows(s.rank, s.headdim, [&](int rank, int p) {
            T* to = own.last_v + rank * s.headdim + p;
            if (s.carries_input)
                copy_async(to, carried_v() + rank * s.headdim + p);
            else
                *to = 0;
        });
    }

    /// The phases, advanced, and their sines.
    __device__ void turns(T dt, std::int64_t position) const {
        for (int j = static_cast<int>(threadIdx.x); j < s.angles; j += kUpdateThreads) {
            const T phase =
                s.turning == Turning::data
                    ? numerics::advance_phase(state[j], numerics::angular_velocity(in.angle.at(r, b)[j]), dt)
                    : numerics::rope_angle<T>(position, j, s.angles);
            const auto turn = numerics::sincos(phase);
            own.sin[j] = turn.sin;
            own.cos[j] = turn.cos;
            state[j] = phase;
        }
    }

    __device__ static constexpr int part_of(bool second) {
        return second ? Memory::q : Memory::k;
    }
    __device__ void scales() const {
        if (!in.b_norm) return;
        sum_rows(
            2 * s.rank, s.state, own.scale,
            [&](int i, int n) {
                const bool second = i >= s.rank;
                const T value = own.rows[n * Memory::kRow + part_of(second) + (second ? i - s.rank : i)];
                return value * value;
            },
            [&](T sum) { return numerics::inverse_rms(sum, static_cast<T>(s.state), static_cast<T>(s.epsilon)); });
    }
    /// B and C of every rank: RMSNorm·w + bias, then the rotation.
    __device__ void turn_rows() const {
        const int pairs = s.angles, plain = s.state - 2 * pairs;
        each_of_rows(2 * s.rank, pairs + plain, [&](int i, int j) {
            const bool second = i >= s.rank;
            T* row = own.rows + part_of(second) + (second ? i - s.rank : i);
            const bool biased = static_cast<bool>(second ? in.c_bias : in.b_bias);
            const auto value = [&](int c) {
                const T raw = row[c * Memory::kRow],
                        normed = in.b_norm ? raw * (own.scale[i] * own.weight[(second ? s.state : 0) + c]) : raw;
                return biased ? normed + own.bias[i * s.state + c] : normed;
            };
            if (j >= pairs) {
                const int c = numerics::rotated_channel(j + pairs, pairs, s.state, s.neighbours);
                row[c * Memory::kRow] = value(c);
                return;
            }
            const int at = numerics::rotated_channel(j, pairs, s.state, s.neighbours),
                      beside = numerics::rotated_channel(pairs + j, pairs, s.state, s.neighbours);
            const auto turned = numerics::rotate(numerics::Pair<T>{value(at), value(beside)}, own.cos[j], own.sin[j]);
            row[at * Memory::kRow] = turned.x;
            row[beside * Memory::kRow] = turned.y;
        });
    }

    __device__ T input(int rank, int p) const {
        return s.mimo ? own.x[p] * own.mimo_x[rank * s.headdim + p] : own.x[p];
    }
    /// This position's k and v are the next one's last.
    __device__ void keep_input() const {
        if (!s.carries_input) return;
        each_of_rows(s.rank, s.state, [&](int rank, int n) {
            carried_k()[rank * s.state + n] = own.rows[n * Memory::kRow + Memory::k + rank];
        });
        each_of_rows(s.rank, s.headdim, [&](int rank, int p) { carried_v()[rank * s.headdim + p] = input(rank, p); });
    }

    /// The thread's strips of h, one after the other, and their part of y.
    __device__ void stream(const StripeOfThread<Wide>& tile, T* first, Strip<T, Wide> (&held)[kHeld],
                           const numerics::Coefficients<T>& step) const {
        if (tile.count == 0) return;
        const int next = tile.stripes * s.headdim;
        Strip<T, Wide> last_v[Ranks], v[Ranks], y[Ranks];  // weighted by β, γ
#pragma unroll
        for (int rank = 0; rank < Ranks; ++rank)
#pragma unroll
            for (int e = 0; e < Wide; ++e) {
                const bool there = rank < s.rank;
                const int p = tile.column + e;
                last_v[rank].of[e] = there ? step.beta * own.last_v[rank * s.headdim + p] : T(0);
                v[rank].of[e] = there ? step.gamma * input(rank, p) : T(0);
                y[rank].of[e] = 0;
            }
        for (int base = 0; base < tile.count; base += kHeld)
#pragma unroll
            for (int i = 0; i < kHeld; ++i) {
                const int index = base + i;
                if (index >= tile.count) continue;
                Strip<T, Wide> strip = held[i];
                if (index + kHeld < tile.count) held[i] = load_strip<T, Wide>(first + (index + kHeld) * next);
                T row[Memory::kRow];
                load_shared(own.rows + tile.row(index) * Memory::kRow, row);
#pragma unroll
                for (int e = 0; e < Wide; ++e) {
                    T value = step.alpha * strip.of[e];
#pragma unroll
                    for (int rank = 0; rank < Ranks; ++rank)
                        value = numerics::fma(row[Memory::k + rank], v[rank].of[e],
                                              numerics::fma(row[Memory::last_k + rank], last_v[rank].of[e], value));
#pragma unroll
                    for (int rank = 0; rank < Ranks; ++rank)
                        y[rank].of[e] = numerics::fma(row[Memory::q + rank], value, y[rank].of[e]);
                    strip.of[e] = value;
                }
                store_strip(first + index * next, strip);
            }
#pragma unroll
        for (int rank = 0; rank < Ranks; ++rank)
#pragma unroll
            for (int e = 0; e < Wide; ++e)
                own.sums[(tile.stripe * Ranks + rank) * s.headdim + tile.column + e] = y[rank].of[e];
    }

    // ---- skip, norm and gate: out = norm(y + D x) ⊙ silu(z) in some order, then the mix of the ranks

    __device__ T gate(int rank, int p) const {
        return numerics::silu(s.mimo ? own.z[p] * own.mimo_z[rank * s.headdim + p] : own.z[p]);
    }
    __device__ bool normed() const {
        return s.gating == Gating::norm_first || s.gating == Gating::norm_last;
    }
    __device__ T gated(T skipped, int rank, int p) const {
        if (s.gating == Gating::none) return skipped;
        const T out = skipped * gate(rank, p);
        return normed() ? out * (own.scale[rank] * in.norm.at(r)[h * s.headdim + p]) : out;
    }
    __device__ void write(const View<T>& y, int stripes) const {
        const T skip = in.d.at(r)[h];
        for (int p = static_cast<int>(threadIdx.x); p < s.headdim; p += kUpdateThreads)
            for (int rank = 0; rank < s.rank; ++rank) {
                T sum = 0;
                for (int stripe = 0; stripe < stripes; ++stripe)
                    sum += own.sums[(stripe * Ranks + rank) * s.headdim + p];
                own.sums[rank * s.headdim + p] = sum + skip * input(rank, p);  // read by nobody else before
            }
        if (normed()) {
            __syncthreads();
            sum_rows(
                s.rank, s.headdim, own.scale,
                [&](int rank, int p) {
                    const T value = own.sums[rank * s.headdim + p],
                            out = s.gating == Gating::norm_last ? value * gate(rank, p) : value;
                    return out * out;
                },
                [&](T sum) {
                    return numerics::inverse_rms(sum, static_cast<T>(s.headdim), static_cast<T>(s.epsilon));
                });
            __syncthreads();
        }
        for (int p = static_cast<int>(threadIdx.x); p < s.headdim; p += kUpdateThreads) {
            T out = 0;
            for (int rank = 0; rank < s.rank; ++rank) {
                const T one = gated(own.sums[rank * s.headdim + p], rank, p);
                out += s.mimo ? one * own.mimo_o[rank * s.headdim + p] : one;
            }
            y.at(r, b)[h * s.headdim + p] = out;
        }
    }
};

/// Blocks that a multiprocessor should have room for: what the registers allow.
constexpr int blocks_wanted(int ranks, std::size_t scalar) {
    return scalar > sizeof(float) ? 2 : ranks == 1 ? 6 : ranks <= 4 ? 5 : 3;
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

/// Whether every row of every head's h begins at a multiple of four floats.
bool aligned(const StateSpaceShape& s, const Tensor& state) {
    const int carried = s.carries_input ? s.angles + s.rank * (s.state + s.headdim) : 0;
    return s.headdim % 4 == 0 && carried % 4 == 0 && (!s.carries_input || s.angles % 4 == 0) &&
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
