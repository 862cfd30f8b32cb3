// Causal softmax attention: what comes before its kernels, and who has them.
#include <algorithm>

#include "gpu/attention/attention.cuh"

namespace whorl::gpu {
namespace {

template <class T>
__global__ void angle_kernel(T* sin, T* cos, std::int64_t first, int count, int half) {
    const int index = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    if (index >= count * half) return;
    const auto turn = numerics::sincos(numerics::rope_angle<T>(first + index / half, index % half, half));
    sin[index] = turn.sin;
    cos[index] = turn.cos;
}

template <class T>
AngleTables<T> make_angles(cudaStream_t stream, const AttentionShape& s, const Tensor& scratch, std::int64_t first) {
    MemoryParts parts(scratch.data);
    const AngleTables<T> tables(parts, s);
    if (s.rope && s.half() > 0)
        launch("attention", angle_kernel<T>, dim3(grid_size(ceil_div(std::int64_t{s.length} * s.half(), 256))),
               dim3(256), 0, stream, tables.sin, tables.cos, first, s.length, s.half());
    return tables;
}

/// Puts the new keys, turned, and values behind those that the cache holds.
template <class T>
struct FillCache {
    AttentionShape s;
    View<T> qkv, cache;
    const T *sin, *cos;
    __device__ void operator()(unsigned r, std::int64_t row, int column) const {
        const std::int64_t b = row / s.length;
        const int t = static_cast<int>(row % s.length), c = column % s.k, half = s.rope ? s.half() : 0;
        const T *key = qkv.at(r, b, t) + s.width() + (column - c), *value = key + s.width();
        T* to = cache.at(r, b, s.earlier + t);
        T turned = key[c];
        if (c < 2 * half) {
            const int j = c % half;
            const std::int64_t at = std::int64_t{t} * half + j;
            const auto pair = numerics::rotate<T>({key[j], key[half + j]}, cos[at], sin[at]);
            turned = c < half ? pair.x : pair.y;
        }
        to[column] = turned;
        to[s.width() + column] = value[c];
    }
};

}  // namespace

OpMemory CudaBackend::attention_memory(const AttentionConfig& config, const Tensor& qkv, std::int64_t capacity) {
    const AttentionShape s(config, qkv, 0);
    OpMemory memory;
    const bool flash = flash_may_take(*this, qkv.dtype, s);
    if (flash) memory = flash_memory(qkv.dtype, s, capacity);
    if (!flash || s.length <= kOneTile)
        memory.scratch = std::max(memory.scratch, any_head_scratch(*this, qkv.dtype, s, capacity));
    return memory;
}

void CudaBackend::attention_forward(const AttentionConfig& config, const Tensor& qkv, const Tensor& y,
                                    const Tensor& cache, std::int64_t position, const Tensor& saved,
                                    const Tensor& scratch) {
    const AttentionCall call{AttentionShape(config, qkv, cache ? position : 0), qkv, y, {}, {}, cache, saved, scratch};
    const AttentionShape& s = call.shape;
    dispatch_stored(qkv.dtype, [&](auto scalar, auto stored) {
        using T = decltype(scalar);
        const AngleTables<T> angles = make_angles<T>(stream_, s, scratch, position);
        if constexpr (std::is_same_v<T, decltype(stored)>)  // what is cached is not stored in bf16
            if (cache)
                for_each_element("attention_forward", stream_, s.replicas, s.sequences, s.width(),
                                 FillCache<T>{s, view<T>(qkv), view<T>(cache), angles.sin, angles.cos});
    });
    flash_takes(*this, call) ? flash_forward(*this, call) : any_head_forward(*this, call);
}

void CudaBackend::attention_backward(const AttentionConfig& config, const Tensor& qkv, const Tensor& y,
                                     const Tensor& d_y, const Tensor& d_qkv, const Tensor& saved,
                                     const Tensor& scratch) {
    const AttentionCall call{AttentionShape(config, qkv, 0), qkv, y, d_y, d_qkv, {}, saved, scratch};
    dispatch(qkv.dtype, [&](auto scalar) { make_angles<decltype(scalar)>(stream_, call.shape, scratch, 0); });
    flash_takes(*this, call) ? flash_backward(*this, call) : any_head_backward(*this, call);
}

}  // namespace whorl::gpu
