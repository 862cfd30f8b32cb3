// The matrix units of a warp: c[16,8] += a[16,8] · b[8,8], in float64, float32, TF32 or bf16 products, sums never below
// float32.
//
// A warp's lane has row g = lane / 4 and place t = lane % 4, and of each fragment the elements
//     a: (g, t), (g+8, t), (g, t+4), (g+8, t+4)      b: (k = t, g), (k = t+4, g)      c: (g, 2t), (g, 2t+1), (g+8, …)
// whatever the scalar. The order of k is free as long as a and b agree: bf16 takes (t, t+4) for neighbours.
//
// The float32 product is three TF32 products of operands split in two (hi·hi + hi·lo + lo·hi): what is left out is
// 2^-22 of a term, which float32 sums do not show either. Code for compute capability 7.5, which all GPUs without
// machine code of their own run, passes the fragments round and multiplies in float32 whatever was asked for.
#pragma once

#include <cuda_runtime.h>

#include <type_traits>

#include "core/numerics/floating.hpp"
#include "gpu/runtime/products.hpp"
#include "gpu/tiles/vector.cuh"

namespace whorl::gpu {

/// body(P, a constant): what an operation on T multiplies when float operations multiply `products`.
template <class T, class Body>
void with_products(Products products, const Body& body) {
    if constexpr (sizeof(T) == sizeof(double)) {
        body(std::integral_constant<Products, Products::float64>{});
    } else {
        if (products == Products::bf16) return body(std::integral_constant<Products, Products::bf16>{});
        if (products == Products::tf32) return body(std::integral_constant<Products, Products::tf32>{});
        body(std::integral_constant<Products, Products::float32>{});
    }
}

/// The same where activations are stored as S: of bf16 ones, products are bf16.
template <class T, class S, class Body>
void with_stored_products(Products products, const Body& body) {
    if constexpr (sizeof(S) < sizeof(T))
        body(std::integral_constant<Products, Products::bf16>{});
    else
        with_products<T>(products, body);
}

/// The elements of a lane, made ready for one kind of product once and used with several partners.
template <Products P, int Count>
struct Fragment;

template <int Count>
struct Fragment<Products::float64, Count> {
    double x[Count];
    Fragment() = default;
    __device__ explicit Fragment(const double (&values)[Count]) {
#pragma unroll
        for (int i = 0; i < Count; ++i) x[i] = values[i];
    }
};

#if __CUDA_ARCH__ >= 800

__device__ __forceinline__ unsigned to_tf32(float x) {
    unsigned rounded;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(x));
    return rounded;
}

template <int Count>
struct Fragment<Products::float32, Count> {
    unsigned high[Count], low[Count];
    Fragment() = default;
    __device__ explicit Fragment(const float (&values)[Count]) {
#pragma unroll
        for (int i = 0; i < Count; ++i) {
            // Rounded by hand: the conversion costs several times as much. A NaN may get lost here, but never in `low`,
            // whose last bits the units do not read.
            high[i] = (__float_as_uint(values[i]) + 0x1000U) & 0xffffe000U;
            low[i] = __float_as_uint(values[i] - __uint_as_float(high[i]));
        }
    }
};
template <int Count>
struct Fragment<Products::tf32, Count> {
    unsigned high[Count];
    Fragment() = default;
    __device__ explicit Fragment(const float (&values)[Count]) {
#pragma unroll
        for (int i = 0; i < Count; ++i) high[i] = to_tf32(values[i]);
    }
};
template <int Count>
struct Fragment<Products::bf16, Count> {
    unsigned pair[Count / 2];  // a: rows g and g+8
    Fragment() = default;
    __device__ explicit Fragment(const unsigned (&pairs)[Count / 2]) {
#pragma unroll
        for (int i = 0; i < Count / 2; ++i) pair[i] = pairs[i];
    }
    __device__ explicit Fragment(const float (&values)[Count]) {
#pragma unroll
        for (int i = 0; i < Count / 2; ++i) pair[i] = to_bf16_pair(values[i], values[i + Count / 2]);
    }
};

