// Batches whose sequences have lengths of their own, as kernels see them.
#pragma once

#include <cuda_runtime.h>

#include "core/backend/tensor.hpp"

namespace whorl::gpu {

/// Which rows of activations belong to which sequence (Tensor::starts).
struct SequenceRows {
    const std::int32_t* starts = nullptr;
    std::int64_t batch = 0, length = 0;  // length: of a sequence, at most where packed

    SequenceRows() = default;
    explicit SequenceRows(const Tensor& x) : starts(x.starts), batch(x.shape[1]), length(x.shape[2]) {}
    explicit SequenceRows(std::int64_t rows) : batch(1), length(rows) {}  // of anything
    __device__ std::int64_t first_row(std::int64_t r, std::int64_t b) const {
        return starts ? starts[r * (batch + 1) + b] : b * length;
    }
    __device__ int length_of(std::int64_t r, std::int64_t b) const {
        if (!starts) return static_cast<int>(length);
        const std::int32_t* start = starts + r * (batch + 1) + b;
        return start[1] - start[0];
    }
    /// Rows of a replica: as many as there can be, and as there are.
    __host__ __device__ std::int64_t most_rows() const { return batch * length; }
    __device__ std::int64_t rows(std::int64_t r) const { return starts ? first_row(r, batch) : most_rows(); }
};

/// What one of `count` equal parts of the rows has.
struct RowRange {
    std::int64_t begin, end;
    __device__ RowRange(std::int64_t rows, unsigned index, unsigned count) {
        const std::int64_t share = (rows + count - 1) / count;
        begin = index * share < rows ? index * share : rows;
        end = begin + share < rows ? begin + share : rows;
    }
};

}  // namespace whorl::gpu
