// The first half of the backward pass of ranked_strips.cuh, with a warp's strip as keys: scores are made with the keys
// as rows, so that they are, where they lie in registers, what the gradient of the input is multiplied from (two warps
// of a strip leave them to each other in the block's memory); their own gradients go through the block's memory to the
// second half (ranked_strips_backward.cuh):
//
//              queries 0   1   2   3
//     keys 0           *   *   *   *      warp 0 makes these four tiles of 16 × 16,
//     keys 1               *   *   *      warp 1 these three, …
//     keys 2                   *   *
//     keys 3                       *
//
// Sums of products say fma: compilers would do so for activations of one type and not for another.
#pragma once

#include "gpu/state_space/ranked_strips.cuh"

namespace whorl::gpu {

template <class Kind>
struct RankedBackwardMemory {
    using E = typename Kind::E;
    __host__ __device__ RankedBackwardMemory(BlockMemory& memory, const RankedShape& s) : vectors(memory) {
        const bool several = s.chunks() > 1;
        q = memory.take<E>(kStripChunk * Kind::kNld);
        k = memory.take<E>(kStripChunk * Kind::kNld);
        d_y = memory.take<E>(kStripChunk * Kind::kPld);
        v = memory.take<E>(kStripChunk * Kind::kPld);
        d_scores = memory.take<E>(kTiles * kTileSize);
        scores = memory.take<E>(Kind::kSharers > 1 ? kTiles * kTileSize : 0);
        d_h = memory.take<E>(several ? Kind::kState * Kind::kPld : 0);
        tables = memory.take<float>(kStrips * kTable);
        early = memory.take<float>(kStrips * kStripChunk);
        same = memory.take<float>(kStripChunk);
        for (float** part : {&late, &d_strength, &d_dt}) *part = memory.take<float>(kPart);
        for (float** part : {&d_exit, &d_entry}) *part = memory.take<float>(several ? kPart : 0);
        for (float** vector : {&exits, &entries}) *vector = memory.take<float>(several ? kStripChunk : 0);
        of_warps = memory.take<float>(Kind::kWarps);
        vectors.take_turns(memory, s);
        d_totals = reinterpret_cast<float*>(vectors.totals);
    }
    static constexpr int kTiles = kStrips * (kStrips + 1) / 2, kTileLd = operand_ld<E>(kTileColumns);
    static constexpr int kTileSize = kTileRows * kTileLd, kTable = kTileRows * kTableLd;
    static constexpr int kPart = Kind::kSharers * kStripChunk;
    RowVectors vectors;
    E *q, *k, *d_y, *v;        // [64,N], [64,P]
    E *d_scores, *scores;      // [tile][key, query]; the latter where sharers leave them to each other
    E* d_h;                    // [N,P]: gradient of the state behind the chunk
    float* tables;             // [strip]: decays between its rows, then its own pairs
    float* early;              // [strip of keys][query]: what pairs give the decays between them
    float* same;               // [64]: each key's pairs with the rows of its position
    float *late, *d_strength;  // [sharer,64], to be added: of each key, pairs with later strips; d of its strength
    float *d_exit, *d_entry, *d_dt;  // likewise: through the state behind the chunk, that before it; by the angles
    float *exits, *entries;  // [64]: weights of an input in the state behind, and of the state before in an output
    float* of_warps;
    float* d_totals;  // [strip, S], where the totals were: the angles' gradients of the whole strip
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
struct RankedKeys : RankedHead<Kind> {
    using Base = RankedHead<Kind>;
    using Base::P, Base::kState, Base::kHeaddim, Base::kPanels, Base::kNld, Base::kPld, Base::kSharers,
        Base::kOwnPanels;
    using Base::s, Base::in, Base::x, Base::q, Base::k, Base::r, Base::h, Base::positions, Base::strip, Base::own_row,
        Base::row_at, Base::clamped, Base::through, Base::last, Base::strips, Base::sharer, Base::real;
    using typename Base::E, typename Base::S;
    using Memory = RankedBackwardMemory<Kind>;
    static constexpr int kLd = Memory::kTileLd;
    static constexpr int kTogether = P == Products::bf16 ? 4 : 2;  // steps of a sum that there are registers for

