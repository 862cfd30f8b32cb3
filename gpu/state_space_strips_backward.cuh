// The backward pass of state_space_strips.cuh, one head of one sequence. A warp has a strip of queries and one of keys:
// scores are made with the keys as rows, so that they are, where they lie in registers, what the gradient of the input
// is multiplied from; their own gradients go through the block's memory, and with them both other products have as much
// to do in every warp: strip w of the queries sees w + 1 strips, of the keys is seen by 4 - w.
//
// Sums of products say fma: compilers would do so for activations of one type and not for another.
#pragma once

#include "gpu/state_space_scratch.cuh"
#include "gpu/state_space_strips.cuh"

namespace whorl::gpu {

template <class Kind>
struct StripBackwardMemory {
    using E = typename Kind::E;
    __host__ __device__ StripBackwardMemory(BlockMemory& memory, const StateSpaceShape& s) : vectors(memory) {
        const bool several = s.chunks() > 1;
        q = memory.take<E>(kStripChunk * Kind::kNld);
        k = memory.take<E>(kStripChunk * Kind::kNld);
        d_y = memory.take<E>(kStripChunk * Kind::kPld);
        d_scores = memory.take<E>(kTiles * kTileSize);
        d_h = memory.take<E>(several ? Kind::kState * Kind::kPld : 0);
        scratch = memory.take<float>(kStrips * kScratch);
        early = memory.take<float>(kStrips * kStripChunk);
        for (float** vector : {&late, &same, &d_strength, &d_dt}) *vector = memory.take<float>(kStripChunk);
        for (float** vector : {&d_exit, &d_entry, &exits, &entries})
            *vector = memory.take<float>(several ? kStripChunk : 0);
        of_warps = memory.take<float>(kStrips);
        pending = memory.take<float>(6);
        vectors.take_turns(memory, s.angles);
        d_turns = memory.take<float>(kStrips * s.angles);
        angles = memory.take<std::uint32_t>(kStripChunk * (s.angles | 1));
    }
    static constexpr int kTiles = kStrips * (kStrips + 1) / 2, kTileLd = operand_ld<E>(kTileColumns);
    static constexpr int kTileSize = kTileRows * kTileLd;
    static constexpr int kTableLd = kTileRows + 1, kScratch = most_of(kTileRows * kTableLd, 2 * Kind::kState);
    StripVectors vectors;
    E *q, *k, *d_y;      // [64,N], [64,P]
    E* d_scores;         // [tile][key, query]
    E* d_h;              // [N,P]: gradient of the state behind the chunk
    float* scratch;      // [strip]: decays between its rows; its own pairs; column sums of its d_q and d_k
    float* early;        // [strip of keys][query]: what pairs give the decays between them
    float *late, *same;  // [64]: of each key, pairs with later strips; the pair with itself
    float *d_strength, *d_dt;
    float *d_exit, *d_entry;  // [64]: through the state behind the chunk, and that before it
    float *exits, *entries;   // [64]: weights of an input in the state behind, and of the state before in an output
    float* of_warps;
    float* pending;  // of the first position of the chunk behind: gradients of log_decay, γ, Δ, for odd and even
    float* d_turns;  // [strip, S]
    std::uint32_t* angles;  // [64,S], rows an odd number apart; then their gradients
    __device__ E* tile(int keys, int queries) const {
        return d_scores + (queries * (queries + 1) / 2 + keys) * kTileSize;
    }
};

template <class Kind>
struct StripBackward : StripHead<Kind> {
    using Base = StripHead<Kind>;
    using Base::P, Base::kState, Base::kHeaddim, Base::kPairs, Base::kPanels, Base::kNld, Base::kPld;
    using Base::s, Base::in, Base::x, Base::q, Base::k, Base::r, Base::h, Base::phase, Base::begin, Base::positions,
        Base::strip, Base::own_row, Base::row_at, Base::clamped, Base::pair, Base::through, Base::last, Base::strips,
        Base::xbc, Base::z;
    using typename Base::E, typename Base::S;
    using Memory = StripBackwardMemory<Kind>;
    static constexpr int kStateStrips = kState / kStripChunk;    // of 16 rows of the state, a warp's
    static constexpr int kAcross = 2;                            // tiles of channels of q and k made at once
    static constexpr int kColumns = 2 * kState / kStripThreads;  // of the biases' sums, a thread's
    static constexpr int kLd = Memory::kTileLd, kTableLd = Memory::kTableLd;

