// Panels: pieces of a row-major matrix in shared memory from which the matrix units read, as it is stored, copied
// behind the threads' backs, 16 bytes at a time where the matrix is aligned, element by element elsewhere. Compute
// capability 8.0 and newer copy asynchronously; older GPUs wait.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace whorl::gpu {

#if __CUDA_ARCH__ >= 800

/// Count elements, of which the first `left` are read and the rest is zero.
template <int Count, class T>
__device__ __forceinline__ void copy_async(T* to, const T* from, int left) {
    constexpr int bytes = Count * static_cast<int>(sizeof(T));
    if constexpr (bytes < 4) {  // too few for an asynchronous copy
        *to = left > 0 ? *from : T(0);
        return;
    }
    const auto address = static_cast<unsigned>(__cvta_generic_to_shared(to));
    const int read = left * static_cast<int>(sizeof(T));
    if constexpr (bytes == 16)
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(read) : "memory");
    else
        asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(address), "l"(from), "n"(bytes), "r"(read)
                     : "memory");
}
__device__ __forceinline__ void end_of_copies() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}
/// Waits until all groups of this thread's copies but the latest (or none) have landed.
__device__ __forceinline__ void wait_for_copies(bool but_latest) {
    if (but_latest)
        asm volatile("cp.async.wait_group 1;" ::: "memory");
    else
        asm volatile("cp.async.wait_group 0;" ::: "memory");
}
/// Until all groups but the latest few have landed.
template <int Latest>
__device__ __forceinline__ void wait_for_copies_but() {
    asm volatile("cp.async.wait_group %0;" ::"n"(Latest) : "memory");
}

#else

template <int Count, class T>
__device__ __forceinline__ void copy_async(T* to, const T* from, int left) {
#pragma unroll
    for (int i = 0; i < Count; ++i) to[i] = i < left ? from[i] : T(0);
}
__device__ __forceinline__ void end_of_copies() {}
__device__ __forceinline__ void wait_for_copies(bool) {}
template <int Latest>
__device__ __forceinline__ void wait_for_copies_but() {}

#endif

/// A matrix of which panels are copied. `lines` of `length` elements, one every ld; aligned: lines start at 16 bytes.
template <class T>
struct Lines {
    const T* data;
    std::int64_t ld;
    int lines, length;
    bool aligned;
};

/// A panel of `Width` rows (or columns) × `Depth` places of the sum, zero outside the matrix. AlongSum: the matrix is
/// contiguous along the sum; its lines are then the panel's rows, otherwise the places of the sum.
template <class T, bool AlongSum, int Width, int Depth>
struct Panel {
    // The lanes of an operand stand in 8 rows and 4 pairs of places: these strides spread them over the banks.
    static constexpr int kStride = AlongSum ? Depth + 8 : Width + (sizeof(T) == 2 ? 8 : 4);
    static constexpr int kLines = AlongSum ? Width : Depth, kLength = AlongSum ? Depth : Width;
    static constexpr int kBytes = kLines * kStride * static_cast<int>(sizeof(T));

    __device__ static const T* at(const T* panel, int row, int place) {
        return panel + (AlongSum ? row * kStride + place : place * kStride + row);
    }

    /// Starts copying the panel at (row, place) with all `Threads` threads of the block, element by element.
    template <int Threads>
    __device__ static void copy_elements(T* panel, const Lines<T>& from, int row, int place) {
        constexpr int apart = Threads / kLength;  // lines between two elements of a thread
        static_assert(Threads % kLength == 0 && kLines % apart == 0);
        const int line = static_cast<int>(threadIdx.x) / kLength, at = static_cast<int>(threadIdx.x) % kLength;
        const int first_line = (AlongSum ? row : place) + line, first = (AlongSum ? place : row) + at;
        const int lines_left = first < from.length ? from.lines - first_line : 0;
        const T* source = from.data + first_line * from.ld + first;
        panel += line * kStride + at;
#pragma unroll
        for (int item = 0; item < kLines / apart; ++item) {
            const bool inside = item * apart < lines_left;  // what is not read must still be an address
            copy_async<1>(panel + item * apart * kStride, inside ? source : from.data, inside ? 1 : 0);
            source += apart * from.ld;
        }
    }
};

/// One thread's share in copying panel after panel along the sum. What it needs to know of an aligned matrix is found
/// out once.
template <int Threads, class T, bool AlongSum, int Width, int Depth>
class PanelStream {
    using Of = Panel<T, AlongSum, Width, Depth>;
    static constexpr int kCount = 16 / static_cast<int>(sizeof(T)), kPieces = Of::kLength / kCount,
                         kApart = Threads / kPieces;  // lines between two pieces of a thread
    static_assert(Threads % kPieces == 0 && Of::kLines % kApart == 0);

public:
    __device__ PanelStream(const Lines<T>& matrix, int first_row, int first_place)
        : from_(&matrix), row_(first_row), place_(first_place) {
        const int line = static_cast<int>(threadIdx.x) / kPieces, at = static_cast<int>(threadIdx.x) % kPieces * kCount;
        const int first_line = (AlongSum ? first_row : first_place) + line,
                  first = (AlongSum ? first_place : first_row) + at;
        lines_left_ = matrix.lines - first_line;
        left_ = matrix.length - first;
        source_ = matrix.data + first_line * matrix.ld + first;
        offset_ = line * Of::kStride + at;
    }
    /// Starts copying the next panel.
    __device__ void copy(T* panel) {
        if (!from_->aligned) {
            Of::template copy_elements<Threads>(panel, *from_, row_, place_);
            place_ += Depth;
            return;
        }
        const int left = left_ < 0 ? 0 : left_ > kCount ? kCount : left_;
        const int lines_left = left > 0 ? lines_left_ : 0;
        const T* source = source_;
        panel += offset_;
#pragma unroll
        for (int item = 0; item < Of::kLines / kApart; ++item) {
            const bool inside = item * kApart < lines_left;  // what is not read must still be an address
            copy_async<kCount>(panel + item * kApart * Of::kStride, inside ? source : from_->data, inside ? left : 0);
            source += kApart * from_->ld;
        }
        source_ += AlongSum ? Depth : Depth * from_->ld;
        (AlongSum ? left_ : lines_left_) -= Depth;
    }

private:
    const Lines<T>* from_;
    int row_, place_;  // of an unaligned matrix
    int lines_left_, left_, offset_;
    const T* source_;
};

}  // namespace whorl::gpu
