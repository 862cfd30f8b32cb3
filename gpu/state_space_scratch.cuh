// Where the state-space kernels' blocks have their memory, and what the backward pass leaves between its kernels.
#pragma once

#include "gpu/reduce.cuh"
#include "gpu/state_space_block.cuh"

namespace whorl::gpu {

/// What the heads of a sequence leave for the kernels that add them.
template <class T>
struct HeadParts {
    T *b, *c;  // [task, L, rank, N]: gradients of the normed rows, in the order of the projection
    T* theta;  // [task, L, S]
    T* sums;   // [task, SumLayout]
};

template <class T>
std::int64_t backward_bytes(const StateSpaceShape& s) {
    return block_bytes<BackwardMemory<T, kExactProducts<T>, false>>(s);
}
/// body(P, Shared, Single), constants: with_block_kernel, and whether the layer has one rank.
template <class T, class Body>
void with_layer_kernel(const BlockPlan& plan, Products products, const StateSpaceShape& s, const Body& body) {
    with_block_kernel<T>(plan, products, [&](auto chosen, auto shared) {
        if (s.rank == 1 && !s.mimo)
            body(chosen, shared, std::true_type{});
        else
            body(chosen, shared, std::false_type{});
    });
}

template <class T>
BlockPlan forward_plan(const CudaBackend& backend, const StateSpaceShape& s) {
    return {block_bytes<ForwardMemory<T, kExactProducts<T>, false>>(s), s.tasks(), backend.shared_limit(),
            backend.multiprocessors()};
}
template <class T>
BlockPlan backward_plan(const CudaBackend& backend, const StateSpaceShape& s) {
    return {backward_bytes<T>(s), s.tasks(), backend.shared_limit(), backend.multiprocessors()};
}

constexpr int kSharedWarps = 8;  // of a block that adds what heads share

/// The backward pass's scratch memory, one part behind the other.
template <class T>
struct BackwardScratch {
    BackwardScratch(std::byte* base, const CudaBackend& backend, const StateSpaceShape& s) {
        std::int64_t used = 0;
        const auto take = [&](std::int64_t size) {
            std::byte* part = base ? base + used : nullptr;
            used += (size + kAlignment - 1) / kAlignment * kAlignment;
            return part;
        };
        const auto numbers = [&](std::int64_t count) {
            return reinterpret_cast<T*>(take(count * static_cast<std::int64_t>(sizeof(T))));
        };
        const std::int64_t positions = s.tasks() * s.length;
        parts.b = numbers(positions * s.rank * s.state);
        parts.c = numbers(positions * s.rank * s.state);
        parts.theta = numbers(positions * s.angles);
        parts.sums = numbers(s.tasks() * SumLayout(s).count());
        norms = numbers(s.replicas * splits(s).count * 2 * s.state);
        outside = take(backward_plan<T>(backend, s).scratch());
        bytes = used;
    }
    static Splits splits(const StateSpaceShape& s) { return {s.batch * s.length, kSharedWarps, 512}; }
    HeadParts<T> parts{};
    T* norms = nullptr;  // partial sums of the norms' gradients
    std::byte* outside = nullptr;
    std::int64_t bytes = 0;
};

}  // namespace whorl::gpu
