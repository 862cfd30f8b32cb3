// What the sequence kernels are made of: a block of threads that works on small matrices in shared memory.
//
// A block's memory is carved from one stretch of bytes: shared memory when that is large enough, else a part of the
// operation's scratch memory, one a block, so that any shape runs. The struct of buffers an algorithm uses is also what
// measures them. Rows are an odd number of 16-byte groups apart: threads that read down a column hit different banks.
#pragma once

#include "gpu/tiles/vector.cuh"

namespace whorl::gpu {

constexpr int kBlockThreads = 256;

class BlockMemory {
public:
    __host__ __device__ explicit BlockMemory(std::byte* base = nullptr) : base_(base) {}
    template <class T>
    __host__ __device__ T* take(int count) {
        T* taken = reinterpret_cast<T*>(base_ + used_);
        used_ += (count * static_cast<int>(sizeof(T)) + 15) / 16 * 16;
        return taken;
    }
    __host__ __device__ int used() const { return used_; }

private:
    std::byte* base_;
    int used_ = 0;
};

/// Bytes that Buffers(BlockMemory&, shape) takes.
template <class Buffers, class Shape>
std::int64_t block_bytes(const Shape& shape) {
    BlockMemory measure;
    Buffers buffers(measure, shape);
    return measure.used();
}

/// Where the blocks of one launch have their memory, and how many there are. Shared: a block a task. Else each block of
/// a limited number takes several tasks, one after the other.
struct BlockPlan {
    BlockPlan(std::int64_t bytes_of_block, std::int64_t tasks, std::int64_t shared_limit, int multiprocessors)
        : bytes(bytes_of_block), shared(bytes <= shared_limit), blocks(tasks) {
        constexpr std::int64_t most = std::int64_t{1} << 30;  // of scratch memory
        if (shared) return;
        const std::int64_t fit = most / bytes > 1 ? most / bytes : 1;
        blocks = tasks < fit ? tasks : fit;
        if (blocks > 4 * multiprocessors) blocks = 4 * multiprocessors;
    }
    std::int64_t bytes;
    bool shared;
    std::int64_t blocks;
    std::int64_t scratch() const { return shared ? 0 : blocks * bytes; }
};

/// The memory of this block: `outside` is null when it is shared memory.
template <bool Shared>
__device__ std::byte* block_memory(std::byte* outside, std::int64_t bytes) {
    if constexpr (Shared) return dynamic_shared();
    return outside ? outside + blockIdx.x * bytes : dynamic_shared();
}

/// Leading dimension of rows of n numbers: whole 16-byte groups, an odd number of them.
__host__ __device__ constexpr int row_ld(int n) {
    return 4 * ((n + 3) / 4 | 1);
}
__host__ __device__ constexpr int most_of(int a, int b) {
    return a > b ? a : b;
}
__host__ __device__ constexpr int least_of(int a, int b) {
    return a < b ? a : b;
}

/// body(index) for every index below count, spread over the block.
template <class Body>
__device__ void spread(int count, const Body& body) {
    for (int i = static_cast<int>(threadIdx.x); i < count; i += kBlockThreads) body(i);
}
/// The same, beginning with the first thread of `warp`: small pieces of work that stand between the same two barriers
/// then run side by side.
template <class Body>
__device__ void spread_from(int warp, int count, const Body& body) {
    for (int i = (static_cast<int>(threadIdx.x) + kBlockThreads - 32 * warp) % kBlockThreads; i < count;
         i += kBlockThreads)
        body(i);
}
/// body(row, column) for every element of a matrix.
template <class Body>
__device__ void spread(int rows, int columns, const Body& body) {
    const int log_lanes = columns <= 4 ? 2 : columns <= 8 ? 3 : columns <= 16 ? 4 : 5;  // of a row
    const int first = static_cast<int>(threadIdx.x) & ((1 << log_lanes) - 1);
#pragma unroll 1
    for (int row = static_cast<int>(threadIdx.x) >> log_lanes; row < rows; row += kBlockThreads >> log_lanes)
#pragma unroll 1
        for (int column = first; column < columns; column += 1 << log_lanes) body(row, column);
}
/// body(row, lane) for every row, a warp each.
template <class Body>
__device__ void spread_rows(int rows, const Body& body) {
    for (int row = static_cast<int>(threadIdx.x) / 32; row < rows; row += kBlockThreads / 32)
        body(row, static_cast<int>(threadIdx.x) % 32);
}

constexpr int kGroupLanes = 8;
/// body(row, lane) for every row, eight lanes each: for rows that are short or in shared memory.
template <class Body>
__device__ void spread_groups(int rows, const Body& body) {
    constexpr int groups = kBlockThreads / kGroupLanes;
    const int padded_rows = (rows + 3) / 4 * 4;  // the four groups of a warp go on together, as sums need
    for (int row = static_cast<int>(threadIdx.x) / kGroupLanes; row < padded_rows; row += groups)
        body(row < rows ? row : -1, static_cast<int>(threadIdx.x) % kGroupLanes);
}
template <class T>
__device__ T group_sum(T value) {
    for (int distance = kGroupLanes / 2; distance > 0; distance /= 2)
        value += __shfl_xor_sync(0xffffffffU, value, distance);
    return value;
}

/// *to ← *from behind the thread's back, to be waited for by wait_for_copies: many copies are then under way at once.
template <class T>
__device__ __forceinline__ void copy_async(T* to, const T* from) {
#if __CUDA_ARCH__ >= 800
    if (__isShared(to)) {
        const auto address = static_cast<unsigned>(__cvta_generic_to_shared(to));
        asm volatile("cp.async.ca.shared.global [%0], [%1], %2;" ::"r"(address), "l"(from),
                     "n"(static_cast<int>(sizeof(T)))
                     : "memory");
        return;
    }
#endif
    *to = *from;
}
/// A barrier behind which all threads see what any of them has copied.
__device__ __forceinline__ void wait_for_copies() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_all;" ::: "memory");
#endif
    __syncthreads();
}
/// Sixteen bytes at once.
template <class T>
__device__ __forceinline__ void copy_wide_async(T* to, const T* from) {
#if __CUDA_ARCH__ >= 800
    if (__isShared(to)) {
        const auto address = static_cast<unsigned>(__cvta_generic_to_shared(to));
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(address), "l"(from) : "memory");
        return;
    }
