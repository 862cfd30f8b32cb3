// The backward pass of delta_strips.cuh, by a warp as well; formulas: delta_scan_backward.cuh.
#include "gpu/delta_rule/delta_strips.cuh"
#include "gpu/runtime/last_block.cuh"

namespace whorl::gpu {
namespace {

template <class Kind>
struct DeltaStripBackwardMemory : DeltaStripMemory<Kind> {
    __host__ __device__ explicit DeltaStripBackwardMemory(BlockMemory& memory) : DeltaStripMemory<Kind>(memory) {
        for (float** rows : {&d_o, &r}) *rows = memory.take<float>(Kind::kValue * Kind::kLd);
        d_h = memory.take<float>(Kind::kKey * kStateLd);
        for (float** vector : {&q_inverse, &k_inverse, &exit_weight, &entry_weight, &d_exit, &d_entry})
            *vector = memory.take<float>(kDeltaChunk);
    }
    static constexpr int kStateLd = operand_ld<float>(Kind::kValue);
    float *d_o, *r;                     // [V,16]; r: d_u first
    float* d_h;                         // [K,V]: gradient of the state behind the chunk
    float *q_inverse, *k_inverse;       // 1/‖raw row‖
    float *exit_weight, *entry_weight;  // β e^{Λ_end-Λ}, -β e^Λ
    float *d_exit, *d_entry;            // what the decays behind, and before, a position get through the states
};

template <class Kind>
struct DeltaStripBackward : DeltaStrip<Kind, DeltaStripBackwardMemory<Kind>> {
    using Memory = DeltaStripBackwardMemory<Kind>;
    using Base = DeltaStrip<Kind, Memory>;
    using Base::P, Base::kKey, Base::kValue, Base::kKeys, Base::kPanels, Base::kKeyLd, Base::kLd, Base::kColumns;
    using Base::s, Base::in, Base::own, Base::head, Base::begin, Base::m, Base::task, Base::last;
    using typename Base::S, typename Base::Step;
    static constexpr int kStateLd = Memory::kStateLd;

    const View<S>& d_y;
    const RuleViews<float, S>& gradient;
    const float* kept;  // ŵ, and the states on entry to the chunks

    WarpTile<float> d_state[kKeys][kPanels] = {};  // rows: keys, columns: values
    float sum_dt_bias = 0, sum_a_log = 0;          // the lane's share

    __device__ DeltaStripBackward(const RuleShape& shape, const RuleViews<float, S>& tensors, const Memory& memory,
                                  const View<S>& d_out, const RuleViews<float, S>& to, const float* saved,
                                  const HeadOfSequence& place)
        : Base(shape, tensors, memory, place), d_y(d_out), gradient(to), kept(saved + task * shape.saved_count()) {}

    __device__ __forceinline__ void run() {
#pragma unroll 1
        for (int chunk = this->chunks() - 1; chunk >= 0; --chunk) {
            this->enter(chunk);
            const Step step = prepare();
            __syncwarp();
            squares();
            __syncwarp();
            write_gradient();
            __syncwarp();
            const float d_beta = solve_backward();
            __syncwarp();
            masked_products();
            const float crossing = crossings(own.decays);  // of lane's position; begins and ends with the warp together
            const float* entry =
                chunk > 0 ? kept + std::int64_t{s.length} * kValue + std::int64_t{chunk - 1} * kKey * kValue : nullptr;
            const float through = entry && !last() ? state_through(entry) : 0;
            rows(entry);
            __syncwarp();  // the gradient of the state behind is read no more
            if (entry) {
                state_gradient();
                store_gradient();
            }
            steps_backward(step, d_beta, crossing, through);
            __syncwarp();
        }
    }

private:
    __device__ __forceinline__ Step prepare() const {
        typename Base::KeyRows q, k;
        ChunkVectors<S, kValue> d_o;
        ChunkVectors<float, kValue> w;
        q.load(this->row(in.q, 0) + head * kKey, in.q.stride2, m);
        k.load(this->row(in.k, 0) + head * kKey, in.k.stride2, m);
        d_o.load(this->row(d_y, 0) + head * kValue, d_y.stride2, m);
        w.load(kept + std::int64_t{begin} * kValue, kValue, m);
        const Step step = this->steps();
        const int i = lane_index();
        if (i < kDeltaChunk) {
            own.exit_weight[i] = own.beta[i] * own.to_end[i];
            own.entry_weight[i] = -own.beta[i] * own.from_start[i];
            own.d_exit[i] = 0;
        }
        this->normalise(q, Base::q_factor(), own.q, own.q_inverse);
        this->normalise(k, 1, own.k, own.k_inverse);
        d_o.store_transposed(own.d_o, kLd, m);
        w.store_transposed(own.w, kLd, m);
        return step;
    }

