// The first half of the backward pass of state_space_strips.cuh, with a warp's strip as keys: scores are made with the
// keys as rows, so that they are, where they lie in registers, what the gradient of the input is multiplied from (two
// warps of a strip leave them to each other in the block's memory); their own gradients go through the block's memory
// to the second half (state_space_strips_backward.cuh).
//
// Sums of products say fma: compilers would do so for activations of one type and not for another.
#pragma once

#include "gpu/state_space/state_space_strips.cuh"
#include "gpu/tiles/pair_sums.cuh"

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
        scores = memory.take<E>(Kind::kSharers > 1 ? kTiles * kTileSize : 0);
        d_h = memory.take<E>(several ? Kind::kState * Kind::kPld : 0);
        h = memory.take<E>(several && kKeepsEntry ? Kind::kState * Kind::kPld : 0);
        scratch = memory.take<float>(kStrips * kScratch);
        early = memory.take<float>(kStrips * kStripChunk);
        same = memory.take<float>(kStripChunk);
        for (float** part : {&late, &d_strength, &d_dt}) *part = memory.take<float>(kPart);
        for (float** part : {&d_exit, &d_entry}) *part = memory.take<float>(several ? kPart : 0);
        for (float** vector : {&exits, &entries}) *vector = memory.take<float>(several ? kStripChunk : 0);
        of_warps = memory.take<float>(Kind::kWarps);
        pending = memory.take<float>(6);
        vectors.take_turns(memory, s.angles);
        d_turns = reinterpret_cast<float*>(vectors.turns);
        angles = memory.take<std::uint32_t>(kStripChunk * (s.angles | 1));
    }
    /// Whether the state before a chunk waits here, as operands: where that costs no block its place. Else the products
    /// read it where the forward pass left it.
    static constexpr bool kKeepsEntry = sizeof(E) < sizeof(float) && Kind::kHeaddim > 32;
    static constexpr int kTiles = kStrips * (kStrips + 1) / 2, kTileLd = operand_ld<E>(kTileColumns);
    static constexpr int kTileSize = kTileRows * kTileLd;
    static constexpr int kScratch = most_of(kTileRows * kTableLd, 2 * Kind::kState);
    static constexpr int kPart = Kind::kSharers * kStripChunk;
    StripVectors vectors;
    E *q, *k, *d_y;            // [64,N], [64,P]
    E *d_scores, *scores;      // [tile][key, query]; the latter where sharers leave them to each other
    E *d_h, *h;                // [N,P]: gradient of the state behind the chunk; the state before it
    float* scratch;            // [strip]: decays between its rows; its own pairs; column sums of its d_q and d_k
    float* early;              // [strip of keys][query]: what pairs give the decays between them
    float* same;               // [64]: each key's pair with itself
    float *late, *d_strength;  // [sharer,64], to be added: of each key, pairs with later strips; d of its strength
    float *d_exit, *d_entry, *d_dt;  // likewise: through the state behind the chunk, that before it; by the angles
    float *exits, *entries;  // [64]: weights of an input in the state behind, and of the state before in an output
    float* of_warps;
    float* pending;  // of the first position of the chunk behind: gradients of log_decay, γ, Δ, for odd and even
    float* d_turns;  // [strip, S], where the turns were: those are read before
    std::uint32_t* angles;  // [64,S], rows an odd number apart; then their gradients
    __device__ static int tile(int keys, int queries) { return (queries * (queries + 1) / 2 + keys) * kTileSize; }
    /// A row's sum over the parts that the sharers of its strip left.
    __device__ static float whole(const float* part, int row) {
        float sum = part[row];
#pragma unroll
        for (int sharer = 1; sharer < Kind::kSharers; ++sharer) sum += part[sharer * kStripChunk + row];
        return sum;
    }
};

template <class Kind>
struct StripKeys : StripHead<Kind> {
    using Base = StripHead<Kind>;
    using Base::P, Base::kState, Base::kHeaddim, Base::kPanels, Base::kNld, Base::kPld, Base::kSharers,
        Base::kOwnPanels;
    using Base::s, Base::in, Base::x, Base::q, Base::k, Base::r, Base::h, Base::begin, Base::positions, Base::strip,
        Base::own_row, Base::row_at, Base::clamped, Base::through, Base::last, Base::strips, Base::xbc, Base::z,
        Base::sharer;
    using typename Base::E, typename Base::S;
    using Memory = StripBackwardMemory<Kind>;
    static constexpr int kLd = Memory::kTileLd;

    const Memory& own;
    const StateSpaceViews<float, S>& gradient;
    const float* saved;         // of this head
    ChunkRows<const S> slopes;  // of the output's gradient, at the head's channels
    float sum_d = 0;            // the thread's share

    __device__ StripKeys(const StateSpaceShape& shape, const StateSpaceViews<float, S>& tensors, const Memory& memory,
                         const StateSpaceViews<float, S>& to, const float* saved_of_head, const HeadOfSequence& place)
        : Base(shape, tensors, memory.vectors, memory.q, memory.k, place),
          own(memory),
          gradient(to),
          saved(saved_of_head) {}

