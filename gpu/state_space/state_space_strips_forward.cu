// The forward pass of state_space_strips.cuh.
#include "gpu/state_space/state_space_memory.cuh"
#include "gpu/state_space/state_space_strips.cuh"

namespace whorl::gpu {
namespace {

template <class Kind>
struct StripForwardMemory {
    using E = typename Kind::E;
    __host__ __device__ StripForwardMemory(BlockMemory& memory, const StateSpaceShape& s) : vectors(memory) {
        q = memory.take<E>(kStripChunk * Kind::kNld);
        k = memory.take<E>(kStripChunk * Kind::kNld);
        v = memory.take<E>(kStripChunk * Kind::kPld);
        h = memory.take<E>(s.chunks() > 1 ? Kind::kState * Kind::kPld : 0);
        decays = memory.take<float>(kStripChunk * kTableLd);
        exits = memory.take<float>(s.chunks() > 1 ? kStripChunk : 0);
        vectors.take_turns(memory, s.angles);
    }
    StripVectors vectors;
    E *q, *k, *v;   // [64,N], [64,P]
    E* h;           // [N,P]: the state before the chunk
    float* decays;  // [64,16]: between rows of a strip
    float* exits;   // [64]: what an input weighs in the state behind the chunk
};

template <class Kind>
struct StripForward : StripHead<Kind> {
    using Base = StripHead<Kind>;
    using Base::P, Base::kState, Base::kHeaddim, Base::kPairs, Base::kPanels, Base::kNld, Base::kPld;
    using Base::s, Base::in, Base::x, Base::q, Base::k, Base::r, Base::h, Base::phase, Base::positions, Base::strip,
        Base::own_row, Base::state_row, Base::clamped, Base::pair, Base::z, Base::xbc, Base::kOwnPanels,
        Base::kStateStrips;
    using typename Base::E, typename Base::S;
    static constexpr int kTogether = P == Products::bf16 ? 4 : 1;  // steps of a sum that there are registers for

    const StripForwardMemory<Kind>& own;
    WarpTile<float> state[kStateStrips][kPanels] = {};

    __device__ StripForward(const StateSpaceShape& shape, const StateSpaceViews<float, S>& tensors,
                            const StripForwardMemory<Kind>& memory, const HeadOfSequence& place)
        : Base(shape, tensors, memory.vectors, memory.q, memory.k, place), own(memory) {}

    __device__ __forceinline__ void run(const View<S>& y, std::int64_t position, float* saved) {
        const SavedLayout layout(s);
        const int chunks = this->chunks();
#pragma unroll 1
        for (int chunk = 0; chunk < chunks; ++chunk) {
            this->enter(chunk);
            typename Base::Velocities velocities;
            typename Base::RawRows rows;
            const auto raw = this->raw_steps();
            this->load_velocities(velocities);
            this->load_rows(rows, this->share_row());
            const auto step = this->steps(raw);
            const bool inside = lane_index() < kTileRows && own_row() + lane_index() < positions;
            if (this->first_sharer()) inner_decays(inside ? step.dt * step.a : 0, own.decays + own_row() * kTableLd);
            this->strip_turns(velocities, inside ? step.dt : 0, position);
            typename Base::InputRows input;
            this->load_input(input);
            __syncthreads();
            this->read_decays();
            this->turn_rows(rows, [](int, int, std::uint32_t) {});
            this->store_input(input, own.v);
            if (chunk + 1 < chunks && this->first_sharer()) exit_weights();
            __syncthreads();
            if (this->busy()) outputs(chunk > 0, y, saved);
            if (chunk + 1 == chunks) return;
            advance(saved + layout.states + std::int64_t{chunk} * kState * kHeaddim,
                    saved + layout.phases + std::int64_t{chunk} * s.angles);
        }
    }

private:
    __device__ void exit_weights() const {
        const int row = own_row() + lane_index();
        if (lane_index() < kTileRows) own.exits[row] = this->to_end(row) * x.strength[row];
    }

