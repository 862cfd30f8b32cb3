// The state-space kernels on the matrix units for several ranks, and for what else the usual layers' kernels
// (state_space_strips.cuh) have not: channels that turn together half a row apart, a norm in the gate, a state that the
// sequence goes on from.
//
// A chunk is 64 rows in four strips of 16. A position has as many neighbouring rows as it has ranks, rounded up to a
// power of two, so that a strip has whole positions; rank 4:
//
//     strip 0   rows  0 … 15   positions 0 1 2 3, four rows each
//     strip 1   rows 16 … 31   positions 4 5 6 7
//     strip 2, strip 3
//
// A rank is then nothing but a row: scores, outputs and the state are the products of one rank with four times the rows
// a position. Rows of one position do not decay between each other, and all see each other with the weight γ.
//
// A block has one head of one sequence (or a span of its chunks), a warp a strip; where two warps share a strip, each
// makes half of its rows ready and has half of its channels. Letters: i, j rows; n places of the state's channels; p
// channels of the head; t positions.
#pragma once

#include "gpu/runtime/head_task.cuh"
#include "gpu/state_space/ranked_shape.cuh"
#include "gpu/tiles/strip_tile.cuh"

namespace whorl::gpu {

/// Two channels times two others.
__device__ __forceinline__ numerics::Pair<float> mixed(numerics::Pair<float> two, const float* by) {
    const auto factors = load_pair(by);
    return {two.x * factors.x, two.y * factors.y};
}

/// A block's head and span, and the head's place among all heads of all replicas.
struct RankedTask : HeadOfSequence {
    __device__ explicit RankedTask(const RankedShape& s)
        : HeadOfSequence(HeadOfSequence::at(blockIdx.x / s.spans, s.batch, s.heads)),
          span(static_cast<int>(blockIdx.x) % s.spans) {
        r = blockIdx.y;
        index = (r * s.batch + b) * s.heads + h;
    }
    int span;
    std::int64_t index;
};

/// What forward and backward share.
template <class Kind>
struct RankedHead {
    using S = typename Kind::S;
    using E = typename Kind::E;
    static constexpr Products P = Kind::P;
    static constexpr int kState = Kind::kState, kHeaddim = Kind::kHeaddim, kPanels = Kind::kPanels;
    static constexpr int kNld = Kind::kNld, kPld = Kind::kPld, kSharers = Kind::kSharers;
    static constexpr int kWarps = Kind::kWarps, kThreads = Kind::kThreads;
    static constexpr int kOwnRows = kTileRows / kSharers, kOwnPanels = kPanels / kSharers;
    static constexpr int kAngleSlots = (kState / 2 + 31) / 32;  // of a lane, where lanes have angles
    static constexpr int kTurnLd = RowVectors::turn_ld(kState);
    static_assert(kPanels % kSharers == 0);

    // The state's tiles of 16 × 16, spread over the warps: strips of its rows, or parts of one.
    static constexpr int kStateStrips = kState / kTileRows;
    static constexpr int kOwnStrips = kStateStrips > kWarps ? kStateStrips / kWarps : 1;
    static constexpr int kWarpsOfStrip = kStateStrips < kWarps ? kWarps / kStateStrips : 1;
    static constexpr int kStatePanels = kPanels > kWarpsOfStrip ? kPanels / kWarpsOfStrip : 1;

    const RankedShape& s;
    const RankedViews<S>& in;
    RowVectors x;
    E *q, *k;                      // [64,N]: C and B, made ready
    std::int64_t r, first_row;     // of the sequence among the replica's
    int h, length;                 // of the sequence
    int b_column, c_column;        // of a row of xbc, rank 0
    int begin = 0, positions = 0;  // of the chunk at hand
    ChunkRows<const S> xbc, z;     // its rows; of z at the head's channels
    ChunkRows<const float> velocity, scales;
    const float* table;                     // HeadTable
    const StripStep* steps;                 // of the sequence's positions
    std::uint32_t phase[kAngleSlots] = {};  // of the lane's angles, on entry to the chunk
    float strip_decay[kStrips] = {};        // through each strip of the chunk

