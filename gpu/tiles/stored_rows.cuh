// Rows of activations on their way into a block's memory, where a chunk's work is done in T. What is stored in bf16 is
// copied as it is, behind the threads' backs like everything else, into the last part of the row's place, and made
// wide there once it has come: a thread that converted numbers on their way would wait for every one of them.
#pragma once

#include "gpu/tiles/block.cuh"

namespace whorl::gpu {

/// Where a row of `columns` stored numbers waits in the place of as many floats, in floats from its start.
__host__ __device__ constexpr int stored_offset(int columns) {
    return (columns + 1) / 2;
}

/// Starts the copy of stored rows, to be made wide when it has come: like copy_rows, which numbers of T need alone.
/// Rows of `to` hold row_ld(columns) numbers.
__device__ __forceinline__ void copy_stored_rows(int rows, int columns, float* to, int ld, const Bf16* from,
                                                 std::int64_t stride) {
    using Four = Vector<Bf16, 4>;
    Bf16* const raw = reinterpret_cast<Bf16*>(to + stored_offset(columns));
    const bool aligned =
        columns % 4 == 0 && stride % 4 == 0 && reinterpret_cast<std::uintptr_t>(from) % sizeof(Four) == 0;
    if (aligned)
        spread(rows, columns / 4, [&](int i, int j) {
            copy_async(reinterpret_cast<Four*>(raw + 2 * i * ld) + j,
                       reinterpret_cast<const Four*>(from + i * stride) + j);
        });
    else
        spread(rows, columns, [&](int i, int j) { raw[2 * i * ld + j] = from[i * stride + j]; });
}
template <class T>
__device__ __forceinline__ void copy_stored_rows(int rows, int columns, T* to, int ld, const T* from,
                                                 std::int64_t stride) {
    copy_rows<T, T>(rows, columns, to, ld, from, stride);
}

/// The same for numbers of a row that stand at channel(0), channel(1), …: they come as T.
template <class Channel>
__device__ __forceinline__ void gather_stored_rows(int rows, int columns, float* to, int ld, const Bf16* from,
                                                   std::int64_t stride, const Channel& channel) {
    constexpr int at_once = 8;  // loads under way
    const int apart = (rows + at_once - 1) / at_once;
    spread(apart, columns, [&](int i, int n) {
        const Bf16* const column = from + channel(n);
        Bf16 held[at_once] = {};
#pragma unroll
        for (int k = 0; k < at_once; ++k)
            if (i + k * apart < rows) held[k] = column[(i + k * apart) * stride];
#pragma unroll
        for (int k = 0; k < at_once; ++k)
            if (i + k * apart < rows) to[(i + k * apart) * ld + n] = held[k];
    });
}
template <class T, class Channel>
__device__ __forceinline__ void gather_stored_rows(int rows, int columns, T* to, int ld, const T* from,
                                                   std::int64_t stride, const Channel& channel) {
    spread(rows, columns, [&](int i, int n) { copy_async(to + i * ld + n, from + i * stride + channel(n)); });
}

/// A row that copy_stored_rows has brought and that stays as it came.
template <class S, class T>
__device__ __forceinline__ const S* stored_row(const T* row, int columns) {
    if constexpr (sizeof(S) < sizeof(T))
        return reinterpret_cast<const S*>(row + stored_offset(columns));
    else
        return row;
}

/// Makes rows that copy_stored_rows has brought wide. A warp has whole rows, and goes through them from the front: what
/// it overwrites it has read. No barrier at the end.
__device__ __forceinline__ void widen_rows(int rows, int columns, float* at, int ld) {
    constexpr int at_once = 4;
    const int pairs = (columns + 1) / 2, thread = static_cast<int>(threadIdx.x);
    const int log_lanes = pairs <= 8 ? 3 : pairs <= 16 ? 4 : 5;  // of a row
    const int lanes = 1 << log_lanes, apart = kBlockThreads >> log_lanes;
    const int first_of_warp = thread / 32 * 32 >> log_lanes, row_of_warp = thread % 32 >> log_lanes;
#pragma unroll 1
    for (int base = first_of_warp; base < rows; base += at_once * apart)
#pragma unroll 1
        for (int pair = thread % lanes; pair - thread % lanes < pairs; pair += lanes) {
            Vector<Bf16, 2> stored[at_once] = {};
            const auto each = [&](const auto& body) {
#pragma unroll
                for (int k = 0; k < at_once; ++k) {
                    const int row = base + row_of_warp + k * apart;
                    if (row < rows && pair < pairs) body(stored[k], at + row * ld);
                }
            };
            each([&](Vector<Bf16, 2>& two, const float* row) {
                two = reinterpret_cast<const Vector<Bf16, 2>*>(row + stored_offset(columns))[pair];
            });
            __syncwarp();
            each([&](const Vector<Bf16, 2>& two, float* row) {
                *reinterpret_cast<Vector<float, 2>*>(row + 2 * pair) = {two.at[0], two.at[1]};
            });
        }
}

}  // namespace whorl::gpu