__device__ __forceinline__ void mma_tf32(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
__device__ __forceinline__ void mma_double(double& c0, double& c1, double a, double b) {
    asm("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0,%1}, {%2}, {%3}, {%0,%1};"
        : "+d"(c0), "+d"(c1)
        : "d"(a), "d"(b));
}

__device__ __forceinline__ void multiply_add(float (&c)[4], const Fragment<Products::float32, 4>& a,
                                             const Fragment<Products::float32, 2>& b) {
    mma_tf32(c, a.low, b.high);
    mma_tf32(c, a.high, b.low);
    mma_tf32(c, a.high, b.high);
}
__device__ __forceinline__ void multiply_add(float (&c)[4], const Fragment<Products::tf32, 4>& a,
                                             const Fragment<Products::tf32, 2>& b) {
    mma_tf32(c, a.high, b.high);
}
__device__ __forceinline__ void multiply_add(float (&c)[4], const Fragment<Products::bf16, 4>& a,
                                             const Fragment<Products::bf16, 2>& b) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a.pair[0]), "r"(a.pair[1]), "r"(b.pair[0]));
}
/// Two such products at once.
__device__ __forceinline__ void multiply_add(float (&c)[4], const Fragment<Products::bf16, 4>& a,
                                             const Fragment<Products::bf16, 4>& next_a,
                                             const Fragment<Products::bf16, 2>& b,
                                             const Fragment<Products::bf16, 2>& next_b) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a.pair[0]), "r"(a.pair[1]), "r"(next_a.pair[0]), "r"(next_a.pair[1]), "r"(b.pair[0]),
          "r"(next_b.pair[0]));
}
__device__ __forceinline__ void multiply_add(double (&c)[4], const Fragment<Products::float64, 4>& a,
                                             const Fragment<Products::float64, 2>& b) {
    mma_double(c[0], c[1], a.x[0], b.x[0]);
    mma_double(c[2], c[3], a.x[1], b.x[0]);
    mma_double(c[0], c[1], a.x[2], b.x[1]);
    mma_double(c[2], c[3], a.x[3], b.x[1]);
}

#else

template <Products P, int Count>
struct Fragment {
    float x[Count];
    Fragment() = default;
    __device__ explicit Fragment(const float (&values)[Count]) {
#pragma unroll
        for (int i = 0; i < Count; ++i) x[i] = values[i];
    }
};

/// Element i of a lane's fragments, for every lane of the warp to ask for.
template <class A, class B>
struct LaneElements {
#if defined(__CUDACC__)
    const A& own_a;
    const B& own_b;
    __device__ __forceinline__ auto a(int lane, int i) const {
        return __shfl_sync(0xffffffffU, own_a.x[i], lane);
    }
    __device__ __forceinline__ auto b(int lane, int i) const {
        return __shfl_sync(0xffffffffU, own_b.x[i], lane);
    }
#else  // emulated: one meeting, not one an element
    struct Both {
        A a;
        B b;
    };
    emulated::LaneValues<Both> of;
    LaneElements(const A& own_a, const B& own_b) : of(Both{own_a, own_b}) {}
    auto a(int lane, int i) const {
        return of[lane].a.x[i];
    }
    auto b(int lane, int i) const {
        return of[lane].b.x[i];
    }
#endif
};

template <class T, class A, class B>
__device__ __forceinline__ void add_product(T (&c)[4], const A& own_a, const B& own_b) {
    const LaneElements<A, B> of{own_a, own_b};
    const int lane = static_cast<int>(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
#pragma unroll
    for (int k = 0; k < 8; ++k) {
        const int from_a = 4 * g + k % 4, from_b = 8 * t + k % 4;
        const T top = of.a(from_a, k / 4 * 2), bottom = of.a(from_a, k / 4 * 2 + 1);
        const T left = of.b(from_b, k / 4), right = of.b(from_b + 4, k / 4);
        // fma by hand: compilers would now and then choose it for what the caller does to c before or behind.
        c[0] = numerics::fma(top, left, c[0]);
        c[1] = numerics::fma(top, right, c[1]);
        c[2] = numerics::fma(bottom, left, c[2]);
        c[3] = numerics::fma(bottom, right, c[3]);
    }
}

#if defined(__CUDACC__)

template <class T, int Count>
struct LaneNumbers {
    T x[Count];
};
/// Called, not put in place: kernels are made of products, and the longest file would take about twice as long.
/// (A register file's worth of sums lives across these calls; what that costs was not measured.)
template <class T>
__device__ __noinline__ LaneNumbers<T, 4> with_product(LaneNumbers<T, 4> c, LaneNumbers<T, 4> a, LaneNumbers<T, 2> b) {
    add_product(c.x, a, b);
    return c;
}

template <class T, class A, class B>
__device__ __forceinline__ void multiply_add(T (&c)[4], const A& a, const B& b) {
    const auto sums = with_product<T>({c[0], c[1], c[2], c[3]}, {a.x[0], a.x[1], a.x[2], a.x[3]}, {b.x[0], b.x[1]});
#pragma unroll
    for (int i = 0; i < 4; ++i) c[i] = sums.x[i];
}

#else

template <class T, class A, class B>
void multiply_add(T (&c)[4], const A& a, const B& b) {
    add_product(c, a, b);
}

#endif
#endif

}  // namespace whorl::gpu