    __device__ RankedHead(const RankedShape& shape, const RankedViews<S>& tensors, const RowVectors& vectors, E* q_rows,
                          E* k_rows, const RankedTask& place)
        : s(shape),
          in(tensors),
          x(vectors),
          q(q_rows),
          k(k_rows),
          r(place.r),
          first_row(shape.sequences.first_row(place.r, place.b)),
          h(place.h),
          length(shape.sequences.length_of(place.r, place.b)),
          table(tensors.table.at(place.r, place.h)),
          steps(tensors.steps + place.index * shape.length) {
        b_column = s.heads * kHeaddim + group() * kState;
        c_column = b_column + s.rank * s.groups * kState;
    }
    __device__ int group() const { return s.groups == 1 ? 0 : h / (s.heads / s.groups); }

    __device__ static int warp() { return static_cast<int>(threadIdx.x) / 32; }
    /// The first and the last strip have unequal work: sharers of both meet on one scheduler, which has every fourth
    /// warp.
    __device__ static int strip() { return kSharers == 1 || warp() < kStrips ? warp() : 2 * kStrips - 1 - warp(); }
    __device__ static int sharer() { return kSharers > 1 ? warp() / kStrips : 0; }
    __device__ static bool first_sharer() { return sharer() == 0; }
    __device__ static int own_row() { return strip() * kTileRows; }
    /// The first of the rows that the warp makes ready.
    __device__ static int share_row() { return own_row() + sharer() * kOwnRows; }
    /// Of the state's tiles that are the warp's: rows of its strip b, columns of its panel c.
    __device__ static int state_row(int b) {
        return (kStateStrips >= kWarps ? warp() + b * kWarps : warp() % kStateStrips) * kTileRows;
    }
    __device__ static int state_column(int c) {
        return (kWarpsOfStrip == 1 ? c : warp() / kStateStrips * kStatePanels + c) * kTileColumns;
    }
    /// Where the state has fewer tiles than there are warps, some have none.
    __device__ static bool has_state() { return kWarpsOfStrip == 1 || state_column(0) < kHeaddim; }

    /// Where the lane's first two numbers of the state are in rows ld apart.
    __device__ static int state_place(int ld) {
        return (state_row(0) + lane_row()) * ld + state_column(0) + 2 * lane_place();
    }
    /// body(row, column from state_place(), first, second) for the warp's tiles.
    template <class Body>
    __device__ static __forceinline__ void each_of_state(WarpTile<float> (&state)[kOwnStrips][kStatePanels],
                                                         const Body& body) {
        if (!has_state()) return;
#pragma unroll
        for (int b = 0; b < kOwnStrips; ++b)
#pragma unroll
            for (int c = 0; c < kStatePanels; ++c)
#pragma unroll
                for (int n = 0; n < kEighths; ++n)
#pragma unroll
                    for (int half = 0; half < 2; ++half)
                        body(b * kWarps * kTileRows + 8 * half, c * kTileColumns + 8 * n, state[b][c].sum[n][2 * half],
                             state[b][c].sum[n][2 * half + 1]);
    }

    __device__ std::int64_t row_at(int position) const {
        return first_row + begin + position;
    }
    __device__ bool last() const {
        return begin + positions == length;
    }
    __device__ int own_position() const {
        return s.position_of(own_row());
    }
    __device__ bool busy() const {
        return own_position() < positions;
    }
    __device__ int strips() const {
        return (positions + s.positions_of_strip() - 1) / s.positions_of_strip();
    }
    __device__ int rows() const {
        return positions << s.log_rows;
    }
    __device__ int chunks() const {
        return (most_of(length, 1) + s.chunk - 1) / s.chunk;
    }
    __device__ bool real(int row) const {
        return s.position_of(row) < positions && s.rank_of(row) < s.rank;
    }
    /// The position, or the chunk's last: what is read in its place and not used costs less than a branch.
    __device__ int clamped(int position) const {
        return least_of(position, most_of(positions - 1, 0));
    }

    __device__ void enter(int chunk) {
        begin = chunk * s.chunk;
        positions = least_of(s.chunk, length - begin);
        xbc = {in.xbc, r, row_at(0)};
        if (s.gate.on) z = {in.z, r, row_at(0), h * kHeaddim};
        if (s.rotation == Rotation::data_dependent) velocity = {in.velocity, r, row_at(0)};
        scales = {in.scales, r, row_at(0), group()};
    }
    /// Once all strips' vectors are there.
    __device__ void read_decays() {
#pragma unroll
        for (int m = 0; m < kStrips; ++m) strip_decay[m] = x.head[m * kTileRows + kTileRows - 1];
    }
    /// The decay through whole strips [from, to).
    __device__ __forceinline__ float through(int from, int to) const {
        float decay = 1;
#pragma unroll
        for (int m = 0; m < kStrips; ++m) decay *= from <= m && m < to ? strip_decay[m] : 1;
        return decay;
    }
    /// Decay from a row of the strip to the chunk's end.
    __device__ float to_end(int row) const {
        return x.tail[row] * through(strip() + 1, kStrips);
    }

