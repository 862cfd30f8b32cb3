// Sums over rows in a fixed order that depends on shapes alone: blocks of rows leave partial sums in scratch memory,
// and the last of them adds these. No floating-point atomics.
#pragma once

#include <algorithm>

#include "gpu/last_block.cuh"
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

template <class T, class Term>
struct ColumnSums {
    Term term;
    std::int64_t rows, size;
    int columns;
    T* partial;  // [replica][split][column]
    unsigned* tickets;
    View<T> out;
};

/// out[replica][column] += Σ term(replica, row, column). Grid: (groups of columns, splits of the rows, replicas).
template <class T, class Term>
__global__ void column_sum_kernel(ColumnSums<T, Term> s) {
    const int column = static_cast<int>(blockIdx.x) * kSumColumns + static_cast<int>(threadIdx.x);
    const bool inside = column < s.columns;
    const std::int64_t begin = blockIdx.y * s.size, end = begin + s.size < s.rows ? begin + s.size : s.rows;
    T sum = 0;
    if (inside)
        for (std::int64_t row = begin + threadIdx.y; row < end; row += kSumLanes)
            sum += s.term(blockIdx.z, row, column);
    sum = add_lanes(sum);
    T* parts = s.partial + std::int64_t{blockIdx.z} * gridDim.y * s.columns + column;
    if (threadIdx.y == 0 && inside) parts[std::int64_t{blockIdx.y} * s.columns] = sum;
    if (!last_to_arrive(s.tickets + blockIdx.z * gridDim.x + blockIdx.x, gridDim.y)) return;
    sum = 0;
    if (inside)
        for (unsigned part = threadIdx.y; part < gridDim.y; part += kSumLanes)
            sum += __ldcg(parts + std::int64_t{part} * s.columns);
    sum = add_lanes(sum);
    if (threadIdx.y == 0 && inside) s.out.at(blockIdx.z)[column] += sum;
}

inline Splits column_splits(std::int64_t rows) {
    return {rows, 128};
}
template <class T>
std::int64_t column_sum_bytes(std::int64_t replicas, std::int64_t rows, std::int64_t columns) {
    return replicas * column_splits(rows).count * columns * static_cast<std::int64_t>(sizeof(T));
}

/// out[replica][column] += Σ_row term(replica, row, column); `partial` holds column_sum_bytes, tickets
/// column_sum_tickets.
inline std::int64_t column_sum_tickets(std::int64_t replicas, std::int64_t columns) {
    return replicas * ceil_div(columns, kSumColumns);
}
template <class T, class Term>
void add_column_sums(const char* name, cudaStream_t stream, std::int64_t replicas, std::int64_t rows,
                     std::int64_t columns, const Term& term, T* partial, unsigned* tickets, const View<T>& out) {
    const Splits splits = column_splits(rows);
    const dim3 grid(grid_size(ceil_div(columns, kSumColumns)), grid_size(splits.count), grid_size(replicas));
    const ColumnSums<T, Term> body{term, rows, splits.size, static_cast<int>(columns), partial, tickets, out};
    launch(name, column_sum_kernel<T, Term>, grid, dim3(kSumColumns, kSumLanes), 0, stream, body);
}

}  // namespace whorl::gpu