    const Memory& own;
    const StateSpaceViews<float, S>& gradient;
    const HeadParts<float>& parts;
    View<S> d_out;
    const float* saved;         // of this head
    ChunkRows<const S> slopes;  // of d_out, at the head's channels
    std::int64_t task;

    WarpTile<float> d_state[kStateStrips][kPanels] = {};
    float sum_dt_bias = 0, sum_d = 0, sum_a_log = 0;  // each thread's share
    float sum_bias[kColumns] = {};                    // of C's and B's columns
    float turning[kPairs] = {};                       // the angles' gradients summed over all later positions

    __device__ StripBackward(const StateSpaceShape& shape, const StateSpaceViews<float, S>& tensors,
                             const Memory& memory, const StateSpaceViews<float, S>& to, const HeadParts<float>& left,
                             const View<S>& d_y, const float* saved_of_all, std::int64_t index, std::int64_t b,
                             std::int64_t replica, int head)
        : Base(shape, tensors, memory.vectors, memory.q, memory.k, replica, b, head),
          own(memory),
          gradient(to),
          parts(left),
          d_out(d_y),
          saved(saved_of_all + index * SavedLayout(shape).count),
          task(index) {}

    __device__ __forceinline__ void run() {
        const int chunks = this->chunks();
#pragma unroll 1
        for (int chunk = chunks - 1; chunk >= 0; --chunk) {
            this->enter(chunk);
            slopes = {d_out, r, row_at(0), h * kHeaddim};
            load_phases(chunk);
            typename Base::Velocities velocities;
            typename Base::RawRows rows;
            const RawStep<float> raw = this->raw_steps();
            this->load_velocities(velocities);
            this->load_rows(rows, own_row());
            const Step<float> step = this->steps(raw);
            const bool inside = lane_index() < kTileRows && own_row() + lane_index() < positions;
            this->inner_decays(inside ? step.dt * step.a : 0, table(), kTableLd);
            this->strip_turns(velocities);
            if (this->busy()) gate_backward();
            __syncthreads();
            this->read_decays();
            if (this->busy())
                this->turn_rows(rows, 0, [&](int row, int c, std::uint32_t angle) {
                    own.angles[row * angle_ld() + pair(c)] = angle;
                });
            if (chunks > 1) state_weights();
            __syncthreads();
            float within = 0;
            if (this->busy()) within = keys_backward();
            if (chunk > 0 && !last()) state_through(chunk);
            __syncthreads();
            if (this->busy()) queries_and_keys(chunk);
            if (chunk > 0) carry_gradient();
            __syncwarp();
            if (s.turning == Turning::data) strip_phases();
            this->load_velocities(velocities);  // again: registers are scarce in between
            __syncthreads();
            if (chunk > 0) store_gradient();
            bias_sums();
            if (s.turning == Turning::data) angles_backward(velocities);
            __syncwarp();
            if (this->busy()) steps_backward(raw, step, within, chunk);
            __syncthreads();
        }
        leave_sums();
    }

private:
    __device__ float* table() const {
        return own.scratch + strip() * Memory::kScratch;
    }
    __device__ int angle_ld() const {
        return s.angles | 1;
    }
    __device__ const float* entry_state(int chunk) const {
        return saved + SavedLayout(s).states + std::int64_t{chunk - 1} * kState * kHeaddim;
    }
    __device__ void load_phases(int chunk) {
        const float* phases = saved + SavedLayout(s).phases + std::int64_t{chunk - 1} * s.angles;
#pragma unroll
        for (int c = 0; c < kPairs; ++c)
            phase[c] = chunk > 0 && pair(c) < s.angles ? numerics::turn_of(phases[pair(c)]) : 0;
    }
    __device__ void state_weights() const {
        const int row = own_row() + lane_index();
        if (lane_index() >= kTileRows) return;
        own.exits[row] = x.tail[row] * through(strip() + 1, kStrips) * x.strength[row];
        own.entries[row] = x.head[row] * through(0, strip());
    }