    /// scores; system [i, j] = β_i (K Kᵀ ⊙ D)_ij.
    __device__ __forceinline__ void squares() const {
        WarpTile<float> keys, queries;
#pragma unroll
        for (int n = 0; n < kKey; n += kTileColumns) {
            const Right<P> right = right_rows<P>(own.k + n, kKeyLd);
            multiply_add(keys, left_rows<P>(own.k + n, kKeyLd), right);
            multiply_add(queries, left_rows<P>(own.q + n, kKeyLd), right);
        }
        const auto store = [&](WarpTile<float>& tile, float* to, bool diagonal, const auto& weight) {
            each_pair(tile, [&](int i, int j, int, float first, float second) {
                const auto of = [&](int column, float sum) {
                    return column < i                ? sum * (own.decays[i * kTableLd + column] * weight(i))
                           : column == i && diagonal ? sum
                                                     : 0;
                };
                store_vector(to + i * kLd + j, Vector<float, 2>{of(j, first), of(j + 1, second)});
            });
        };
        store(keys, own.system, false, [&](int i) { return own.beta[i]; });
        store(queries, own.scores, true, [&](int) { return 1.0F; });
    }

    /// d_uᵀ = d_Oᵀ scores + (diag(e^{Λ_end-Λ}) K d_S)ᵀ, to r; what the decays get through the state behind.
    __device__ __forceinline__ void write_gradient() const {
        const Right<P> scores = right_columns<P>(own.scores, kLd);
        float exit[kEighths][2] = {};
#pragma unroll 1
        for (int c = 0; c < kPanels; ++c) {
            const float* const w = own.w + c * kTileRows * kLd;
            WarpTile<float> tile;
            if (!last()) {
#pragma unroll
                for (int n = 0; n < kKey; n += kTileColumns)
                    multiply_add(tile, left_columns<P>(own.d_h + n * kStateLd + c * kTileColumns, kStateLd),
                                 right_rows<P>(own.k + n, kKeyLd));
                each_pair(tile, [&](int p, int i, int, float& first, float& second) {
                    const auto values = load_vector<2>(w + p * kLd + i);
                    float(&sum)[2] = exit[i / 8];
                    sum[0] = numerics::fma(values.at[0], first, sum[0]);
                    sum[1] = numerics::fma(values.at[1], second, sum[1]);
                    first *= own.to_end[i], second *= own.to_end[i + 1];
                });
            }
            multiply_add(tile, left_rows<P>(own.d_o + c * kTileRows * kLd, kLd), scores);
            float* const to = own.r + c * kTileRows * kLd;
            each_pair(tile, [&](int p, int i, int, float first, float second) {
                store_vector(to + p * kLd + i, Vector<float, 2>{first, second});
            });
        }
        if (last()) return;
        float columns[2 * kEighths] = {exit[0][0], exit[0][1], exit[1][0], exit[1][1]};
        sums_over_warp<2 * kEighths, 4>(columns);
        const int column = (lane_index() >> 3) & 3, i = 8 * (column / 2) + 2 * lane_place() + column % 2;
        if ((lane_index() & 4) == 0) own.d_exit[i] = own.exit_weight[i] * columns[0];
    }

