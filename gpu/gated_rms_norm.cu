// Gate and RMSNorm over groups of features, one warp a group: Mamba-2's output (gate, then norm) and Gated DeltaNet's
// (norm, then gate).
#include "core/numerics/mixer_terms.hpp"
#include "gpu/cuda_backend.hpp"
#include "gpu/reduce.cuh"

namespace whorl::gpu {
namespace {

template <class T>
struct GatedRows {
    View<T> x, z, weight;
    int n, groups, weight_step;  // weight_step: 0 when all groups share one weight
    bool norm_first;
    T epsilon;

    __device__ T inverse_rms(const T* in, const T* gate, int lane) const {
        T square = 0;
        for (int i = lane; i < n; i += 32) {
            const T value = norm_first ? in[i] : in[i] * numerics::silu(gate[i]);
            square += value * value;
        }
        return numerics::inverse_rms(warp_sum(square), static_cast<T>(n), epsilon);
    }
};

template <class T>
struct GatedForward {
    GatedRows<T> in;
    View<T> y;
    __device__ void operator()(unsigned r, std::int64_t index, int lane) const {
        const std::int64_t row = index / in.groups;
        const int group = static_cast<int>(index % in.groups), at = group * in.n;
        const T *x = in.x.row(r, row) + at, *z = in.z.row(r, row) + at, *w = in.weight.at(r) + group * in.weight_step;
        T* out = y.row(r, row) + at;
        const T scale = in.inverse_rms(x, z, lane);
        for (int i = lane; i < in.n; i += 32) out[i] = x[i] * numerics::silu(z[i]) * (scale * w[i]);
    }
};

template <class T>
struct GatedBackward {
    GatedRows<T> in;
    View<T> d_y, d_x, d_z;
    T* inverse;  // [replica, row, group], kept for the weight's sum
    std::int64_t count;
    __device__ void operator()(unsigned r, std::int64_t index, int lane) const {
        const std::int64_t row = index / in.groups;
        const int group = static_cast<int>(index % in.groups), at = group * in.n;
        const T *x = in.x.row(r, row) + at, *z = in.z.row(r, row) + at, *w = in.weight.at(r) + group * in.weight_step,
                *d = d_y.row(r, row) + at;
        T *to_x = d_x.row(r, row) + at, *to_z = d_z.row(r, row) + at;
        const T scale = in.inverse_rms(x, z, lane);
        if (lane == 0) inverse[r * count + index] = scale;
        // Both orders: out = x·silu(z)·scale·w, where scale depends on x (norm first) or on x·silu(z).
        T projection = 0;
        for (int i = lane; i < in.n; i += 32) projection += d[i] * w[i] * (x[i] * numerics::silu(z[i]) * scale);
        projection = warp_sum(projection) / static_cast<T>(in.n);
        for (int i = lane; i < in.n; i += 32) {
            const T gate = numerics::silu(z[i]), slope = numerics::silu_derivative(z[i]), value = x[i],
                    dw = d[i] * w[i];
            if (in.norm_first) {
                to_z[i] = dw * value * scale * slope;
                to_x[i] = scale * (dw * gate - value * scale * projection);
            } else {
                const T d_gated = scale * (dw - value * gate * scale * projection);
                to_z[i] = d_gated * value * slope;
                to_x[i] = d_gated * gate;
            }
        }
    }
};

/// Term of the weight's gradient. Rows are (row, group) with a shared weight, else rows with all features.
template <class T>
struct GatedWeightTerm {
    GatedRows<T> in;
    View<T> d_y;
    const T* inverse;
    std::int64_t count;
    __device__ T operator()(unsigned r, std::int64_t index, int column) const {
        const bool shared = in.weight_step == 0;
        const std::int64_t row = shared ? index / in.groups : index;
        const int group = shared ? static_cast<int>(index % in.groups) : column / in.n;
        const int j = shared ? group * in.n + column : column;
        return d_y.row(r, row)[j] * in.x.row(r, row)[j] * numerics::silu(in.z.row(r, row)[j]) *
               inverse[r * count + row * in.groups + group];
    }
};

template <class T>
GatedRows<T> gated_rows(const GatedNormShape& shape, const Tensor& x, const Tensor& z, const Tensor& weight) {
    return {view<T>(x),
            view<T>(z),
            view<T>(weight),
            static_cast<int>(shape.group),
            static_cast<int>(x.features() / shape.group),
            shape.shared_weight ? 0 : static_cast<int>(shape.group),
            shape.norm_first,
            static_cast<T>(shape.epsilon)};
}

struct Sizes {
    Sizes(const Tensor& x, const GatedNormShape& shape)
        : groups(x.rows() * (x.features() / shape.group)),
          sum_rows(shape.shared_weight ? groups : x.rows()),
          sum_columns(shape.shared_weight ? shape.group : x.features()) {}
    std::int64_t groups, sum_rows, sum_columns;  // of one replica
};

}  // namespace

OpMemory CudaBackend::gated_rms_norm_memory(const Tensor& x, const GatedNormShape& shape) {
    OpMemory memory;
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Sizes sizes(x, shape);
        memory.scratch = x.replicas() * sizes.groups * static_cast<std::int64_t>(sizeof(T)) +
                         column_sum_bytes<T>(x.replicas(), sizes.sum_rows, sizes.sum_columns);
    });
    return memory;
}

void CudaBackend::gated_rms_norm_forward(const GatedNormShape& shape, const Tensor& x, const Tensor& z,
                                         const Tensor& weight, const Tensor& y) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        for_each_row("gated_rms_norm_forward", stream_, x.replicas(), Sizes(x, shape).groups,
                     GatedForward<T>{gated_rows<T>(shape, x, z, weight), view<T>(y)});
    });
}

void CudaBackend::gated_rms_norm_backward(const GatedNormShape& shape, const Tensor& x, const Tensor& z,
                                          const Tensor& weight, const Tensor& d_y, const Tensor& d_x, const Tensor& d_z,
                                          const Tensor& d_weight, const Tensor& scratch) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Sizes sizes(x, shape);
        const GatedRows<T> rows = gated_rows<T>(shape, x, z, weight);
        T* inverse = scratch.at<T>();
        for_each_row("gated_rms_norm_backward", stream_, x.replicas(), sizes.groups,
                     GatedBackward<T>{rows, view<T>(d_y), view<T>(d_x), view<T>(d_z), inverse, sizes.groups});
        add_column_sums<T>("gated_rms_norm_backward", stream_, x.replicas(), sizes.sum_rows, sizes.sum_columns,
                           GatedWeightTerm<T>{rows, view<T>(d_y), inverse, sizes.groups},
                           inverse + x.replicas() * sizes.groups,
                           tickets(column_sum_tickets(x.replicas(), sizes.sum_columns)), view<T>(d_weight));
    });
}

}  // namespace whorl::gpu
