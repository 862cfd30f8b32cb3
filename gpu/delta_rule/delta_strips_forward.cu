#include "gpu/delta_rule/delta_strips.cuh"

namespace whorl::gpu {
namespace {

template <class Kind>
struct DeltaStripForward : DeltaStrip<Kind, DeltaStripMemory<Kind>> {
    using Base = DeltaStrip<Kind, DeltaStripMemory<Kind>>;
    using Base::Base;
    using Base::P, Base::kKey, Base::kValue, Base::kKeys, Base::kPanels, Base::kKeyLd, Base::kLd, Base::kColumns;
    using Base::s, Base::in, Base::own, Base::head, Base::begin, Base::m, Base::task;
    using typename Base::S;

    WarpTile<float> state[kPanels][kKeys] = {};  // rows: values, columns: keys

    __device__ __forceinline__ void run(const View<S>& y, float* saved) {
        saved += task * s.saved_count();
        float* const entries = saved + std::int64_t{s.length} * kValue;
        const int chunks = this->chunks();
#pragma unroll 1
        for (int chunk = 0; chunk < chunks; ++chunk) {
            this->enter(chunk);
            prepare();
            __syncwarp();
            squares(chunk > 0);
            __syncwarp();
            solve(saved + std::int64_t{begin} * kValue);
            __syncwarp();
            outputs(y);
            if (!this->last()) {
                advance();
                keep(entries + std::int64_t{chunk} * kKey * kValue);
            }
            __syncwarp();
        }
    }

private:
    WarpTile<float> through[kPanels];  // Sᵀ Qᵀ of the entry state

    __device__ __forceinline__ void prepare() const {
        typename Base::KeyRows q, k;
        ChunkVectors<S, kValue> v;
        q.load(this->row(in.q, 0) + head * kKey, in.q.stride2, m);
        k.load(this->row(in.k, 0) + head * kKey, in.k.stride2, m);
        v.load(this->row(in.v, 0) + head * kValue, in.v.stride2, m);
        this->steps();
        this->normalise(q, Base::q_factor(), own.q, nullptr);
        this->normalise(k, 1, own.k, nullptr);
        v.store_transposed(own.w, kLd, m);
    }

    /// scores; system [j, i] (by columns) = (K Kᵀ ⊙ D)_ij β_j; V - diag(e^Λ) K S; and what the outputs need of S.
    __device__ __forceinline__ void squares(bool with_state) {
        WarpTile<float> keys, queries, by_keys[kPanels];
#pragma unroll
        for (auto& tile : through) tile = {};
#pragma unroll
        for (int n = 0; n < kKeys; ++n) {
            const float *q = own.q + n * kTileColumns, *k = own.k + n * kTileColumns;
            const Right<P> right = right_rows<P>(k, kKeyLd);
            multiply_add(keys, left_rows<P>(k, kKeyLd), right);
            multiply_add(queries, left_rows<P>(q, kKeyLd), right);
            if (!with_state) continue;
            const Right<P> right_q = right_rows<P>(q, kKeyLd);
#pragma unroll
            for (int c = 0; c < kPanels; ++c) {
                const Left<P> left = left_results<P>(state[c][n]);
                multiply_add(by_keys[c], left, right);
                multiply_add(through[c], left, right_q);
            }
        }
        each_pair(keys, [&](int j, int i, int, float first, float second) {
            const auto of = [&](int row, float sum) {
                return row > j ? sum * (own.decays[row * kTableLd + j] * own.beta[j]) : 0;
            };
            store_vector(own.system + j * kLd + i, Vector<float, 2>{of(i, first), of(i + 1, second)});
        });
        each_pair(queries, [&](int i, int j, int, float first, float second) {
            const auto of = [&](int column, float sum) {
                return column < i ? sum * own.decays[i * kTableLd + column] : column == i ? sum : 0;
            };
            store_vector(own.scores + i * kLd + j, Vector<float, 2>{of(j, first), of(j + 1, second)});
        });
        if (!with_state) return;
#pragma unroll
        for (int c = 0; c < kPanels; ++c)
            each_pair(by_keys[c], [&](int p, int i, int, float first, float second) {
                float* const to = own.w + (c * kTileRows + p) * kLd + i;
                auto rest = load_vector<2>(to);
                rest.at[0] = numerics::fma(-own.from_start[i], first, rest.at[0]);
                rest.at[1] = numerics::fma(-own.from_start[i + 1], second, rest.at[1]);
                store_vector(to, rest);
            });
    }