    /// r = Yᵀ d_u and the gradient of v; returns that of β of position lane / 2.
    __device__ __forceinline__ float solve_backward() const {
        float x[kColumns][kDeltaChunk], d_beta[kDeltaChunk] = {};
        Base::each_column([&](int c, int p) { Base::load_row(x[c], own.r + p * kLd); });
#pragma unroll
        for (int i = kDeltaChunk - 1; i > 0; --i) {
            float row[kDeltaChunk];
#pragma unroll
            for (int j = 0; j < i; j += 4) {
                const auto four = load_vector<4>(own.system + i * kLd + j);
#pragma unroll
                for (int e = 0; e < 4; ++e) row[j + e] = four.at[e];
            }
            Base::each_column([&](int c, int) {
#pragma unroll
                for (int j = 0; j < i; ++j) x[c][j] = numerics::fma(-row[j], x[c][i], x[c][j]);
            });
        }
        S* const to = this->row(gradient.v, 0) + head * kValue;
        Base::each_column([&](int c, int p) {
            float w[kDeltaChunk];
            Base::load_row(w, own.w + p * kLd);
#pragma unroll
            for (int i = 0; i < kDeltaChunk; ++i) {
                if (i < m) to[i * gradient.v.stride2 + p] = own.beta[i] * x[c][i];
                d_beta[i] = numerics::fma(w[i], x[c][i], d_beta[i]);
            }
            Base::store_row(own.r + p * kLd, x[c]);
        });
        return sums_over_warp(d_beta);
    }

    /// Gradients of Q Kᵀ in the place of scores, of K Kᵀ and its transpose in that of the system, of the decays between
    /// pairs in the table's.
    __device__ __forceinline__ void masked_products() const {
        WarpTile<float> by_scores, by_system;
#pragma unroll 1
        for (int p = 0; p < kValue; p += kTileRows) {
            const Right<P> right = right_columns<P>(own.w + p * kLd, kLd);
            multiply_add(by_scores, left_columns<P>(own.d_o + p * kLd, kLd), right);
            multiply_add(by_system, left_columns<P>(own.r + p * kLd, kLd), right);
        }
#pragma unroll
        for (int n = 0; n < kEighths; ++n)
#pragma unroll
            for (int x = 0; x < 4; ++x) {
                const int i = lane_row() + x / 2 * 8, j = 8 * n + 2 * lane_place() + x % 2, at = i * kLd + j;
                const float d_score = by_scores.sum[n][x], d_system = by_system.sum[n][x], strength = own.beta[j];
                float* const decay = own.decays + i * kTableLd + j;
                if (j < i) {
                    const float pair = numerics::fma(d_score, own.scores[at], -(d_system * own.system[at]));
                    const float weight = strength * *decay;
                    own.scores[at] = d_score * weight;
                    own.system[at] = own.system[j * kLd + i] = -d_system * (own.beta[i] * weight);
                    *decay = pair * strength;
                } else if (j == i) {
                    own.scores[at] = d_score * strength;
                    own.system[at] = 0;
                }
            }
    }
    /// e^{Λ_end} times the product of the entry state with the gradient of the state behind.
    __device__ __forceinline__ float state_through(const float* entry) {
        float inner = 0;
#pragma unroll
        for (int n = 0; n < kKeys; ++n)
#pragma unroll
            for (int c = 0; c < kPanels; ++c)
                each_pair(d_state[n][c], [&](int key, int p, int, float first, float second) {
                    const auto state = load_vector<2>(entry + (n * kTileRows + key) * kValue + c * kTileColumns + p);
                    inner = numerics::fma(state.at[0], first, numerics::fma(state.at[1], second, inner));
                });
        return own.from_start[kDeltaChunk - 1] * warp_sum(inner);
    }

