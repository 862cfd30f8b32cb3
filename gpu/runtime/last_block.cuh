// The last of several blocks finishes what all of them began, so that a sum over blocks needs no second kernel (as
// cub::DeviceSegmentedReduce would be). Which block that is differs from run to run; what it does must not: it adds the
// blocks' results in their order.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

namespace whorl::gpu {

/// True in every thread of the last of `count` blocks that come here with the same ticket: all that the others wrote
/// before is then visible through __ldcg. Called by whole blocks. Tickets are zero, and zero again afterwards.
__device__ inline bool last_to_arrive(unsigned* ticket, unsigned count) {
    __shared__ bool last;
    __syncthreads();
    if (threadIdx.x == 0 && threadIdx.y == 0) {  // one thread's fences hold for all that the barriers order around it
        __threadfence();
        last = atomicAdd(ticket, 1U) == count - 1;
        if (last) *ticket = 0;
        __threadfence();
    }
    __syncthreads();
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

    /// Where a block leaves its part.
    __device__ T* part(std::int64_t set, int index) const { return partial + (set * parts + index) * columns; }

    /// Called by whole blocks of one dimension when their part is there. In the last one of the set, visit(column,
    /// total) with every column, by some thread. Shortest for up to 144 parts of up to two columns a thread.
    template <class Visit>
    __device__ void finish(std::int64_t set, int index, const Visit& visit) const {
        unsigned* own_tickets = tickets + set * (groups + 1);
        const int own = index / group, first = own * group, members = parts - first < group ? parts - first : group;
        if (!last_to_arrive(own_tickets + own, static_cast<unsigned>(members))) return;
        if (groups == 1) return add<2, 12>(part(set, 0), columns, members, visit);
        T* sum = part(set, first);  // its first part makes room
        add<2, 12>(sum, columns, members, [&](int column, T total) { sum[column] = total; });
        if (!last_to_arrive(own_tickets + groups, static_cast<unsigned>(groups))) return;
        add<2, 12>(part(set, 0), std::int64_t{group} * columns, groups, visit);
    }

    /// The same for parts of few columns, which all threads add together. `shared` has room for an element of every
    /// thread, and is free again afterwards.
    template <class Visit>
    __device__ void finish_narrow(std::int64_t set, int index, T* shared, const Visit& visit) const {
        unsigned* own_tickets = tickets + set * (groups + 1);
        const int own = index / group, first = own * group, members = parts - first < group ? parts - first : group;
        if (!last_to_arrive(own_tickets + own, static_cast<unsigned>(members))) return;
        if (groups == 1) return add_narrow(part(set, 0), columns, members, shared, visit);
        T* sum = part(set, first);
        add_narrow(sum, columns, members, shared, [&](int column, T total) { sum[column] = total; });
        if (!last_to_arrive(own_tickets + groups, static_cast<unsigned>(groups))) return;
        add_narrow(part(set, 0), std::int64_t{group} * columns, groups, shared, visit);
    }

    /// The same for parts that are vectors of 16 bytes, `Vectors` of each thread: vector p of thread t is the block's
    /// vector p · threads + t. visit(p, its elements) in threads that are `live`; what others have is not looked at.
    template <int Vectors, class Visit>
    __device__ void finish_vectors(std::int64_t set, int index, bool live, const Visit& visit) const {
        unsigned* own_tickets = tickets + set * (groups + 1);
        const int own = index / group, first = own * group, members = parts - first < group ? parts - first : group;
        if (!last_to_arrive(own_tickets + own, static_cast<unsigned>(members))) return;
        if (groups == 1) return add_vectors<Vectors>(part(set, 0), columns, members, live, visit);
        T* sum = part(set, first);
        add_vectors<Vectors>(sum, columns, members, live,
                             [&](int p, const T* total) { store_own_vector(sum, p, total); });
        if (!last_to_arrive(own_tickets + groups, static_cast<unsigned>(groups))) return;
        add_vectors<Vectors>(part(set, 0), std::int64_t{group} * columns, groups, live, visit);
    }
    static constexpr int kVector = 16 / static_cast<int>(sizeof(T));
    /// Leaves this thread's vector p in a part.
    __device__ static void store_own_vector(T* part, int p, const T* values) {
        Vector16 vector;
#pragma unroll
        for (int e = 0; e < kVector; ++e) vector.at[e] = values[e];
        *reinterpret_cast<Vector16*>(part + own_vector(p)) = vector;
    }

private:
    struct alignas(16) Vector16 {
        T at[kVector];
    };
    __device__ static int own_vector(int p) {
        return (p * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x)) * kVector;
    }
    __device__ static Vector16 load_own_vector(const T* part, int p) {
        using Word = std::conditional_t<sizeof(T) == 4, float4, double2>;
        const Word word = __ldcg(reinterpret_cast<const Word*>(part + own_vector(p)));
        Vector16 vector;
        if constexpr (sizeof(T) == 4) {
            vector = {{word.x, word.y, word.z, word.w}};
        } else {
            vector = {{word.x, word.y}};
        }
        return vector;
    }
    template <int Vectors, class Visit>
    __device__ void add_vectors(const T* from, std::int64_t apart, int count, bool live, const Visit& visit) const {
        if (!live) return;
        constexpr int ahead = 16 / Vectors > 1 ? 16 / Vectors : 1;  // parts whose loads are on their way together
        T sum[Vectors][kVector] = {};
        for (int first = 0; first < count; first += ahead) {
            Vector16 vectors[ahead][Vectors];
#pragma unroll
            for (int i = 0; i < ahead; ++i)
#pragma unroll
                for (int p = 0; p < Vectors; ++p)
                    vectors[i][p] = first + i < count ? load_own_vector(from + (first + i) * apart, p) : Vector16{};
#pragma unroll
            for (int i = 0; i < ahead; ++i)
#pragma unroll
                for (int p = 0; p < Vectors; ++p)
#pragma unroll
                    for (int e = 0; e < kVector; ++e) sum[p][e] += vectors[i][p].at[e];
        }
#pragma unroll
        for (int p = 0; p < Vectors; ++p) visit(p, sum[p]);
    }

