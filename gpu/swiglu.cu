// y,g = split(x); out = y ⊙ silu(g).
#include "core/numerics/activations.hpp"
#include "gpu/cuda_backend.hpp"
#include "gpu/launch.cuh"

namespace whorl::gpu {
namespace {

template <class T>
struct SwigluForward {
    View<T> x, out;
    int n;
    __device__ void operator()(unsigned r, std::int64_t row, int j) const {
        const T* value = x.row(r, row);
        out.row(r, row)[j] = value[j] * numerics::silu(value[n + j]);
    }
};

template <class T>
struct SwigluBackward {
    View<T> x, d_out, d_x;
    int n;
    __device__ void operator()(unsigned r, std::int64_t row, int j) const {
        const T* value = x.row(r, row);
        T* d_value = d_x.row(r, row);
        const T d = d_out.row(r, row)[j], gate = value[n + j];
        d_value[j] = d * numerics::silu(gate);
        d_value[n + j] = d * value[j] * numerics::silu_derivative(gate);
    }
};

}  // namespace

void CudaBackend::swiglu_forward(const Tensor& x, const Tensor& out) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        for_each_element("swiglu_forward", stream_, x.replicas(), Packing(x), out.features(),
                         SwigluForward<T>{view<T>(x), view<T>(out), static_cast<int>(out.features())});
    });
}

void CudaBackend::swiglu_backward(const Tensor& x, const Tensor& d_out, const Tensor& d_x) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const SwigluBackward<T> body{view<T>(x), view<T>(d_out), view<T>(d_x), static_cast<int>(d_out.features())};
        for_each_element("swiglu_backward", stream_, x.replicas(), Packing(x), d_out.features(), body);
    });
}

}  // namespace whorl::gpu
