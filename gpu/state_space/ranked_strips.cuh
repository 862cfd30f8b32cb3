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
        xbc = {in.xbc, r, first_row};
        if (s.gate.on) z = {in.z, r, first_row, h * kHeaddim};
        if (s.rotation == Rotation::data_dependent) velocity = {in.velocity, r, first_row};
        scales = {in.scales, r, first_row, group()};
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
    /// The state as it is kept from forward to backward: tile by tile, each as its lanes have it, which is also how the
    /// backward pass's products take it. body(tile, its numbers of this lane in memory) for the warp's tiles.
    static constexpr int kOfLane = kTileRows * kTileColumns / 32;
    template <class Body, class X>
    __device__ static __forceinline__ void each_kept(WarpTile<float> (&state)[kOwnStrips][kStatePanels], X* kept,
                                                     const Body& body) {
        if (!has_state()) return;
#pragma unroll
        for (int b = 0; b < kOwnStrips; ++b)
#pragma unroll
            for (int c = 0; c < kStatePanels; ++c) body(state[b][c], kept_tile(kept, state_row(b), state_column(c)));
    }
    template <class X>
    __device__ static X* kept_tile(X* kept, int n, int p) {
        return kept + (n / kTileRows * kPanels + p / kTileColumns) * (kTileRows * kTileColumns) +
               lane_index() * kOfLane;
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
    /// Every row of the chunk is one.
    __device__ bool whole() const {
        return s.rank == 1 << s.log_rows && rows() == kStripChunk;
    }
    /// The position, or the chunk's last: what is read in its place and not used costs less than a branch.
    __device__ int clamped(int position) const {
        return least_of(position, most_of(positions - 1, 0));
    }

    __device__ void enter(int chunk) {
        const int by = chunk * s.chunk - begin;
        begin += by;
        positions = least_of(s.chunk, length - begin);
        xbc.move(by), z.move(by), velocity.move(by), scales.move(by);
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

    // In the block's memory the channels that turn together are neighbours. A lane has eight places of a row, four
    // pairs.
    static constexpr int kPlaces = 8, kPairs = kPlaces / 2, kLanesOfRow = kState / kPlaces;
    static constexpr int kRowsAtOnce = 32 / kLanesOfRow, kRowsOfLane = kOwnRows / kRowsAtOnce;
    static_assert(kRowsOfLane * kRowsAtOnce == kOwnRows);
    __device__ static int first_place() {
        return lane_index() % kLanesOfRow * kPlaces;
    }
    /// The lane's first row of those that the warp makes ready; the others follow.
    __device__ static int ready_row() {
        return share_row() + lane_index() / kLanesOfRow * kRowsOfLane;
    }

    /// The pairs that a lane has of a row.
    struct Pairs {
        numerics::Pair<float> at[kPairs];
    };
    /// The same as channels of the projection lie: two stretches of four, side by side or half a row apart.
    template <class X>
    struct Channels {
        StoredTwo<X> first[2], second[2];
    };
    __device__ int first_channel() const {
        return s.neighbours ? first_place() : first_place() / 2;
    }
    __device__ int to_second() const {
        return s.neighbours ? kPairs : kState / 2;
    }
    template <class X>
    __device__ static Channels<X> load_channels(const X* first, int to_second) {
        const auto* const one = reinterpret_cast<const StoredTwo<X>*>(first);
        const auto* const two = reinterpret_cast<const StoredTwo<X>*>(first + to_second);
        return {{one[0], one[1]}, {two[0], two[1]}};
    }
    template <class X>
    __device__ __forceinline__ Pairs in_place(const Channels<X>& row) const {
        const float a[] = {row.first[0][0], row.first[0][1], row.first[1][0], row.first[1][1]};
        const float b[] = {row.second[0][0], row.second[0][1], row.second[1][0], row.second[1][1]};
        return s.neighbours ? Pairs{{{a[0], a[1]}, {a[2], a[3]}, {b[0], b[1]}, {b[2], b[3]}}}
                            : Pairs{{{a[0], b[0]}, {a[1], b[1]}, {a[2], b[2]}, {a[3], b[3]}}};
    }
    /// The channel of the projection at a place.
    __device__ int channel(int place) const {
        return s.neighbours ? place : place / 2 + place % 2 * (kState / 2);
    }

    struct Turns {
        numerics::SinCos<float> of[kPairs];
    };
    /// The lane's angles at a position.
    __device__ __forceinline__ Turns turns_at(int position) const {
        Turns turns;
#pragma unroll
        for (int c = 0; c < kPairs; ++c)
            turns.of[c] = sincos_for<P>(x.turns[position * kTurnLd + first_place() / 2 + c]);
        return turns;
    }
    /// A row of B (or C), raw, and its rank's bias.
    struct RawRow {
        Channels<S> channels;
        float scale;
        Vector<float, kPlaces> bias;
    };
    /// Leaves what is made of it: RMSNorm · w + bias, turned.
    __device__ __forceinline__ void leave_row(E* row, const RawRow& raw, const Pairs& weight, const Turns& by,
                                              bool there) const {
        const Pairs channels = in_place(raw.channels);
        Vector<float, kPlaces> made;
#pragma unroll
        for (int c = 0; c < kPairs; ++c) {
            const auto turned = numerics::rotate<float>(
                {numerics::fma(channels.at[c].x, raw.scale * weight.at[c].x, raw.bias.at[2 * c]),
                 numerics::fma(channels.at[c].y, raw.scale * weight.at[c].y, raw.bias.at[2 * c + 1])},
                by.of[c].cos, by.of[c].sin);
            made.at[2 * c] = turned.x, made.at[2 * c + 1] = turned.y;
        }
        if (!there) made = {};
        store_vector(row, made);
    }
    /// Makes the warp's rows of B and C ready, of B alone where only the state is wanted; rows that are none are zero.
    /// The next rows are on their way meanwhile, the first before the block waits for the angles.
    __device__ __forceinline__ void make_rows(bool queries) const {
        constexpr int together = Kind::kTight || kRowsOfLane == 1 ? 1 : 2;
        const S* const raw = xbc.first + first_channel();
        const float* const biases = table + first_place();
        const int count = queries ? 2 * kRowsOfLane : kRowsOfLane;
        RawRow next[together];
        const auto load = [&](int i) {
            const bool of_c = i >= kRowsOfLane;
#pragma unroll
            for (int e = 0; e < together; ++e) {
                const int row = ready_row() + (i + e) % kRowsOfLane, rank = some_rank(row);
                const int position = clamped(s.position_of(row));
                const int column = (of_c ? c_column : b_column) + rank * s.groups * kState;
                const int scale = ((of_c ? s.rank : 0) + rank) * s.groups;
                next[e] = {load_channels(raw + position * xbc.stride + column, to_second()),
                           scales.first[position * scales.stride + scale],
                           load_vector<kPlaces>(biases + (of_c ? HeadTable(s).c_bias : 0) + rank * kState)};
            }
        };
        load(0);
        finish_turns();
        Pairs weight;
        Turns turns{};
#pragma unroll 1
        for (int i = 0; i < count; i += together) {
            RawRow now[together];
#pragma unroll
            for (int e = 0; e < together; ++e) now[e] = next[e];
            if (i + together < count) load(i + together);
            const bool of_c = i >= kRowsOfLane, first = i % kRowsOfLane == 0;
            if (first) {
                const View<float>& norm = of_c ? in.c_norm : in.b_norm;
                weight = norm ? in_place(load_channels(norm.at(r) + first_channel(), to_second()))
                              : Pairs{{{1, 1}, {1, 1}, {1, 1}, {1, 1}}};
            }
#pragma unroll
            for (int e = 0; e < together; ++e) {
                const int row = ready_row() + (i + e) % kRowsOfLane;
                if ((first && e == 0) || s.rank_of(row) == 0) turns = turns_at(s.position_of(row));
                leave_row((of_c ? q : k) + row * kNld + first_place(), now[e], weight, turns, whole() || real(row));
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
    /// mix: of each rank.
    __device__ __forceinline__ void make_inputs(E* v, const float* mix) const {
        const int p = input_channel(), first = share_row() + lane_index() / kInputLanes;
        const S* const raw = xbc.first + h * kHeaddim + p;
        E* const to = v + first * kPld + p;
        mix += p;
        const auto make = [&](bool all) {
#pragma unroll
            for (int i = 0; i < kOwnRows / kInputsAtOnce; ++i) {
                const int row = first + i * kInputsAtOnce;
                auto value =
                    mixed(load_pair(raw + clamped(s.position_of(row)) * xbc.stride), mix + some_rank(row) * kHeaddim);
                if (!all && !real(row)) value = {};
                store_vector(to + i * kInputsAtOnce * kPld, Vector<float, 2>{{value.x, value.y}});
            }
        };
        make(whole());
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
