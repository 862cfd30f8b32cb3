#include "gpu/runtime/head_task.cuh"
#include "gpu/state_space/ranked_strips.cuh"
#include "gpu/state_space/state_space.cuh"
#include "gpu/state_space/state_space_forward.cuh"
#include "gpu/state_space/state_space_scratch.cuh"
#include "gpu/state_space/state_space_strips.cuh"
#include "gpu/state_space/state_update.cuh"

namespace whorl::gpu {
namespace {

template <class T, class S>
struct Velocities {
    View<S> angle;
    View<T> velocity;
    __device__ void operator()(std::int64_t r, std::int64_t row, int j) const {
        velocity.row(r, row)[j] = numerics::angular_velocity(T(angle.row(r, row)[j]));
    }
};

/// One block a task; a task is a head of a sequence of a replica.
template <class T, class S, bool Shared, class Sizes>
__global__ void __launch_bounds__(kBlockThreads, 2)
    forward_kernel(const __grid_constant__ LayerShape<Sizes> s, const __grid_constant__ StateSpaceViews<T, S> in,
                   View<S> y, View<T> state, std::int64_t position, T* saved, std::byte* outside, std::int64_t bytes) {
    BlockMemory memory(block_memory<Shared>(outside, bytes));
    ForwardMemory<T, Sizes> own(memory, s);
    const std::int64_t saved_size = SavedLayout(s).count;
    const int carried = s.state * s.headdim + (s.carries_input ? s.angles + s.rank * (s.state + s.headdim) : 0);
    for (std::int64_t task = blockIdx.x; task < s.tasks(); task += gridDim.x) {
        const auto [r, b, h] = HeadOfSequence::at(task, s.batch, s.heads);
        own.scan.s.length = s.sequences.length_of(r, b);
        HeadForward<T, S, Sizes> head{{s, in, own.layer, own.scan, r, s.sequences.first_row(r, b), h}};
        head.run(y, state ? state.at(r, b) + std::int64_t{h} * carried : nullptr, position, saved + task * saved_size);
        __syncthreads();
    }
}

/// Bytes that a block of the forward or the backward kernel needs.
std::int64_t block_size(DType dtype, const StateSpaceShape& shape) {
    std::int64_t bytes = 0;
    dispatch(dtype, [&](auto scalar) {
        using T = decltype(scalar);
        with_sizes<T>(shape, [&](auto sizes) {
            const LayerShape<decltype(sizes)> s{{shape}};
            bytes = std::max(forward_bytes<T>(s), backward_bytes<T>(s));
        });
    });
    return bytes;
}

}  // namespace

int choose_chunk(std::int64_t shared_limit, DType dtype, const StateSpaceShape& shape, FormChoice form) {
    if (form.form == Form::recurrent) return 1;
    if (form.chunk > 0) return static_cast<int>(std::min<std::int64_t>(form.chunk, shape.length));
    const auto positions = [&](int rows) { return std::min(shape.length, std::max(1, rows / shape.rank)); };
    // Rows that strips cannot read, and sequences that go on from a state, have the same chunks by the other kernels.
    StateSpaceShape in_strips = shape;
    in_strips.chunk = positions(kStripChunk);
    if (strips_fit(shared_limit, dtype, in_strips) && strips_fit_backward(shared_limit, dtype, in_strips))
        return in_strips.chunk;
    in_strips.chunk = std::min(shape.length, ranked_chunk(shape));
    if (ranked_takes(shared_limit, dtype, in_strips)) return in_strips.chunk;
    // Two blocks a multiprocessor hide each other's waiting; but short chunks cost more than that.
    for (const int blocks : {2, 1})
        for (const int rows : {64, 48, 32, 16, 8}) {
            if (blocks == 2 && rows < 32) break;
            StateSpaceShape s = shape;
            s.chunk = positions(rows);
            if (block_size(dtype, s) <= shared_limit / blocks) return s.chunk;
        }
    return positions(8);
}

OpMemory state_space_memory(const CudaBackend& backend, DType dtype, const StateSpaceShape& s) {
    OpMemory memory;
    dispatch(dtype, [&](auto scalar) {
        using T = decltype(scalar);
        memory.saved = std::max(ranked_takes(backend.shared_limit(), dtype, s) ? ranked_saved(dtype, s) : 0,
                                (s.tasks() * SavedLayout(s).count + s.replicas * s.batch * s.length * s.angles) *
                                    static_cast<std::int64_t>(sizeof(T)));
        memory.scratch = std::max(outside_bytes<T>(backend, s, forward_size<T>),
                                  BackwardScratch<T, T>(nullptr, backend, s, false).bytes);
        if (!ranked_takes(backend.shared_limit(), dtype, s)) return;
        memory.scratch = std::max(memory.scratch, ranked_scratch(s));
        if (strips_take(backend.shared_limit(), dtype, s)) return;
        if constexpr (sizeof(T) == sizeof(float))
            memory.scratch = std::max(memory.scratch, dtype == DType::bf16
                                                          ? BackwardScratch<T, Bf16>(nullptr, backend, s, true).bytes
                                                          : BackwardScratch<T, T>(nullptr, backend, s, true).bytes);
    });
    return memory;
}

void state_space_forward(const CudaBackend& backend, const StateSpaceShape& s, const Mamba3Tensors& in, const Tensor& y,
                         const Tensor& state, std::int64_t position, const Tensor& saved, const Tensor& scratch) {
    if (state && s.length == 1 && state_update(backend, s, in, y, state, position)) return;
    const bool in_strips = !state && strips_take(backend.shared_limit(), y.dtype, s);
    if (!in_strips && ranked_takes(backend.shared_limit(), y.dtype, s) && ranked_reads(in))
        return ranked_forward(backend, s, in, y, state, position, saved.data, scratch.data);
    dispatch_stored(y.dtype, [&](auto scalar, auto stored) {
        using T = decltype(scalar);
        using S = decltype(stored);
        const StateSpaceViews<T, S> views = views_with_saved<T, S>(s, in, saved);
        if (s.rotation == Rotation::data_dependent)
            for_each_element("state_space_forward", backend.stream(), s.replicas, s.sequences, s.angles,
                             Velocities<T, S>{views.angle, views.velocity});
        if constexpr (sizeof(T) == sizeof(float))
            if (in_strips && strips_read(in) && in_groups(y, 2))
                return strips_forward(backend, s, views, view<S>(y), position, saved.at<T>());
        with_layer_kernel<T>(backend, s, forward_size<T>,
                             [&]<class Sizes>(auto shared, const LayerShape<Sizes>& shape, const BlockPlan& blocks) {
                                 launch("state_space_forward", forward_kernel<T, S, shared(), Sizes>,
                                        dim3(grid_size(blocks.blocks)), dim3(kBlockThreads),
                                        blocks.shared ? static_cast<std::size_t>(blocks.bytes) : 0, backend.stream(),
                                        shape, views, view<S>(y), view<T>(state), position, saved.at<T>(),
                                        blocks.shared ? nullptr : scratch.data, blocks.bytes);
                             });
    });
}

}  // namespace whorl::gpu
