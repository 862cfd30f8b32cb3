#include "gpu/attention/flash_backward.cuh"
#include "gpu/attention/flash_operands.cuh"

namespace whorl::gpu {
namespace {

template <Products P, int K>
constexpr int kMostBytes = most_of(FlashQueries<P, K, typename FlashSizes<K, kParts<P>>::Queries>::kBytes,
                                   KeysMemory<P, K, typename FlashSizes<K, kParts<P>>::Keys>::kBytes);
/// More than the forward pass needs, and than operands in one part.
template <int K>
constexpr int kRoom = most_of(kMostBytes<Products::float32, K>, kMostBytes<Products::bf16, K>);

}  // namespace

bool flash_may_take(const CudaBackend& backend, DType dtype, const AttentionShape& s) {
    if (dtype == DType::f64 || s.length < kShort) return false;
    const std::int64_t room = backend.shared_limit();
    return (s.k == 32 && kRoom<32> <= room) || (s.k == 64 && kRoom<64> <= room) || (s.k == 128 && kRoom<128> <= room);
}

bool flash_takes(const CudaBackend& backend, const AttentionCall& call) {
    const bool bf16 = call.qkv.dtype == DType::bf16 || backend.products() == Products::bf16;
    const int shortest = bf16 && !call.cache ? kShort : kOneTile + 1;
    return call.shape.length >= shortest && flash_may_take(backend, call.qkv.dtype, call.shape);
}

void flash_backward(const CudaBackend& backend, const AttentionCall& call) {
    const AttentionShape& s = call.shape;
    with_flash_kernel(backend, call, [&](auto products, auto head) {
        constexpr Products P = products();
        constexpr int K = head();
        const auto in = backward_operands<P>(backend, call);
        MemoryParts parts(call.scratch.data);
        const AngleTables<float> angles(parts, s);
        const float *sin = s.rope ? angles.sin : nullptr, *cos = s.rope ? angles.cos : nullptr;
        const auto start = [&](auto kernel, auto sizes, std::size_t bytes) {
            using Sizes = decltype(sizes);
            const int stretches = stretches_of(s, Sizes::kRows);
            launch("attention_backward", kernel, dim3(grid_size(s.all_heads() * stretches)), dim3(Sizes::kThreads),
                   bytes, backend.stream(), s, in, results(call.d_qkv), sin, cos, stretches);
        };
        const auto start_both = [&](auto of_queries, auto of_keys) {
            using Queries = decltype(of_queries);
            using Keys = decltype(of_keys);
            start(flash_queries_kernel<P, K, Queries>, of_queries, FlashQueries<P, K, Queries>::kBytes);
            start(flash_keys_kernel<P, K, Keys>, of_keys, KeysMemory<P, K, Keys>::kBytes);
        };
        using Sizes = FlashSizes<K, kParts<P>>;
        using WideQueries = typename Sizes::WideQueries;
        using WideKeys = typename Sizes::WideKeys;
        if (most_of(FlashQueries<P, K, WideQueries>::kBytes, KeysMemory<P, K, WideKeys>::kBytes) <=
            backend.shared_limit())
            start_both(WideQueries{}, WideKeys{});
        else
            start_both(typename Sizes::Queries{}, typename Sizes::Keys{});
    });
}

}  // namespace whorl::gpu
