// The forward pass of ranked_strips.cuh. A chunk takes three barriers: when its steps and angles are there, when its
// rows of B, C and x are, and when all have read the state before it, which the one behind it then replaces.
//
// Where there are too few heads to fill the GPU, a sequence is cut into spans of chunks, a block each, in three steps:
// what each span makes of nothing; from those, one after the other, what each starts from; and the outputs.
#include "gpu/state_space/ranked_terms.cuh"

namespace whorl::gpu {
namespace {

template <class Kind>
struct RankedForwardMemory {
    using E = typename Kind::E;
    __host__ __device__ RankedForwardMemory(BlockMemory& memory, const RankedShape& s) : vectors(memory) {
        q = memory.take<E>(kStripChunk * Kind::kNld);
        k = memory.take<E>(kStripChunk * Kind::kNld);
        v = memory.take<E>(kStripChunk * Kind::kPld);
        h = memory.take<E>(Kind::kState * Kind::kPld);
        decays = memory.take<float>(kStripChunk * kTableLd);
        exits = memory.take<float>(kStripChunk);
        mixes = memory.take<float>(3 * HeadTable(s).mix);
        squares = memory.take<float>(normed(s.gate) ? Kind::kSharers * kStripChunk : 0);
        vectors.take_turns(memory, s);
    }
    RowVectors vectors;
    E *q, *k, *v;    // [64,N], [64,P]
    E* h;            // [N,P]: the state before the chunk
    float* decays;   // [64,16]: between rows of a strip
    float* exits;    // [64]: what an input weighs in the state behind the chunk
    float* mixes;    // of x, z and the output: the end of the HeadTable
    float* squares;  // [sharer,64]: of the gate's norm
};

/// The state that a sequence goes on from, as the backend carries it: phases, h, the last B̄ and x of each rank.
struct CarriedState {
    __device__ CarriedState(float* at, const RankedShape& s)
        : phases(at), h(at + (s.carries_input ? s.angles : 0)), k(h + s.state * s.headdim), v(k + s.rank * s.state) {}
    float *phases, *h, *k, *v;
};

template <class Kind>
struct RankedForward : RankedHead<Kind> {
    using Base = RankedHead<Kind>;
    using Base::P, Base::kState, Base::kHeaddim, Base::kNld, Base::kPld, Base::kOwnPanels, Base::kOwnStrips,
        Base::kStatePanels, Base::kAngleSlots;
    using Base::s, Base::in, Base::x, Base::q, Base::k, Base::r, Base::h, Base::phase, Base::positions, Base::begin,
        Base::strip, Base::own_row, Base::state_row, Base::state_column, Base::row_at, Base::real;
    using typename Base::E, typename Base::S;

    static constexpr int kTogether = P == Products::bf16 ? 4 : 1;  // steps of a sum that there are registers for

    const RankedForwardMemory<Kind>& own;
    WarpTile<float> state[kOwnStrips][kStatePanels] = {};

    __device__ RankedForward(const RankedShape& shape, const RankedViews<S>& tensors,
                             const RankedForwardMemory<Kind>& memory, const RankedTask& place)
        : Base(shape, tensors, memory.vectors, memory.q, memory.k, place), own(memory) {
        const float* const mixes = this->mix(0, 0);
        for (int i = static_cast<int>(threadIdx.x); i < 3 * HeadTable(s).mix; i += Base::kThreads)
            own.mixes[i] = mixes[i];
        __syncthreads();
    }

    /// saved: of this head, or null where no backward pass follows; carried: its state, or null; spans: of this head,
    /// or null where there is one. Without a state the sequence starts from nothing.
    __device__ __forceinline__ void run(const View<S>& y, float* carried, std::int64_t position, std::byte* saved,
                                        int span, const float* spans) {
        const int chunks = this->chunks(), first = span * s.chunks_of_span();
        const int end = least_of(first + s.chunks_of_span(), chunks);
        if (spans)
            enter_span(spans + span * SpanLayout(s).count);
        else if (carried)
            load_state(CarriedState(carried, s));
        const RankedLayout layout = RankedLayout::of<Kind>(s);
        E* const kept = saved ? reinterpret_cast<E*>(saved + layout.states) : nullptr;
        auto* const phases = reinterpret_cast<std::uint32_t*>(saved + layout.phases);
#pragma unroll 1
        for (int chunk = first; chunk < end; ++chunk) {
            this->enter(chunk);
            make_ready(position, true);
            outputs(chunk > first || carried || spans, y, reinterpret_cast<E*>(saved));
            const bool last = chunk + 1 == chunks;
            if (last && !carried) return;
            advance();
            if (last) break;
            keep_state(kept, phases, chunk);
        }
        if (end == chunks && first < end) store_state(CarriedState(carried, s));
    }

