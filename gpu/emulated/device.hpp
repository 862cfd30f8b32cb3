// What kernels call: barriers, warp operations, atomics, bit casts.
#pragma once

#include <cmath>
#include <cstring>
#include <type_traits>

#include "gpu/emulated/grid.hpp"

// Every operation knows its caller's line, for reports.
#define WHORL_PLACE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(WHORL_PLACE) {
    whorl::emulated::meet_block({file, line});
}
inline void __syncwarp(unsigned mask = 0xffffffffU, WHORL_PLACE) {
    whorl::emulated::meet_warp(whorl::emulated::WarpOperation::sync, mask, 0, {file, line});
}

namespace whorl::emulated {

/// The value of the lane that source(own place in its part of the warp, width) names there.
template <class T, class Source>
T shuffle(WarpOperation operation, unsigned mask, T value, int width, Place place, const Source& source) {
    static_assert(sizeof(T) <= sizeof(std::uint64_t));
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    const int own = static_cast<int>(lane()), first = own / width * width;
    const std::uint64_t* all = meet_warp(operation, mask, bits, place);
    const int from = source(own - first);
    std::memcpy(&value, all + (from < 0 || from >= width ? own : first + from), sizeof value);
    return value;
}

/// A value of every lane of a whole warp, exchanged at one meeting; to be read before the caller's next one. For what
/// would take a shuffle an element.
template <class T>
class LaneValues {
public:
    explicit LaneValues(const T& own, WHORL_PLACE) {
        static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= kKept);
        std::byte* kept = place_to_keep();
        std::memcpy(kept, &own, sizeof own);
        all_ = meet_warp(WarpOperation::shuffle, 0xffffffffU, reinterpret_cast<std::uintptr_t>(kept), {file, line});
    }
    const T& operator[](int lane) const { return *reinterpret_cast<const T*>(all_[lane]); }

private:
    const std::uint64_t* all_;
};

}  // namespace whorl::emulated

template <class T>
T __shfl_sync(unsigned mask, T value, int from, int width = 32, WHORL_PLACE) {
    return whorl::emulated::shuffle(whorl::emulated::WarpOperation::shuffle, mask, value, width, {file, line},
                                    [=](int) { return from & (width - 1); });
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, WHORL_PLACE) {
    return whorl::emulated::shuffle(whorl::emulated::WarpOperation::shuffle_xor, mask, value, width, {file, line},
                                    [=](int own) { return own ^ bits; });
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = 32, WHORL_PLACE) {
    return whorl::emulated::shuffle(whorl::emulated::WarpOperation::shuffle_up, mask, value, width, {file, line},
                                    [=](int own) { return own - static_cast<int>(distance); });
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = 32, WHORL_PLACE) {
    return whorl::emulated::shuffle(whorl::emulated::WarpOperation::shuffle_down, mask, value, width, {file, line},
                                    [=](int own) { return own + static_cast<int>(distance); });
}

namespace whorl::emulated {

/// The lanes of `mask` whose condition holds.
inline unsigned vote(WarpOperation operation, unsigned mask, bool condition, Place place) {
    const std::uint64_t* all = meet_warp(operation, mask, condition, place);
    unsigned lanes = 0;
    for (unsigned i = 0; i < 32; ++i)
        if ((mask >> i & 1U) != 0 && all[i] != 0) lanes |= 1U << i;
    return lanes;
}

}  // namespace whorl::emulated

inline unsigned __ballot_sync(unsigned mask, bool condition, WHORL_PLACE) {
    return whorl::emulated::vote(whorl::emulated::WarpOperation::ballot, mask, condition, {file, line});
}
inline bool __any_sync(unsigned mask, bool condition, WHORL_PLACE) {
    return whorl::emulated::vote(whorl::emulated::WarpOperation::any, mask, condition, {file, line}) != 0;
}
inline bool __all_sync(unsigned mask, bool condition, WHORL_PLACE) {
    return whorl::emulated::vote(whorl::emulated::WarpOperation::all, mask, condition, {file, line}) == mask;
}
#undef WHORL_PLACE

// Real atomics: blocks may run on several OS threads.
template <class T>
T atomicAdd(T* at, T value) {
    return __atomic_fetch_add(at, value, __ATOMIC_RELAXED);
}
template <class T>
T atomicMin(T* at, T value) {
    T before = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (value < before &&
           !__atomic_compare_exchange_n(at, &before, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
    return before;
}
template <class T>
T atomicMax(T* at, T value) {
    T before = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (before < value &&
           !__atomic_compare_exchange_n(at, &before, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
    return before;
}

inline int __ffs(int bits) {
    return __builtin_ffs(bits);
}
inline int __ffsll(long long bits) {
    return __builtin_ffsll(bits);
}
inline int __popc(unsigned bits) {
    return __builtin_popcount(bits);
}
inline int __clz(int bits) {
    return bits == 0 ? 32 : __builtin_clz(static_cast<unsigned>(bits));
}
inline unsigned __float_as_uint(float x) {
    return __builtin_bit_cast(unsigned, x);
}
inline float __uint_as_float(unsigned bits) {
    return __builtin_bit_cast(float, bits);
}
inline int __float_as_int(float x) {
    return __builtin_bit_cast(int, x);
}
inline float __int_as_float(int bits) {
    return __builtin_bit_cast(float, bits);
}
/// Together with an atomic operation: what this thread wrote before is there for who sees that operation's result.
inline void __threadfence() {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
// Loads and stores that name a cache: there is one memory here.
template <class T>
T __ldg(const T* from) {
    return *from;
}
template <class T>
T __ldcg(const T* from) {
    return *from;
}
template <class T>
T __ldcs(const T* from) {
    return *from;
}
template <class T>
void __stcs(T* to, T value) {
    *to = value;
}
template <class T>
void __stcg(T* to, T value) {
    *to = value;
}
inline float __fmaf_rn(float x, float y, float z) {
    return std::fma(x, y, z);
}