    __device__ float* table() const { return own.scratch + strip() * Memory::kScratch; }
    /// Rows behind the chunk's are those of its last position: what comes of them is not used.
    __device__ Vector<float, 2> input(int row, int p) const {
        return load_vector<2>(xbc(clamped(row)) + h * kHeaddim + p);
    }
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

    /// What the gate's gradients are made from, of some of the strip's rows on their way.
    struct GateRows {
        using Rows = typename Base::InputRows;
        static constexpr int kCount = P == Products::bf16 ? 4 : 2;  // float32's operands take the registers
        StoredTwo<float> y[kCount];
        typename Base::Two v[kCount], d[kCount], gate[kCount];
    };
    __device__ int gate_row(int i) const {
        return this->input_row() + i * GateRows::Rows::kAtOnce;
    }
    __device__ __forceinline__ void load_gate(GateRows& to, int first) const {
        const int p = this->input_pair();
        const float* const kept = saved + std::int64_t{begin} * kHeaddim + p;
#pragma unroll
        for (int i = 0; i < GateRows::kCount; ++i) {
            const int row = clamped(gate_row(first + i));
            to.y[i] = this->load_two(kept + row * kHeaddim);
            to.v[i] = this->load_two(xbc(row) + h * kHeaddim + p);
            to.d[i] = this->load_two(slopes(row) + p);
            if (s.gate.on) to.gate[i] = this->load_two(z(row) + p);
        }
    }
    /// Gradient of the layer's output → that of the scan's, d_z, and the sum of D.
    __device__ __forceinline__ void gate_backward() {
        const int p = this->input_pair();
        const float d_skip = in.d.at(r)[h];
        const ChunkRows<S> to = gradient.z ? ChunkRows<S>(gradient.z, r, row_at(0), h * kHeaddim + p) : ChunkRows<S>();
#pragma unroll 1
        for (int first = 0; first < GateRows::Rows::kCount; first += GateRows::kCount) {
            GateRows rows;
            load_gate(rows, first);
#pragma unroll
            for (int i = 0; i < GateRows::kCount; ++i) {
                const int row = gate_row(first + i);
                const bool there = row < positions;
                Vector<float, 2> d_y, d_z;
#pragma unroll
                for (int e = 0; e < 2; ++e) {
                    const float input = rows.v[i][e];
                    const auto all = gate_slopes(s.gate, numerics::fma(d_skip, input, rows.y[i][e]), rows.d[i][e],
                                                 !s.gate.on ? 0 : rows.gate[i][e]);
                    d_y.at[e] = there ? all.d_skip : 0;
                    d_z.at[e] = all.d_gate;
                    sum_d = numerics::fma(d_y.at[e], input, sum_d);
                }
                if (there && gradient.z) store_vector(to(row), d_z);
                this->store_operands(own.d_y + row * kPld + p, d_y.at[0], d_y.at[1]);
            }
        }
    }