    /// body(row of the chunk, channel, panel, eighth, half) for each pair of the lane's places in the strip's channels.
    template <class Body>
    __device__ __forceinline__ void each_place(const Body& body) const {
#pragma unroll
        for (int c = 0; c < kPanels; ++c)
#pragma unroll
            for (int n = 0; n < kEighths; ++n)
#pragma unroll
                for (int half = 0; half < 2; ++half)
                    body(own_row() + lane_row() + 8 * half, c * kTileColumns + 8 * n + 2 * lane_place(), c, n, half);
    }
    __device__ Pack<float, 2> input(int row, int p) const {
        return load_pack<2>(xbc(clamped(row)) + h * kHeaddim + p);
    }
    /// Rows behind the chunk's are those of its last position: what comes of them is not used.
    /// The strip's rows of x as a left side, raw.
    struct InputLeft {
        typename Base::Two at[kPanels][2][2];
        __device__ __forceinline__ Left<P> left(int c) const {
            return {{left_of<P>(at[c][0][0], at[c][0][1]), left_of<P>(at[c][1][0], at[c][1][1])}};
        }
    };
    __device__ __forceinline__ void load_left(InputLeft& to) const {
#pragma unroll
        for (int c = 0; c < kPanels; ++c)
#pragma unroll
            for (int half = 0; half < 2; ++half)
#pragma unroll
                for (int down = 0; down < 2; ++down)
                    to.at[c][half][down] =
                        this->load_two(xbc(clamped(own_row() + lane_row() + 8 * down)) + h * kHeaddim +
                                       c * kTileColumns + 8 * half + 2 * lane_place());
    }

    /// Gradient of the layer's output → that of the scan's, d_z, and the sum of D.
    __device__ __forceinline__ void gate_backward() {
        using Rows = typename Base::InputRows;
        constexpr int at_once = least_of(Rows::kCount, 4);
        const int p = this->input_pair();
        const float d_skip = in.d.at(r)[h];
        const float* const kept = saved + std::int64_t{begin} * kHeaddim + p;
        const ChunkRows<S> to = gradient.z ? ChunkRows<S>(gradient.z, r, row_at(0), h * kHeaddim + p) : ChunkRows<S>();
#pragma unroll 1
        for (int first = 0; first < Rows::kCount; first += at_once) {
            Pack<float, 2> y[at_once];
            typename Base::Two v[at_once], d[at_once], gate[at_once];
#pragma unroll
            for (int i = 0; i < at_once; ++i) {
                const int row = clamped(this->input_row() + (first + i) * Rows::kAtOnce);
                y[i] = this->load_two(kept + row * kHeaddim);
                v[i] = this->load_two(xbc(row) + h * kHeaddim + p);
                d[i] = this->load_two(slopes(row) + p);
                if (s.gating != Gating::none) gate[i] = this->load_two(z(row) + p);
            }
#pragma unroll
            for (int i = 0; i < at_once; ++i) {
                const int row = this->input_row() + (first + i) * Rows::kAtOnce;
                const bool there = row < positions;
                Pack<float, 2> d_y, d_z;
#pragma unroll
                for (int e = 0; e < 2; ++e) {
                    const float input = v[i].at[e];
                    const auto all = gate_slopes(s.gating, numerics::fma(d_skip, input, y[i].at[e]), float(d[i].at[e]),
                                                 s.gating == Gating::none ? 0 : float(gate[i].at[e]));
                    d_y.at[e] = there ? all.d_skip : 0;
                    d_z.at[e] = all.d_gate;
                    sum_d = numerics::fma(d_y.at[e], input, sum_d);
                }
                if (there && gradient.z) store_pack(to(row), d_z);
                this->store_operands(own.d_y + row * kPld + p, d_y.at[0], d_y.at[1]);
            }
        }
    }

