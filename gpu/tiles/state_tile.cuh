// How a decoding kernel walks through a state [rows, columns] in memory once: neighbouring threads have neighbouring
// strips of a row (16 bytes where the addresses allow it), and every thread goes down the rows at a fixed stride.
// Before anything else is done it starts copies of its strips to shared memory: so much of the state is under way that
// nothing else needs to be fast.
#pragma once

#include "gpu/runtime/launch.cuh"
#include "gpu/tiles/panel.cuh"

namespace whorl::gpu {

constexpr int kUpdateThreads = 128;

/// Neighbouring numbers of a row that one thread handles together: four floats, or one number.
template <class T, int Wide>
struct Strip {
    T of[Wide];
};

template <class T, int Wide>
__device__ __forceinline__ void store_strip(T* to, const Strip<T, Wide>& strip) {
    if constexpr (sizeof(T) * Wide == sizeof(float4)) {
        *reinterpret_cast<float4*>(to) = make_float4(strip.of[0], strip.of[1], strip.of[2], strip.of[3]);
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

/// How a matrix of `rows`, a multiple of Wide, and at most `columns` is laid out over a block's threads. Made on the
/// host: divisions were a tenth of an update's instructions.
struct Stripes {
    int strips = 1;       // of a row
    int stripes = 1;      // rows of strips that threads have side by side
    int groups = 0;       // of Wide rows
    int most_groups = 0;  // the largest count of any thread
    unsigned scale = 0;   // thread · scale / 2¹⁶ = thread / strips

    static Stripes of(int wide, int rows, int columns) {
        Stripes x;
        x.strips = (columns + wide - 1) / wide;
        x.groups = rows / wide;
        x.stripes = least_of(most_of(kUpdateThreads / x.strips, 1), x.groups);
        x.most_groups = (x.groups + x.stripes - 1) / x.stripes;
        x.scale = 65536U / static_cast<unsigned>(x.strips) + 1;
        return x;
    }
};
static_assert(kUpdateThreads <= 128);  // that its scale be exact

/// Which part of a matrix this thread has: `count` groups of Wide strips below each other, all from column `column` on,
/// every so many rows. `columns`: the width there is.
template <int Wide>
struct StripeOfThread {
    int column, stripe, stripes, count;
    __device__ StripeOfThread(const Stripes& of, int columns) : stripes(of.stripes) {
        stripe = static_cast<int>(threadIdx.x * of.scale >> 16);
        column = (static_cast<int>(threadIdx.x) - stripe * of.strips) * Wide;
        const bool full = stripe + (of.most_groups - 1) * stripes < of.groups;
        count = stripe < stripes && column < columns ? of.most_groups - (full ? 0 : 1) : 0;
    }
    __device__ int row(int index) const { return (stripe + index * stripes) * Wide; }
};

/// A thread's own strip of strips[…, threads, Wide] in shared memory, which no other thread looks at.
template <int Wide, class T>
__device__ __forceinline__ T* own_strip(T* strips, int index) {
    return strips + (index * kUpdateThreads + static_cast<int>(threadIdx.x)) * Wide;
}
/// Starts the copies of a group, whose rows are `ld` apart, to the thread's strips from `index` on.
template <int Wide, class T>
__device__ __forceinline__ void copy_group(T* strips, int index, const T* from, int ld) {
#pragma unroll
    for (int i = 0; i < Wide; ++i) copy_async<Wide>(own_strip<Wide>(strips, index + i), from + i * ld, Wide);
}

/// body(index) for every index below count, a warp each.
template <class Body>
__device__ __forceinline__ void each_by_warp(int count, const Body& body) {
    for (int i = static_cast<int>(threadIdx.x) / 32; i < count; i += kUpdateThreads / 32) body(i);
}
/// The same, a lane of the warp each.
template <class Body>
__device__ __forceinline__ void each_by_lane(int count, const Body& body) {
#pragma unroll 1
    for (int i = static_cast<int>(threadIdx.x) % 32; i < count; i += 32) body(i);
}

/// Starts the copy of rows, `ld` apart, by a warp, to shared memory, where they lie close together; 16 bytes at a time
/// where Wide elements are that and the addresses allow it.
template <int Wide, class T>
__device__ __forceinline__ void fetch_rows(T* to, const T* from, int rows, int columns, std::int64_t ld) {
    const bool wide =
        columns % Wide == 0 && ld % Wide == 0 && reinterpret_cast<std::uintptr_t>(from) % (Wide * sizeof(T)) == 0;
    if (ld == columns) columns *= rows, rows = 1;
#pragma unroll 1
    for (int row = 0; row < rows; ++row, from += ld, to += columns)
        if (wide)
            each_by_lane(columns / Wide, [&](int i) { copy_async<Wide>(to + Wide * i, from + Wide * i, Wide); });
        else
            each_by_lane(columns, [&](int i) { copy_async<1>(to + i, from + i, 1); });
}

}  // namespace whorl::gpu
