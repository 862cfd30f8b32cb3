// The backward pass of ranked_strips.cuh, one head of one sequence. A warp has a strip of queries and one of keys, so
// that the products which make their gradients have as much to do in every warp: strip w of the queries sees w + 1
// strips, of the keys is seen by 4 - w. Where two warps share a strip, they share its queries' and keys' channels, and
// the panels of its input. What the gate passes back of each rank's rows is there before
// (ranked_gate_backward.cuh).
#pragma once

#include "gpu/state_space/ranked_strips_keys.cuh"
#include "gpu/state_space/state_space_memory.cuh"

namespace whorl::gpu {

template <class Kind>
struct RankedBackward : RankedKeys<Kind> {
    using Base = RankedKeys<Kind>;
    using Base::own, Base::gradient, Base::table, Base::sum_mix;
    using Base::P, Base::kState, Base::kHeaddim, Base::kPanels, Base::kNld, Base::kPld, Base::kLd, Base::kSharers,
        Base::kWarps, Base::kThreads, Base::kOwnStrips, Base::kStatePanels, Base::kAngleSlots, Base::kOwnPanels,
        Base::kTurnLd;
    using Base::s, Base::in, Base::x, Base::q, Base::k, Base::r, Base::h, Base::phase, Base::begin, Base::positions,
        Base::strip, Base::sharer, Base::own_row, Base::own_position, Base::state_row, Base::state_column,
        Base::first_sharer, Base::row_at, Base::through, Base::last, Base::strips, Base::real;
    using typename Base::E, typename Base::S, typename Base::Memory;
    static constexpr int kChannels = kState / kSharers;     // of the strip's q and k, a warp's
    static constexpr int kAcross = kChannels < 32 ? 1 : 2;  // tiles of them made at once

    const HeadParts<float, E>& parts;   // places of a row of B or C in the order of the block's memory
    const E* d_rows;                    // gradient of the scan's output, of this head
    const E* entry_states;              // of this head: [chunk but the first]
    const std::uint32_t* entry_phases;  // likewise
    std::int64_t task;
    StepSlopes* step_slopes;  // of the sequence's positions

    WarpTile<float> d_state[kOwnStrips][kStatePanels] = {};
    float turning[kAngleSlots] = {};  // the angles' gradients summed over all later positions

    __device__ RankedBackward(const RankedShape& shape, const RankedViews<S>& tensors, const Memory& memory,
                              const StateSpaceViews<float, S>& to, const HeadParts<float, E>& left,
                              const E* d_rows_of_all, const std::byte* saved_of_all, StepSlopes* slopes_of_all,
                              const RankedTask& place)
        : Base(shape, tensors, memory, to, place),
          parts(left),
          d_rows(d_rows_of_all + place.index * shape.length * shape.rank * kHeaddim),
          task(place.index),
          step_slopes(slopes_of_all + place.index * shape.length) {
        const RankedLayout layout = RankedLayout::of<Kind>(shape);
        const std::byte* const saved = saved_of_all + place.index * layout.head;
        entry_states = reinterpret_cast<const E*>(saved + layout.states);
        entry_phases = reinterpret_cast<const std::uint32_t*>(saved + layout.phases);
    }

