// The gated delta rule of the usual layers, one head of one sequence by one warp: chunks of 16 positions, sizes that
// the compiler knows. There is no barrier but the warp's own: what is made of a chunk waits in the warp's part of the
// block's memory, the state stays in registers. Formulas: delta_scan.cuh, of which a chunk here is one tile; its system
// is solved, not inverted, a lane having a column of values.
//
// What a lane solves for is kept transposed, [V, 16], as the values are.
#pragma once

#include "gpu/delta_rule/delta_rule_head.cuh"
#include "gpu/runtime/cuda_backend.hpp"
#include "gpu/runtime/head_task.cuh"
#include "gpu/tiles/strip_tile.cuh"

namespace whorl::gpu {

constexpr int kDeltaWarps = 4, kDeltaChunk = kTileRows;
static_assert(kDeltaChunk == 16 && kEighths == 2);  // a lane for a position, half a warp for a chunk

/// Sizes and scalars of one kernel. Stored: what activations are stored in.
template <class Stored, Products Multiplied, int KeySize, int ValueSize>
struct DeltaKind {
    using S = Stored;
    static constexpr Products P = Multiplied;
    static constexpr int kKey = KeySize, kValue = ValueSize;
    static constexpr int kKeys = kKey / kTileColumns, kPanels = kValue / kTileColumns;  // tiles across
    static constexpr int kKeyLd = operand_ld<float>(kKey), kLd = operand_ld<float>(kDeltaChunk);
};

/// Of one warp.
template <class Kind>
struct DeltaStripMemory {
    __host__ __device__ explicit DeltaStripMemory(BlockMemory& memory) {
        for (float** rows : {&q, &k}) *rows = memory.take<float>(kDeltaChunk * Kind::kKeyLd);
        w = memory.take<float>(Kind::kValue * Kind::kLd);
        for (float** square : {&system, &scores}) *square = memory.take<float>(kDeltaChunk * Kind::kLd);
        decays = memory.take<float>(kDeltaChunk * kTableLd);
        for (float** vector : {&beta, &from_start, &to_end}) *vector = memory.take<float>(kDeltaChunk);
    }
    float *q, *k;            // [16,K], normalised
    float* w;                // [V,16]: ŵ
    float *system, *scores;  // [16,16]: K Kᵀ ⊙ D times β; Q Kᵀ ⊙ D
    float* decays;           // D, below the diagonal
    float *beta, *from_start, *to_end;
};

/// All of a chunk's rows, four neighbours of a row each: kLanes lanes have a row, kCount times kAtOnce rows.
template <class S, int Columns>
struct ChunkVectors {
    static constexpr int kLanes = Columns / 4, kAtOnce = 32 / kLanes, kCount = kDeltaChunk / kAtOnce;
    Vector<S, 4> at[kCount];
    __device__ static int row(int i) { return i * kAtOnce + lane_index() / kLanes; }
    __device__ static int column() { return lane_index() % kLanes * 4; }
    /// Rows behind the last of m are the last.
    __device__ __forceinline__ void load(const S* first, std::int64_t stride, int m) {
#pragma unroll
        for (int i = 0; i < kCount; ++i)
            at[i] = *reinterpret_cast<const Vector<S, 4>*>(first + least_of(row(i), m - 1) * stride + column());
    }
    __device__ static float sum_over_row(float value) {
#pragma unroll
        for (int distance = kLanes / 2; distance > 0; distance /= 2)
            value += __shfl_xor_sync(0xffffffffU, value, distance);
        return value;
    }
    /// to[column · ld + row] = the chunk's element, zero behind it.
    __device__ __forceinline__ void store_transposed(float* to, int ld, int m) const {
#pragma unroll
        for (int i = 0; i < kCount; ++i)
#pragma unroll
            for (int e = 0; e < 4; ++e) to[(column() + e) * ld + row(i)] = row(i) < m ? float(at[i].at[e]) : 0;
    }
};

/// What forward and backward share.
template <class Kind, class Memory>
struct DeltaStrip {
    using S = typename Kind::S;
    static constexpr Products P = Kind::P;
    static constexpr int kKey = Kind::kKey, kValue = Kind::kValue, kKeys = Kind::kKeys, kPanels = Kind::kPanels;
    static constexpr int kKeyLd = Kind::kKeyLd, kLd = Kind::kLd;
    using KeyRows = ChunkVectors<S, kKey>;
    /// Columns of values that a lane solves for; with few, half of the lanes have none.
    static constexpr int kColumns = most_of(kValue / 32, 1);

    const RuleShape& s;
    const RuleViews<float, S>& in;
    const Memory& own;
    int r, head, length;
    std::int64_t first_row, task;
    int begin = 0, m = 0;  // of the chunk at hand
    float rate, bias;

    __device__ DeltaStrip(const RuleShape& shape, const RuleViews<float, S>& tensors, const Memory& memory,
                          const HeadOfSequence& place)
        : s(shape),
          in(tensors),
          own(memory),
          r(static_cast<int>(place.r)),
          head(place.h),
          length(shape.sequences.length_of(r, place.b)),
          first_row(shape.sequences.first_row(r, place.b)),
          task(place.index(shape.batch, shape.v_heads)),
          rate(numerics::head_decay_rate(tensors.a_log.at(r)[head])),
          bias(tensors.dt_bias.at(r)[head]) {}

    __device__ int chunks() const { return (length + kDeltaChunk - 1) / kDeltaChunk; }
    __device__ void enter(int chunk) {
        begin = chunk * kDeltaChunk;
        m = least_of(kDeltaChunk, length - begin);
    }
    __device__ bool last() const { return begin + m == length; }
    template <class X>
    __device__ X* row(const View<X>& tensor, int i) const {
        return tensor.row(r, first_row + begin + i);
    }
    __device__ static float q_factor() { return 1 / numerics::sqrt(static_cast<float>(kKey)); }