    /// What the span makes of nothing, in the place of the one behind it; the first leaves what the sequence starts
    /// from in its own.
    __device__ __forceinline__ void leave_span(float* carried, std::int64_t position, int span, float* spans) {
        const SpanLayout layout(s);
        if (span == 0) {
            if (carried) load_state(CarriedState(carried, s));
            store_span(spans, spans + layout.phases);
            clear_state();
        }
        const int first = span * s.chunks_of_span(), end = least_of(first + s.chunks_of_span(), this->chunks());
        float decay = 1;
#pragma unroll 1
        for (int chunk = first; chunk < end; ++chunk) {
            this->enter(chunk);
            make_ready(position, false);
            advance();
            decay *= this->through(0, kStrips);
        }
        float* const to = spans + (span + 1) * layout.count;
        store_span(to, to + layout.turns);
        if (threadIdx.x == 0) to[layout.decay] = decay;
    }

private:
    __device__ __forceinline__ void store_span(float* states, float* turns) {
        states += this->state_place(kHeaddim);
        this->each_of_state(state, [&](int n, int p, float first, float second) {
            store_vector(states + n * kHeaddim + p, Vector<float, 2>{{first, second}});
        });
#pragma unroll
        for (int slot = 0; slot < kAngleSlots; ++slot)
            if (const int j = lane_index() + 32 * slot; this->warp() == 0 && j < s.angles)
                turns[j] = __uint_as_float(phase[slot]);
    }
    __device__ __forceinline__ void clear_state() {
        this->each_of_state(state, [](int, int, float& first, float& second) { first = second = 0; });
#pragma unroll
        for (auto& turn : phase) turn = 0;
    }
    __device__ __forceinline__ void enter_span(const float* from) {
        const float* const states = from + this->state_place(kHeaddim);
        E* const to = own.h + this->state_place(kPld);
        this->each_of_state(state, [&](int n, int p, float& first, float& second) {
            const auto two = load_vector<2>(states + n * kHeaddim + p);
            first = two.at[0], second = two.at[1];
            store_vector(to + n * kPld + p, two);
        });
        const float* const phases = from + SpanLayout(s).phases;
#pragma unroll
        for (int slot = 0; slot < kAngleSlots; ++slot)
            if (const int j = lane_index() + 32 * slot; j < s.angles) phase[slot] = __float_as_uint(phases[j]);
        __syncthreads();
    }

    /// From the raw rows to what the products read.
    __device__ __forceinline__ void make_ready(std::int64_t position, bool queries) {
        const StripStep step = this->step();
        this->make_inputs(own.v, own.mixes);
        this->leave_steps(step, own.decays + own_row() * kTableLd);
        this->strip_turns(position, step);
        __syncthreads();
        this->read_decays();
        this->make_rows(queries);
        const int row = own_row() + lane_index();
        if (this->first_sharer() && lane_index() < kTileRows) own.exits[row] = this->to_end(row) * x.strength[row];
        __syncthreads();
    }

    /// Rolled loops: a kernel must stay in the instruction cache.
    __device__ __forceinline__ void outputs(bool with_state, const View<S>& y, E* saved) const {
        WarpTile<float> out[kOwnPanels];
        Gates gates{};
        if (this->busy()) {
            if (s.gate.on) load_gates(gates);
            const E* const queries = q + own_row() * kNld;
            if (with_state) from_state(queries, out);
#pragma unroll 1
            for (int other = 0; other <= strip(); ++other) add_strip(queries, other, out);
        }
        write(out, gates, y, saved);
    }
    __device__ __forceinline__ void from_state(const E* queries, WarpTile<float> (&out)[kOwnPanels]) const {
#pragma unroll 2
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
    /// What the rows of a strip, as keys, give the warp's.
    __device__ __forceinline__ void add_strip(const E* queries, int other, WarpTile<float> (&out)[kOwnPanels]) const {
        WarpTile<float> scores;
#pragma unroll kTogether
        for (int n = 0; n < kState; n += 16)
            multiply_add(scores, left_rows<P>(queries + n, kNld),
                         right_rows<P>(k + other * kTileRows * kNld + n, kNld));
        weigh(scores, other);
        const Left<P> left = left_results<P>(scores);
#pragma unroll
        for (int c = 0; c < kOwnPanels; ++c)
            multiply_add(out[c], left, right_columns<P>(own.v + other * kTileRows * kPld + this->own_channel(c), kPld));
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
            first *= weight(i, j), second *= weight(i, j + 1);
        });
    }
    /// Between rows i and j of the strip: γ at one position.
    __device__ __forceinline__ float weight(int i, int j) const {
        const int to = s.position_of(i), from = s.position_of(j);
        const float before = own.decays[(own_row() + i) * kTableLd + j] * x.strength[own_row() + j];
        return from == to ? x.gamma[own_row() + j] : from < to ? before : 0;
    }

