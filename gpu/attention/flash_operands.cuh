// What attention's own kernels read. Activations that are stored in bf16 and start at multiples of 16 bytes are read
// where they are, if they need no turn. All else is copied into scratch memory: turned, in the numbers that the matrix
// units multiply (flash_products.cuh), and for binary16 scaled by a power of two that a pass over the head's numbers
// finds before.
#pragma once

#include "gpu/attention/flash.cuh"

namespace whorl::gpu {

/// Buffers of the scratch memory, behind the angles. What a call needs depends on where its tensors lie; what it gets,
/// on shapes only.
template <Products P>
struct FlashScratch {
    using E = FlashOperand<P>;
    FlashScratch(std::byte* base, const AttentionShape& s, std::int64_t context)
        : parts(base),
          angles(parts, s),
          qkv(parts.take<E>(s.replicas * s.sequences.most_rows() * 3 * s.width() * kParts<P>)),
          d_y(parts.take<E>(s.replicas * s.sequences.most_rows() * s.width() * kParts<P>)),
          means(parts.take<float>(s.all_heads() * s.length)),
          lifts(parts.take<float>(kScaled<P> ? s.all_heads() * s.length : 0)),
          largest(parts.take<unsigned>(3 * s.all_heads())),
          largest_slope(parts.take<unsigned>(s.all_heads())),
          cache(parts.take<E>(s.replicas * s.batch * context * 2 * s.width() * kParts<P>)) {}
    MemoryParts parts;
    AngleTables<float> angles;
    E *qkv, *d_y;
    float *means, *lifts;  // of every query
    unsigned *largest, *largest_slope;
    E* cache;  // its keys and values
};

/// What forward leaves for backward; nothing where it is absent.
struct FlashSaved {
    FlashSaved(std::byte* base, const AttentionShape& s)
        : parts(base),
          log_sums(parts.take<float>(s.all_heads() * s.length)),
          largest(parts.take<unsigned>(3 * s.all_heads())) {}
    MemoryParts parts;
    float* log_sums;
    unsigned* largest;
};

/// Operands of the forward pass (with a cache or without), and all those of the backward pass.
template <Products P>
FlashOperands<FlashOperand<P>> forward_operands(const CudaBackend& backend, const AttentionCall& call);
template <Products P>
FlashOperands<FlashOperand<P>> backward_operands(const CudaBackend& backend, const AttentionCall& call);

/// body(P, K), constants.
template <class Body>
void with_flash_kernel(const CudaBackend& backend, const AttentionCall& call, const Body& body) {
    const auto with_head = [&](auto products) {
        if (call.shape.k == 32) return body(products, std::integral_constant<int, 32>{});
        if (call.shape.k == 64) return body(products, std::integral_constant<int, 64>{});
        body(products, std::integral_constant<int, 128>{});
    };
    if (call.qkv.dtype == DType::bf16) return with_head(std::integral_constant<Products, Products::bf16>{});
    with_products<float>(backend.products(), with_head);
}

inline ResultRows results(const Tensor& x) {
    return {x.data, x.stride[0], x.stride[2], x.dtype == DType::bf16, in_groups(x, 2)};
}

}  // namespace whorl::gpu