    /// A row's part along itself, of its queries or keys, that the normalisation takes off.
    struct Along {
        float sum[2] = {};
        __device__ __forceinline__ void add(WarpTile<float>& d, const float* rows, int n) {
            each_pair(d, [&](int i, int column, int half, float first, float second) {
                const auto row = load_vector<2>(rows + i * kKeyLd + n + column);
                sum[half] = numerics::fma(row.at[0], first, numerics::fma(row.at[1], second, sum[half]));
            });
        }
        __device__ __forceinline__ void add_lanes() {
            for (float& half : sum) half = tile_row_sum(half);
        }
    };

    /// Gradients of queries and keys:
    ///     d_Q = e^Λ ⊙ (d_O Sᵀ) + d_scores K
    ///     d_K = -β e^Λ ⊙ (R Sᵀ) + (d_keys + d_keysᵀ) K + β e^{Λ_end-Λ} ⊙ (Ŵ d_Sᵀ) + d_scoresᵀ Q
    /// and of the raw rows, of which they are the directions.
    __device__ __forceinline__ void rows(const float* entry) {
        WarpTile<float> d_q[kKeys], d_k[kKeys];
        Along of_entry, along_q, along_k;
#pragma unroll
        for (int tile = 0; tile < kKeys; ++tile) {
            const int n = tile * kTileColumns;
            if (entry) {
#pragma unroll
                for (int p = 0; p < kValue; p += kTileColumns) {
                    const Right<P> states = right_rows_from<P>(entry + n * kValue + p, kValue);
                    multiply_add(d_q[tile], left_columns<P>(own.d_o + p * kLd, kLd), states);
                    multiply_add(d_k[tile], left_columns<P>(own.r + p * kLd, kLd), states);
                }
                weigh(d_q[tile], own.from_start);
                weigh(d_k[tile], own.entry_weight);
                of_entry.add(d_q[tile], own.q, n);
                of_entry.add(d_k[tile], own.k, n);
            }
            if (!last()) {
                WarpTile<float> exit;
#pragma unroll
                for (int p = 0; p < kValue; p += kTileColumns)
                    multiply_add(exit, left_columns<P>(own.w + p * kLd, kLd),
                                 right_rows<P>(own.d_h + n * kStateLd + p, kStateLd));
                weigh(exit, own.exit_weight);
#pragma unroll
                for (int e = 0; e < kEighths; ++e)
#pragma unroll
                    for (int x = 0; x < 4; ++x) d_k[tile].sum[e][x] += exit.sum[e][x];
            }
            const Right<P> keys = right_columns<P>(own.k + n, kKeyLd);
            multiply_add(d_q[tile], left_rows<P>(own.scores, kLd), keys);
            multiply_add(d_k[tile], left_rows<P>(own.system, kLd), keys);
            multiply_add(d_k[tile], left_columns<P>(own.scores, kLd), right_columns<P>(own.q + n, kKeyLd));
            along_q.add(d_q[tile], own.q, n);
            along_k.add(d_k[tile], own.k, n);
        }
        of_entry.add_lanes();
        if (lane_place() == 0)
            for (int half = 0; half < 2; ++half) own.d_entry[lane_row() + 8 * half] = of_entry.sum[half];
        along_q.add_lanes();
        along_k.add_lanes();
        leave_rows(d_q, along_q, Base::q_factor(), own.q, own.q_inverse, gradient.q);
        leave_rows(d_k, along_k, 1, own.k, own.k_inverse, gradient.k);
    }
    __device__ __forceinline__ static void weigh(WarpTile<float>& tile, const float* weights) {
        each_pair(tile,
                  [&](int i, int, int, float& first, float& second) { first *= weights[i], second *= weights[i]; });
    }
    /// Through row = raw · factor / ‖raw‖.
    __device__ __forceinline__ void leave_rows(WarpTile<float> (&d)[kKeys], const Along& along, float factor,
                                               const float* rows, const float* inverse, const View<S>& to) const {
        S* const gradients = this->row(to, 0) + head * kKey;
#pragma unroll
        for (int tile = 0; tile < kKeys; ++tile)
            each_pair(d[tile], [&](int i, int column, int half, float first, float second) {
                if (i >= m) return;
                const int n = tile * kTileColumns + column;
                const auto row = load_vector<2>(rows + i * kKeyLd + n);
                const float pull = along.sum[half] / factor, scale = inverse[i];
                store_vector(gradients + i * to.stride2 + n,
                             Vector<float, 2>{scale * numerics::fma(factor, first, -(pull * row.at[0])),
                                              scale * numerics::fma(factor, second, -(pull * row.at[1]))});
            });
    }