    /// Adds the lanes that have the same columns; a lane then has that of number Count · lane / 32, in sums[0].
    template <int Count>
    __device__ static __forceinline__ void column_sums(float (&sums)[Count]) {
        static_assert(Count <= 8);
        int half = Count / 2;
#pragma unroll
        for (int distance = 16; distance >= 4; distance /= 2, half /= 2) {
            const bool upper = (lane_index() & distance) != 0;
            if (half == 0) {
                sums[0] += __shfl_xor_sync(0xffffffffU, sums[0], distance);
                continue;
            }
#pragma unroll
            for (int i = 0; i < half; ++i) {
                const float given = upper ? sums[i] : sums[i + half];
                sums[i] = (upper ? sums[i + half] : sums[i]) + __shfl_xor_sync(0xffffffffU, given, distance);
            }
        }
    }

    /// Scores and their gradients with the strip as keys; the gradient of the input; what pairs give γ, s and the
    /// decays. Returns what the pairs of the strip's rows give the decay of row `lane`.
    __device__ __forceinline__ float keys_backward() {
        WarpTile<float> d_v[kPanels];
        InputLeft inputs;
        load_left(inputs);
        float later[2] = {}, all[2] = {}, itself[2] = {};
        const E* const keys = k + own_row() * kNld;
#pragma unroll 1
        for (int other = strip(); other < strips(); ++other) {
            WarpTile<float> score, d;
            const E *queries = q + other * kTileRows * kNld, *slopes_of = own.d_y + other * kTileRows * kPld;
#pragma unroll
            for (int n = 0; n < kState; n += 16)
                multiply_add(score, left_rows<P>(keys + n, kNld), right_rows<P>(queries + n, kNld));
#pragma unroll
            for (int c = 0; c < kPanels; ++c)
                multiply_add(d, inputs.left(c), right_rows<P>(slopes_of + c * kTileColumns, kPld));
            weigh(score, d, other, later, all, itself);
            store_tile(d, own.tile(strip(), other));
            const Left<P> left = left_results<P>(score);
#pragma unroll
            for (int c = 0; c < kPanels; ++c)
                multiply_add(d_v[c], left, right_columns<P>(slopes_of + c * kTileColumns, kPld));
        }
        float exit[2] = {};
        if (!last()) add_exit(d_v, exit);
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int row = own_row() + lane_row() + 8 * half;
            const float to_end = last() ? 0 : x.tail[row] * through(strip() + 1, kStrips);
            const float of_exit = tile_row_sum(exit[half]), of_later = tile_row_sum(later[half]);
            const float of_all = tile_row_sum(all[half]), of_itself = tile_row_sum(itself[half]);
            if (lane_place() != 0) continue;
            own.late[row] = of_later * x.strength[row];
            own.same[row] = of_itself;
            own.d_strength[row] = numerics::fma(of_exit, to_end, of_later + of_all);
            if (!last()) own.d_exit[row] = of_exit * to_end * x.strength[row];
        }
        write_input_gradient(d_v);
        return crossing_inside();
    }