    /// ŵ, which is kept, and β ŵ in its place.
    __device__ __forceinline__ void solve(float* kept) const {
        float x[kColumns][kDeltaChunk];
        Base::each_column([&](int c, int p) { Base::load_row(x[c], own.w + p * kLd); });
#pragma unroll
        for (int j = 0; j + 1 < kDeltaChunk; ++j) {
            float column[kDeltaChunk];
#pragma unroll
            for (int i = 0; i < kDeltaChunk; i += 4) {
                if (i + 3 <= j) continue;
                const auto four = load_vector<4>(own.system + j * kLd + i);
#pragma unroll
                for (int e = 0; e < 4; ++e) column[i + e] = four.at[e];
            }
            Base::each_column([&](int c, int) {
#pragma unroll
                for (int i = 1; i < kDeltaChunk; ++i)
                    if (i > j) x[c][i] = numerics::fma(-column[i], x[c][j], x[c][i]);
            });
        }
        Base::each_column([&](int c, int p) {
#pragma unroll
            for (int i = 0; i < kDeltaChunk; ++i) {
                if (i < m) kept[i * kValue + p] = x[c][i];
                x[c][i] *= own.beta[i];
            }
            Base::store_row(own.w + p * kLd, x[c]);
        });
    }

    __device__ __forceinline__ void outputs(const View<S>& y) {
        const Right<P> right = right_rows<P>(own.scores, kLd);
        S* const to = this->row(y, 0) + head * kValue;
#pragma unroll
        for (int c = 0; c < kPanels; ++c) {
            WarpTile<float>& tile = through[c];
            each_pair(tile, [&](int, int i, int, float& first, float& second) {
                first *= own.from_start[i], second *= own.from_start[i + 1];
            });
            multiply_add(tile, left_rows<P>(own.w + c * kTileRows * kLd, kLd), right);
            each_pair(tile, [&](int p, int i, int, float first, float second) {
                S* const place = to + i * y.stride2 + c * kTileRows + p;
                if (i < m) *place = first;
                if (i + 1 < m) place[y.stride2] = second;
            });
        }
    }

    /// Sᵀ ← e^{Λ_end} Sᵀ + (diag(e^{Λ_end-Λ}) U)ᵀ K.
    __device__ __forceinline__ void advance() {
        const float decay = own.from_start[kDeltaChunk - 1];
#pragma unroll
        for (int c = 0; c < kPanels; ++c) {
            const Left<P> left = left_weighed_rows<P>(own.w + c * kTileRows * kLd, kLd, own.to_end);
#pragma unroll
            for (int n = 0; n < kKeys; ++n) {
                each_pair(state[c][n],
                          [&](int, int, int, float& first, float& second) { first *= decay, second *= decay; });
                multiply_add(state[c][n], left, right_columns<P>(own.k + n * kTileColumns, kKeyLd));
            }
        }
    }
    __device__ __forceinline__ void keep(float* to) {
#pragma unroll
        for (int c = 0; c < kPanels; ++c)
#pragma unroll
            for (int n = 0; n < kKeys; ++n)
                each_pair(state[c][n], [&](int p, int key, int, float first, float second) {
                    float* const place = to + (n * kTileColumns + key) * kValue + c * kTileRows + p;
                    place[0] = first, place[kValue] = second;
                });
    }
};

template <class Kind>
__global__ void __launch_bounds__(32 * kDeltaWarps, Kind::kKey* Kind::kValue > 512 ? 3 : 4)
    delta_strips_forward_kernel(const __grid_constant__ RuleShape s,
                                const __grid_constant__ RuleViews<float, typename Kind::S> in,
                                const __grid_constant__ View<typename Kind::S> y, float* saved) {
    using Memory = DeltaStripMemory<Kind>;
    const HeadOfSequence task = head_of_warp(s);
    if (task.b >= s.batch) return;
    BlockMemory memory = warp_memory<Memory>();
    const Memory own(memory);
    DeltaStripForward<Kind>(s, in, own, task).run(y, saved);
}

}  // namespace

template <class S>
void delta_strips_forward(const CudaBackend& backend, const RuleShape& s, const RuleViews<float, S>& in,
                          const View<S>& y, float* saved) {
    with_delta_kind<S>(s, backend.products(), [&](auto kind) {
        using Kind = decltype(kind);
        launch("gated_delta_forward", delta_strips_forward_kernel<Kind>, delta_grid(s), dim3(32 * kDeltaWarps),
               delta_bytes<DeltaStripMemory<Kind>>(), backend.stream(), s, in, y, saved);
    });
}

template void delta_strips_forward(const CudaBackend&, const RuleShape&, const RuleViews<float, float>&,
                                   const View<float>&, float*);
template void delta_strips_forward(const CudaBackend&, const RuleShape&, const RuleViews<float, Bf16>&,
                                   const View<Bf16>&, float*);

}  // namespace whorl::gpu
