// The state-space kernels of the usual layers: one rank, channels that turn together side by side, no norm in the gate,
// sizes that the compiler knows. A block has one head of one sequence, four warps each a strip of 16 of a chunk's 64
// positions, or twice as many warps, two a strip; B and C go from memory through a warp's registers, normed, biased and
// turned on the way, into the block's memory, and what is made of them stays in registers (strip_tile.cuh) where a
// strip has one warp. A chunk takes three barriers forward and five, or seven, backward, where the kernels for any
// layer (state_space_forward.cuh) have twenty. Loops are rolled where they can be: a kernel that leaves the instruction
// cache takes twice as long.
#pragma once

#include "gpu/runtime/head_task.cuh"
#include "gpu/state_space/state_space_terms.cuh"
#include "gpu/tiles/strip_tile.cuh"

namespace whorl::gpu {

constexpr int kStrips = 4, kStripChunk = kStrips * kTileRows;
static_assert(kTileRows == kTileColumns);

/// Sizes and scalars of one kernel. S: what activations are stored in.
template <class Stored, Products Multiplied, int StateSize, int HeadSize>
struct StripKind {
    using S = Stored;
    static constexpr Products P = Multiplied;
    using E = Operand<P>;
    static constexpr int kState = StateSize, kHeaddim = HeadSize;
    /// Warps that share a strip: two where, over several chunks, the operands leave no room for a second block on a
    /// multiprocessor.
    static constexpr int kSharers = kState > 64 && P != Products::bf16 ? 2 : 1;
    static constexpr int kWarps = kStrips * kSharers, kThreads = 32 * kWarps;
    static constexpr int kPairs = kState / 64;               // of a row's pairs, a lane's
    static constexpr int kPanels = kHeaddim / kTileColumns;  // of 16 channels
    static constexpr int kNld = operand_ld<E>(kState), kPld = operand_ld<E>(kHeaddim);
};

/// What a chunk's positions have, one number each; a row is a position.
struct StripVectors {
    __host__ __device__ explicit StripVectors(BlockMemory& memory) {
        for (float** vector : {&dt, &gamma, &strength, &head, &tail}) *vector = memory.take<float>(kStripChunk);
    }
    __host__ __device__ void take_turns(BlockMemory& memory, int angles) {
        turns = memory.take<std::uint32_t>(kStrips * angles);
    }
    float *dt, *gamma, *strength;
    float *head, *tail;              // decay from the strip's start up to the row, and behind it to the strip's end
    std::uint32_t* turns = nullptr;  // [strip, S]: of the whole strip
};

/// Rows of a tensor from a chunk's first on, from a column on.
template <class X>
struct ChunkRows {
    X* first = nullptr;
    int stride = 0;
    ChunkRows() = default;
    template <class Y>
    __device__ ChunkRows(const View<Y>& tensor, std::int64_t r, std::int64_t row, int column = 0)
        : first(tensor.row(r, row) + column), stride(static_cast<int>(tensor.stride2)) {}
    __device__ X* operator()(int row) const { return first + row * stride; }
    __device__ void move(int rows) { first += std::int64_t{rows} * stride; }
};

/// Two neighbours as they are stored, to be made wide where they are used: who does so at once waits for them at once.
template <class S>
struct alignas(2 * sizeof(S)) StoredTwo {
    S at[2];
    __device__ float operator[](int e) const { return at[e]; }
};
/// Both in one register: two of 16 bits would be taken apart and put together again.
template <>
struct StoredTwo<Bf16> {
    std::uint32_t bits;
    __device__ float operator[](int e) const { return __uint_as_float(e == 0 ? bits << 16 : bits & 0xffff0000U); }
};
/// A lane's part of a left side, from two rows.
template <Products P, class S>
__device__ __forceinline__ Fragment<P, 4> left_of(const StoredTwo<S>& top, const StoredTwo<S>& bottom) {
#if __CUDA_ARCH__ >= 800
    if constexpr (P == Products::bf16 && sizeof(S) == sizeof(Bf16)) {
        const unsigned rows[2] = {top.bits, bottom.bits};
        return Fragment<P, 4>(rows);
    } else
#endif
        return Fragment<P, 4>({top[0], bottom[0], top[1], bottom[1]});
}

/// What forward and backward share.
template <class Kind>
struct StripHead {
    using S = typename Kind::S;
    using E = typename Kind::E;
    static constexpr Products P = Kind::P;
    static constexpr int kState = Kind::kState, kHeaddim = Kind::kHeaddim, kPairs = Kind::kPairs;
    static constexpr int kPanels = Kind::kPanels, kNld = Kind::kNld, kPld = Kind::kPld;
    static constexpr int kSharers = Kind::kSharers, kWarps = Kind::kWarps, kThreads = Kind::kThreads;
    // A warp's share of its strip: of the rows, of a row's pairs and panels; and its strips of the state's rows.
    static constexpr int kOwnRows = kTileRows / kSharers, kOwnPairs = kPairs / kSharers;
    static constexpr int kOwnPanels = kPanels / kSharers, kStateStrips = kState / (kTileRows * kWarps);
    static_assert(kPairs % kSharers == 0 && kPanels % kSharers == 0 && kState % (kTileRows * kWarps) == 0);