    // ---- steps and angles of the strip's positions

    /// The step of the lane's row, of lanes 0…15; its decays go on behind the last position of the chunk.
    __device__ __forceinline__ StripStep step() const {
        const int position = own_position() + s.position_of(lane_index() % kTileRows);
        StripStep step{0, 0, 0, 0, 1, 1};
        if (busy()) step = steps[begin + clamped(position)];
        if (position >= positions) step = {0, 0, 0, 0, step.head, 1};
        return step;
    }
    /// The lane's row is a position's first: sums over positions take that one.
    __device__ bool first_of_position() const {
        return lane_index() < kTileRows && s.rank_of(lane_index()) == 0;
    }
    /// Leaves the steps in the strip's vectors, and the decays between its rows.
    __device__ __forceinline__ void leave_steps(const StripStep& step, float* decays) const {
        if (!first_sharer()) return;
        if (const int row = own_row() + lane_index(); lane_index() < kTileRows) {
            x.dt[row] = step.dt;
            x.gamma[row] = step.gamma;
            x.strength[row] = step.strength;
            x.head[row] = step.head;
            x.tail[row] = step.tail;
        }
        inner_decays(first_of_position() ? step.log_decay : 0, decays);
    }
    /// body(angle j, its slot of the lane's) for those that the warp has of its strip: sharers take turns with them.
    template <class Body>
    __device__ __forceinline__ void each_angle(const Body& body) const {
#pragma unroll
        for (int slot = 0; slot < kAngleSlots; ++slot)
            if (slot % kSharers == sharer()) body(lane_index() + 32 * slot, slot);
    }
    /// The angles from the strip's start up to each position, left in x.turns: sums of θΔ, or the standard rotary
    /// embedding's angles themselves.
    __device__ __forceinline__ void strip_turns(std::int64_t position, const StripStep& step) const {
        if (s.rotation == Rotation::standard) return standard_turns(position);
        const int first = own_position();
        each_angle([&](int j, int) {
            const bool turns = s.rotation == Rotation::data_dependent && j < s.angles;
            const float* const of = turns ? velocity.first + j : nullptr;
            std::uint32_t sum = 0;
#pragma unroll 4
            for (int t = 0; t < s.positions_of_strip(); ++t) {
                const float dt = __shfl_sync(0xffffffffU, step.dt, t << s.log_rows);
                if (turns && first + t < positions) sum += numerics::turn_of(of[(first + t) * velocity.stride], dt);
                if (j < kState / 2) x.turns[(first + t) * kTurnLd + j] = sum;
            }
            if (j < kState / 2) x.totals[strip() * (kState / 2) + j] = sum;
        });
    }
    __device__ __forceinline__ void standard_turns(std::int64_t position) const {
        each_angle([&](int j, int) {
            if (j >= kState / 2) return;
            const double frequency = numerics::rope_frequency<double>(least_of(j, s.angles - 1), s.angles);
#pragma unroll 1
            for (int t = own_position(); t < own_position() + s.positions_of_strip(); ++t)
                x.turns[t * kTurnLd + j] =
                    j < s.angles ? numerics::turn_of(numerics::rope_angle<float>(position + begin + t, frequency)) : 0;
        });
    }
    /// The turn of angle j through whole strips [0, to).
    __device__ __forceinline__ std::uint32_t turns_before(int to, int j) const {
        std::uint32_t sum = 0;
        if (s.rotation == Rotation::data_dependent && j < s.angles)
#pragma unroll
            for (int m = 0; m < kStrips; ++m) sum += m < to ? x.totals[m * (kState / 2) + j] : 0;
        return sum;
    }
    /// x.turns ← angles from the sequence's start. Ends with them visible to the strip's warps.
    __device__ __forceinline__ void finish_turns() const {
        if (s.rotation == Rotation::data_dependent)
            each_angle([&](int j, int slot) {
                if (j >= s.angles) return;
                const std::uint32_t before = phase[slot] + turns_before(strip(), j);
                for (int t = 0; t < s.positions_of_strip(); ++t) x.turns[(own_position() + t) * kTurnLd + j] += before;
            });
        if constexpr (kSharers > 1)
            __syncthreads();
        else
            __syncwarp();
    }

