// The backward pass of state_space_strips.cuh, one head of one sequence. A warp has a strip of queries and one of keys,
// so that the products which make their gradients have as much to do in every warp: strip w of the queries sees w + 1
// strips, of the keys is seen by 4 - w. Where two warps share a strip, they share its queries' and keys' channels, and
// the panels of its input.
#pragma once

#include "gpu/state_space/state_space_memory.cuh"
#include "gpu/state_space/state_space_strips_keys.cuh"

namespace whorl::gpu {

template <class Kind>
struct StripBackward : StripKeys<Kind> {
    using Base = StripKeys<Kind>;
    using Base::own, Base::gradient, Base::saved, Base::slopes, Base::sum_d, Base::table;
    using Base::P, Base::kState, Base::kHeaddim, Base::kPairs, Base::kPanels, Base::kNld, Base::kPld, Base::kLd,
        Base::kSharers, Base::kWarps, Base::kThreads, Base::kOwnPairs, Base::kStateStrips;
    using Base::s, Base::in, Base::x, Base::q, Base::k, Base::r, Base::h, Base::phase, Base::begin, Base::positions,
        Base::strip, Base::sharer, Base::own_row, Base::own_pair, Base::state_row, Base::first_sharer, Base::row_at,
        Base::clamped, Base::pair, Base::through, Base::last, Base::strips;
    using typename Base::E, typename Base::S, typename Base::Memory, typename Base::InputLeft;
    static constexpr int kAcross = 2;                       // tiles of channels of q and k made at once
    static constexpr int kColumns = 2 * kState / kThreads;  // of the biases' sums, a thread's
    static constexpr int kChannels = kState / kSharers;     // of the strip's q and k, a warp's

    const HeadParts<float>& parts;
    View<S> d_out;
    std::int64_t task;

    WarpTile<float> d_state[kStateStrips][kPanels] = {};
    float sum_dt_bias = 0, sum_a_log = 0;  // each thread's share
    float sum_bias[kColumns] = {};         // of C's and B's columns
    float turning[kOwnPairs] = {};         // the angles' gradients summed over all later positions

    __device__ StripBackward(const StateSpaceShape& shape, const StateSpaceViews<float, S>& tensors,
                             const Memory& memory, const StateSpaceViews<float, S>& to, const HeadParts<float>& left,
                             const View<S>& d_y, const float* saved_of_all, const StripTask& place)
        : Base(shape, tensors, memory, to, saved_of_all + place.index * SavedLayout(shape).count, place),
          parts(left),
          d_out(d_y),
          task(place.index) {}