    const StateSpaceShape& s;
    const StateSpaceViews<float, S>& in;
    StripVectors x;
    E *q, *k;                      // [64,N]: C and B, made ready
    std::int64_t r, first_row;     // of the sequence among the replica's
    int h, length;                 // of the sequence
    int b_column, c_column;        // of a row of xbc
    int begin = 0, positions = 0;  // of the chunk at hand
    ChunkRows<const S> xbc, z;     // the latter at the head's channels
    ChunkRows<const float> velocity;

    std::uint32_t phase[kPairs] = {};  // of the lane's angles, on entry to the chunk
    float strip_decay[kStrips] = {};   // through each strip of the chunk

    __device__ StripHead(const StateSpaceShape& shape, const StateSpaceViews<float, S>& tensors,
                         const StripVectors& vectors, E* q_rows, E* k_rows, const HeadOfSequence& place)
        : s(shape),
          in(tensors),
          x(vectors),
          q(q_rows),
          k(k_rows),
          r(place.r),
          first_row(shape.sequences.first_row(place.r, place.b)),
          h(place.h),
          length(shape.sequences.length_of(place.r, place.b)) {
        b_column = s.heads * kHeaddim + (s.groups == 1 ? 0 : h / (s.heads / s.groups)) * kState;
        c_column = b_column + s.groups * kState;
    }

    __device__ static int warp() { return static_cast<int>(threadIdx.x) / 32; }
    /// The first and the last strip have unequal work: sharers of both meet on one scheduler, which has every fourth
    /// warp.
    __device__ static int strip() { return kSharers == 1 || warp() < kStrips ? warp() : 2 * kStrips - 1 - warp(); }
    __device__ static int sharer() { return kSharers > 1 ? warp() / kStrips : 0; }
    __device__ static int own_row() { return strip() * kTileRows; }
    /// The first of the rows that the warp makes ready; of its strip b of the state.
    __device__ static int share_row() { return own_row() + sharer() * kOwnRows; }
    __device__ static int state_row(int b) { return (warp() + b * kWarps) * kTileRows; }
    __device__ std::int64_t row_at(int i) const { return first_row + begin + i; }
    __device__ bool last() const { return begin + positions == length; }
    __device__ bool busy() const { return own_row() < positions; }
    __device__ int strips() const { return (positions + kTileRows - 1) / kTileRows; }
    __device__ int chunks() const { return length <= s.chunk ? least_of(length, 1) : (length + s.chunk - 1) / s.chunk; }
    /// The row, or the chunk's last: what is read in its place and not used costs less than a branch.
    __device__ int clamped(int row) const { return least_of(row, positions - 1); }
    /// The lane's pair c of a row: pairs of channels, and angles; and of those that are the warp's.
    __device__ static int pair(int c) { return lane_index() + 32 * c; }
    __device__ static int own_pair(int c) { return pair(c + sharer() * kOwnPairs); }

