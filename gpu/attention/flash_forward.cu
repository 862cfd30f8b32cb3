#include "gpu/attention/flash_forward.cuh"
#include "gpu/attention/flash_operands.cuh"

namespace whorl::gpu {

void flash_forward(const CudaBackend& backend, const AttentionCall& call) {
    with_flash_kernel(backend, call, [&](auto products, auto head) {
        constexpr Products P = products();
        constexpr int K = head();
        using Sizes = typename FlashSizes<K, kParts<P>>::Forward;
        constexpr int bytes = FlashForward<P, K, Sizes>::kBytes;
        const auto in = forward_operands<P>(backend, call);
        const int stretches = stretches_of(call.shape, Sizes::kRows);
        launch("attention_forward", flash_forward_kernel<P, K, Sizes>,
               dim3(grid_size(call.shape.all_heads() * stretches)), dim3(Sizes::kThreads), bytes, backend.stream(),
               call.shape, in, results(call.y), stretches);
    });
}

}  // namespace whorl::gpu
