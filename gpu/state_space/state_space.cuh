// The Mamba-3 layer between its projections, and Mamba-2's, which is a special case of it (no rotation, no norms,
// Euler, A per head, no gate): raw projection → Δ, A, λ, θ → B, C normed, biased, rotated → decay scan → skip, norm,
// gate, MIMO mix, in one kernel, one block of threads a head of a sequence. The backward pass is one kernel as well,
// which makes everything again but the scan's output and the states between chunks; what heads share (B, C, θ) and what
// sequences share (small parameters) it leaves as parts, for a second kernel to add in order.
#pragma once

#include "core/backend/backend.hpp"
#include "gpu/runtime/cuda_backend.hpp"
#include "gpu/runtime/sequence_rows.cuh"
#include "gpu/state_space/sizes.cuh"

namespace whorl::gpu {

/// out = norm(y + D x) ⊙ silu(z), normed where the config's outproj_norm says; Mamba-2 has its gate elsewhere.
struct Gate {
    bool on = false;
    OutprojNorm norm = OutprojNorm::none;
};

/// What the layer is, apart from its tensors.
struct StateSpaceShape {
    std::int64_t replicas = 0, batch = 0;
    SequenceRows sequences;  // of the sequences
    int length = 0;          // of a sequence, at most
    int heads = 0, headdim = 0, state = 0, rank = 1, groups = 1;
    int angles = 0;         // that turn; 0 with Rotation::none
    int angle_columns = 0;  // of the projection
    int chunk = 1;
    bool mimo = false, neighbours = true, heavy_tail = false, learned_weight = false;
    bool own_rate = false;       // A of the head, not of the data
    bool carries_input = false;  // a decoding state holds phases and the last B and x besides h
    Rotation rotation = Rotation::none;
    Gate gate;
    __host__ __device__ std::int64_t tasks() const { return replicas * batch * heads; }
    /// Where the rows of a head begin in what heads leave [replica][head][row].
    __host__ __device__ std::int64_t head_rows(std::int64_t r, std::int64_t h) const {
        return (r * heads + h) * batch * length;
    }
    __host__ __device__ int chunks() const { return (length + chunk - 1) / chunk; }

    double fixed_weight = 1, a_floor = 0, epsilon = 0;
};

/// The same as the compiler knows it. A row of a chunk is (position, rank).
template <class Sizes>
struct LayerShape : Known<Sizes, StateSpaceShape> {
    __host__ __device__ int position_of(int row) const { return this->kSingle ? row : row / this->rank; }
    __host__ __device__ int rank_of(int row) const { return this->kSingle ? 0 : row % this->rank; }
    __host__ __device__ int rows() const { return this->chunk * this->rank; }
};

/// Chunk length for a choice of form: one position for the recurrent form; what strips take where they have the layer
/// (state_space_strips.cuh); else the longest of some that fits a multiprocessor's shared memory twice, or once where
/// only short ones would fit twice, or eight rows outside of it. shared_limit: bytes that a block can have.
int choose_chunk(std::int64_t shared_limit, DType dtype, const StateSpaceShape& shape, FormChoice form);

/// Whether there are ranked strips (ranked_strips.cuh) for a layer, and a block of this GPU has room for the forward,
/// and the backward, one.
bool ranked_fit(std::int64_t shared_limit, DType dtype, const StateSpaceShape& shape);
bool ranked_fit_backward(std::int64_t shared_limit, DType dtype, const StateSpaceShape& shape);

OpMemory state_space_memory(const CudaBackend& backend, DType dtype, const StateSpaceShape& shape);
/// Mamba-2 leaves z, da, u, angle, b_bias, … empty.
void state_space_forward(const CudaBackend& backend, const StateSpaceShape& shape, const Mamba3Tensors& in,
                         const Tensor& y, const Tensor& state, std::int64_t position, const Tensor& saved,
                         const Tensor& scratch);
void state_space_backward(const CudaBackend& backend, const StateSpaceShape& shape, const Mamba3Tensors& in,
                          const Tensor& d_y, const Mamba3Tensors& gradient, const Tensor& saved, const Tensor& scratch);

}  // namespace whorl::gpu
