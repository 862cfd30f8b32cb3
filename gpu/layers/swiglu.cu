// y,g = split(x); out = y ⊙ silu(g). A thread has a vector of neighbouring features.
#include "core/numerics/activations.hpp"
#include "gpu/runtime/cuda_backend.hpp"
#include "gpu/tiles/vector.cuh"

namespace whorl::gpu {
namespace {

/// n features of out; `at` counts vectors of them.
template <class T, class S, int Width>
struct SwigluForward {
    View<S> x, out;
    int n;
    __device__ void operator()(unsigned r, std::int64_t row, int at) const {
        const S* from = x.row(r, row) + at * Width;
        Vector<T, Width> value = load_vector<Width>(from);
        const Vector<T, Width> gate = load_vector<Width>(from + n);
#pragma unroll
        for (int e = 0; e < Width; ++e) value.at[e] *= numerics::silu(gate.at[e]);
        store_vector(out.row(r, row) + at * Width, value);
    }
};

template <class T, class S, int Width>
struct SwigluBackward {
    View<S> x, d_out, d_x;
    int n;
    __device__ void operator()(unsigned r, std::int64_t row, int at) const {
        const S* from = x.row(r, row) + at * Width;
        S* to = d_x.row(r, row) + at * Width;
        Vector<T, Width> value = load_vector<Width>(from), gate = load_vector<Width>(from + n),
                         d = load_vector<Width>(d_out.row(r, row) + at * Width);
#pragma unroll
        for (int e = 0; e < Width; ++e) {
            const T open = numerics::silu(gate.at[e]), slope = numerics::silu_derivative(gate.at[e]);
            gate.at[e] = d.at[e] * value.at[e] * slope;
            d.at[e] *= open;
        }
        store_vector(to, d);
        store_vector(to + n, gate);
    }
};

/// Calls body(T{}, S{}, width of vectors).
template <class Body>
void with_halves(const Tensor& x, bool vectors, const Body& body) {
    dispatch_stored(x.dtype, [&](auto scalar, auto stored) {
        dispatch_width<decltype(scalar)>(vectors && in_vectors(x), [&](auto width) { body(scalar, stored, width); });
    });
}

}  // namespace

void CudaBackend::swiglu_forward(const Tensor& x, const Tensor& out) {
    with_halves(x, in_vectors(out), [&]<class T, class S, class W>(T, S, W) {
        const SwigluForward<T, S, W::value> body{view<S>(x), view<S>(out), static_cast<int>(out.features())};
        for_each_element("swiglu_forward", stream_, x.replicas(), SequenceRows(x), out.features() / W::value, body);
    });
}

void CudaBackend::swiglu_backward(const Tensor& x, const Tensor& d_out, const Tensor& d_x) {
    with_halves(x, in_vectors(d_out) && in_vectors(d_x), [&]<class T, class S, class W>(T, S, W) {
        const SwigluBackward<T, S, W::value> body{view<S>(x), view<S>(d_out), view<S>(d_x),
                                                  static_cast<int>(d_out.features())};
        for_each_element("swiglu_backward", stream_, x.replicas(), SequenceRows(x), d_out.features() / W::value, body);
    });
}

}  // namespace whorl::gpu
