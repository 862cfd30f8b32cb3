// The last of several blocks finishes what all of them began, so that a sum over blocks needs no second kernel. Which
// block that is differs from run to run; what it does must not: it adds the blocks' results in their order.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace whorl::gpu {

/// True in every thread of the last of `count` blocks that come here with the same ticket: all that the others wrote
/// before is then visible through __ldcg. Called by whole blocks. Tickets are zero, and zero again afterwards.
__device__ inline bool last_to_arrive(unsigned* ticket, unsigned count) {
    __shared__ bool last;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0 && threadIdx.y == 0) {
        last = atomicAdd(ticket, 1U) == count - 1;
        if (last) *ticket = 0;
    }
    __syncthreads();
    if (last) __threadfence();
    return last;
}

/// Sets of vectors, one vector a block ("part"), that are added set by set: groups of parts first, by the last block of
/// each, then the groups, so that the work at the end is short. The order depends on the number of parts only.
template <class T>
struct BlockSums {
    T* partial = nullptr;  // [set][part][columns]
    unsigned* tickets = nullptr;
    int columns = 0, parts = 1, group = 1, groups = 1;

    BlockSums() = default;
    BlockSums(std::int64_t columns_of_part, std::int64_t part_count)
        : columns(static_cast<int>(columns_of_part)),
          parts(static_cast<int>(part_count)),
          group(std::max(1, static_cast<int>(std::lround(std::sqrt(static_cast<double>(part_count)))))),
          groups((parts + group - 1) / group) {}
    BlockSums at(T* memory, unsigned* zeroed) const {
        BlockSums placed = *this;
        placed.partial = memory;
        placed.tickets = zeroed;
        return placed;
    }
    /// Of one set.
    std::int64_t bytes() const { return std::int64_t{parts} * columns * static_cast<std::int64_t>(sizeof(T)); }
    std::int64_t ticket_count() const { return groups + 1; }

    /// Where a block leaves its part: thread t of the block, and nobody else, writes the columns t, t + threads, ….
    __device__ T* part(std::int64_t set, int index) const { return partial + (set * parts + index) * columns; }

    /// Called by whole blocks of one dimension when their part is there. In the last one of the set, visit(column,
    /// total) with every column, by the thread that wrote it, which adds `Together` of its columns at a time: about as
    /// many as it has.
    template <int Together, class Visit>
    __device__ void finish(std::int64_t set, int index, const Visit& visit) const {
        unsigned* own_tickets = tickets + set * (groups + 1);
        const int own = index / group, first = own * group, members = parts - first < group ? parts - first : group;
        if (!last_to_arrive(own_tickets + own, static_cast<unsigned>(members))) return;
        if (groups == 1) return add<Together>(part(set, 0), columns, members, visit);
        T* sum = part(set, first);  // its first part makes room
        add<Together>(sum, columns, members, [&](int column, T total) { sum[column] = total; });
        if (!last_to_arrive(own_tickets + groups, static_cast<unsigned>(groups))) return;
        add<Together>(part(set, 0), std::int64_t{group} * columns, groups, visit);
    }

private:
    template <int Together, class Visit>
    __device__ void add(const T* from, std::int64_t apart, int count, const Visit& visit) const {
        // Enough loads on their way, without all of the registers.
        [[maybe_unused]] constexpr int parts_ahead = Together > 4 ? 2 : 8 / Together;
        const int threads = static_cast<int>(blockDim.x);
        for (int first = static_cast<int>(threadIdx.x); first < columns; first += Together * threads) {
            T sum[Together] = {};
            const T* at = from + first;
#pragma unroll parts_ahead
            for (int i = 0; i < count; ++i, at += apart)
#pragma unroll
                for (int c = 0; c < Together; ++c)
                    if (first + c * threads < columns) sum[c] += __ldcg(at + c * threads);
#pragma unroll
            for (int c = 0; c < Together; ++c)
                if (first + c * threads < columns) visit(first + c * threads, sum[c]);
        }
    }
};

}  // namespace whorl::gpu