    /// Lanes 0…15 have the chunk's positions.
    struct Step {
        float a = 0, b = 0, log_decay = 0;
    };
    __device__ __forceinline__ Step steps() const {
        const int i = lane_index();
        Step step;
        float beta = 0;
        if (i < m) {
            step.a = float(row(in.a, i)[head]) + bias;
            step.b = row(in.b, i)[head];
            step.log_decay = rate * numerics::step_size(step.a, 0.0F);
            beta = numerics::write_strength(step.b, s.negative);
        }
        const float up_to = sum_up_to_lane(step.log_decay, kDeltaChunk);
        const float behind = sum_behind_lane(step.log_decay, kDeltaChunk);
        if (i < kDeltaChunk) {
            own.beta[i] = beta;
            own.from_start[i] = numerics::exp(up_to);
            own.to_end[i] = numerics::exp(behind);
        }
        inner_decays(step.log_decay, own.decays);
        return step;
    }
    /// to ← the rows, factor long; inverse, where it is wanted: 1/‖raw row‖. Rows behind the chunk are zero.
    __device__ __forceinline__ void normalise(const KeyRows& raw, float factor, float* to, float* inverse) const {
#pragma unroll
        for (int i = 0; i < KeyRows::kCount; ++i) {
            const int row = KeyRows::row(i);
            Vector<float, 4> values;
            float square = 0;
#pragma unroll
            for (int e = 0; e < 4; ++e) {
                values.at[e] = row < m ? float(raw.at[i].at[e]) : 0;
                square = numerics::fma(values.at[e], values.at[e], square);
            }
            const float scale = numerics::inverse_length(KeyRows::sum_over_row(square));
            if (inverse && KeyRows::column() == 0) inverse[row] = scale;
#pragma unroll
            for (float& value : values.at) value *= factor * scale;
            store_vector(to + row * kKeyLd + KeyRows::column(), values);
        }
    }
    /// body(panel, column of values) for what the lane solves for.
    template <class Body>
    __device__ __forceinline__ static void each_column(const Body& body) {
#pragma unroll
        for (int c = 0; c < kColumns; ++c)
            if (kValue >= 32 || lane_index() < kValue) body(c, lane_index() + 32 * c);
    }
    /// A row of 16 numbers, 16-byte aligned.
    __device__ __forceinline__ static void load_row(float (&x)[kDeltaChunk], const float* from) {
#pragma unroll
        for (int i = 0; i < kDeltaChunk; i += 4) {
            const auto four = load_vector<4>(from + i);
#pragma unroll
            for (int e = 0; e < 4; ++e) x[i + e] = four.at[e];
        }
    }
    __device__ __forceinline__ static void store_row(float* to, const float (&x)[kDeltaChunk]) {
#pragma unroll
        for (int i = 0; i < kDeltaChunk; i += 4)
            store_vector(to + i, Vector<float, 4>{x[i], x[i + 1], x[i + 2], x[i + 3]});
    }
};

/// A warp's turn: a head of a sequence. Grid: (sequences by fours, heads; replicas).
__device__ __forceinline__ HeadOfSequence head_of_warp(const RuleShape& s) {
    const int block = static_cast<int>(blockIdx.x);
    return {blockIdx.y, block / s.v_heads * kDeltaWarps + static_cast<int>(threadIdx.x) / 32, block % s.v_heads};
}
inline dim3 delta_grid(const RuleShape& s) {
    return {grid_size(ceil_div(s.batch, kDeltaWarps) * s.v_heads), grid_size(s.replicas)};
}

/// The warp's part of the block's memory.
template <class Memory>
__device__ BlockMemory warp_memory() {
    BlockMemory measure;
    const Memory one(measure);
    return BlockMemory(dynamic_shared() + static_cast<int>(threadIdx.x) / 32 * measure.used());
}
template <class Memory>
std::size_t delta_bytes() {
    BlockMemory measure;
    const Memory one(measure);
    return static_cast<std::size_t>(kDeltaWarps * measure.used());
}

/// body(Kind{}): the kernel of a layer that delta_strips_fit.
template <class S, class Body>
void with_delta_kind(const RuleShape& s, Products products, const Body& body) {
    with_stored_products<float, S>(products, [&](auto chosen) {
        constexpr Products P = decltype(chosen)::value;
        if (s.key == 16) return body(DeltaKind<S, P, 16, 32>{});
        if (s.key == 64) return body(DeltaKind<S, P, 64, 32>{});
        if (s.panel == 16) return body(DeltaKind<S, P, 32, 16>{});
        body(DeltaKind<S, P, 32, 64>{});
    });
}
/// Whether there are kernels for these sizes: values twice as long as keys, or half as long, as presets have them.
bool delta_strips_fit(std::int64_t shared_limit, DType dtype, const RuleShape& s);

/// y, and what the backward pass needs, laid out in `saved` as RuleShape::saved_count says; a block's kernels read and
/// leave the same.
template <class S>
void delta_strips_forward(const CudaBackend& backend, const RuleShape& s, const RuleViews<float, S>& in,
                          const View<S>& y, float* saved);
/// Writes the gradients of q, k, v, a and b and adds to those of dt_bias and A_log. sums: room for two numbers a task,
/// 8-byte aligned.
template <class S>
void delta_strips_backward(const CudaBackend& backend, const RuleShape& s, const RuleViews<float, S>& in,
                           const View<S>& d_y, const RuleViews<float, S>& gradient, float* sums, const float* saved);

}  // namespace whorl::gpu
