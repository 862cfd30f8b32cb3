// Where the state-space kernels' blocks have their memory, and what the backward pass leaves between its kernels.
#pragma once

#include "gpu/runtime/reduce.cuh"
#include "gpu/state_space/ranked_shape.cuh"
#include "gpu/state_space/state_space_block.cuh"

namespace whorl::gpu {

/// body(Sizes{}): what the layer's kernels for any size are compiled for.
template <class T, class Body>
void with_sizes(const StateSpaceShape& s, const Body& body) {
    if constexpr (sizeof(T) == sizeof(float))
        if (s.rank == 1 && !s.mimo) return body(OneRank{});
    body(AnySizes{});
}

template <class T, class Sizes>
std::int64_t forward_bytes(const LayerShape<Sizes>& s) {
    return block_bytes<ForwardMemory<T, Sizes>>(s);
}
template <class T, class Sizes>
std::int64_t backward_bytes(const LayerShape<Sizes>& s) {
    return block_bytes<BackwardMemory<T, Sizes>>(s);
}

/// A kernel of the layer to start: body(Shared, LayerShape<Sizes>, BlockPlan), Shared a constant; bytes(shape) is what
/// a block of it needs. Products are as exact as T: others are the strips' (state_space_strips.cuh).
template <class T, class Bytes, class Body>
void with_layer_kernel(const CudaBackend& backend, const StateSpaceShape& shape, const Bytes& bytes, const Body& body) {
    const auto plan = [&](const auto& s) {
        return BlockPlan(bytes(s), s.tasks(), backend.shared_limit(), backend.multiprocessors());
    };
    const auto outside = [&] {
        const LayerShape<AnySizes> s{{shape}};
        body(std::false_type{}, s, plan(s));
    };
    with_sizes<T>(shape, [&](auto sizes) {
        const LayerShape<decltype(sizes)> s{{shape}};
        if constexpr (sizeof(T) == sizeof(float)) {
            if (!plan(s).shared) return outside();
            body(std::true_type{}, s, plan(s));
        } else {
            outside();
        }
    });
}

template <class T>
constexpr auto forward_size = [](const auto& s) { return forward_bytes<T>(s); };
template <class T>
constexpr auto backward_size = [](const auto& s) { return backward_bytes<T>(s); };

/// Of memory outside the multiprocessors, where a block needs more than there is inside.
template <class T, class Bytes>
std::int64_t outside_bytes(const CudaBackend& backend, const StateSpaceShape& shape, const Bytes& bytes) {
    std::int64_t scratch = 0;
    with_layer_kernel<T>(backend, shape, bytes,
                         [&](auto, const auto&, const BlockPlan& plan) { scratch = plan.scratch(); });
    return scratch;
}

/// The layer's tensors, with the angles' velocities behind what the heads save.
template <class T, class S>
StateSpaceViews<T, S> views_with_saved(const StateSpaceShape& s, const Mamba3Tensors& in, const Tensor& saved) {
    StateSpaceViews<T, S> views = state_space_views<T, S>(in);
    const std::int64_t sequence = std::int64_t{s.length} * s.angles;
    views.velocity = {saved.at<T>() + s.tasks() * SavedLayout(s).count, s.batch * sequence, sequence, s.angles};
    return views;
}

constexpr int kSharedWarps = 8;  // of a block that adds what heads share

/// The backward pass's scratch memory, one part behind the other.
/// d_rows, slopes: what the kernels of ranked strips (ranked_strips.cuh) leave one another.
template <class T, class Part>
struct BackwardScratch {
    BackwardScratch(std::byte* base, const CudaBackend& backend, const StateSpaceShape& s, bool ranked) {
        std::int64_t used = 0;
        const auto take = [&](std::int64_t size) {
            std::byte* part = base ? base + used : nullptr;
            used += (size + kAlignment - 1) / kAlignment * kAlignment;
            return part;
        };
        const auto numbers = [&]<class X = T>(std::int64_t count, X = {}) {
            return reinterpret_cast<X*>(take(count * static_cast<std::int64_t>(sizeof(X))));
        };
        const std::int64_t positions = s.tasks() * s.length;
        parts.b = numbers(positions * s.rank * s.state, Part{});
        parts.c = numbers(positions * s.rank * s.state, Part{});
        d_rows = numbers(ranked ? positions * s.rank * s.headdim : 0, Part{});
        slopes = numbers(ranked ? positions : 0, StepSlopes{});
        parts.theta = numbers(positions * s.angles);
        parts.sums = numbers(s.tasks() * SumLayout(s).count());
        parts.norms = numbers(s.replicas * splits(s).count * 2 * s.state);
        outside = take(ranked ? 0 : outside_bytes<T>(backend, s, backward_size<T>));
        bytes = used;
    }
    static Splits splits(const StateSpaceShape& s) { return {s.batch * s.length, kSharedWarps, 512}; }
    HeadParts<T, Part> parts{};
    Part* d_rows = nullptr;
    StepSlopes* slopes = nullptr;
    std::byte* outside = nullptr;
    std::int64_t bytes = 0;
};

}  // namespace whorl::gpu