    /// Rolled loops: a kernel must stay in the instruction cache.
    __device__ __forceinline__ void outputs(bool with_state, const View<S>& y, float* saved) const {
        WarpTile<float> out[kOwnPanels];
        const E* const queries = q + own_row() * kNld;
        Gates gates;
        load_gates(gates);
        if (with_state) from_state(queries, out);
#pragma unroll 1
        for (int other = 0; other <= strip(); ++other) {
            WarpTile<float> scores;
#pragma unroll kTogether
            for (int n = 0; n < kState; n += 16)
                multiply_add(scores, left_rows<P>(queries + n, kNld),
                             right_rows<P>(k + other * kTileRows * kNld + n, kNld));
            weigh(scores, other);
            const Left<P> left = left_results<P>(scores);
#pragma unroll
            for (int c = 0; c < kOwnPanels; ++c)
                multiply_add(out[c], left,
                             right_columns<P>(own.v + other * kTileRows * kPld + this->own_channel(c), kPld));
        }
        write(out, gates, y, saved);
    }
    __device__ __forceinline__ void from_state(const E* queries, WarpTile<float> (&out)[kOwnPanels]) const {
#pragma unroll 1
        for (int n = 0; n < kState; n += 16) {
            const Left<P> left = left_rows<P>(queries + n, kNld);
#pragma unroll
            for (int c = 0; c < kOwnPanels; ++c)
                multiply_add(out[c], left, right_columns<P>(own.h + n * kPld + this->own_channel(c), kPld));
        }
        const float before = this->through(0, strip());
        const float weights[2] = {x.head[own_row() + lane_row()] * before, x.head[own_row() + lane_row() + 8] * before};
#pragma unroll
        for (auto& tile : out)
            each_pair(tile, [&](int, int, int half, float& first, float& second) {
                first *= weights[half], second *= weights[half];
            });
    }
    __device__ __forceinline__ void weigh(WarpTile<float>& tile, int other) const {
        const float between = this->through(other + 1, strip());
        const float rows[2] = {x.head[own_row() + lane_row()] * between, x.head[own_row() + lane_row() + 8] * between};
        each_pair(tile, [&](int i, int j, int half, float& first, float& second) {
            const int column = other * kTileRows + j;
            if (other < strip()) {
                first *= rows[half] * x.tail[column] * x.strength[column];
                second *= rows[half] * x.tail[column + 1] * x.strength[column + 1];
                return;
            }
            const float* decays = own.decays + (own_row() + i) * kTableLd;
            first *= j < i ? decays[j] * x.strength[column] : j == i ? x.gamma[column] : 0;
            second *= j + 1 < i ? decays[j + 1] * x.strength[column + 1] : j + 1 == i ? x.gamma[column + 1] : 0;
        });
    }

    /// The gate's numbers, in the places of the lane's results.
    struct Gates {
        typename Base::Two at[kOwnPanels][kEighths][2];
    };
    __device__ __forceinline__ void load_gates(Gates& to) const {
        if (!s.gate.on) return;
        this->each_place(
            [&](int row, int p, int c, int n, int half) { to.at[c][n][half] = this->load_two(z(clamped(row)) + p); });
    }
    /// Skip and gate; what the backward pass reads of the scan.
    __device__ __forceinline__ void write(const WarpTile<float> (&out)[kOwnPanels], const Gates& gates,
                                          const View<S>& y, float* saved) const {
        const float d = in.d.at(r)[h];
        float* const kept = saved + std::int64_t{this->begin} * kHeaddim;
        const ChunkRows<S> to(y, r, this->row_at(0), h * kHeaddim);
        this->each_place([&](int row, int p, int c, int n, int half) {
            const auto input = skipped(row, p);
            const Vector<float, 2> scanned{{out[c].sum[n][2 * half], out[c].sum[n][2 * half + 1]}};
            Vector<float, 2> done;
#pragma unroll
            for (int e = 0; e < 2; ++e)
                done.at[e] = gated(s.gate, numerics::fma(d, input.at[e], scanned.at[e]), gates.at[c][n][half][e]);
            if (row >= positions) return;
            store_vector(kept + row * kHeaddim + p, scanned);
            store_vector(to(row) + p, done);
        });
    }
    /// x as it is stored, from the operand where that is not rounded.
    __device__ Vector<float, 2> skipped(int row, int p) const {
        if constexpr (sizeof(E) < sizeof(S)) return load_vector<2>(xbc(clamped(row)) + h * kHeaddim + p);
        return load_vector<2>(own.v + row * kPld + p);
    }