    /// Of the strip as keys: the gradient of the input, and sums over pairs of the lane's two rows.
    struct Keys {
        WarpTile<float> d_v[kOwnPanels];
        float later[2] = {}, all[2] = {}, itself[2] = {};
    };
    /// Scores and their gradients with the strip as keys; what pairs give γ, s and the decays. Sharers take turns with
    /// the other strips, and leave each other the scores.
    __device__ __forceinline__ void key_pairs(Keys& of) const {
        InputLeft inputs;
        load_left(inputs);
        const E* const keys = k + own_row() * kNld;
#pragma unroll 1
        for (int other = strip() + sharer(); other < strips(); other += kSharers) {
            WarpTile<float> score, d;
            const E *queries = q + other * kTileRows * kNld, *slopes_of = own.d_y + other * kTileRows * kPld;
#pragma unroll
            for (int n = 0; n < kState; n += 16)
                multiply_add(score, left_rows<P>(keys + n, kNld), right_rows<P>(queries + n, kNld));
#pragma unroll
            for (int c = 0; c < kPanels; ++c)
                multiply_add(d, inputs.left(c), right_rows<P>(slopes_of + c * kTileColumns, kPld));
            weigh(score, d, other, of);
            store_tile(d, own.d_scores + own.tile(strip(), other));
            if constexpr (kSharers > 1)
                store_tile(score, own.scores + own.tile(strip(), other));
            else
                add_values(of, left_results<P>(score), other);
        }
    }
    __device__ __forceinline__ void add_values(Keys& to, const Left<P>& scores, int other) const {
        const E* const slopes_of = own.d_y + other * kTileRows * kPld;
#pragma unroll
        for (int c = 0; c < kOwnPanels; ++c)
            multiply_add(to.d_v[c], scores, right_columns<P>(slopes_of + this->own_channel(c), kPld));
    }
    /// The gradient of the input, and the sums. Returns what the pairs of the strip's rows give the decay of row
    /// `lane`.
    __device__ __forceinline__ float keys_backward(Keys& of) const {
        if constexpr (kSharers > 1)
#pragma unroll 1
            for (int other = strip(); other < strips(); ++other)
                add_values(of, left_rows<P>(own.scores + own.tile(strip(), other), kLd), other);
        float exit[2] = {};
        if (!last()) add_exit(of.d_v, exit);
        const int part = sharer() * kStripChunk;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int row = own_row() + lane_row() + 8 * half;
            const float to_end = last() ? 0 : this->to_end(row);
            const float of_exit = tile_row_sum(exit[half]), of_later = tile_row_sum(of.later[half]);
            const float of_all = tile_row_sum(of.all[half]), of_itself = tile_row_sum(of.itself[half]);
            if (lane_place() != 0) continue;
            own.late[part + row] = of_later * x.strength[row];
            if (this->first_sharer()) own.same[row] = of_itself;
            own.d_strength[part + row] = numerics::fma(of_exit, to_end, of_later + of_all);
            if (!last()) own.d_exit[part + row] = of_exit * to_end * x.strength[row];
        }
        write_input_gradient(of.d_v);
        return this->first_sharer() ? crossings(table()) : 0;
    }

    /// score, d: of the strip's keys as rows with queries of the strip `other`, to be masked and weighed. Terms of each
    /// key's pairs are added up: with later strips, with its own.
    __device__ __forceinline__ void weigh(WarpTile<float>& score, WarpTile<float>& d, int other, Keys& of) const {
        float strengths[2], columns[2 * kEighths] = {};
#pragma unroll
        for (int half = 0; half < 2; ++half) strengths[half] = x.strength[own_row() + lane_row() + 8 * half];
        if (other == strip()) return weigh_own(score, d, strengths, of);
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
                of.later[half] = numerics::fma(both, decay, of.later[half]);
                columns[2 * n + e % 2] = numerics::fma(term, strengths[half], columns[2 * n + e % 2]);
                a *= factor, b *= factor;
            }
        }
        sums_over_warp<2 * kEighths, 4>(columns);
        const int column = (lane_index() >> 3) & 3;
        if ((lane_index() & 4) == 0)
            own.early[strip() * kStripChunk + other * kTileRows + 8 * (column / 2) + 2 * lane_place() + column % 2] =
                columns[0];
    }
    __device__ __forceinline__ void weigh_own(WarpTile<float>& score, WarpTile<float>& d, const float (&strengths)[2],
                                              Keys& of) const {
        float* const pairs = table();
#pragma unroll
        for (int n = 0; n < kEighths; ++n)
#pragma unroll
            for (int e = 0; e < 4; ++e) {
                const int half = e / 2, i = 8 * n + 2 * lane_place() + e % 2, j = lane_row() + 8 * half;
                float &a = score.sum[n][e], &b = d.sum[n][e];
                float* const place = pairs + i * kTableLd + j;  // the lane's own
                const float decay = j < i ? *place : 0, both = a * b;
                of.all[half] = numerics::fma(both, decay, of.all[half]);
                if (j < i) *place = both * decay * strengths[half];
                of.itself[half] += j == i ? both : 0;
                const float factor = j == i ? x.gamma[own_row() + j] : decay * strengths[half];
                a *= factor, b *= factor;
            }
    }
    __device__ __forceinline__ void store_tile(WarpTile<float>& tile, E* to) const {
        each_pair(tile, [&](int i, int j, int, float first, float second) {
            this->store_operands(to + i * kLd + j, first, second);
        });
    }
    /// Through the state behind the chunk.
    __device__ __forceinline__ void add_exit(WarpTile<float> (&d_v)[kOwnPanels], float (&exit)[2]) const {
        WarpTile<float> behind[kOwnPanels];
#pragma unroll 1
        for (int n = 0; n < kState; n += 16) {
            const Left<P> left = left_rows<P>(k + own_row() * kNld + n, kNld);
#pragma unroll
            for (int c = 0; c < kOwnPanels; ++c)
                multiply_add(behind[c], left, right_columns<P>(own.d_h + n * kPld + this->own_channel(c), kPld));
        }
        this->each_place([&](int row, int p, int c, int n, int half) {
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
    __device__ __forceinline__ void write_input_gradient(const WarpTile<float> (&d_v)[kOwnPanels]) const {
        const float d_skip = in.d.at(r)[h];
        const ChunkRows<S> to(gradient.xbc, r, row_at(0), h * kHeaddim);
        this->each_place([&](int row, int p, int c, int n, int half) {
            const auto d = *reinterpret_cast<const Vector<E, 2>*>(own.d_y + row * kPld + p);
            Vector<float, 2> sum;
#pragma unroll
            for (int e = 0; e < 2; ++e) sum.at[e] = numerics::fma(d_skip, float(d.at[e]), d_v[c].sum[n][2 * half + e]);
            if (row < positions) store_vector(to(row) + p, sum);
        });
    }
};

}  // namespace whorl::gpu