    __device__ __forceinline__ void run() {
        const int chunks = this->chunks();
#pragma unroll 1
        for (int chunk = chunks - 1; chunk >= 0; --chunk) {
            this->enter(chunk);
            load_slopes();
            load_phases(chunk);
            const StripStep step = this->step();
            this->make_inputs(own.v, this->mix(0, 0));
            this->leave_steps(step, table());
            this->strip_turns(0, step);
            __syncthreads();
            this->read_decays();
            this->make_rows(true);
            if (chunks > 1 && first_sharer()) state_weights();
            wait_for_copies();
            float within = 0;
            {
                typename Base::Keys keys;
                if (this->busy()) this->key_pairs(keys);
                if constexpr (kSharers > 1) __syncthreads();
                if (this->busy()) within = this->keys_backward(keys);
            }
            if (chunk > 0 && !last()) state_through(chunk);
            __syncthreads();
            if (this->busy()) queries_and_keys(chunk);
            if (chunk > 0) carry_gradient();
            if constexpr (kSharers > 1)
                __syncthreads();
            else
                __syncwarp();
            if (s.rotation == Rotation::data_dependent) strip_phases();
            __syncthreads();
            if (chunk > 0) store_gradient();
            bias_sums(chunk + 1 == chunks);
            if (s.rotation == Rotation::data_dependent) angles_backward();
            if constexpr (kSharers > 1)
                __syncthreads();
            else
                __syncwarp();
            if (this->busy() && first_sharer()) steps_backward(within, chunk);
            __syncthreads();
        }
        leave_sums();
    }

private:
    __device__ const E* entry_state(int chunk) const {
        return entry_states + std::int64_t{chunk - 1} * kState * kHeaddim;
    }
    /// Starts the copies of rows of P channels, side by side in memory, 16 bytes at a time.
    __device__ __forceinline__ void copy_heads(const E* from, int rows, E* to) const {
        constexpr int wide = 16 / static_cast<int>(sizeof(E)), pieces = kHeaddim / wide;
#pragma unroll 4
        for (int piece = static_cast<int>(threadIdx.x); piece < rows * pieces; piece += kThreads)
            copy_wide_async(to + piece / pieces * kPld + piece % pieces * wide, from + piece * wide);
    }
    /// The gradient of the scan's output; zero in rows that are none.
    __device__ void load_slopes() const {
        const E* const from = d_rows + std::int64_t{begin} * s.rank * kHeaddim;
        if (s.rank == 1 << s.log_rows && positions << s.log_rows == kStripChunk)
            return copy_heads(from, kStripChunk, own.d_y);
        constexpr int wide = 16 / static_cast<int>(sizeof(E)), pieces = kHeaddim / wide;
        for (int piece = static_cast<int>(threadIdx.x); piece < kStripChunk * pieces; piece += kThreads) {
            const int row = piece / pieces, p = piece % pieces * wide;
            if (real(row))
                copy_wide_async(own.d_y + row * kPld + p,
                                from + (s.position_of(row) * s.rank + s.rank_of(row)) * kHeaddim + p);
            else
                store_vector(own.d_y + row * kPld + p, Vector<float, wide>{});
        }
    }
    __device__ void load_phases(int chunk) {
        const std::uint32_t* const phases = entry_phases + std::int64_t{chunk - 1} * s.angles;
#pragma unroll
        for (int slot = 0; slot < kAngleSlots; ++slot) {
            const int j = lane_index() + 32 * slot;
            phase[slot] = chunk > 0 && j < s.angles ? phases[j] : 0;
        }
    }
    __device__ void state_weights() const {
        const int row = own_row() + lane_index();
        if (lane_index() >= kTileRows) return;
        own.exits[row] = this->to_end(row) * x.strength[row];
        own.entries[row] = x.head[row] * through(0, strip());
    }
    /// h·d_h, of each warp.
    __device__ void state_through(int chunk) {
        float inner = 0;
        this->each_kept(d_state, entry_state(chunk), [&](const WarpTile<float>& tile, const E* at) {
            const auto before = load_vector<Base::kOfLane>(at), gradient_of = right_numbers(tile);
#pragma unroll
            for (int i = 0; i < Base::kOfLane; ++i) inner = numerics::fma(before.at[i], gradient_of.at[i], inner);
        });
        inner = warp_sum(inner);
        if (lane_index() == 0) own.of_warps[this->warp()] = inner;
    }

