// Neighbouring elements of a row moved at once: 16 bytes of what is computed in (half of that where they are stored in
// bf16) where all rows of all tensors allow it, one element elsewhere.
#pragma once

#include <cstdint>
#include <type_traits>

#include "gpu/runtime/launch.cuh"

namespace whorl::gpu {

template <class T, int Width>
struct alignas(sizeof(T) * Width < 16 ? sizeof(T) * Width : 16) Vector {
    T at[Width];
};

template <int Width, class T>
__device__ __forceinline__ Vector<T, Width> load_vector(const T* from) {
    return *reinterpret_cast<const Vector<T, Width>*>(from);
}
template <class T, int Width>
__device__ __forceinline__ void store_vector(T* to, const Vector<T, Width>& vector) {
    *reinterpret_cast<Vector<T, Width>*>(to) = vector;
}

/// Two numbers as one register of bf16, `first` in the lower half.
__device__ __forceinline__ std::uint32_t to_bf16_pair(float first, float second) {
#if __CUDA_ARCH__ >= 800
    std::uint32_t pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
    return pair;
#else
    return std::uint32_t{Bf16(first).bits} | std::uint32_t{Bf16(second).bits} << 16;
#endif
}
/// Of bf16, two to a register: numbers of 16 bits would be moved one by one.
template <int Width>
__device__ __forceinline__ Vector<float, Width> load_vector(const Bf16* from) {
    Vector<float, Width> vector;
    if constexpr (Width % 2 == 0) {
        const auto stored = *reinterpret_cast<const Vector<std::uint32_t, Width / 2>*>(from);
#pragma unroll
        for (int i = 0; i < Width / 2; ++i) {
            vector.at[2 * i] = __uint_as_float(stored.at[i] << 16);
            vector.at[2 * i + 1] = __uint_as_float(stored.at[i] & 0xffff0000U);
        }
    } else {
#pragma unroll
        for (int i = 0; i < Width; ++i) vector.at[i] = from[i];
    }
    return vector;
}
template <int Width>
__device__ __forceinline__ void store_vector(Bf16* to, const Vector<float, Width>& vector) {
    if constexpr (Width % 2 == 0) {
        Vector<std::uint32_t, Width / 2> stored;
#pragma unroll
        for (int i = 0; i < Width / 2; ++i) stored.at[i] = to_bf16_pair(vector.at[2 * i], vector.at[2 * i + 1]);
        *reinterpret_cast<Vector<std::uint32_t, Width / 2>*>(to) = stored;
    } else {
#pragma unroll
        for (int i = 0; i < Width; ++i) to[i] = vector.at[i];
    }
}

/// Whether every row of the tensor (an absent one has none) starts at a multiple of `width` elements and ends with one.
inline bool in_groups(const Tensor& x, std::int64_t width) {
    if (!x) return true;
    return reinterpret_cast<std::uintptr_t>(x.data) % (static_cast<std::size_t>(width) * size_of(x.dtype)) == 0 &&
           x.features() % width == 0 && x.stride[0] % width == 0 && x.stride[1] % width == 0 &&
           x.stride[2] % width == 0;
}
inline bool in_vectors(const Tensor& x) {
    return in_groups(x, x.dtype == DType::f64 ? 2 : 4);
}

/// Calls body(std::integral_constant<int, width>): 16 bytes of T, or one element.
template <class T, class Body>
void dispatch_width(bool vectors, const Body& body) {
    if (vectors)
        body(std::integral_constant<int, 16 / static_cast<int>(sizeof(T))>{});
    else
        body(std::integral_constant<int, 1>{});
}

}  // namespace whorl::gpu