    // ---- rows of B and C: RMSNorm · w + bias, then the rotation

    // In the block's memory the channels that turn together are neighbours. A lane has four places of a row, two pairs.
    static constexpr int kQuadLanes = kState / 4, kRowsAtOnce = 32 / kQuadLanes, kRowsOfLane = kOwnRows / kRowsAtOnce;
    static_assert(kRowsOfLane * kRowsAtOnce == kOwnRows);
    __device__ static int quad() {
        return lane_index() % kQuadLanes;
    }
    /// The lane's first row of those that the warp makes ready; the others follow.
    __device__ static int ready_row() {
        return share_row() + lane_index() / kQuadLanes * kRowsOfLane;
    }

    /// Four places of a row: two pairs that turn.
    struct Quad {
        numerics::Pair<float> pair[2];
    };
    /// The same as channels of the projection lie, two by two.
    struct Channels {
        numerics::Pair<float> first, second;
    };
    __device__ __forceinline__ Channels load_channels(const float* row) const {
        return {load_pair(row + first_channels()), load_pair(row + second_channels())};
    }
    __device__ int first_channels() const {
        return s.neighbours ? 4 * quad() : 2 * quad();
    }
    __device__ int second_channels() const {
        return s.neighbours ? 4 * quad() + 2 : kState / 2 + 2 * quad();
    }
    __device__ __forceinline__ Quad in_place(const Channels& row) const {
        const auto [a, b] = row.first;
        const auto [c, d] = row.second;
        return {{{a, s.neighbours ? b : c}, {s.neighbours ? c : b, d}}};
    }
    /// The channel of the projection at a place.
    __device__ int channel(int place) const {
        return s.neighbours ? place : place / 2 + place % 2 * (kState / 2);
    }

    struct QuadTurns {
        numerics::SinCos<float> of[2];
    };
    /// The lane's angles at a position.
    __device__ __forceinline__ QuadTurns quad_turns(int position) const {
        QuadTurns turns;
#pragma unroll
        for (int c = 0; c < 2; ++c) turns.of[c] = sincos_for<P>(x.turns[position * kTurnLd + 2 * quad() + c]);
        return turns;
    }
    __device__ static Quad rotated(const Quad& quad, const QuadTurns& by) {
        return {{numerics::rotate(quad.pair[0], by.of[0].cos, by.of[0].sin),
                 numerics::rotate(quad.pair[1], by.of[1].cos, by.of[1].sin)}};
    }
    /// A row of B (or C), raw, and what is made of it but for the rotation: RMSNorm · w + bias.
    struct RawRow {
        StoredTwo<S> first, second;
        float scale;
    };
    __device__ __forceinline__ Quad ready(const RawRow& raw, const Quad& weight, const float* bias) const {
        const Quad row = in_place({{raw.first[0], raw.first[1]}, {raw.second[0], raw.second[1]}});
        const auto shift = load_vector<4>(bias + 4 * quad());
        Quad made;
#pragma unroll
        for (int c = 0; c < 2; ++c)
            made.pair[c] = {numerics::fma(row.pair[c].x, raw.scale * weight.pair[c].x, shift.at[2 * c]),
                            numerics::fma(row.pair[c].y, raw.scale * weight.pair[c].y, shift.at[2 * c + 1])};
        return made;
    }
    /// there: 1, or 0 for a row that is none.
    __device__ __forceinline__ void store_row(E* rows, int row, const Quad& made, float there) const {
        const auto& [first, second] = made.pair;
        store_vector(rows + row * kNld + 4 * quad(),
                     Vector<float, 4>{{there * first.x, there * first.y, there * second.x, there * second.y}});
    }
    /// Rows of B and C whose loads are under way together.
    struct RawRows {
        static constexpr int kCount = kRowsOfLane < 2 ? 1 : 2;
        RawRow k[kCount], q[kCount];
    };
    __device__ __forceinline__ void load_rows(RawRows& raw, int first, bool queries) const {
        const int b_first = b_column + first_channels(), second = second_channels() - first_channels();
#pragma unroll
        for (int i = 0; i < RawRows::kCount; ++i) {
            const int position = clamped(s.position_of(first + i)), rank = some_rank(first + i) * s.groups;
            const int at = position * xbc.stride + rank * kState + b_first, scale = position * scales.stride + rank;
            const auto load = [&](int column, int of) -> RawRow {
                return {*reinterpret_cast<const StoredTwo<S>*>(xbc.first + column),
                        *reinterpret_cast<const StoredTwo<S>*>(xbc.first + column + second), scales.first[of]};
            };
            raw.k[i] = load(at, scale);
            if (queries) raw.q[i] = load(at + c_column - b_column, scale + s.rank * s.groups);
        }
    }
    /// Makes the warp's rows of C and B ready, of B alone where only the state is wanted; rows that are none are zero.
    /// The next rows are on their way meanwhile, the first before the block waits for the angles.
    __device__ __forceinline__ void make_rows(bool queries) const {
        const Channels one{{1, 1}, {1, 1}};
        const Quad b_weight = in_place(in.b_norm ? load_channels(in.b_norm.at(r)) : one);
        const Quad c_weight = in_place(in.c_norm ? load_channels(in.c_norm.at(r)) : one);
        const float* const c_bias = table + HeadTable(s).c_bias;
        RawRows raw, next;
        load_rows(next, ready_row(), queries);
        finish_turns();
        QuadTurns turns{};
        const int end = ready_row() + kRowsOfLane;
#pragma unroll 1
        for (int first = ready_row(); first < end; first += RawRows::kCount) {
            raw = next;
            if (first + RawRows::kCount < end) load_rows(next, first + RawRows::kCount, queries);
#pragma unroll
            for (int i = 0; i < RawRows::kCount; ++i) {
                const int row = first + i, bias = some_rank(row) * kState;
                if (i == 0 || s.rank_of(row) == 0) turns = quad_turns(s.position_of(row));
                const float there = real(row) ? 1 : 0;
                store_row(k, row, rotated(ready(raw.k[i], b_weight, table + bias), turns), there);
                if (queries) store_row(q, row, rotated(ready(raw.q[i], c_weight, c_bias + bias), turns), there);
            }
        }
    }
    /// What a rank makes of x (0), z (1), the output (2).
    __device__ const float* mix(int which, int rank) const {
        const HeadTable of(s);
        return table + of.mix_x + which * of.mix + rank * kHeaddim;
    }
    /// The row's rank, or the last: of rows that are none.
    __device__ int some_rank(int row) const {
        return least_of(s.rank_of(row), s.rank - 1);
    }