    const Memory& own;
    const StateSpaceViews<float, S>& gradient;
    float sum_mix[2][kOwnPanels][2 * kEighths] =
        {};  // of mimo_x, of the lane's two rows: their ranks are always the same

    __device__ RankedKeys(const RankedShape& shape, const RankedViews<S>& tensors, const Memory& memory,
                          const StateSpaceViews<float, S>& to, const RankedTask& place)
        : Base(shape, tensors, memory.vectors, memory.q, memory.k, place), own(memory), gradient(to) {}

    __device__ float* table() const { return own.tables + strip() * Memory::kTable; }
    /// The strip's rows of x as a left side.
    __device__ __forceinline__ Left<P> input_left(int c) const {
        return left_rows<P>(own.v + own_row() * kPld + c * kTileColumns, kPld);
    }

    /// Of the strip as keys: the gradient of the input, and sums over pairs of the lane's two rows.
    struct Keys {
        WarpTile<float> d_v[kOwnPanels];
        float later[2] = {}, all[2] = {}, itself[2] = {};
    };
    /// Scores and their gradients with the strip as keys; what pairs give γ, s and the decays. Sharers take turns with
    /// the other strips, and leave each other the scores.
    __device__ __forceinline__ void key_pairs(Keys& of) const {
        const E* const keys = k + own_row() * kNld;
#pragma unroll 1
        for (int other = strip() + sharer(); other < strips(); other += kSharers) {
            WarpTile<float> score, d;
            const E *queries = q + other * kTileRows * kNld, *slopes = own.d_y + other * kTileRows * kPld;
#pragma unroll kTogether
            for (int n = 0; n < kState; n += 16)
                multiply_add(score, left_rows<P>(keys + n, kNld), right_rows<P>(queries + n, kNld));
#pragma unroll
            for (int c = 0; c < kPanels; ++c)
                multiply_add(d, input_left(c), right_rows<P>(slopes + c * kTileColumns, kPld));
            weigh(score, d, other, of);
            store_tile(d, own.d_scores + own.tile(strip(), other));
            if constexpr (kSharers > 1)
                store_tile(score, own.scores + own.tile(strip(), other));
            else
                add_values(of, left_results<P>(score), other);
        }
    }
    __device__ __forceinline__ void add_values(Keys& to, const Left<P>& scores, int other) const {
        const E* const slopes = own.d_y + other * kTileRows * kPld;
#pragma unroll
        for (int c = 0; c < kOwnPanels; ++c)
            multiply_add(to.d_v[c], scores, right_columns<P>(slopes + this->own_channel(c), kPld));
    }
    /// The gradient of the input, and the sums. Returns what the pairs of the strip's rows give the decay of row
    /// `lane`.
    __device__ __forceinline__ float keys_backward(Keys& of) {
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

private:
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
            const auto heads = load_vector<2>(x.head + other * kTileRows + 8 * n + 2 * lane_place());
#pragma unroll
            for (int e = 0; e < 4; ++e) {
                const int half = e / 2;
                float &a = score.sum[n][e], &b = d.sum[n][e];
                const float decay = tails[half] * heads.at[e % 2], factor = decay * strengths[half];
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
    /// Keys j and queries i of one strip: a query sees its own position's keys with γ.
    __device__ __forceinline__ void weigh_own(WarpTile<float>& score, WarpTile<float>& d, const float (&strengths)[2],
                                              Keys& of) const {
        float* const pairs = table();
#pragma unroll
        for (int n = 0; n < kEighths; ++n)
#pragma unroll
            for (int e = 0; e < 4; ++e) {
                const int half = e / 2, i = 8 * n + 2 * lane_place() + e % 2, j = lane_row() + 8 * half;
                const int to = s.position_of(i), from = s.position_of(j);
                float &a = score.sum[n][e], &b = d.sum[n][e];
                float* const place = pairs + i * kTableLd + j;  // the lane's own
                const float decay = from < to ? *place : 0, both = a * b;
                of.all[half] = numerics::fma(both, decay, of.all[half]);
                if (from < to) *place = both * decay * strengths[half];
                of.itself[half] += from == to ? both : 0;
                const float factor = from == to ? x.gamma[own_row() + j] : decay * strengths[half];
                a *= factor, b *= factor;
            }
    }
    __device__ __forceinline__ void store_tile(WarpTile<float>& tile, E* to) const {
        each_pair(tile, [&](int i, int j, int, float first, float second) {
            store_vector(to + i * kLd + j, Vector<float, 2>{{first, second}});
        });
    }
    /// Through the state behind the chunk.
    __device__ __forceinline__ void add_exit(WarpTile<float> (&d_v)[kOwnPanels], float (&exit)[2]) const {
        WarpTile<float> behind[kOwnPanels];
#pragma unroll 2
        for (int n = 0; n < kState; n += 16) {
            const Left<P> left = left_rows<P>(k + own_row() * kNld + n, kNld);
#pragma unroll
            for (int c = 0; c < kOwnPanels; ++c)
                multiply_add(behind[c], left, right_columns<P>(own.d_h + n * kPld + this->own_channel(c), kPld));
        }
        this->each_place([&](int row, int p, int c, int n, int half) {
            const auto v = load_pair(own.v + row * kPld + p);
            const float weight = own.exits[row];
            float *const gone = behind[c].sum[n] + 2 * half, *const sum = d_v[c].sum[n] + 2 * half;
            exit[half] = numerics::fma(v.x, gone[0], numerics::fma(v.y, gone[1], exit[half]));
            sum[0] = numerics::fma(weight, gone[0], sum[0]);
            sum[1] = numerics::fma(weight, gone[1], sum[1]);
        });
    }
    /// To x, summed over its ranks; the sums of mimo_x.
    __device__ __forceinline__ void write_input_gradient(WarpTile<float> (&d_v)[kOwnPanels]) {
        const float d_skip = in.d.at(r)[h];
        const int rows[2] = {own_row() + lane_row(), own_row() + lane_row() + 8},
                  p = this->own_channel(0) + 2 * lane_place();
        const bool there[2] = {real(rows[0]), real(rows[1])};
        const auto raw_of = [&](int row) {
            return this->xbc.first + clamped(s.position_of(row)) * this->xbc.stride + h * kHeaddim + p;
        };
        const S* const raw[2] = {raw_of(rows[0]), raw_of(rows[1])};
        const float* const mix[2] = {this->mix(0, this->some_rank(rows[0])) + p,
                                     this->mix(0, this->some_rank(rows[1])) + p};
#pragma unroll
        for (int c = 0; c < kOwnPanels; ++c) {
            float sums[2][2 * kEighths];
#pragma unroll
            for (int n = 0; n < kEighths; ++n)
#pragma unroll
                for (int half = 0; half < 2; ++half) {
                    const int at = c * kTileColumns + 8 * n;
                    const auto slope = load_pair(own.d_y + rows[half] * kPld + p + at);
                    numerics::Pair<float> d{numerics::fma(d_skip, slope.x, d_v[c].sum[n][2 * half]),
                                            numerics::fma(d_skip, slope.y, d_v[c].sum[n][2 * half + 1])};
                    if (!there[half]) d = {};
                    const auto two = load_pair(raw[half] + at);
                    sum_mix[half][c][2 * n] = numerics::fma(d.x, two.x, sum_mix[half][c][2 * n]);
                    sum_mix[half][c][2 * n + 1] = numerics::fma(d.y, two.y, sum_mix[half][c][2 * n + 1]);
                    d = mixed(d, mix[half] + at);
                    sums[half][2 * n] = d.x, sums[half][2 * n + 1] = d.y;
                }
            this->sum_ranks(sums[0], sums[1]);
#pragma unroll
            for (int half = 0; half < 2; ++half)
                if (there[half] && s.rank_of(rows[half]) == 0) {
                    S* const to = gradient.xbc.row(r, row_at(s.position_of(rows[half]))) + h * kHeaddim;
#pragma unroll
                    for (int n = 0; n < kEighths; ++n)
                        store_pair(to + this->own_channel(c) + 8 * n + 2 * lane_place(),
                                   {sums[half][2 * n], sums[half][2 * n + 1]}, s.paired);
                }
        }
    }
};

}  // namespace whorl::gpu