    /// z of the lane's places, on its way while the products are made.
    struct Gates {
        StoredTwo<S> of[kOwnPanels][kEighths][2];
    };
    __device__ __forceinline__ void load_gates(Gates& gates) const {
        this->each_place([&](int row, int p, int c, int n, int half) {
            gates.of[c][n][half] =
                *reinterpret_cast<const StoredTwo<S>*>(this->z(this->clamped(s.position_of(row))) + p);
        });
    }
    /// What becomes of the scan's output, step by step: skip, gate, norm and the ranks' weights, then the sum over the
    /// ranks. saved: the scan, which the backward pass reads.
    __device__ __forceinline__ void write(WarpTile<float> (&out)[kOwnPanels], const Gates& gates, const View<S>& y,
                                          E* saved) const {
        const int rows[2] = {own_row() + lane_row(), own_row() + lane_row() + 8};
        const int p = this->own_channel(0) + 2 * lane_place();
        const int ranks[2] = {this->some_rank(rows[0]) * kHeaddim + p, this->some_rank(rows[1]) * kHeaddim + p};
        const bool whole = this->whole(), there[2] = {whole || real(rows[0]), whole || real(rows[1])};
        // body(half, columns from p, panel, eighth, first, second) for the lane's pairs.
        const auto each = [&](const auto& body) {
#pragma unroll
            for (int c = 0; c < kOwnPanels; ++c)
#pragma unroll
                for (int n = 0; n < kEighths; ++n)
#pragma unroll
                    for (int half = 0; half < 2; ++half)
                        body(half, c * kTileColumns + 8 * n, c, n, out[c].sum[n][2 * half],
                             out[c].sum[n][2 * half + 1]);
        };
        if (saved) {
            E* const to[2] = {saved_row(saved, rows[0]) + ranks[0], saved_row(saved, rows[1]) + ranks[1]};
            each([&](int half, int at, int, int, float first, float second) {
                if (there[half]) store_vector(to[half] + at, Vector<float, 2>{{first, second}});
            });
        }
        const float d = in.d.at(r)[h];
        const E* const inputs[2] = {own.v + rows[0] * kPld + p, own.v + rows[1] * kPld + p};
        each([&](int half, int at, int, int, float& first, float& second) {
            const auto input = load_pair(inputs[half] + at);
            first = numerics::fma(d, input.x, first), second = numerics::fma(d, input.y, second);
        });
        float scale[2] = {1, 1};
        if (s.gate.norm == OutprojNorm::pre_gate) norm_scales(out, scale);
        if (s.gate.on) {
            const float* const mix = own.mixes + HeadTable(s).mix;
            each([&](int half, int at, int c, int n, float& first, float& second) {
                const StoredTwo<S>& raw = gates.of[c][n][half];
                const auto gate = mixed({raw[0], raw[1]}, mix + ranks[half] + at);
                first *= silu_for<P>(gate.x), second *= silu_for<P>(gate.y);
            });
        }
        if (s.gate.norm == OutprojNorm::post_gate) norm_scales(out, scale);
        if (!this->busy()) return;
        if (normed(s.gate)) {
            const float* const norm = in.norm.at(r) + h * kHeaddim + p;
            each([&](int half, int at, int, int, float& first, float& second) {
                const auto weight = load_pair(norm + at);
                first *= scale[half] * weight.x, second *= scale[half] * weight.y;
            });
        }
        if (s.gate.on) {
            const float* const mix = own.mixes + 2 * HeadTable(s).mix;
            each([&](int half, int at, int, int, float& first, float& second) {
                const auto of = load_pair(mix + ranks[half] + at);
                first *= of.x, second *= of.y;
            });
        }
        if (!whole)
            each([&](int half, int, int, int, float& first, float& second) {
                if (!there[half]) first = second = 0;
            });
        S* const to[2] = {y.row(r, row_at(this->clamped(s.position_of(rows[0])))) + h * kHeaddim + p,
                          y.row(r, row_at(this->clamped(s.position_of(rows[1])))) + h * kHeaddim + p};
#pragma unroll
        for (int c = 0; c < kOwnPanels; ++c) {
            float sums[2][2 * kEighths];
#pragma unroll
            for (int n = 0; n < kEighths; ++n)
#pragma unroll
                for (int e = 0; e < 4; ++e) sums[e / 2][2 * n + e % 2] = out[c].sum[n][e];
            this->sum_ranks(sums[0], sums[1]);
#pragma unroll
            for (int half = 0; half < 2; ++half)
                if (there[half] && s.rank_of(rows[half]) == 0)
#pragma unroll
                    for (int n = 0; n < kEighths; ++n)
                        store_pair(to[half] + c * kTileColumns + 8 * n, {sums[half][2 * n], sums[half][2 * n + 1]},
                                   s.paired);
        }
    }
    /// Of the row's position, from rank 0 on.
    __device__ E* saved_row(E* saved, int row) const {
        return saved + (std::int64_t{begin} + s.position_of(row)) * s.rank * kHeaddim;
    }
    /// 1/rms of the lane's two rows. Called by the whole block.
    __device__ __forceinline__ void norm_scales(const WarpTile<float> (&out)[kOwnPanels], float (&scale)[2]) const {
        float squares[2] = {};
#pragma unroll
        for (int c = 0; c < kOwnPanels; ++c)
#pragma unroll
            for (int n = 0; n < kEighths; ++n)
#pragma unroll
                for (int e = 0; e < 4; ++e) {
                    const float value = out[c].sum[n][e];
                    squares[e / 2] = numerics::fma(value, value, squares[e / 2]);
                }
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            squares[half] = tile_row_sum(squares[half]);
            if (Kind::kSharers > 1 && lane_place() == 0)
                own.squares[this->sharer() * kStripChunk + own_row() + lane_row() + 8 * half] = squares[half];
        }
        if (Kind::kSharers > 1) {
            __syncthreads();
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                const float* const of_row = own.squares + own_row() + lane_row() + 8 * half;
                squares[half] = of_row[0] + of_row[kStripChunk];
            }
        }
#pragma unroll
        for (int half = 0; half < 2; ++half)
            scale[half] =
                numerics::inverse_rms(squares[half], static_cast<float>(kHeaddim), static_cast<float>(s.epsilon));
    }

    /// The state and the phases behind the chunk; all have read those before it.
    __device__ __forceinline__ void advance() {
        const float through = this->through(0, kStrips);
        if (this->has_state())
#pragma unroll
            for (int b = 0; b < kOwnStrips; ++b) {
                const int n = state_row(b);
#pragma unroll
                for (auto& tile : state[b])
                    each_pair(tile,
                              [&](int, int, int, float& first, float& second) { first *= through, second *= through; });
#pragma unroll 1
                for (int row = 0; row < this->rows(); row += kTileRows) {
                    const Left<P> left = left_moved_columns<P>(k + row * kNld + n, kNld, own.exits + row);
#pragma unroll
                    for (int c = 0; c < kStatePanels; ++c)
                        multiply_add(state[b][c], left, right_columns<P>(own.v + row * kPld + state_column(c), kPld));
                }
            }
#pragma unroll
        for (int slot = 0; slot < kAngleSlots; ++slot) {
            const int j = lane_index() + 32 * slot;
            phase[slot] += this->turns_before(kStrips, j);
        }
        __syncthreads();
    }
    /// For the next chunk, and for the backward pass.
    __device__ __forceinline__ void keep_state(E* kept, std::uint32_t* phases, int chunk) {
        E* const to = own.h + this->state_place(kPld);
        this->each_of_state(state, [&](int n, int p, float first, float second) {
            store_vector(to + n * kPld + p, Vector<float, 2>{{first, second}});
        });
        if (kept)
            this->each_kept(state, kept + std::int64_t{chunk} * kState * kHeaddim,
                            [](const WarpTile<float>& tile, E* at) { store_vector(at, right_numbers(tile)); });
        if (!kept || this->warp() != 0) return;
        phases += std::int64_t{chunk} * s.angles;
#pragma unroll
        for (int slot = 0; slot < kAngleSlots; ++slot)
            if (const int j = lane_index() + 32 * slot; j < s.angles) phases[j] = phase[slot];
    }

    /// h and what the first step still gives it of the input before: the trapezoid's other half.
    __device__ __forceinline__ void load_state(const CarriedState& from) {
        float carry = 0;
        if (s.carries_input && this->length > 0) {
            const auto step = step_of(static_cast<const StateSpaceShape&>(s),
                                      raw_step(static_cast<const StateSpaceShape&>(s), in, r, this->first_row, h));
            carry = numerics::exp_trapezoid_scan(step.dt, step.a, step.lambda).carry;
        }
        this->each_of_state(state, [&](int row, int column, float& first, float& second) {
            const int n = state_row(0) + lane_row() + row, p = state_column(0) + 2 * lane_place() + column;
            const int channel = this->channel(n);
            first = from.h[channel * kHeaddim + p], second = from.h[channel * kHeaddim + p + 1];
            if (s.carries_input)
                for (int rank = 0; rank < s.rank; ++rank) {
                    const float key = carry * from.k[rank * kState + channel];
                    first = numerics::fma(key, from.v[rank * kHeaddim + p], first);
                    second = numerics::fma(key, from.v[rank * kHeaddim + p + 1], second);
                }
            store_vector(own.h + n * kPld + p, Vector<float, 2>{{first, second}});
        });
#pragma unroll
        for (int slot = 0; slot < kAngleSlots; ++slot)
            if (const int j = lane_index() + 32 * slot; s.carries_input && j < s.angles)
                phase[slot] = numerics::turn_of(from.phases[j]);
        __syncthreads();
    }
    /// After the last chunk's advance().
    __device__ __forceinline__ void store_state(const CarriedState& to) {
        this->each_of_state(state, [&](int row, int column, float first, float second) {
            const int n = state_row(0) + lane_row() + row, p = state_column(0) + 2 * lane_place() + column;
            to.h[this->channel(n) * kHeaddim + p] = first;
            to.h[this->channel(n) * kHeaddim + p + 1] = second;
        });
        if (!s.carries_input) return;
#pragma unroll
        for (int slot = 0; slot < kAngleSlots; ++slot)
            if (const int j = lane_index() + 32 * slot; this->warp() == 0 && j < s.angles)
                to.phases[j] = numerics::angle_of<float>(phase[slot]);
        const int row = (positions - 1) << s.log_rows;
        for (int rank = this->warp(); rank < s.rank; rank += Base::kWarps) {
            for (int n = lane_index(); n < kState; n += 32)
                to.k[rank * kState + this->channel(n)] = static_cast<float>(k[(row + rank) * kNld + n]);
            for (int p = lane_index(); p < kHeaddim; p += 32)
                to.v[rank * kHeaddim + p] = static_cast<float>(own.v[(row + rank) * kPld + p]);
        }
    }
};

