// Sums over rows in a fixed order that depends on shapes alone: blocks of rows leave partial sums in scratch memory,
// and a second kernel adds them. No floating-point atomics.
#pragma once

#include <algorithm>

#include "gpu/launch.cuh"

namespace whorl::gpu {

constexpr int kSumColumns = 32, kSumLanes = 16;

/// Rows cut into equal parts, at most 64 of them.
struct Splits {
    std::int64_t size = 1, count = 1;
    Splits(std::int64_t rows, std::int64_t smallest, std::int64_t most = 64)
        : size(std::max(smallest, ceil_div(rows, most))), count(std::max<std::int64_t>(1, ceil_div(rows, size))) {}
};

/// Adds what the lanes of a column hold; valid in lane 0.
template <class T>
__device__ T add_lanes(T value) {
    __shared__ T lanes[kSumLanes][kSumColumns];
    lanes[threadIdx.y][threadIdx.x] = value;
    __syncthreads();
    if (threadIdx.y != 0) return T(0);
    T sum = 0;
    for (int lane = 0; lane < kSumLanes; ++lane) sum += lanes[lane][threadIdx.x];
    return sum;
}

/// partial[replica][split][column] = Σ term(replica, row, column) over the split's rows.
template <class T, class Term>
__global__ void column_sum_kernel(Term term, std::int64_t rows, int columns, std::int64_t size, T* partial) {
    const int column = static_cast<int>(blockIdx.x) * kSumColumns + static_cast<int>(threadIdx.x);
    const std::int64_t begin = blockIdx.y * size, end = begin + size < rows ? begin + size : rows;
    T sum = 0;
    if (column < columns)
        for (std::int64_t row = begin + threadIdx.y; row < end; row += kSumLanes) sum += term(blockIdx.z, row, column);
    sum = add_lanes(sum);
    if (threadIdx.y == 0 && column < columns)
        partial[(std::int64_t{blockIdx.z} * gridDim.y + blockIdx.y) * columns + column] = sum;
}

/// out[replica][column] += Σ_part partial[replica][part][column].
template <class T>
__global__ void add_partials_kernel(const T* partial, std::int64_t parts, int columns, View<T> out) {
    const int column = static_cast<int>(blockIdx.x) * kSumColumns + static_cast<int>(threadIdx.x);
    T sum = 0;
    if (column < columns)
        for (std::int64_t part = threadIdx.y; part < parts; part += kSumLanes)
            sum += partial[(std::int64_t{blockIdx.y} * parts + part) * columns + column];
    sum = add_lanes(sum);
    if (threadIdx.y == 0 && column < columns) out.at(blockIdx.y)[column] += sum;
}

template <class T>
void add_partials(const char* name, cudaStream_t stream, const T* partial, std::int64_t replicas, std::int64_t parts,
                  std::int64_t columns, const View<T>& out) {
    const dim3 grid(grid_size(ceil_div(columns, kSumColumns)), grid_size(replicas));
    launch(name, add_partials_kernel<T>, grid, dim3(kSumColumns, kSumLanes), 0, stream, partial, parts,
           static_cast<int>(columns), out);
}

inline Splits column_splits(std::int64_t rows) {
    return {rows, 128};
}
template <class T>
std::int64_t column_sum_bytes(std::int64_t replicas, std::int64_t rows, std::int64_t columns) {
    return replicas * column_splits(rows).count * columns * static_cast<std::int64_t>(sizeof(T));
}

/// out[replica][column] += Σ_row term(replica, row, column); `partial` holds column_sum_bytes.
template <class T, class Term>
void add_column_sums(const char* name, cudaStream_t stream, std::int64_t replicas, std::int64_t rows,
                     std::int64_t columns, const Term& term, T* partial, const View<T>& out) {
    const Splits splits = column_splits(rows);
    const dim3 grid(grid_size(ceil_div(columns, kSumColumns)), grid_size(splits.count), grid_size(replicas));
    launch(name, column_sum_kernel<T, Term>, grid, dim3(kSumColumns, kSumLanes), 0, stream, term, rows,
           static_cast<int>(columns), splits.size, partial);
    add_partials(name, stream, static_cast<const T*>(partial), replicas, splits.count, columns, out);
}

}  // namespace whorl::gpu