    __device__ __forceinline__ void run() {
        const int chunks = this->chunks();
#pragma unroll 1
        for (int chunk = chunks - 1; chunk >= 0; --chunk) {
            this->enter(chunk);
            slopes = {d_out, r, row_at(0), h * kHeaddim};
            load_phases(chunk);
            if constexpr (Memory::kKeepsEntry)
                if (chunk > 0) load_entry(chunk);
            typename Base::Velocities velocities;
            typename Base::RawRows rows;
            const RawStep<float> raw = this->raw_steps();
            this->load_velocities(velocities);
            this->load_rows(rows, this->share_row());
            const Step<float> step = this->steps(raw);
            const bool inside = lane_index() < kTileRows && own_row() + lane_index() < positions;
            if (first_sharer()) inner_decays(inside ? step.dt * step.a : 0, table());
            this->strip_turns(velocities, inside ? step.dt : 0, 0);
            if (this->busy()) this->gate_backward();
            __syncthreads();
            this->read_decays();
            if (this->busy())
                this->turn_rows(
                    rows, [&](int row, int c, std::uint32_t angle) { own.angles[row * angle_ld() + pair(c)] = angle; });
            if (chunks > 1 && first_sharer()) state_weights();
            __syncthreads();
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
            __syncwarp();
            if (s.rotation == Rotation::data_dependent) strip_phases();
            this->load_velocities(velocities);  // again: registers are scarce in between
            __syncthreads();
            if (chunk > 0) store_gradient();
            bias_sums();
            if (s.rotation == Rotation::data_dependent) angles_backward(velocities);
            if constexpr (kSharers > 1)
                __syncthreads();
            else
                __syncwarp();
            if (this->busy() && first_sharer()) steps_backward(raw, step, within, chunk);
            __syncthreads();
        }
        leave_sums();
    }

private:
    __device__ int angle_ld() const {
        return s.angles | 1;
    }
    __device__ const float* entry_state(int chunk) const {
        return saved + SavedLayout(s).states + std::int64_t{chunk - 1} * kState * kHeaddim;
    }
    /// The state before the chunk, made operands.
    __device__ __forceinline__ void load_entry(int chunk) const {
        constexpr int at_once = 8, pieces = kHeaddim / 4;
        static_assert(kState * pieces % (at_once * kThreads) == 0);
        const float* const states = entry_state(chunk);
#pragma unroll 1
        for (int first = static_cast<int>(threadIdx.x); first < kState * pieces; first += at_once * kThreads) {
            Vector<float, 4> state[at_once];
#pragma unroll
            for (int i = 0; i < at_once; ++i) state[i] = load_vector<4>(states + 4 * (first + i * kThreads));
#pragma unroll
            for (int i = 0; i < at_once; ++i) {
                const int piece = first + i * kThreads;
                store_vector(own.h + piece / pieces * kPld + piece % pieces * 4, state[i]);
            }
        }
    }
    __device__ void load_phases(int chunk) {
#pragma unroll
        for (int c = 0; c < kPairs; ++c) {
            phase[c] = 0;
            if (chunk == 0 || pair(c) >= s.angles) continue;
            phase[c] = numerics::turn_of(saved[SavedLayout(s).phases + std::int64_t{chunk - 1} * s.angles + pair(c)]);
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
        const float* states = entry_state(chunk);
        float inner = 0;
#pragma unroll
        for (int b = 0; b < kStateStrips; ++b)
#pragma unroll
            for (int c = 0; c < kPanels; ++c)
                each_pair(d_state[b][c], [&](int i, int j, int, float first, float second) {
                    const int at = state_row(b) + i, p = c * kTileColumns + j;
                    const auto before = Memory::kKeepsEntry ? load_vector<2>(own.h + at * kPld + p)
                                                            : load_vector<2>(states + at * kHeaddim + p);
                    inner = numerics::fma(before.at[1], second, numerics::fma(before.at[0], first, inner));
                });
        inner = warp_sum(inner);
        if (lane_index() == 0) own.of_warps[this->warp()] = inner;
    }

    /// Gradients of the strip's rows of Q and K, some channels at a time.
    __device__ __forceinline__ void queries_and_keys(int chunk) {
        float entry[2] = {};
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
            turn_back(d_q, d_k, first);
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
        const float* states = entry_state(chunk) + first * kHeaddim;
#pragma unroll 1
        for (int p = 0; p < kHeaddim; p += 16) {
            const Left<P> left = left_rows<P>(own.d_y + own_row() * kPld + p, kPld);
#pragma unroll
            for (int a = 0; a < kAcross; ++a) {
                if constexpr (Memory::kKeepsEntry)
                    multiply_add(d_q[a], left, right_rows<P>(own.h + (first + a * kTileColumns) * kPld + p, kPld));
                else
                    multiply_add(d_q[a], left, right_rows_from<P>(states + a * kTileColumns * kHeaddim + p, kHeaddim));
            }
        }
#pragma unroll
        for (int a = 0; a < kAcross; ++a)
            each_pair(d_q[a], [&](int i, int j, int half, float& one, float& two) {
                const float weight = own.entries[own_row() + i];
                const auto value =
                    *reinterpret_cast<const Vector<E, 2>*>(q + (own_row() + i) * kNld + first + a * kTileColumns + j);
                one *= weight, two *= weight;
                entry[half] =
                    numerics::fma(one, float(value.at[0]), numerics::fma(two, float(value.at[1]), entry[half]));
            });
    }
    /// Through the state behind it.
    __device__ __forceinline__ void add_exit_keys(WarpTile<float> (&d_k)[kAcross], int first) const {
        InputLeft inputs;
        this->load_left(inputs);
#pragma unroll
        for (int c = 0; c < kPanels; ++c) {
            const Left<P> left = inputs.left(c);
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
    /// To before the rotation: parts of what the heads share, the biases' columns; and the angles' gradients.
    __device__ __forceinline__ void turn_back(WarpTile<float> (&d_q)[kAcross], WarpTile<float> (&d_k)[kAcross],
                                              int first) const {
        const std::int64_t rows = (s.head_rows(r, h) + row_at(0)) * kState;
        float *const c_rows = parts.c + rows, *const b_rows = parts.b + rows;
        float q_columns[4 * kAcross] = {}, k_columns[4 * kAcross] = {};
#pragma unroll
        for (int a = 0; a < kAcross; ++a)
#pragma unroll
            for (int n = 0; n < kEighths; ++n)
#pragma unroll
                for (int half = 0; half < 2; ++half) {
                    const int row = own_row() + lane_row() + 8 * half;
                    const int column = first + a * kTileColumns + 8 * n + 2 * lane_place();
                    numerics::Pair<float> own_q{d_q[a].sum[n][2 * half], d_q[a].sum[n][2 * half + 1]};
                    numerics::Pair<float> own_k{d_k[a].sum[n][2 * half], d_k[a].sum[n][2 * half + 1]};
                    if (column < 2 * s.angles) {
                        std::uint32_t& angle = own.angles[row * angle_ld() + column / 2];
                        const auto turn = sincos_for<P>(angle);
                        const auto ready = [&](const E* from) -> numerics::Pair<float> {
                            const auto two = *reinterpret_cast<const Vector<E, 2>*>(from + row * kNld + column);
                            return {two.at[0], two.at[1]};
                        };
                        angle = __float_as_uint(numerics::rotate_phase_gradient(ready(q), own_q) +
                                                numerics::rotate_phase_gradient(ready(k), own_k));
                        own_q = numerics::rotate_back(own_q, turn.cos, turn.sin);
                        own_k = numerics::rotate_back(own_k, turn.cos, turn.sin);
                    }
                    if (row < positions) {
                        *reinterpret_cast<float2*>(c_rows + row * kState + column) = make_float2(own_q.x, own_q.y);
                        *reinterpret_cast<float2*>(b_rows + row * kState + column) = make_float2(own_k.x, own_k.y);
                    }
                    const int at = 4 * a + 2 * n;
                    q_columns[at] += own_q.x, q_columns[at + 1] += own_q.y;
                    k_columns[at] += own_k.x, k_columns[at + 1] += own_k.y;
                }
        sums_over_warp<4 * kAcross, 4>(q_columns);
        sums_over_warp<4 * kAcross, 4>(k_columns);
        const int kept = 4 * (lane_index() >> 4 & 1) + 2 * (lane_index() >> 3 & 1) + (lane_index() >> 2 & 1);
        const int column = first + kept / 4 * kTileColumns + kept % 4 / 2 * 8 + 2 * lane_place() + kept % 2;
        table()[column] = q_columns[0];
        table()[kState + column] = k_columns[0];
    }

    /// d_h ← e^{Λ_end} d_h + Qᵀ diag(e^Λ) dY.
    __device__ __forceinline__ void carry_gradient() {
        const float decay = through(0, kStrips);
#pragma unroll
        for (int b = 0; b < kStateStrips; ++b) {
            const int n = state_row(b);
#pragma unroll
            for (auto& tile : d_state[b])
                each_pair(tile, [&](int, int, int, float& first, float& second) { first *= decay, second *= decay; });
#pragma unroll 1
            for (int row = 0; row < positions; row += kTileRows) {
                const Left<P> left = left_weighed_columns<P>(q + row * kNld + n, kNld, own.entries + row);
#pragma unroll
                for (int c = 0; c < kPanels; ++c)
                    multiply_add(d_state[b][c], left, right_columns<P>(own.d_y + row * kPld + c * kTileColumns, kPld));
            }
        }
    }
    __device__ __forceinline__ void store_gradient() {
#pragma unroll
        for (int b = 0; b < kStateStrips; ++b)
#pragma unroll
            for (int c = 0; c < kPanels; ++c)
                each_pair(d_state[b][c], [&](int i, int j, int, float first, float second) {
                    this->store_operands(own.d_h + (state_row(b) + i) * kPld + c * kTileColumns + j, first, second);
                });
    }

    __device__ void bias_sums() {
#pragma unroll
        for (int i = 0; i < kColumns; ++i)
            for (int m = 0; m < strips(); ++m)
                sum_bias[i] += own.scratch[m * Memory::kScratch + static_cast<int>(threadIdx.x) + i * kThreads];
    }

    __device__ float d_angle(int row, int c) const {
        return __uint_as_float(own.angles[row * angle_ld() + least_of(own_pair(c), s.angles - 1)]);
    }
    /// The angles' gradients of the whole strip.
    __device__ void strip_phases() const {
#pragma unroll
        for (int c = 0; c < kOwnPairs; ++c) {
            float sum = 0;
            // Where sharers are two, an angle that is not there stands for one that the other is about to change.
            if (this->busy() && (kSharers == 1 || own_pair(c) < s.angles))
#pragma unroll
                for (int i = kTileRows - 1; i >= 0; --i) sum += d_angle(own_row() + i, c);
            if (own_pair(c) < s.angles) own.d_turns[strip() * s.angles + own_pair(c)] = sum;
        }
    }
    /// A position's step turns all later ones: θ's gradient as a part of what the heads share, and Δ's.
    __device__ __forceinline__ void angles_backward(const typename Base::Velocities& velocities) {
        constexpr int at_once = 4;
        float behind[kOwnPairs];
#pragma unroll
        for (int c = 0; c < kOwnPairs; ++c) {
            behind[c] = turning[c];
#pragma unroll
            for (int m = kStrips - 1; m >= 0; --m) {
                const float of_strip = own.d_turns[m * s.angles + least_of(own_pair(c), s.angles - 1)];
                if (m > strip()) behind[c] += of_strip;
                turning[c] += of_strip;
            }
        }
        if (!this->busy()) return;
        float* const to = parts.theta + (s.head_rows(r, h) + row_at(0)) * s.angles;
#pragma unroll
        for (int base = kTileRows - at_once; base >= 0; base -= at_once) {
            float dots[at_once] = {};
#pragma unroll
            for (int i = at_once - 1; i >= 0; --i)
#pragma unroll
                for (int c = 0; c < kOwnPairs; ++c) {
                    const int row = own_row() + base + i;
                    behind[c] += d_angle(row, c);
                    const bool there = own_pair(c) < s.angles;
                    if (there && row < positions) to[row * s.angles + own_pair(c)] = x.dt[row] * behind[c];
                    dots[i] = numerics::fma(there ? velocities.at[base + i][c] : 0, behind[c], dots[i]);
                }
            const float sum = sums_over_warp(dots);
            if (lane_index() % (32 / at_once) == 0)
                own.d_dt[sharer() * kStripChunk + own_row() + base + lane_index() / (32 / at_once)] = sum;
        }
    }

    /// Gradients of the strip's steps. A step's decay weighs the pairs it lies between, the outputs at or behind it
    /// (through the entry state), what the chunk wrote before it into the exit state, and the whole way from entry to
    /// exit. A chunk's first step waits for the chunk before, which knows the gradient of its carry.
    __device__ __forceinline__ void steps_backward(const RawStep<float>& raw, const Step<float>& step, float within,
                                                   int chunk) {
        const int lane = lane_index(), row = own_row() + lane;
        const float d_log_decay = decay_gradient(within, chunk);
        if (lane > kTileRows || begin + row >= this->length || row > positions) return;
        float* const waiting = own.pending + 3 * (chunk % 2);
        const float* const waited = own.pending + 3 * ((chunk + 1) % 2);
        numerics::ScanCoefficients<float> d{};
        float d_dt = 0;
        if (row == positions) {  // the first of the chunk behind
            d.log_decay = waited[0], d.gamma = waited[1], d_dt = waited[2];
        } else {
            if (lane == kTileRows) return;  // the next warp's
            d.log_decay = d_log_decay;
            d.gamma = own.same[row] + own.whole(own.d_strength, row);
            d_dt = s.rotation == Rotation::data_dependent ? own.whole(own.d_dt, row) : 0;
        }
        if (row == 0 && chunk > 0) {
            waiting[0] = d.log_decay, waiting[1] = d.gamma, waiting[2] = d_dt;
            return;
        }
        d.carry = row > 0 ? own.whole(own.d_strength, row - 1) : 0;
        const auto sums = step_backward(s, gradient, r, row_at(row), h, raw, step, d, d_dt);
        sum_dt_bias += sums.x;
        sum_a_log += sums.y;
    }
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

    __device__ __forceinline__ void leave_sums() {
        const SumLayout sums(s);
        float* const to = parts.sums + task * sums.count();
        float scalars[4] = {sum_dt_bias, sum_d, sum_a_log, 0};
        const float sum = sums_over_warp(scalars);
        if (lane_index() % 8 == 0) own.scratch[4 * this->warp() + lane_index() / 8] = sum;
        __syncthreads();
        const auto over_warps = [&](int at) {
            float total = 0;
            for (int warp = 0; warp < kWarps; ++warp) total += own.scratch[4 * warp + at];
            return total;
        };
        for (int i = static_cast<int>(threadIdx.x); i < 3; i += kThreads) to[i] = over_warps(i);
        for (int p = static_cast<int>(threadIdx.x); p < kHeaddim; p += kThreads) to[sums.norm() + p] = 0;
#pragma unroll
        for (int i = 0; i < kColumns; ++i) {  // C's columns stand first
            const int column = static_cast<int>(threadIdx.x) + i * kThreads;
            to[column < kState ? sums.c_bias() + column : sums.b_bias() + column - kState] = sum_bias[i];
        }
    }
};

}  // namespace whorl::gpu