    /// The state and the phases behind the chunk, kept for the backward pass too.
    __device__ __forceinline__ void advance(float* states, float* phases) {
        const float through = this->through(0, kStrips);
#pragma unroll
        for (int b = 0; b < kStateStrips; ++b) {
            const int n = state_row(b);
#pragma unroll
            for (auto& tile : state[b])
                each_pair(tile,
                          [&](int, int, int, float& first, float& second) { first *= through, second *= through; });
#pragma unroll 1
            for (int row = 0; row < positions; row += kTileRows) {
                const Left<P> left = left_weighed_columns<P>(k + row * kNld + n, kNld, own.exits + row);
#pragma unroll
                for (int c = 0; c < kPanels; ++c)
                    multiply_add(state[b][c], left, right_columns<P>(own.v + row * kPld + c * kTileColumns, kPld));
            }
        }
#pragma unroll
        for (int c = 0; c < kPairs; ++c) {
            const float angle = numerics::angle_of<float>(phase[c] + this->turns_before(kStrips, c));
            phase[c] = numerics::turn_of(angle);
            if (this->warp() == 0 && pair(c) < s.angles) phases[pair(c)] = angle;
        }
        __syncthreads();  // all have read the state before the chunk
#pragma unroll
        for (int b = 0; b < kStateStrips; ++b)
#pragma unroll
            for (int c = 0; c < kPanels; ++c)
                each_pair(state[b][c], [&](int i, int j, int, float& first, float& second) {
                    const int n = state_row(b) + i, p = c * kTileColumns + j;
                    this->store_operands(own.h + n * kPld + p, first, second);
                    *reinterpret_cast<float2*>(states + n * kHeaddim + p) = make_float2(first, second);
                });
    }
};

/// Blocks that share a multiprocessor's registers.
template <class Kind>
constexpr int kForwardBlocks = Kind::kSharers > 1    ? 1
                               : Kind::kHeaddim > 32 ? 2
                                                     : 4;

template <class Kind>
__global__ void __launch_bounds__(Kind::kThreads, kForwardBlocks<Kind>)
    strips_forward_kernel(const __grid_constant__ StateSpaceShape s,
                          const __grid_constant__ StateSpaceViews<float, typename Kind::S> in, View<typename Kind::S> y,
                          std::int64_t position, float* saved) {
    BlockMemory memory(dynamic_shared());
    const StripForwardMemory<Kind> own(memory, s);
    const StripTask task(s);
    StripForward<Kind>(s, in, own, task).run(y, position, saved + task.index * SavedLayout(s).count);
}

}  // namespace

bool strips_fit(std::int64_t shared_limit, DType dtype, const StateSpaceShape& s) {
    if (dtype == DType::f64 || s.rank != 1 || s.mimo || s.chunk > kStripChunk || s.chunk <= 1) return false;
    if (!s.neighbours && s.angles > 0) return false;
    const bool known =
        s.state == 64 ? s.headdim == 16 || s.headdim == 32 || s.headdim == 64 : s.state == 128 && s.headdim == 64;
    if (!known || normed(s.gate)) return false;
    std::int64_t bytes = 0;
    with_strip_kind<float>(s, Products::float32,
                           [&](auto kind) { bytes = block_bytes<StripForwardMemory<decltype(kind)>>(s); });
    return bytes <= shared_limit;
}

template <class S>
void strips_forward(const CudaBackend& backend, const StateSpaceShape& s, const StateSpaceViews<float, S>& in,
                    const View<S>& y, std::int64_t position, float* saved) {
    with_strip_kind<S>(s, backend.products(), [&](auto kind) {
        using Kind = decltype(kind);
        launch("state_space_forward", strips_forward_kernel<Kind>, strip_grid(s), dim3(Kind::kThreads),
               static_cast<std::size_t>(block_bytes<StripForwardMemory<Kind>>(s)), backend.stream(), s, in, y, position,
               saved);
    });
}

template void strips_forward(const CudaBackend&, const StateSpaceShape&, const StateSpaceViews<float, float>&,
                             const View<float>&, std::int64_t, float*);
template void strips_forward(const CudaBackend&, const StateSpaceShape&, const StateSpaceViews<float, Bf16>&,
                             const View<Bf16>&, std::int64_t, float*);

}  // namespace whorl::gpu
