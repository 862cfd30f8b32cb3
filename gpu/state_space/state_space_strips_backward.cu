#include "gpu/state_space/state_space_strips_backward.cuh"

namespace whorl::gpu {
namespace {

/// Blocks that share a multiprocessor's registers and its memory.
template <class Kind>
constexpr int kBackwardBlocks = Kind::kSharers > 1          ? 1
                                : Kind::kHeaddim > 32       ? 2
                                : Kind::P == Products::bf16 ? 4
                                                            : 3;

template <class Kind>
__global__ void __launch_bounds__(Kind::kThreads, kBackwardBlocks<Kind>)
    strips_backward_kernel(const __grid_constant__ StateSpaceShape s,
                           const __grid_constant__ StateSpaceViews<float, typename Kind::S> in,
                           const View<typename Kind::S> d_y,
                           const __grid_constant__ StateSpaceViews<float, typename Kind::S> gradient,
                           const __grid_constant__ HeadParts<float> parts, const float* saved) {
    BlockMemory memory(dynamic_shared());
    const StripBackwardMemory<Kind> own(memory, s);
    const StripTask task(s);
    StripBackward<Kind>(s, in, own, gradient, parts, d_y, saved, task).run();
}

}  // namespace

bool strips_fit_backward(std::int64_t shared_limit, DType dtype, const StateSpaceShape& s) {
    if (!strips_fit(shared_limit, dtype, s)) return false;
    std::int64_t bytes = 0;
    with_strip_kind<float>(s, Products::float32,
                           [&](auto kind) { bytes = block_bytes<StripBackwardMemory<decltype(kind)>>(s); });
    return bytes <= shared_limit;
}

template <class S>
void strips_backward(const CudaBackend& backend, const StateSpaceShape& s, const StateSpaceViews<float, S>& in,
                     const View<S>& d_y, const StateSpaceViews<float, S>& gradient, const HeadParts<float>& parts,
                     const float* saved) {
    with_strip_kind<S>(s, backend.products(), [&](auto kind) {
        using Kind = decltype(kind);
        launch("state_space_backward", strips_backward_kernel<Kind>, strip_grid(s), dim3(Kind::kThreads),
               static_cast<std::size_t>(block_bytes<StripBackwardMemory<Kind>>(s)), backend.stream(), s, in, d_y,
               gradient, parts, saved);
    });
}

template void strips_backward(const CudaBackend&, const StateSpaceShape&, const StateSpaceViews<float, float>&,
                              const View<float>&, const StateSpaceViews<float, float>&, const HeadParts<float>&,
                              const float*);
template void strips_backward(const CudaBackend&, const StateSpaceShape&, const StateSpaceViews<float, Bf16>&,
                              const View<Bf16>&, const StateSpaceViews<float, Bf16>&, const HeadParts<float>&,
                              const float*);

}  // namespace whorl::gpu