    /// score, d: of the strip's keys as rows with queries of the strip `other`, to be masked and weighed. Terms of each
    /// key's pairs are added up: with later strips, with its own.
    __device__ __forceinline__ void weigh(WarpTile<float>& score, WarpTile<float>& d, int other, float (&later)[2],
                                          float (&all)[2], float (&itself)[2]) const {
        float strengths[2], columns[2 * kEighths] = {};
#pragma unroll
        for (int half = 0; half < 2; ++half) strengths[half] = x.strength[own_row() + lane_row() + 8 * half];
        if (other == strip()) return weigh_own(score, d, strengths, all, itself);
        const float between = through(strip() + 1, other);
        float tails[2];
#pragma unroll
        for (int half = 0; half < 2; ++half) tails[half] = x.tail[own_row() + lane_row() + 8 * half] * between;
#pragma unroll
        for (int n = 0; n < kEighths; ++n) {
            const float2 heads =
                *reinterpret_cast<const float2*>(x.head + other * kTileRows + 8 * n + 2 * lane_place());
#pragma unroll
            for (int e = 0; e < 4; ++e) {
                const int half = e / 2;
                float &a = score.sum[n][e], &b = d.sum[n][e];
                const float decay = tails[half] * (e % 2 ? heads.y : heads.x), factor = decay * strengths[half];
                const float both = a * b, term = both * decay;
                later[half] = numerics::fma(both, decay, later[half]);
                columns[2 * n + e % 2] = numerics::fma(term, strengths[half], columns[2 * n + e % 2]);
                a *= factor, b *= factor;
            }
        }
        column_sums(columns);
        const int column = (lane_index() >> 3) & 3;
        if ((lane_index() & 4) == 0)
            own.early[strip() * kStripChunk + other * kTileRows + 8 * (column / 2) + 2 * lane_place() + column % 2] =
                columns[0];
    }
    __device__ __forceinline__ void weigh_own(WarpTile<float>& score, WarpTile<float>& d, const float (&strengths)[2],
                                              float (&all)[2], float (&itself)[2]) const {
        float* const pairs = table();
#pragma unroll
        for (int n = 0; n < kEighths; ++n)
#pragma unroll
            for (int e = 0; e < 4; ++e) {
                const int half = e / 2, i = 8 * n + 2 * lane_place() + e % 2, j = lane_row() + 8 * half;
                float &a = score.sum[n][e], &b = d.sum[n][e];
                float* const place = pairs + i * kTableLd + j;  // the lane's own
                const float decay = j < i ? *place : 0, both = a * b;
                all[half] = numerics::fma(both, decay, all[half]);
                if (j < i) *place = both * decay * strengths[half];
                itself[half] += j == i ? both : 0;
                const float factor = j == i ? x.gamma[own_row() + j] : decay * strengths[half];
                a *= factor, b *= factor;
            }
    }
    __device__ __forceinline__ void store_tile(WarpTile<float>& tile, E* to) const {
        each_pair(tile, [&](int i, int j, int, float first, float second) {
            this->store_operands(to + i * kLd + j, first, second);
        });
    }
    /// From the table of the strip's own pairs: Σ over j < row ≤ i, of row `lane`.
    __device__ __forceinline__ float crossing_inside() const {
        float* const pairs = table();
        const int lane = lane_index() % kTileRows;
        __syncwarp();
        float behind = 0, crossing = 0;
        if (lane_index() < kTileRows) {
#pragma unroll
            for (int i = kTileRows - 1; i > 0; --i)
                if (i > lane) pairs[i * kTableLd + lane] = behind += pairs[i * kTableLd + lane];
        }
        __syncwarp();
#pragma unroll
        for (int j = 0; j + 1 < kTileRows; ++j)
            if (j < lane) crossing += pairs[lane * kTableLd + j];
        __syncwarp();
        return crossing;
    }
    /// Through the state behind the chunk.
    __device__ __forceinline__ void add_exit(WarpTile<float> (&d_v)[kPanels], float (&exit)[2]) const {
        WarpTile<float> behind[kPanels];
#pragma unroll 1
        for (int n = 0; n < kState; n += 16) {
            const Left<P> left = left_rows<P>(k + own_row() * kNld + n, kNld);
#pragma unroll
            for (int c = 0; c < kPanels; ++c)
                multiply_add(behind[c], left, right_columns<P>(own.d_h + n * kPld + c * kTileColumns, kPld));
        }
        each_place([&](int row, int p, int c, int n, int half) {
            const auto v = input(row, p);
#pragma unroll
            for (int e = 0; e < 2; ++e) {
                const float gone = behind[c].sum[n][2 * half + e];
                exit[half] = numerics::fma(v.at[e], gone, exit[half]);
                float& sum = d_v[c].sum[n][2 * half + e];
                sum = numerics::fma(own.exits[row], gone, sum);
            }
        });
    }
    __device__ __forceinline__ void write_input_gradient(const WarpTile<float> (&d_v)[kPanels]) const {
        const float d_skip = in.d.at(r)[h];
        const ChunkRows<S> to(gradient.xbc, r, row_at(0), h * kHeaddim);
        each_place([&](int row, int p, int c, int n, int half) {
            const auto d = *reinterpret_cast<const Pack<E, 2>*>(own.d_y + row * kPld + p);
            Pack<float, 2> sum;
#pragma unroll
            for (int e = 0; e < 2; ++e) sum.at[e] = numerics::fma(d_skip, float(d.at[e]), d_v[c].sum[n][2 * half + e]);
            if (row < positions) store_pack(to(row) + p, sum);
        });
    }
    /// h·d_h, of each warp.
    __device__ void state_through(int chunk) const {
        const float* states = entry_state(chunk);
        float inner = 0;
#pragma unroll
        for (int b = 0; b < kStateStrips; ++b)
            each_place([&](int row, int p, int c, int n, int half) {
                const auto before = load_pack<2>(states + (row + b * kStripChunk) * kHeaddim + p);
                for (int e = 0; e < 2; ++e)
                    inner = numerics::fma(before.at[e], d_state[b][c].sum[n][2 * half + e], inner);
            });
        inner = warp_sum(inner);
        if (lane_index() == 0) own.of_warps[strip()] = inner;
    }

