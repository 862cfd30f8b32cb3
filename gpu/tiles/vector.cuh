// Neighbouring elements of a row moved at once: 16 bytes of what is computed in (half of that where they are stored in
// bf16) where all rows of all tensors allow it, one element elsewhere.
#pragma once

#include <cstdint>
#include <type_traits>

#include "gpu/runtime/launch.cuh"

namespace whorl::gpu {

template <class T, int Width>
struct alignas(sizeof(T) * Width) Vector {
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

template <int Width>
__device__ __forceinline__ Vector<float, Width> load_vector(const Bf16* from) {
    const auto stored = *reinterpret_cast<const Vector<Bf16, Width>*>(from);
    Vector<float, Width> vector;
#pragma unroll
    for (int i = 0; i < Width; ++i) vector.at[i] = stored.at[i];
    return vector;
}
template <int Width>
__device__ __forceinline__ void store_vector(Bf16* to, const Vector<float, Width>& vector) {
    Vector<Bf16, Width> stored;
#pragma unroll
    for (int i = 0; i < Width; ++i) stored.at[i] = vector.at[i];
    *reinterpret_cast<Vector<Bf16, Width>*>(to) = stored;
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