#endif
    *reinterpret_cast<float4*>(to) = *reinterpret_cast<const float4*>(from);
}
/// Stored numbers are converted on their way, so that a thread waits for them: several loads at once, then the stores.
__device__ __forceinline__ void copy_rows_inline(int rows, int columns, float* to, int ld, const Bf16* from,
                                                 std::int64_t stride) {
    const bool aligned = columns % 4 == 0 && ld % 4 == 0 && stride % 4 == 0 &&
                         reinterpret_cast<std::uintptr_t>(from) % 8 == 0 &&
                         reinterpret_cast<std::uintptr_t>(to) % 16 == 0;
    if (!aligned) {
        spread(rows, columns, [&](int i, int j) { to[i * ld + j] = from[i * stride + j]; });
        return;
    }
    constexpr int at_once = 4;
    const int vectors = columns / 4, count = (rows + at_once - 1) / at_once;
    spread(count, vectors, [&](int i, int j) {
        Vector<float, 4> vector[at_once];
#pragma unroll
        for (int k = 0; k < at_once; ++k)
            if (i + k * count < rows) vector[k] = load_vector<4>(from + (i + k * count) * stride + 4 * j);
#pragma unroll
        for (int k = 0; k < at_once; ++k)
            if (i + k * count < rows) store_vector(to + (i + k * count) * ld + 4 * j, vector[k]);
    });
}
/// Starts the copy of a matrix whose rows are `stride` apart in memory, and `ld` at `to`.
template <class T>
__device__ __forceinline__ void copy_rows_inline(int rows, int columns, T* to, int ld, const T* from,
                                                 std::int64_t stride) {
    constexpr int wide = 16 / static_cast<int>(sizeof(T));
    const bool aligned = columns % wide == 0 && ld % wide == 0 && stride % wide == 0 &&
                         reinterpret_cast<std::uintptr_t>(from) % 16 == 0 &&
                         reinterpret_cast<std::uintptr_t>(to) % 16 == 0;
    if (aligned)
        spread(rows, columns / wide,
               [&](int i, int j) { copy_wide_async(to + i * ld + j * wide, from + i * stride + j * wide); });
    else
        spread(rows, columns, [&](int i, int j) { copy_async(to + i * ld + j, from + i * stride + j); });
}
/// (Not inlined: a kernel that copies several would be too long for the instruction cache.)
template <class T, class S>
__device__ __noinline__ void copy_rows(int rows, int columns, T* to, int ld, const S* from, std::int64_t stride) {
    copy_rows_inline(rows, columns, to, ld, from, stride);
}

/// Element (i, k) at data[i·ld + k], or at data[k·ld + i].
template <class T>
struct ByRow {
    static constexpr bool kByRow = true;
    const T* data;
    int ld;
};
template <class T>
struct ByColumn {
    static constexpr bool kByRow = false;
    const T* data;
    int ld;
};

/// Four numbers in a row, 16-byte aligned, by the widest loads there are.
__device__ __forceinline__ void load_four(const float* from, float (&to)[4]) {
    const float4 four = *reinterpret_cast<const float4*>(from);
    to[0] = four.x, to[1] = four.y, to[2] = four.z, to[3] = four.w;
}
__device__ __forceinline__ void load_four(const double* from, double (&to)[4]) {
    const double2 first = *reinterpret_cast<const double2*>(from), second = *reinterpret_cast<const double2*>(from + 2);
    to[0] = first.x, to[1] = first.y, to[2] = second.x, to[3] = second.y;
}

struct SumRange {
    int begin, end;
};

/// The sum runs over all k < count.
struct All {
    int count;
    __device__ SumRange operator()(int) const { return {0, count}; }
};

}  // namespace whorl::gpu
