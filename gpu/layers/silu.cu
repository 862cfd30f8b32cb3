// y = silu(x), element by element. A thread has a vector of neighbouring features.
#include "core/numerics/activations.hpp"
#include "gpu/runtime/cuda_backend.hpp"
#include "gpu/tiles/vector.cuh"

namespace whorl::gpu {
namespace {

/// `at` counts vectors of features.
template <class T, class S, int Width>
struct SiluForward {
    View<S> x, y;
    __device__ void operator()(unsigned r, std::int64_t row, int at) const {
        Vector<T, Width> value = load_vector<Width>(x.row(r, row) + at * Width);
#pragma unroll
        for (int e = 0; e < Width; ++e) value.at[e] = numerics::silu(value.at[e]);
        store_vector(y.row(r, row) + at * Width, value);
    }
};

template <class T, class S, int Width>
struct SiluBackward {
    View<S> x, d_y, d_x;
    __device__ void operator()(unsigned r, std::int64_t row, int at) const {
        const Vector<T, Width> value = load_vector<Width>(x.row(r, row) + at * Width);
        Vector<T, Width> d = load_vector<Width>(d_y.row(r, row) + at * Width);
#pragma unroll
        for (int e = 0; e < Width; ++e) d.at[e] *= numerics::silu_derivative(value.at[e]);
        store_vector(d_x.row(r, row) + at * Width, d);
    }
};

/// Calls body(T{}, S{}, width of vectors).
template <class Body>
void with_vectors(const Tensor& x, bool vectors, const Body& body) {
    dispatch_stored(x.dtype, [&](auto scalar, auto stored) {
        dispatch_width<decltype(scalar)>(vectors && in_vectors(x), [&](auto width) { body(scalar, stored, width); });
    });
}

}  // namespace

void CudaBackend::silu_forward(const Tensor& x, const Tensor& y) {
    with_vectors(x, in_vectors(y), [&]<class T, class S, class W>(T, S, W) {
        const SiluForward<T, S, W::value> body{view<S>(x), view<S>(y)};
        for_each_element("silu_forward", stream_, x.replicas(), SequenceRows(x), x.features() / W::value, body);
    });
}

void CudaBackend::silu_backward(const Tensor& x, const Tensor& d_y, const Tensor& d_x) {
    with_vectors(x, in_vectors(d_y) && in_vectors(d_x), [&]<class T, class S, class W>(T, S, W) {
        const SiluBackward<T, S, W::value> body{view<S>(x), view<S>(d_y), view<S>(d_x)};
        for_each_element("silu_backward", stream_, x.replicas(), SequenceRows(x), x.features() / W::value, body);
    });
}

}  // namespace whorl::gpu