    /// Threads stand in lanes of `columns`; each lane adds every so many parts, then the lanes are added in order.
    template <class Visit>
    __device__ void add_narrow(const T* from, std::int64_t apart, int count, T* shared, const Visit& visit) const {
        const int lanes = static_cast<int>(blockDim.x) / columns, own = static_cast<int>(threadIdx.x);
        if (lanes < 2) return add<1, 16>(from, apart, count, visit);
        const int lane = own / columns, column = own % columns;
        T sum = 0;
        if (lane < lanes) {
#pragma unroll 8
            for (int i = lane; i < count; i += lanes) sum += __ldcg(from + i * apart + column);
        }
        __syncthreads();
        shared[own] = sum;
        __syncthreads();
        if (lane != 0) return;
        for (int i = 1; i < lanes; ++i) sum += shared[i * columns + column];
        visit(column, sum);
    }

    /// Each thread adds `Together` columns at a time, for each of which the loads of `Ahead` parts are on their way.
    template <int Together, int Ahead, class Visit>
    __device__ void add(const T* from, std::int64_t apart, int count, const Visit& visit) const {
        const int threads = static_cast<int>(blockDim.x);
        for (int first = static_cast<int>(threadIdx.x); first < columns; first += Together * threads) {
            T sum[Together] = {};
            for (int part = 0; part < count; part += Ahead) {
                T values[Ahead][Together];
#pragma unroll
                for (int i = 0; i < Ahead; ++i)
#pragma unroll
                    for (int c = 0; c < Together; ++c)
                        values[i][c] = part + i < count && first + c * threads < columns
                                           ? __ldcg(from + (part + i) * apart + first + c * threads)
                                           : T(0);
#pragma unroll
                for (int i = 0; i < Ahead; ++i)
#pragma unroll
                    for (int c = 0; c < Together; ++c) sum[c] += values[i][c];
            }
#pragma unroll
            for (int c = 0; c < Together; ++c)
                if (first + c * threads < columns) visit(first + c * threads, sum[c]);
        }
    }
};

}  // namespace whorl::gpu
