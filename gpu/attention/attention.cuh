// Causal softmax attention: shapes, the tables of angles, and which of two families of kernels does the work.
//
// flash_*      heads of 32, 64 or 128 channels: everything in tiles of the matrix units, from registers
//              (flash_tile.cuh)
// any_head_*   everything else: other heads, float64, decoding, and sequences so short that they are faster there
#pragma once

#include "core/numerics/rotation.hpp"
#include "gpu/runtime/cuda_backend.hpp"
#include "gpu/runtime/head_task.cuh"
#include "gpu/runtime/launch.cuh"

namespace whorl::gpu {

/// A sequence of so many positions is one tile of the kernels for any head. They keep its weights in the block's memory
/// and read floats where they are: in float32 and TF32 a training step is faster with them (2 to 9 % at 64 positions on
/// an H200), by bf16 products slower (2 to 14 %). kShort: the first length with which the latter was measured.
constexpr int kOneTile = 64, kShort = 17;

struct AttentionShape {
    AttentionShape(const AttentionConfig& c, const Tensor& qkv, std::int64_t earlier_keys)
        : replicas(qkv.replicas()),
          batch(qkv.shape[1]),
          sequences(qkv),
          length(static_cast<int>(qkv.shape[2])),
          heads(static_cast<int>(c.num_heads)),
          k(static_cast<int>(c.head_dim)),
          earlier(static_cast<int>(earlier_keys)),
          rope(c.positions == Positions::rope) {}

    std::int64_t replicas, batch;
    SequenceRows sequences;
    int length;             // of a sequence, at most
    int heads, k, earlier;  // earlier: keys in the cache, before the first query
    bool rope;
    __host__ __device__ int width() const { return heads * k; }
    __host__ __device__ int half() const { return k / 2; }
    __host__ __device__ std::int64_t all_heads() const { return replicas * batch * heads; }
};

/// Rows of one head: [rows,K], elements between two of them.
template <class E>
struct HeadRows {
    const E* data;
    std::int64_t stride;
    __device__ __forceinline__ const E* row(int i) const { return data + i * stride; }
};

/// Hands out the parts of an operation's scratch or saved memory, or measures them.
class MemoryParts {
public:
    explicit MemoryParts(std::byte* base) : base_(base) {}
    template <class E>
    E* take(std::int64_t count) {
        std::byte* part = base_ + bytes_;
        bytes_ += (count * static_cast<std::int64_t>(sizeof(E)) + kAlignment - 1) / kAlignment * kAlignment;
        return reinterpret_cast<E*>(part);
    }
    std::int64_t bytes() const { return bytes_; }

private:
    std::byte* base_;
    std::int64_t bytes_ = 0;
};

/// sin and cos of the angles by which a call's positions turn the pairs of a head: [L, K/2]. They come first in the
/// scratch memory of either family of kernels.
template <class T>
struct AngleTables {
    AngleTables(MemoryParts& parts, const AttentionShape& s)
        : sin(parts.take<T>(s.rope ? std::int64_t{s.length} * s.half() : 0)),
          cos(parts.take<T>(s.rope ? std::int64_t{s.length} * s.half() : 0)) {}
    T *sin, *cos;
};

/// Tensors of one call; absent ones are empty. The angles are there, and the cache has the new keys and values.
struct AttentionCall {
    AttentionShape shape;
    Tensor qkv, y = {}, d_y = {}, d_qkv = {}, cache = {}, saved = {}, scratch = {};
};

std::int64_t any_head_scratch(const CudaBackend& backend, DType dtype, const AttentionShape& s, std::int64_t capacity);
void any_head_forward(const CudaBackend& backend, const AttentionCall& call);
void any_head_backward(const CudaBackend& backend, const AttentionCall& call);

/// Whether the flash kernels do it, and whether they would by some products.
bool flash_takes(const CudaBackend& backend, const AttentionCall& call);
bool flash_may_take(const CudaBackend& backend, DType dtype, const AttentionShape& s);
OpMemory flash_memory(DType stored, const AttentionShape& s, std::int64_t capacity);
void flash_forward(const CudaBackend& backend, const AttentionCall& call);
void flash_backward(const CudaBackend& backend, const AttentionCall& call);

}  // namespace whorl::gpu