    /// Gradients of the strip's rows of Q and K, some channels at a time.
    __device__ __forceinline__ void queries_and_keys(int chunk) {
        float entry[2] = {};
#pragma unroll 1
        for (int first = 0; first < kState; first += kAcross * kTileColumns) {
            WarpTile<float> d_q[kAcross], d_k[kAcross];
            if (chunk > 0) add_entry(d_q, first, chunk, entry);
            if (!last()) add_exit_keys(d_k, first);
#pragma unroll 1
            for (int other = 0; other <= strip(); ++other)
                add_rows(d_q, left_columns<P>(own.tile(other, strip()), kLd), k + other * kTileRows * kNld + first);
#pragma unroll 1
            for (int other = strip(); other < strips(); ++other)
                add_rows(d_k, left_rows<P>(own.tile(strip(), other), kLd), q + other * kTileRows * kNld + first);
            turn_back(d_q, d_k, first);
        }
        if (chunk == 0) return;
        for (int half = 0; half < 2; ++half) {
            const float sum = tile_row_sum(entry[half]);
            if (lane_place() == 0) own.d_entry[own_row() + lane_row() + 8 * half] = sum;
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
            for (int a = 0; a < kAcross; ++a)
                multiply_add(d_q[a], left, right_rows_from<P>(states + a * kTileColumns * kHeaddim + p, kHeaddim));
        }
#pragma unroll
        for (int a = 0; a < kAcross; ++a)
            each_pair(d_q[a], [&](int i, int j, int half, float& one, float& two) {
                const float weight = own.entries[own_row() + i];
                const auto value =
                    *reinterpret_cast<const Pack<E, 2>*>(q + (own_row() + i) * kNld + first + a * kTileColumns + j);
                one *= weight, two *= weight;
                entry[half] =
                    numerics::fma(one, float(value.at[0]), numerics::fma(two, float(value.at[1]), entry[half]));
            });
    }
    /// Through the state behind it.
    __device__ __forceinline__ void add_exit_keys(WarpTile<float> (&d_k)[kAcross], int first) const {
        InputLeft inputs;
        load_left(inputs);
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
                        const auto turn = numerics::sincos_of(angle);
                        const auto ready = [&](const E* from) -> numerics::Pair<float> {
                            const auto two = *reinterpret_cast<const Pack<E, 2>*>(from + row * kNld + column);
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
        column_sums(q_columns);
        column_sums(k_columns);
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
            const int n = own_row() + b * kStripChunk;
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
                    this->store_operands(own.d_h + (own_row() + b * kStripChunk + i) * kPld + c * kTileColumns + j,
                                         first, second);
                });
    }

    __device__ void bias_sums() {
#pragma unroll
        for (int i = 0; i < kColumns; ++i)
            for (int m = 0; m < strips(); ++m)
                sum_bias[i] += own.scratch[m * Memory::kScratch + static_cast<int>(threadIdx.x) + i * kStripThreads];
    }

    __device__ float d_angle(int row, int c) const {
        return __uint_as_float(own.angles[row * angle_ld() + least_of(pair(c), s.angles - 1)]);
    }
    /// The angles' gradients of the whole strip.
    __device__ void strip_phases() const {
#pragma unroll
        for (int c = 0; c < kPairs; ++c) {
            float sum = 0;
            if (this->busy())
#pragma unroll
                for (int i = kTileRows - 1; i >= 0; --i) sum += d_angle(own_row() + i, c);
            if (pair(c) < s.angles) own.d_turns[strip() * s.angles + pair(c)] = sum;
        }
    }
    /// A position's step turns all later ones: θ's gradient as a part of what the heads share, and Δ's.
    __device__ __forceinline__ void angles_backward(const typename Base::Velocities& velocities) {
        constexpr int at_once = 4;
        float behind[kPairs];
#pragma unroll
        for (int c = 0; c < kPairs; ++c) {
            behind[c] = turning[c];
#pragma unroll
            for (int m = kStrips - 1; m >= 0; --m) {
                const float of_strip = own.d_turns[m * s.angles + least_of(pair(c), s.angles - 1)];
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
                for (int c = 0; c < kPairs; ++c) {
                    const int row = own_row() + base + i;
                    behind[c] += d_angle(row, c);
                    const bool there = pair(c) < s.angles;
                    if (there && row < positions) to[row * s.angles + pair(c)] = x.dt[row] * behind[c];
                    dots[i] = numerics::fma(there ? velocities.at[base + i][c] : 0, behind[c], dots[i]);
                }
            const float sum = sums_over_warp(dots);
            if (lane_index() % (32 / at_once) == 0) own.d_dt[own_row() + base + lane_index() / (32 / at_once)] = sum;
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
            d.gamma = own.same[row] + own.d_strength[row];
            d_dt = s.turning == Turning::data ? own.d_dt[row] : 0;
        }
        if (row == 0 && chunk > 0) {
            waiting[0] = d.log_decay, waiting[1] = d.gamma, waiting[2] = d_dt;
            return;
        }
        d.carry = row > 0 ? own.d_strength[row - 1] : 0;
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
            if (!last()) exit += own.d_exit[keys * kTileRows + place];
        }
        if (chunk > 0)
            for (int other = strip() + 1; other < strips(); ++other) entry += own.d_entry[other * kTileRows + place];
        const float later = strip() + 1 < strips() ? own.late[row] : 0;
        const float own_exit = last() ? 0 : own.d_exit[row], own_entry = chunk > 0 ? own.d_entry[row] : 0;
        const float of_others = sum_from_lane(around + exit + entry, kTileRows);
        const float from_here = sum_from_lane(early + own_entry, kTileRows);
        const float before = __shfl_up_sync(0xffffffffU, later + own_exit, 1, kTileRows);
        float sum = within + from_here + sum_up_to_lane(place > 0 ? before : 0.0F, kTileRows) +
                    __shfl_sync(0xffffffffU, of_others, 0, kTileRows);
        if (chunk > 0 && !last()) {
            float whole = 0;
            for (int warp = 0; warp < kStrips; ++warp) whole += own.of_warps[warp];
            sum = numerics::fma(whole, through(0, kStrips), sum);
        }
        return sum;
    }

    __device__ __forceinline__ void leave_sums() {
        const SumLayout sums(s);
        float* const to = parts.sums + task * sums.count();
        float scalars[4] = {sum_dt_bias, sum_d, sum_a_log, 0};
        const float sum = sums_over_warp(scalars);
        if (lane_index() % 8 == 0) table()[lane_index() / 8] = sum;
        __syncthreads();
        const auto over_warps = [&](int at) {
            float total = 0;
            for (int m = 0; m < kStrips; ++m) total += own.scratch[m * Memory::kScratch + at];
            return total;
        };
        for (int i = static_cast<int>(threadIdx.x); i < 3; i += kStripThreads) to[i] = over_warps(i);
        for (int p = static_cast<int>(threadIdx.x); p < kHeaddim; p += kStripThreads) to[sums.norm() + p] = 0;
#pragma unroll
        for (int i = 0; i < kColumns; ++i) {  // C's columns stand first
            const int column = static_cast<int>(threadIdx.x) + i * kStripThreads;
            to[column < kState ? sums.c_bias() + column : sums.b_bias() + column - kState] = sum_bias[i];
        }
    }
};

}  // namespace whorl::gpu