/// Blocks that share a multiprocessor's registers and its memory.
template <class Kind>
constexpr int kForwardBlocks = Kind::kSharers == 1 ? (sizeof(typename Kind::E) > 2 ? 3 : 4)
                               : Kind::kState* Kind::kHeaddim > 64 * 64 && sizeof(typename Kind::E) > 2 ? 1
                                                                                                        : 2;

template <class Kind>
__global__ void __launch_bounds__(Kind::kThreads, kForwardBlocks<Kind>)
    ranked_forward_kernel(const __grid_constant__ RankedShape s,
                          const __grid_constant__ RankedViews<typename Kind::S> in, View<typename Kind::S> y,
                          View<float> state, std::int64_t position, std::byte* saved, float* spans, bool leaves_span) {
    BlockMemory memory(dynamic_shared());
    const RankedForwardMemory<Kind> own(memory, s);
    const RankedTask task(s);
    const std::int64_t carried =
        s.state * s.headdim + (s.carries_input ? s.angles + s.rank * (s.state + s.headdim) : 0);
    float* const from = state ? state.at(task.r, task.b) + task.h * carried : nullptr;
    float* const own_spans = spans ? spans + task.index * s.spans * SpanLayout(s).count : nullptr;
    RankedForward<Kind> head(s, in, own, task);
    if (!leaves_span)
        head.run(y, from, position, from ? nullptr : saved + task.index * RankedLayout::of<Kind>(s).head, task.span,
                 own_spans);
    else if (task.span + 1 < s.spans)
        head.leave_span(from, position, task.span, own_spans);
}