    /// d_S ← e^{Λ_end} d_S + (diag(e^Λ) Q)ᵀ d_O - (diag(β e^Λ) K)ᵀ R.
    __device__ __forceinline__ void state_gradient() {
        const float decay = own.from_start[kDeltaChunk - 1];
#pragma unroll
        for (int n = 0; n < kKeys; ++n) {
            const Left<P> queries = left_weighed_columns<P>(own.q + n * kTileRows, kKeyLd, own.from_start);
            const Left<P> keys = left_weighed_columns<P>(own.k + n * kTileRows, kKeyLd, own.entry_weight);
#pragma unroll
            for (int c = 0; c < kPanels; ++c) {
                WarpTile<float>& tile = d_state[n][c];
                each_pair(tile, [&](int, int, int, float& first, float& second) { first *= decay, second *= decay; });
                multiply_add(tile, queries, right_rows<P>(own.d_o + c * kTileColumns * kLd, kLd));
                multiply_add(tile, keys, right_rows<P>(own.r + c * kTileColumns * kLd, kLd));
            }
        }
    }
    __device__ __forceinline__ void store_gradient() {
#pragma unroll
        for (int n = 0; n < kKeys; ++n)
#pragma unroll
            for (int c = 0; c < kPanels; ++c)
                each_pair(d_state[n][c], [&](int key, int p, int, float first, float second) {
                    store_vector(own.d_h + (n * kTileRows + key) * kStateLd + c * kTileColumns + p,
                                 Vector<float, 2>{first, second});
                });
    }

