#include "gpu/state_space/ranked_gate_backward.cuh"
#include "gpu/state_space/ranked_steps.cuh"
#include "gpu/state_space/ranked_strips_backward.cuh"

namespace whorl::gpu {
namespace {

/// Blocks that share a multiprocessor's registers and its memory.
template <class Kind>
constexpr int kBackwardBlocks = Kind::kState* Kind::kHeaddim > 64 * 64 && sizeof(typename Kind::E) > 2 ? 1
                                : Kind::kSharers > 1                                                   ? 2
                                                                                                       : 3;

template <class Kind>
__global__ void __launch_bounds__(Kind::kThreads, kBackwardBlocks<Kind>)
    ranked_backward_kernel(const __grid_constant__ RankedShape s,
                           const __grid_constant__ RankedViews<typename Kind::S> in,
                           const __grid_constant__ StateSpaceViews<float, typename Kind::S> gradient,
                           const __grid_constant__ HeadParts<float, typename Kind::E> parts,
                           const typename Kind::E* d_rows, const std::byte* saved, StepSlopes* slopes) {
    BlockMemory memory(dynamic_shared());
    const RankedBackwardMemory<Kind> own(memory, s);
    const RankedTask task(s);
    RankedBackward<Kind>(s, in, own, gradient, parts, d_rows, saved, slopes, task).run();
}

}  // namespace

bool ranked_fit_backward(std::int64_t shared_limit, DType dtype, const StateSpaceShape& shape) {
    if (!ranked_fit(shared_limit, dtype, shape)) return false;
    const RankedShape s(shape);
    const std::int64_t bytes =
        ranked_bytes(dtype, s, [&](auto kind) { return block_bytes<RankedBackwardMemory<decltype(kind)>>(s); });
    return bytes <= shared_limit;
}

template <class S, class E>
void ranked_backward(const CudaBackend& backend, const StateSpaceShape& shape, const Mamba3Tensors& in,
                     const Tensor& d_y, const Mamba3Tensors& gradient, const HeadParts<float, E>& parts, E* d_rows,
                     StepSlopes* slopes, std::byte* saved) {
    RankedShape s(shape);
    s.paired = in_groups(d_y, 2) && ranked_reads(gradient);
    const RankedViews<S> views = ranked_views<S>(s, RankedLayout(s, sizeof(E)), state_space_views<float, S>(in), saved);
    const auto to = state_space_views<float, S>(gradient);
    ranked_gate_backward(backend, s, views, view<S>(d_y), to, saved, d_rows, parts.sums);
    with_ranked_kind<S>(s, backend.products(), [&](auto kind) {
        using Kind = decltype(kind);
        if constexpr (std::is_same_v<typename Kind::E, E>)
            launch("state_space_backward", ranked_backward_kernel<Kind>, ranked_grid(s), dim3(Kind::kThreads),
                   static_cast<std::size_t>(block_bytes<RankedBackwardMemory<Kind>>(s)), backend.stream(), s, views, to,
                   parts, d_rows, saved, slopes);
    });
    launch("state_space_backward", ranked_steps_backward_kernel<S>,
           dim3(grid_size(s.batch * s.heads), grid_size(s.replicas)), dim3(kStepThreads), 0, backend.stream(), s, views,
           to, slopes, parts.sums);
}

template void ranked_backward<float>(const CudaBackend&, const StateSpaceShape&, const Mamba3Tensors&, const Tensor&,
                                     const Mamba3Tensors&, const HeadParts<float, float>&, float*, StepSlopes*,
                                     std::byte*);
template void ranked_backward<float>(const CudaBackend&, const StateSpaceShape&, const Mamba3Tensors&, const Tensor&,
                                     const Mamba3Tensors&, const HeadParts<float, Bf16>&, Bf16*, StepSlopes*,
                                     std::byte*);
template void ranked_backward<Bf16>(const CudaBackend&, const StateSpaceShape&, const Mamba3Tensors&, const Tensor&,
                                    const Mamba3Tensors&, const HeadParts<float, Bf16>&, Bf16*, StepSlopes*,
                                    std::byte*);

}  // namespace whorl::gpu
