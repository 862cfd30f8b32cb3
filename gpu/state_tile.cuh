// How a decoding kernel walks through a state [rows, columns] in memory once: neighbouring threads have neighbouring
// strips of a row (16 bytes where the addresses allow it), and every thread goes down the rows at a fixed stride, with
// several loads under way before it uses the first.
#pragma once

#include "gpu/launch.cuh"

namespace whorl::gpu {

constexpr int kUpdateThreads = 128;

/// Neighbouring numbers of a row that one thread handles together: four floats, or one number.
template <class T, int Wide>
struct Strip {
    T of[Wide];
};

/// Four floats by one access that says that they will not be needed again soon.
__device__ __forceinline__ float4 load_streaming(const float4* from) {
#ifdef __CUDA_ARCH__
    return __ldcs(from);
#else
    return *from;
#endif
}
__device__ __forceinline__ void store_streaming(float4* to, const float4& four) {
#ifdef __CUDA_ARCH__
    __stcs(to, four);
#else
    *to = four;
#endif
}

template <class T, int Wide>
__device__ __forceinline__ Strip<T, Wide> load_strip(const T* from) {
    if constexpr (sizeof(T) * Wide == sizeof(float4)) {
        const float4 four = load_streaming(reinterpret_cast<const float4*>(from));
        return {four.x, four.y, four.z, four.w};
    } else {
        Strip<T, Wide> strip;
#pragma unroll
        for (int i = 0; i < Wide; ++i) strip.of[i] = from[i];
        return strip;
    }
}
template <class T, int Wide>
__device__ __forceinline__ void store_strip(T* to, const Strip<T, Wide>& strip) {
    if constexpr (sizeof(T) * Wide == sizeof(float4)) {
        store_streaming(reinterpret_cast<float4*>(to), make_float4(strip.of[0], strip.of[1], strip.of[2], strip.of[3]));
    } else {
#pragma unroll
        for (int i = 0; i < Wide; ++i) to[i] = strip.of[i];
    }
}

/// `Count` numbers in shared memory, 16-byte aligned when they are whole groups of four floats.
template <int Count, class T>
__device__ __forceinline__ void load_shared(const T* from, T (&to)[Count]) {
    if constexpr (sizeof(T) == sizeof(float) && Count % 4 == 0) {
#pragma unroll
        for (int i = 0; i < Count; i += 4) {
            const float4 four = *reinterpret_cast<const float4*>(from + i);
            to[i] = four.x, to[i + 1] = four.y, to[i + 2] = four.z, to[i + 3] = four.w;
        }
    } else {
#pragma unroll
        for (int i = 0; i < Count; ++i) to[i] = from[i];
    }
}

/// Which strips of a matrix this thread has: rows stripe, stripe + stripes, … (`count` of them) from column `column`
/// on. `most_columns` is the width that the threads are laid out for, `columns` the width there is.
template <int Wide>
struct StripeOfThread {
    int column, stripe, stripes, count;
    __device__ StripeOfThread(int rows, int columns, int most_columns) {
        const int groups = (most_columns + Wide - 1) / Wide, thread = static_cast<int>(threadIdx.x);
        stripes = stripes_of(rows, most_columns);
        column = thread % groups * Wide;
        stripe = thread / groups;
        count = stripe < stripes && column < columns ? (rows - stripe + stripes - 1) / stripes : 0;
    }
    __host__ __device__ static int stripes_of(int rows, int most_columns) {
        const int fit = kUpdateThreads / ((most_columns + Wide - 1) / Wide);
        return fit < rows ? fit : rows;
    }
    __device__ int row(int index) const { return stripe + index * stripes; }
};

/// body(row, column) for every element of a small matrix, a warp a row.
template <class Body>
__device__ __forceinline__ void each_of_rows(int rows, int columns, const Body& body) {
    for (int row = static_cast<int>(threadIdx.x) / 32; row < rows; row += kUpdateThreads / 32)
        for (int column = static_cast<int>(threadIdx.x) % 32; column < columns; column += 32) body(row, column);
}
/// to[row] ← finish(Σ_column term(row, column)), a warp a row.
template <class T, class Term, class Finish>
__device__ __forceinline__ void sum_rows(int rows, int columns, T* to, const Term& term, const Finish& finish) {
    for (int row = static_cast<int>(threadIdx.x) / 32; row < rows; row += kUpdateThreads / 32) {
        T sum = 0;
        for (int column = static_cast<int>(threadIdx.x) % 32; column < columns; column += 32) sum += term(row, column);
        sum = warp_sum(sum);
        if (threadIdx.x % 32 == 0) to[row] = finish(sum);
    }
}

}  // namespace whorl::gpu