    /// Lane i: gradients of position i's a and b. A step's decay weighs the pairs it lies between, the outputs at or
    /// behind it (through the entry state), what was written before it into the exit state, and the whole way.
    __device__ __forceinline__ void steps_backward(const Step& step, float d_beta, float crossing, float through) {
        const int i = lane_index();
        const float exits = sum_up_to_lane(i < kDeltaChunk ? own.d_exit[i] : 0, kDeltaChunk);
        const float before = __shfl_up_sync(0xffffffffU, exits, 1, kDeltaChunk);
        const float entries = sum_from_lane(i < kDeltaChunk ? own.d_entry[i] : 0, kDeltaChunk);
        d_beta = __shfl_sync(0xffffffffU, d_beta, 2 * i % 32);
        if (i >= m) return;
        const float d_log_decay = through + crossing + (i > 0 ? before : 0) + entries;
        const float d_a = d_log_decay * this->rate * numerics::sigmoid(step.a);
        this->row(gradient.a, i)[head] = d_a;
        this->row(gradient.b, i)[head] = d_beta * (s.negative ? 2.0F : 1.0F) * numerics::sigmoid_derivative(step.b);
        sum_dt_bias += d_a;
        sum_a_log = numerics::fma(d_log_decay, step.log_decay, sum_a_log);
    }
};

/// The gradients of dt_bias and A_log: the block that finishes the last of a head's sequences adds what all of them
/// left.
template <class S>
__device__ void add_head_sums(const RuleShape& s, const float2* sums, int r, int head, unsigned* tickets,
                              const RuleViews<float, S>& gradient) {
    const auto count = static_cast<int>(s.batch);
    if (!last_to_arrive(tickets + r * s.v_heads + head, gridDim.x / static_cast<unsigned>(s.v_heads))) return;
    if (threadIdx.x >= 32) return;
    float2 total{};
    for (int b = lane_index(); b < count; b += 32) {
        const float2 one = __ldcg(sums + (r * s.batch + b) * s.v_heads + head);
        total.x += one.x, total.y += one.y;
    }
    total.x = warp_sum(total.x), total.y = warp_sum(total.y);
    if (lane_index() != 0) return;
    gradient.dt_bias.at(r)[head] += total.x;
    gradient.a_log.at(r)[head] += total.y;
}

/// Blocks that share a multiprocessor's memory.
template <class Kind>
constexpr int kBackwardBlocks = Kind::kKey* Kind::kValue > 512 ? 1 : 3;

template <class Kind>
__global__ void __launch_bounds__(32 * kDeltaWarps, kBackwardBlocks<Kind>)
    delta_strips_backward_kernel(const __grid_constant__ RuleShape s,
                                 const __grid_constant__ RuleViews<float, typename Kind::S> in,
                                 const __grid_constant__ View<typename Kind::S> d_y,
                                 const __grid_constant__ RuleViews<float, typename Kind::S> gradient, float2* sums,
                                 const float* saved, unsigned* tickets) {
    using Memory = DeltaStripBackwardMemory<Kind>;
    const HeadOfSequence task = head_of_warp(s);
    if (task.b < s.batch) {
        BlockMemory memory = warp_memory<Memory>();
        const Memory own(memory);
        DeltaStripBackward<Kind> head(s, in, own, d_y, gradient, saved, task);
        head.run();
        const float d_bias = warp_sum(head.sum_dt_bias), d_a_log = warp_sum(head.sum_a_log);
        if (lane_index() == 0) sums[head.task] = make_float2(d_bias, d_a_log);
    }
    add_head_sums(s, sums, static_cast<int>(task.r), task.h, tickets, gradient);
}

}  // namespace

bool delta_strips_fit(std::int64_t shared_limit, DType dtype, const RuleShape& s) {
    const bool sizes = (s.key == 16 && s.panel == 32) || (s.key == 32 && (s.panel == 16 || s.panel == 64)) ||
                       (s.key == 64 && s.panel == 32);
    if (dtype == DType::f64 || !sizes || s.panels > 1 || s.heads != s.v_heads) return false;
    std::size_t bytes = 0;
    with_delta_kind<float>(s, Products::float32,
                           [&](auto kind) { bytes = delta_bytes<DeltaStripBackwardMemory<decltype(kind)>>(); });
    return static_cast<std::int64_t>(bytes) <= shared_limit;
}

template <class S>
void delta_strips_backward(const CudaBackend& backend, const RuleShape& s, const RuleViews<float, S>& in,
                           const View<S>& d_y, const RuleViews<float, S>& gradient, float* sums, const float* saved) {
    with_delta_kind<S>(s, backend.products(), [&](auto kind) {
        using Kind = decltype(kind);
        launch("gated_delta_backward", delta_strips_backward_kernel<Kind>, delta_grid(s), dim3(32 * kDeltaWarps),
               delta_bytes<DeltaStripBackwardMemory<Kind>>(), backend.stream(), s, in, d_y, gradient,
               reinterpret_cast<float2*>(sums), saved, backend.tickets(s.replicas * s.v_heads));
    });
}

template void delta_strips_backward(const CudaBackend&, const RuleShape&, const RuleViews<float, float>&,
                                    const View<float>&, const RuleViews<float, float>&, float*, const float*);
template void delta_strips_backward(const CudaBackend&, const RuleShape&, const RuleViews<float, Bf16>&,
                                    const View<Bf16>&, const RuleViews<float, Bf16>&, float*, const float*);

}  // namespace whorl::gpu