/// From what spans make of nothing to what they start from. A thread has one column of a pair of the state's places: in
/// the frame of the sequence's start, what a span makes is turned by the angles before it.
__global__ void __launch_bounds__(256)
    join_spans_kernel(const __grid_constant__ StateSpaceShape s, int spans, float* all) {
    const SpanLayout layout(s);
    const int index = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x), p = index % s.headdim,
              j = index / s.headdim;
    if (2 * j >= s.state) return;
    float* const first = all + blockIdx.y * std::int64_t{spans} * layout.count;
    const bool turns = s.rotation == Rotation::data_dependent && j < s.angles;
    const auto at = [&](int span, int n) -> float& {
        return first[std::int64_t{span} * layout.count + n * s.headdim + p];
    };
    std::uint32_t phase = turns ? __float_as_uint(first[layout.phases + j]) : 0;
    numerics::Pair<float> h{at(0, 2 * j), at(0, 2 * j + 1)};
    for (int span = 1; span < spans; ++span) {
        float* const own = first + std::int64_t{span} * layout.count;
        const auto turn = numerics::sincos_of(phase);
        const auto made = numerics::rotate<float>({at(span, 2 * j), at(span, 2 * j + 1)}, turn.cos, turn.sin);
        const float decay = own[layout.decay];
        h = {numerics::fma(decay, h.x, made.x), numerics::fma(decay, h.y, made.y)};
        at(span, 2 * j) = h.x, at(span, 2 * j + 1) = h.y;
        if (turns) phase += __float_as_uint(own[layout.turns + j]);
        if (j < s.angles && p == 0) own[layout.phases + j] = __uint_as_float(phase);
    }
}