    __device__ void enter(int chunk) {
        begin = chunk * s.chunk;
        positions = least_of(s.chunk, length - begin);
        xbc = {in.xbc, r, row_at(0)};
        if (s.gate.on) z = {in.z, r, row_at(0), h * kHeaddim};
        if (s.rotation == Rotation::data_dependent) velocity = {in.velocity, r, row_at(0)};
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

    /// Lanes 0…15 have the steps of the strip's rows, lane 16 that behind them.
    __device__ bool has_step() const {
        return lane_index() <= kTileRows && begin + own_row() + lane_index() < length;
    }
    __device__ RawStep<float> raw_steps() const {
        return has_step() ? raw_step(s, in, r, row_at(own_row() + lane_index()), h) : RawStep<float>{};
    }
    /// Who does what is done once a strip.
    __device__ static bool first_sharer() {
        return sharer() == 0;
    }
    /// The steps, and the strip's vectors.
    __device__ Step<float> steps(const RawStep<float>& raw) const {
        const int lane = lane_index(), row = own_row() + lane;
        Step<float> step{};
        numerics::ScanCoefficients<float> scan{};
        if (has_step()) {
            step = step_of(s, raw);
            scan = numerics::exp_trapezoid_scan(step.dt, step.a, step.lambda);
        }
        const bool inside = lane < kTileRows && row < positions;
        const float log_decay = inside ? scan.log_decay : 0, next_carry = __shfl_down_sync(0xffffffffU, scan.carry, 1);
        const float up_to = sum_up_to_lane(log_decay, kTileRows), behind = sum_behind_lane(log_decay, kTileRows);
        if (first_sharer() && lane < kTileRows) {
            x.dt[row] = inside ? step.dt : 0;
            x.gamma[row] = inside ? scan.gamma : 0;
            x.strength[row] = inside ? scan.gamma + next_carry : 0;
            x.head[row] = numerics::exp(up_to);
            x.tail[row] = numerics::exp(behind);
        }
        __syncwarp();
        return step;
    }
    /// θ of the strip's rows, of the warp's pairs, on its way.
    struct Velocities {
        float at[kTileRows][kOwnPairs];
    };
    __device__ __forceinline__ void load_velocities(Velocities& to) const {
        if (s.rotation != Rotation::data_dependent) return;
#pragma unroll
        for (int i = 0; i < kTileRows; ++i) {
            const float* from = velocity(clamped(own_row() + i));
#pragma unroll
            for (int c = 0; c < kOwnPairs; ++c) to.at[i][c] = from[least_of(own_pair(c), s.angles - 1)];
        }
    }
    /// Sums of the turns θΔ over the strip's rows up to each, left where q's pairs will be; and over all. dt: lane i
    /// has row i's step (x.dt is the first sharer's). The standard rotary embedding's angles are left there likewise.
    __device__ __forceinline__ void strip_turns(const Velocities& velocities, float dt, std::int64_t position) const {
        if (s.rotation == Rotation::standard) return standard_turns(position);
        if (s.rotation != Rotation::data_dependent) return;
        std::uint32_t sums[kOwnPairs] = {};
#pragma unroll
        for (int i = 0; i < kTileRows; ++i) {
            const float step = kSharers == 1 ? x.dt[own_row() + i] : __shfl_sync(0xffffffffU, dt, i);
#pragma unroll
            for (int c = 0; c < kOwnPairs; ++c) {
                sums[c] += numerics::turn_of(velocities.at[i][c], step);
                *turn_place(own_row() + i, own_pair(c)) = sums[c];
            }
        }
#pragma unroll
        for (int c = 0; c < kOwnPairs; ++c)
            if (own_pair(c) < s.angles) x.turns[strip() * s.angles + own_pair(c)] = sums[c];
    }
    __device__ __forceinline__ void standard_turns(std::int64_t position) const {
#pragma unroll 1
        for (int c = 0; c < kOwnPairs; ++c) {
            const double frequency = numerics::rope_frequency<double>(own_pair(c), s.angles);
#pragma unroll 1
            for (int row = own_row(); row < own_row() + kTileRows; ++row)
                *turn_place(row, own_pair(c)) =
                    numerics::turn_of(numerics::rope_angle<float>(position + begin + row, frequency));
        }
    }
    __device__ std::uint32_t* turn_place(int row, int pair) const {
        return reinterpret_cast<std::uint32_t*>(q + row * kNld + 2 * pair);
    }
    /// Of whole strips [0, to).
    __device__ __forceinline__ std::uint32_t turns_before(int to, int c) const {
        std::uint32_t sum = 0;
        if (s.rotation == Rotation::data_dependent && pair(c) < s.angles)
#pragma unroll
            for (int m = 0; m < kStrips; ++m) sum += m < to ? x.turns[m * s.angles + pair(c)] : 0;
        return sum;
    }

    /// What the lane's pairs of B's and C's rows are multiplied by and moved, the same for all rows.
    struct RowConstants {
        numerics::Pair<float> q_weight[kPairs], k_weight[kPairs], q_shift[kPairs], k_shift[kPairs];
        __device__ __forceinline__ explicit RowConstants(const StripHead& head) {
            const auto& in = head.in;
#pragma unroll
            for (int c = 0; c < kPairs; ++c) {
                const auto both = [&](const float* from, float without) -> numerics::Pair<float> {
                    return from ? numerics::Pair<float>{from[2 * pair(c)], from[2 * pair(c) + 1]}
                                : numerics::Pair<float>{without, without};
                };
                k_weight[c] = both(in.b_norm ? in.b_norm.at(head.r) : nullptr, 1);
                q_weight[c] = both(in.c_norm ? in.c_norm.at(head.r) : nullptr, 1);
                k_shift[c] = both(in.b_bias ? in.b_bias.at(head.r, head.h) : nullptr, 0);
                q_shift[c] = both(in.c_bias ? in.c_bias.at(head.r, head.h) : nullptr, 0);
            }
        }
    };

    using Two = StoredTwo<S>;
    template <class X>
    __device__ static StoredTwo<X> load_two(const X* from) {
        return *reinterpret_cast<const StoredTwo<X>*>(from);
    }
    /// Raw rows of B and C on their way.
    struct RawRows {
        static constexpr int kCount = 4;
        Two q[kCount][kPairs], k[kCount][kPairs];
    };
    __device__ __forceinline__ void load_rows(RawRows& raw, int row) const {
#pragma unroll
        for (int i = 0; i < RawRows::kCount; ++i) {
            const S* from = xbc(clamped(row + i)) + 2 * lane_index();
#pragma unroll
            for (int c = 0; c < kPairs; ++c) {
                raw.k[i][c] = load_two(from + b_column + 64 * c);
                raw.q[i][c] = load_two(from + c_column + 64 * c);
            }
        }
    }
    /// raw: the warp's first rows. Makes the warp's rows of B and C ready: RMSNorm · w + bias, then the rotation;
    /// rows behind the chunk are zero. keep(row, c, angle): each angle, in 2⁻³² of a turn.
    template <class Keep>
    __device__ __forceinline__ void turn_rows(RawRows& raw, const Keep& keep) const {
        const RowConstants constants(*this);
        std::uint32_t before[kPairs];
#pragma unroll
        for (int c = 0; c < kPairs; ++c) before[c] = phase[c] + turns_before(strip(), c);
#pragma unroll 1
        for (int base = share_row(); base < share_row() + kOwnRows; base += RawRows::kCount) {
            RawRows next;
            if (base + RawRows::kCount < share_row() + kOwnRows) load_rows(next, base + RawRows::kCount);
            float scales[2 * RawRows::kCount] = {};
            row_scales(raw, scales);
#pragma unroll
            for (int i = 0; i < RawRows::kCount; ++i)
#pragma unroll
                for (int c = 0; c < kPairs; ++c) {
                    const int row = base + i, column = row * kNld + 2 * pair(c);
                    auto own_q = made(raw.q[i][c], scales[2 * i], constants.q_weight[c], constants.q_shift[c]);
                    auto own_k = made(raw.k[i][c], scales[2 * i + 1], constants.k_weight[c], constants.k_shift[c]);
                    if (pair(c) < s.angles) {
                        const std::uint32_t at = before[c] + *turn_place(row, pair(c));
                        const auto turned = sincos_for<P>(at);
                        own_q = numerics::rotate(own_q, turned.cos, turned.sin);
                        own_k = numerics::rotate(own_k, turned.cos, turned.sin);
                        keep(row, c, at);
                    }
                    if (row >= positions) own_q = own_k = {};
                    store_operands(q + column, own_q.x, own_q.y);
                    store_operands(k + column, own_k.x, own_k.y);
                }
            raw = next;
        }
    }
    __device__ static void store_operands(E* to, float first, float second) {
        store_vector(to, Vector<float, 2>{{first, second}});
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

    /// The head's channels of x of the warp's rows, on their way to be an operand.
    struct InputRows {
        static constexpr int kLanes = kHeaddim / 2, kAtOnce = 32 / kLanes;  // of a row; rows
        static constexpr int kCount = kOwnRows / kAtOnce;
        Two at[kCount];
    };
    __device__ static int input_row() {
        return share_row() + lane_index() / InputRows::kLanes;
    }
    __device__ static int input_pair() {
        return 2 * (lane_index() % InputRows::kLanes);
    }
    __device__ __forceinline__ void load_input(InputRows& to) const {
#pragma unroll
        for (int i = 0; i < InputRows::kCount; ++i)
            to.at[i] = load_two(xbc(clamped(input_row() + i * InputRows::kAtOnce)) + h * kHeaddim + input_pair());
    }
    __device__ __forceinline__ void store_input(const InputRows& from, E* to) const {
#pragma unroll
        for (int i = 0; i < InputRows::kCount; ++i) {
            const int row = input_row() + i * InputRows::kAtOnce;
            const Two two = row < positions ? from.at[i] : Two{};
            if constexpr (sizeof(E) == sizeof(S))
                *reinterpret_cast<Two*>(to + row * kPld + input_pair()) = two;
            else
                store_operands(to + row * kPld + input_pair(), two[0], two[1]);
        }
    }

private:
    __device__ __forceinline__ void row_scales(const RawRows& raw, float (&scales)[2 * RawRows::kCount]) const {
        constexpr int count = 2 * RawRows::kCount;
        if (!in.b_norm) {
#pragma unroll
            for (float& scale : scales) scale = 1;
            return;
        }
#pragma unroll
        for (int i = 0; i < RawRows::kCount; ++i)
#pragma unroll
            for (int c = 0; c < kPairs; ++c) {
                const auto square = [](const Two& two) {
                    const float first = two[0], second = two[1];
                    return numerics::fma(first, first, second * second);
                };
                scales[2 * i] += square(raw.q[i][c]);
                scales[2 * i + 1] += square(raw.k[i][c]);
            }
        const float scale =
            numerics::inverse_rms(sums_over_warp(scales), static_cast<float>(kState), static_cast<float>(s.epsilon));
#pragma unroll
        for (int i = 0; i < count; ++i) scales[i] = __shfl_sync(0xffffffffU, scale, i * (32 / count));
    }
    __device__ static numerics::Pair<float> made(const Two& raw, float scale, const numerics::Pair<float>& weight,
                                                 const numerics::Pair<float>& shift) {
        return {numerics::fma(raw[0], scale * weight.x, shift.x), numerics::fma(raw[1], scale * weight.y, shift.y)};
    }
};

/// A block's head, and its place among all heads of all replicas.
struct StripTask : HeadOfSequence {
    __device__ explicit StripTask(const StateSpaceShape& s)
        : HeadOfSequence(head_of_block(s.heads, blockIdx.y)), index(r * gridDim.x + blockIdx.x) {}
    std::int64_t index;
};
inline dim3 strip_grid(const StateSpaceShape& s) {
    return {grid_size(s.batch * s.heads), grid_size(s.replicas)};
}

/// Whether the forward, and the backward, kernel has a layer of this shape, with products as exact as float32: others
/// need less.
bool strips_fit(std::int64_t shared_limit, DType dtype, const StateSpaceShape& shape);
bool strips_fit_backward(std::int64_t shared_limit, DType dtype, const StateSpaceShape& shape);
/// Whether these tensors' rows are of pairs.
inline bool strips_read(const Mamba3Tensors& t) {
    return in_groups(t.z, 2) && in_groups(t.xbc, 2);
}

/// body(Kind{}): the kernel that a layer which fits needs.
template <class S, class Body>
void with_strip_kind(const StateSpaceShape& s, Products products, const Body& body) {
    with_stored_products<float, S>(products, [&](auto chosen) {
        constexpr Products P = decltype(chosen)::value;
        if (s.state == 128) return body(StripKind<S, P, 128, 64>{});
        if (s.headdim == 16) return body(StripKind<S, P, 64, 16>{});
        if (s.headdim == 32) return body(StripKind<S, P, 64, 32>{});
        body(StripKind<S, P, 64, 64>{});
    });
}

template <class S>
void strips_forward(const CudaBackend& backend, const StateSpaceShape& shape, const StateSpaceViews<float, S>& in,
                    const View<S>& y, std::int64_t position, float* saved);
template <class S>
void strips_backward(const CudaBackend& backend, const StateSpaceShape& shape, const StateSpaceViews<float, S>& in,
                     const View<S>& d_y, const StateSpaceViews<float, S>& gradient, const HeadParts<float>& parts,
                     const float* saved);

}  // namespace whorl::gpu