    /// Gradients of the strip's rows of Q and K, some channels at a time.
    __device__ __forceinline__ void queries_and_keys(int chunk) {
        float entry[2] = {};
        const RowPlaces places = row_places();
#pragma unroll 1
        for (int first = sharer() * kChannels; first < (sharer() + 1) * kChannels; first += kAcross * kTileColumns) {
            WarpTile<float> d_q[kAcross], d_k[kAcross];
            if (chunk > 0) add_entry(d_q, first, chunk, entry);
            if (!last()) add_exit_keys(d_k, first);
#pragma unroll 1
            for (int other = 0; other <= strip(); ++other)
                add_rows(d_q, left_columns<P>(own.d_scores + own.tile(other, strip()), kLd),
                         k + other * kTileRows * kNld + first);
#pragma unroll 1
            for (int other = strip(); other < strips(); ++other)
                add_rows(d_k, left_rows<P>(own.d_scores + own.tile(strip(), other), kLd),
                         q + other * kTileRows * kNld + first);
#pragma unroll
            for (int a = 0; a < kAcross; ++a) turn_back(places, d_q[a], d_k[a], first + a * kTileColumns);
        }
        if (chunk == 0) return;
        for (int half = 0; half < 2; ++half) {
            const float sum = tile_row_sum(entry[half]);
            if (lane_place() == 0) own.d_entry[sharer() * kStripChunk + own_row() + lane_row() + 8 * half] = sum;
        }
    }
    __device__ __forceinline__ void add_rows(WarpTile<float> (&to)[kAcross], const Left<P>& left, const E* rows) const {
#pragma unroll
        for (int a = 0; a < kAcross; ++a) multiply_add(to[a], left, right_columns<P>(rows + a * kTileColumns, kNld));
    }
    /// Through the state before the chunk.
    __device__ __forceinline__ void add_entry(WarpTile<float> (&d_q)[kAcross], int first, int chunk,
                                              float (&entry)[2]) const {
        const E* const states = this->kept_tile(entry_state(chunk), first, 0);
#pragma unroll 2
        for (int p = 0; p < kHeaddim; p += 16) {
            const Left<P> left = left_rows<P>(own.d_y + own_row() * kPld + p, kPld);
#pragma unroll
            for (int a = 0; a < kAcross; ++a)
                multiply_add(d_q[a], left, right_kept<P>(states + (a * kHeaddim + p) * kTileColumns));
        }
#pragma unroll
        for (int a = 0; a < kAcross; ++a)
            each_pair(d_q[a], [&](int i, int j, int half, float& one, float& two) {
                const float weight = own.entries[own_row() + i];
                const auto value = load_pair(q + (own_row() + i) * kNld + first + a * kTileColumns + j);
                one *= weight, two *= weight;
                entry[half] = numerics::fma(one, value.x, numerics::fma(two, value.y, entry[half]));
            });
    }
    /// Through the state behind it.
    __device__ __forceinline__ void add_exit_keys(WarpTile<float> (&d_k)[kAcross], int first) const {
#pragma unroll
        for (int c = 0; c < kPanels; ++c) {
            const Left<P> left = this->input_left(c);
#pragma unroll
            for (int a = 0; a < kAcross; ++a)
                multiply_add(d_k[a], left,
                             right_rows<P>(own.d_h + (first + a * kTileColumns) * kPld + c * kTileColumns, kPld));
        }
#pragma unroll
        for (auto& tile : d_k)
            each_pair(tile, [&](int i, int, int, float& one, float& two) {
                const float weight = own.exits[own_row() + i];
                one *= weight, two *= weight;
            });
    }
    /// Where the lane's two channels of its two rows are, from the first tile on.
    struct RowPlaces {
        bool there[2], first[2];  // first: of its position's
        std::uint32_t* turns[2];
        const E *q[2], *k[2];
        E *c[2], *b[2];
    };
    __device__ __forceinline__ RowPlaces row_places() const {
        RowPlaces of;
        const std::int64_t begin_of_parts = (s.head_rows(r, h) + row_at(0)) * s.rank * kState;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int row = own_row() + lane_row() + 8 * half, position = s.position_of(row), p = 2 * lane_place();
            const std::int64_t at = begin_of_parts + (position * s.rank + s.rank_of(row)) * kState + p;
            of.there[half] = real(row), of.first[half] = s.rank_of(row) == 0;
            of.turns[half] = x.turns + position * kTurnLd + lane_place();
            of.q[half] = q + row * kNld + p, of.k[half] = k + row * kNld + p;
            of.c[half] = parts.c + at, of.b[half] = parts.b + at;
        }
        return of;
    }
    /// To before the rotation: parts of what the heads share; and the angles' gradients, summed over the ranks.
    __device__ __forceinline__ void turn_back(const RowPlaces& of, const WarpTile<float>& d_q,
                                              const WarpTile<float>& d_k, int first) const {
#pragma unroll
        for (int n = 0; n < kEighths; ++n) {
            const int at = first + 8 * n;
            float slopes[2][1];
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                numerics::Pair<float> own_q{d_q.sum[n][2 * half], d_q.sum[n][2 * half + 1]};
                numerics::Pair<float> own_k{d_k.sum[n][2 * half], d_k.sum[n][2 * half + 1]};
                const auto turn = sincos_for<P>(of.turns[half][at / 2]);
                slopes[half][0] = numerics::rotate_phase_gradient(load_pair(of.q[half] + at), own_q) +
                                  numerics::rotate_phase_gradient(load_pair(of.k[half] + at), own_k);
                own_q = numerics::rotate_back(own_q, turn.cos, turn.sin);
                own_k = numerics::rotate_back(own_k, turn.cos, turn.sin);
                if (!of.there[half]) continue;
                store_vector(of.c[half] + at, Vector<float, 2>{{own_q.x, own_q.y}});
                store_vector(of.b[half] + at, Vector<float, 2>{{own_k.x, own_k.y}});
            }
            this->sum_ranks(slopes[0], slopes[1]);
            __syncwarp();  // the position's other rows have read its angle
#pragma unroll
            for (int half = 0; half < 2; ++half)
                if (of.first[half] && at / 2 + lane_place() < s.angles)
                    of.turns[half][at / 2] = __float_as_uint(slopes[half][0]);
        }
    }

    /// d_h ← e^{Λ_end} d_h + Qᵀ diag(e^Λ) dY.
    __device__ __forceinline__ void carry_gradient() {
        if (!this->has_state()) return;
        const float decay = through(0, kStrips);
#pragma unroll
        for (int b = 0; b < kOwnStrips; ++b) {
            const int n = state_row(b);
#pragma unroll
            for (auto& tile : d_state[b])
                each_pair(tile, [&](int, int, int, float& first, float& second) { first *= decay, second *= decay; });
#pragma unroll 1
            for (int row = 0; row < this->rows(); row += kTileRows) {
                const Left<P> left = left_moved_columns<P>(q + row * kNld + n, kNld, own.entries + row);
#pragma unroll
                for (int c = 0; c < kStatePanels; ++c)
                    multiply_add(d_state[b][c], left, right_columns<P>(own.d_y + row * kPld + state_column(c), kPld));
            }
        }
    }
    __device__ __forceinline__ void store_gradient() {
        E* const to = own.d_h + this->state_place(kPld);
        this->each_of_state(d_state, [&](int n, int p, float first, float second) {
            store_vector(to + n * kPld + p, Vector<float, 2>{{first, second}});
        });
    }

    /// Of the biases: sums over the chunk's positions of the parts just written, added where the head leaves them.
    __device__ void bias_sums(bool first) const {
        constexpr int wide = 4;
        const SumLayout layout(s);
        const int width = s.rank * kState;
        const std::int64_t rows = (s.head_rows(r, h) + row_at(0)) * width;
#pragma unroll 1
        for (int column = wide * static_cast<int>(threadIdx.x); column < 2 * width; column += wide * kThreads) {
            const bool second = column >= width;
            const int at = column - (second ? width : 0), rank_row = at / kState * kState;
            const E* const from = (second ? parts.c : parts.b) + rows + at;
            float sum[wide] = {};
#pragma unroll 4
            for (int t = 0; t < positions; ++t) {
                const auto part = load_vector<wide>(from + t * width);
#pragma unroll
                for (int e = 0; e < wide; ++e) sum[e] += part.at[e];
            }
            float* const to =
                parts.sums + task * layout.count() + (second ? layout.c_bias() : layout.b_bias()) + rank_row;
#pragma unroll
            for (int e = 0; e < wide; ++e) {
                float& total = to[this->channel(at - rank_row + e)];
                total = first ? sum[e] : total + sum[e];
            }
        }
    }

    __device__ float d_angle(int position, int j) const {
        return __uint_as_float(x.turns[position * kTurnLd + least_of(j, s.angles - 1)]);
    }
    /// The angles' gradients of the whole strip.
    __device__ void strip_phases() const {
        this->each_angle([&](int j, int) {
            if (j >= s.angles) return;
            float sum = 0;
            if (this->busy())
                for (int t = s.positions_of_strip() - 1; t >= 0; --t) sum += d_angle(own_position() + t, j);
            own.d_totals[strip() * (kState / 2) + j] = sum;
        });
    }
    /// A position's step turns all later ones: θ's gradient as a part of what the heads share, and Δ's.
    __device__ __forceinline__ void angles_backward() {
        float behind[kAngleSlots] = {};
        this->each_angle([&](int j, int slot) {
            behind[slot] = turning[slot];
#pragma unroll
            for (int m = kStrips - 1; m >= 0; --m) {
                const float of_strip = own.d_totals[m * (kState / 2) + least_of(j, s.angles - 1)];
                if (m > strip()) behind[slot] += of_strip;
                turning[slot] += of_strip;
            }
        });
        if (!this->busy()) return;
        float* const to = parts.theta + (s.head_rows(r, h) + row_at(0)) * s.angles;
#pragma unroll 2
        for (int t = own_position() + s.positions_of_strip() - 1; t >= own_position(); --t) {
            float dot = 0;
            const float* const velocities = this->velocity(this->clamped(t));
            this->each_angle([&](int j, int slot) {
                behind[slot] += d_angle(t, j);
                if (j >= s.angles || t >= positions) return;
                to[std::int64_t{t} * s.angles + j] = x.dt[t << s.log_rows] * behind[slot];
                dot = numerics::fma(velocities[j], behind[slot], dot);
            });
            dot = warp_sum(dot);
            if (lane_index() == 0) own.d_dt[sharer() * kStripChunk + (t << s.log_rows)] = dot;
        }
    }

    /// The sum of a row's position, in the lanes of a strip's rows.
    __device__ __forceinline__ float of_position(float of_row) const {
        for (int distance = 1; distance < 1 << s.log_rows; distance *= 2)
            of_row += __shfl_xor_sync(0xffffffffU, of_row, distance);
        return of_row;
    }
    /// Gradients of the strip's steps. A step's decay weighs the pairs it lies between, the outputs at or behind it
    /// (through the entry state), what the chunk wrote before it into the exit state, and the whole way from entry to
    /// exit.
    __device__ __forceinline__ void steps_backward(float within, int chunk) const {
        const int lane = lane_index() % kTileRows, row = own_row() + lane, position = s.position_of(row);
        const float d_log_decay = decay_gradient(within, chunk), d_strength = own.whole(own.d_strength, row);
        const float d_gamma = of_position(d_strength + own.same[row]), d_carry = of_position(d_strength);
        if (!this->first_of_position() || position >= positions) return;
        const float d_dt = s.rotation == Rotation::data_dependent ? own.whole(own.d_dt, row) : 0;
        step_slopes[begin + position] = {d_log_decay, d_gamma, d_carry, d_dt};
    }
    /// Of the row's step; right where the row is its position's first.
    __device__ __forceinline__ float decay_gradient(float within, int chunk) const {
        const int place = lane_index() % kTileRows, row = own_row() + place;
        float early = 0, around = 0, exit = 0, entry = 0;
        for (int keys = 0; keys < strip(); ++keys) {
            early += own.early[keys * kStripChunk + row];
            for (int other = strip() + 1; other < strips(); ++other)
                around += own.early[keys * kStripChunk + other * kTileRows + place];
            if (!last()) exit += own.whole(own.d_exit, keys * kTileRows + place);
        }
        if (chunk > 0)
            for (int other = strip() + 1; other < strips(); ++other)
                entry += own.whole(own.d_entry, other * kTileRows + place);
        const float later = strip() + 1 < strips() ? own.whole(own.late, row) : 0;
        const float own_exit = last() ? 0 : own.whole(own.d_exit, row),
                    own_entry = chunk > 0 ? own.whole(own.d_entry, row) : 0;
        const float of_others = sum_from_lane(around + exit + entry, kTileRows);
        const float from_here = sum_from_lane(early + own_entry, kTileRows);
        const float before = __shfl_up_sync(0xffffffffU, later + own_exit, 1, kTileRows);
        float sum = within + from_here + sum_up_to_lane(place > 0 ? before : 0.0F, kTileRows) +
                    __shfl_sync(0xffffffffU, of_others, 0, kTileRows);
        if (chunk > 0 && !last()) {
            float whole = 0;
            for (int warp = 0; warp < kWarps; ++warp) whole += own.of_warps[warp];
            sum = numerics::fma(whole, through(0, kStrips), sum);
        }
        return sum;
    }

    /// Of the head, all but the gate's and the steps'.
    __device__ __forceinline__ void leave_sums() {
        const SumLayout sums(s);
        if (in.mimo_x) leave_mix(parts.sums + task * sums.count() + sums.mimo_x());
    }
    /// Sums of mimo_x: every warp's rows of a rank, through the block's memory, which is not used any more.
    __device__ __forceinline__ void leave_mix(float* to) const {
        float* const all = reinterpret_cast<float*>(own.q);  // [strip][16 rows][P]
        static_assert(kStrips * kTileRows * kHeaddim * sizeof(float) <=
                      2 * kStripChunk * kNld * sizeof(E) + kStripChunk * kPld * sizeof(E));
        this->each_place([&](int row, int p, int c, int n, int half) {
            all[row * kHeaddim + p] = sum_mix[half][c][2 * n];
            all[row * kHeaddim + p + 1] = sum_mix[half][c][2 * n + 1];
        });
        __syncthreads();
        for (int i = static_cast<int>(threadIdx.x); i < s.rank * kHeaddim; i += kThreads) {
            float sum = 0;
            for (int row = i / kHeaddim; row < kStripChunk; row += 1 << s.log_rows)
                sum += all[row * kHeaddim + i % kHeaddim];
            to[i] = sum;
        }
    }
};

}  // namespace whorl::gpu