/// Whether there are kernels for a layer of these sizes.
bool known_sizes(DType dtype, const StateSpaceShape& s) {
    if (dtype == DType::f64 || s.rank > kMostRanks || (s.angles > 0 && s.state % 4 != 0)) return false;
    switch (s.headdim) {
        case 16:
            return s.state == 64;
        case 32:
            return s.state == 16 || s.state == 32 || s.state == 64 || s.state == 128;
        case 64:
            return s.state == 64 || s.state == 128;
        default:
            return false;
    }
}

}  // namespace

bool ranked_fit(std::int64_t shared_limit, DType dtype, const StateSpaceShape& shape) {
    if (!known_sizes(dtype, shape)) return false;
    const RankedShape s(shape);
    const std::int64_t bytes =
        ranked_bytes(dtype, s, [&](auto kind) { return block_bytes<RankedForwardMemory<decltype(kind)>>(s); });
    return bytes <= shared_limit;
}

void ranked_forward(const CudaBackend& backend, const StateSpaceShape& shape, const Mamba3Tensors& in, const Tensor& y,
                    const Tensor& state, std::int64_t position, std::byte* saved, std::byte* scratch) {
    RankedShape s(shape);
    s.spans = ranked_spans(shape);
    float* const spans = s.spans > 1 ? reinterpret_cast<float*>(scratch) : nullptr;
    s.paired = in_groups(y, 2);
    dispatch_stored(y.dtype, [&](auto scalar, auto stored) {
        using S = decltype(stored);
        if constexpr (sizeof(scalar) == sizeof(float)) {
            const bool narrow = y.dtype == DType::bf16 || backend.products() == Products::bf16;
            const RankedLayout layout(s, narrow ? sizeof(Bf16) : sizeof(float));
            const RankedViews<S> views = ranked_views<S>(s, layout, state_space_views<float, S>(in), saved);
            make_terms(backend, s, views);
            with_ranked_kind<S>(s, backend.products(), [&](auto kind) {
                using Kind = decltype(kind);
                const auto pass = [&](bool leaves_span) {
                    launch("state_space_forward", ranked_forward_kernel<Kind>, ranked_grid(s), dim3(Kind::kThreads),
                           static_cast<std::size_t>(block_bytes<RankedForwardMemory<Kind>>(s)), backend.stream(), s,
                           views, view<S>(y), view<float>(state), position, saved, spans, leaves_span);
                };
                if (spans) {
                    pass(true);
                    launch("state_space_forward", join_spans_kernel,
                           dim3(grid_size(ceil_div(s.state / 2 * s.headdim, 256)), grid_size(s.tasks())), dim3(256), 0,
                           backend.stream(), shape, s.spans, spans);
                }
                pass(false);
            });
        }
    });
}

}  // namespace whorl::gpu
