// Sizes, rows and memory of ranked strips (ranked_strips.cuh): what a kernel is compiled for, how a layer is laid out
// in a chunk's rows, what is kept from forward to backward, and how long sequences of few heads are cut.
#pragma once

#include "gpu/state_space/state_space_strips.cuh"

namespace whorl::gpu {

constexpr int kMostRanks = kTileRows;

/// Sizes and scalars of one kernel. S: what activations are stored in.
template <class Stored, Products Multiplied, int StateSize, int HeadSize>
struct RankedKind {
    using S = Stored;
    static constexpr Products P = Multiplied;
    using E = Operand<P>;
    static constexpr int kState = StateSize, kHeaddim = HeadSize;
    /// Warps that share a strip: two where there is enough for both. A multiprocessor has room for the operands of two
    /// or three blocks, and four warps each would not hide one another's waiting.
    static constexpr int kSharers = kState * kHeaddim > 64 * 32 ? 2 : 1;
    /// Two blocks of these share a multiprocessor's registers.
    static constexpr bool kTight = kState * kHeaddim > 64 * 64 && sizeof(E) < sizeof(float);
    static constexpr int kWarps = kStrips * kSharers, kThreads = 32 * kWarps;
    static constexpr int kPanels = kHeaddim / kTileColumns;  // of 16 channels
    static constexpr int kNld = operand_ld<E>(kState), kPld = operand_ld<E>(kHeaddim);
};

/// A layer as these kernels see it.
struct RankedShape : StateSpaceShape {
    int log_rows = 0;    // a position has 2^log_rows rows
    int spans = 1;       // of a sequence in the forward pass, a block each
    bool paired = true;  // rows of what is written, and of gradients, begin with whole pairs
    __host__ __device__ explicit RankedShape(const StateSpaceShape& s) : StateSpaceShape(s) {
        while (1 << log_rows < rank) ++log_rows;
    }
    __host__ __device__ int position_of(int row) const { return row >> log_rows; }
    __host__ __device__ int rank_of(int row) const { return row & ((1 << log_rows) - 1); }
    __host__ __device__ int positions_of_strip() const { return kTileRows >> log_rows; }
    __host__ __device__ int chunks_of_span() const { return (chunks() + spans - 1) / spans; }
};
/// Spans that a sequence is cut into where its heads and those beside it leave multiprocessors without work, a long
/// prompt's or an evaluation's: one where they do not. (A replica's bits must not depend on how many there are: the
/// replicas do not count.)
inline int ranked_spans(const StateSpaceShape& s) {
    constexpr std::int64_t busy = 256, wanted = 512, least = 1024;  // heads; blocks; positions of a sequence worth it
    const std::int64_t heads = s.batch * s.heads;
    if (heads >= busy || s.length < least) return 1;
    return static_cast<int>(std::min<std::int64_t>(wanted / heads, s.length / 64));
}
/// What one span leaves for the next, float by float: the state [N,P] by place; its angles in turns [S], and those
/// before it; its decay. First what the span makes from nothing is in the place of the span behind it; then what each
/// starts from.
struct SpanLayout {
    __host__ __device__ explicit SpanLayout(const StateSpaceShape& s)
        : turns(s.state * s.headdim), phases(turns + s.angles), decay(phases + s.angles), count((decay + 4) / 4 * 4) {}
    int turns, phases, decay, count;
};
/// Positions of a chunk.
__host__ __device__ inline int ranked_chunk(const StateSpaceShape& s) {
    return kStripChunk >> RankedShape(s).log_rows;
}

/// What all sequences of a head share, made once with zeros and ones for what the layer lacks, so that nobody asks: the
/// biases of B and C of each rank, by place, and what the ranks make of x, z and the output.
struct HeadTable {
    __host__ __device__ explicit HeadTable(const StateSpaceShape& s)
        : c_bias(s.rank * s.state), mix_x(2 * c_bias), mix(s.rank * s.headdim), count(mix_x + 3 * mix) {}
    int c_bias, mix_x, mix, count;  // x, z, output: one behind the other
};

/// What a head's position gives its rows, made once for both passes: Δ, ΔA, γ, what its input weighs (γ and the next
/// step's carry), and the decays within its strip, up to it and behind it.
struct StripStep {
    float dt, log_decay, gamma, strength, head, tail;
};
/// The gradients of a position's step that a head leaves for the kernel behind it. carry: of the next position's.
struct StepSlopes {
    float log_decay, gamma, carry, dt;
};

/// What one head keeps from forward to backward, in bytes: the scan's output and the state on entry to every chunk but
/// the first, as operands, and the phases there. Behind the heads', once: the angles' velocities, what the norms of B
/// and C multiply by, the heads' tables, and all heads' steps.
struct RankedLayout {
    template <class Kind>
    __host__ __device__ static RankedLayout of(const RankedShape& s) {
        return {s, sizeof(typename Kind::E)};
    }
    __host__ __device__ RankedLayout(const RankedShape& s, std::size_t operand) {
        const std::int64_t entries = s.chunks() - 1;
        states = whole(std::int64_t{s.length} * s.rank * s.headdim * static_cast<std::int64_t>(operand));
        phases = states + whole(entries * s.state * s.headdim * static_cast<std::int64_t>(operand));
        head = phases + whole(entries * s.angles * static_cast<std::int64_t>(sizeof(std::uint32_t)));
        velocities = s.tasks() * head;
        const std::int64_t rows = s.replicas * s.batch * s.length, number = sizeof(float);
        scales = velocities + whole(rows * s.angles * number);
        tables = scales + whole(rows * scales_of_row(s) * number);
        steps = tables + whole(s.replicas * s.heads * HeadTable(s).count * number);
        bytes = steps + whole(s.tasks() * s.length * static_cast<std::int64_t>(sizeof(StripStep)));
    }
    /// [position][B, C][rank][group]
    __host__ __device__ static int scales_of_row(const StateSpaceShape& s) { return 2 * s.rank * s.groups; }
    std::int64_t states, phases, head, velocities, scales, tables, steps, bytes;

private:
    __host__ __device__ static std::int64_t whole(std::int64_t count) { return (count + 31) / 32 * 32; }
};

/// The layer's tensors, and what is made of them for all heads.
template <class S>
struct RankedViews : StateSpaceViews<float, S> {
    View<float> scales{}, table{};
    StripStep* steps = nullptr;  // [task][position]
};

/// The layer's tensors with what the forward pass keeps for all heads.
template <class S>
RankedViews<S> ranked_views(const RankedShape& s, const RankedLayout& layout, const StateSpaceViews<float, S>& in,
                            std::byte* saved) {
    RankedViews<S> views{in};
    const auto rows = [&](std::int64_t offset, std::int64_t columns) {
        return View<float>{reinterpret_cast<float*>(saved + offset), s.batch * s.length * columns, s.length * columns,
                           columns};
    };
    views.velocity = rows(layout.velocities, s.angles);
    views.scales = rows(layout.scales, RankedLayout::scales_of_row(s));
    const int count = HeadTable(s).count;
    views.steps = reinterpret_cast<StripStep*>(saved + layout.steps);
    views.table = {reinterpret_cast<float*>(saved + layout.tables), std::int64_t{s.heads} * count, count, 0};
    return views;
}

/// What a chunk's rows have, one number each; rows of one position the same.
struct RowVectors {
    __host__ __device__ explicit RowVectors(BlockMemory& memory) {
        for (float** vector : {&dt, &gamma, &strength, &head, &tail}) *vector = memory.take<float>(kStripChunk);
    }
    __host__ __device__ void take_turns(BlockMemory& memory, const RankedShape& s) {
        turns = memory.take<std::uint32_t>((kStripChunk >> s.log_rows) * turn_ld(s.state));
        totals = memory.take<std::uint32_t>(kStrips * s.state / 2);
    }
    float *dt, *gamma, *strength;
    float *head, *tail;  // decay from the strip's start up to the row, and behind it to the strip's end
    /// Positions' angles are an odd number apart.
    __host__ __device__ static constexpr int turn_ld(int state) { return state / 2 | 1; }
    // [position, N/2], zero where pairs do not turn: in 2⁻³² of a turn, first from the strip's start, then from the
    // sequence's.
    std::uint32_t* turns = nullptr;
    std::uint32_t* totals = nullptr;  // [strip, S]: of the whole strip
};

/// Two neighbours as they are stored.
template <class S>
__device__ __forceinline__ numerics::Pair<float> load_pair(const S* from) {
    const auto two = load_vector<2>(from);
    return {two.at[0], two.at[1]};
}

}  // namespace whorl::gpu