    // ---- rows of x: of each rank its own, x ⊙ mimo_x

    static constexpr int kInputLanes = kHeaddim / 2, kInputsAtOnce = 32 / kInputLanes;
    __device__ static int input_channel() {
        return 2 * (lane_index() % kInputLanes);
    }
    __device__ __forceinline__ void make_inputs(E* v) const {
        const int p = input_channel(), first = share_row() + lane_index() / kInputLanes;
        constexpr int count = kOwnRows / kInputsAtOnce;
#pragma unroll
        for (int i = 0; i < count; ++i) {
            const int row = first + i * kInputsAtOnce;
            auto value = mixed(load_pair(xbc.first + clamped(s.position_of(row)) * xbc.stride + h * kHeaddim + p),
                               mix(0, some_rank(row)) + p);
            if (!real(row)) value = {};
            store_vector(v + row * kPld + p, Vector<float, 2>{{value.x, value.y}});
        }
    }

    /// body(row of the chunk, channel, own panel, eighth, half) for each pair of the lane's places in the strip's rows
    /// and the warp's panels.
    template <class Body>
    __device__ __forceinline__ void each_place(const Body& body) const {
#pragma unroll
        for (int c = 0; c < kOwnPanels; ++c)
#pragma unroll
            for (int n = 0; n < kEighths; ++n)
#pragma unroll
                for (int half = 0; half < 2; ++half)
                    body(own_row() + lane_row() + 8 * half, own_channel(c) + 8 * n + 2 * lane_place(), c, n, half);
    }
    /// The first channel of the warp's panel c.
    __device__ static int own_channel(int c) {
        return (c + sharer() * kOwnPanels) * kTileColumns;
    }
    /// Sums over the ranks of a position, of numbers that each lane has of its two rows: every rank's lane gets them.
    template <int Count>
    __device__ __forceinline__ void sum_ranks(float (&top)[Count], float (&bottom)[Count]) const {
#pragma unroll 1
        for (int log = 0; log < least_of(s.log_rows, 3); ++log)
#pragma unroll
            for (int i = 0; i < Count; ++i) {
                top[i] += __shfl_xor_sync(0xffffffffU, top[i], 4 << log);
                bottom[i] += __shfl_xor_sync(0xffffffffU, bottom[i], 4 << log);
            }
        if (s.log_rows < 4) return;
#pragma unroll
        for (int i = 0; i < Count; ++i) top[i] = bottom[i] = top[i] + bottom[i];
    }
};

inline dim3 ranked_grid(const RankedShape& s) {
    return {grid_size(s.batch * s.heads * s.spans), grid_size(s.replicas)};
}

/// Two neighbours of a row of the output or of a gradient.
template <class S>
__device__ __forceinline__ void store_pair(S* to, numerics::Pair<float> two, bool paired) {
    if (paired)
        store_vector(to, Vector<float, 2>{{two.x, two.y}});
    else
        to[0] = S(two.x), to[1] = S(two.y);
}
template <class S>
__device__ __forceinline__ numerics::Pair<float> load_pair(const S* from, bool paired) {
    if (paired) return load_pair(from);
    return {float(from[0]), float(from[1])};
}

/// body(Kind{}): the kernel of a layer that fits.
template <class S, class Body>
void with_ranked_kind(const StateSpaceShape& s, Products products, const Body& body) {
    const auto with = [&](auto chosen) {
        constexpr Products P = decltype(chosen)::value;
        if (s.headdim == 16) return body(RankedKind<S, P, 64, 16>{});
        if (s.headdim == 32) {
            if (s.state == 16) return body(RankedKind<S, P, 16, 32>{});
            if (s.state == 32) return body(RankedKind<S, P, 32, 32>{});
            if (s.state == 64) return body(RankedKind<S, P, 64, 32>{});
            return body(RankedKind<S, P, 128, 32>{});
        }
        if (s.state == 64) return body(RankedKind<S, P, 64, 64>{});
        body(RankedKind<S, P, 128, 64>{});
    };
    with_stored_products<float, S>(products, with);
}

/// bytes_of(Kind{}) of the layer's kernel: as stored in bf16, or with products as exact as float32, since others need
/// less.
template <class BytesOf>
std::int64_t ranked_bytes(DType dtype, const StateSpaceShape& s, const BytesOf& bytes_of) {
    std::int64_t bytes = 0;
    const auto take = [&](auto kind) { bytes = bytes_of(kind); };
    if (dtype == DType::bf16)
        with_ranked_kind<Bf16>(s, Products::bf16, take);
    else
        with_ranked_kind<float>(s, Products::float32, take);
    return bytes;
}
/// Whether these kernels take a layer, with chunks of this length, in both passes.
inline bool ranked_takes(std::int64_t shared_limit, DType dtype, const StateSpaceShape& s) {
    return s.chunk > 1 && s.chunk <= ranked_chunk(s) && ranked_fit(shared_limit, dtype, s) &&
           ranked_fit_backward(shared_limit, dtype, s);
}
/// Whether the usual layers' kernels take one rather than these, which can be cut into spans.
inline bool strips_take(std::int64_t shared_limit, DType dtype, const StateSpaceShape& s) {
    return strips_fit(shared_limit, dtype, s) && !(ranked_spans(s) > 1 && ranked_takes(shared_limit, dtype, s));
}
/// Whether these tensors' rows are of pairs.
inline bool ranked_reads(const Mamba3Tensors& in) {
    return in_groups(in.z, 2) && in_groups(in.xbc, 2);
}
/// Bytes that the forward pass needs where it is cut into spans.
inline std::int64_t ranked_scratch(const StateSpaceShape& s) {
    const std::int64_t spans = ranked_spans(s);
    return spans == 1 ? 0 : s.tasks() * spans * SpanLayout(s).count * static_cast<std::int64_t>(sizeof(float));
}
/// Bytes that the forward pass keeps.
inline std::int64_t ranked_saved(DType dtype, const StateSpaceShape& shape) {
    return RankedLayout(RankedShape(shape), dtype == DType::bf16 ? sizeof(Bf16) : sizeof(float)).bytes;
}

void ranked_forward(const CudaBackend& backend, const StateSpaceShape& shape, const Mamba3Tensors& in, const Tensor& y,
                    const Tensor& state, std::int64_t position, std::byte* saved, std::byte* scratch);
/// Memory for what its kernels leave one another: d_rows, the gradient of the scan's output [task][L,R,P], and slopes
/// [task][L].
template <class S, class E>
void ranked_backward(const CudaBackend& backend, const StateSpaceShape& shape, const Mamba3Tensors& in,
                     const Tensor& d_y, const Mamba3Tensors& gradient, const HeadParts<float, E>& parts, E* d_rows,
                     StepSlopes* slopes, std::byte* saved);

}  // namespace whorl::gpu
