// Gate and RMSNorm over groups of features: Mamba-2's output (gate, then norm) and Gated DeltaNet's (norm, then gate).
#include "core/cpu/cpu_backend.hpp"
#include "core/cpu/gate.hpp"
#include "core/cpu/parallel.hpp"
#include "core/cpu/vector_math.hpp"

namespace whorl::cpu {
namespace {

Blocks gate_blocks(const Tensor& x) {
    return {x.rows(), 128, 16};
}

template <class T>
Gate<T> gate_of(const GatedNormShape& shape) {
    return {shape.norm_first ? OutprojNorm::pre_gate : OutprojNorm::post_gate, shape.group,
            static_cast<T>(shape.epsilon)};
}

}  // namespace

OpMemory CpuBackend::gated_rms_norm_memory(const Tensor& x, const GatedNormShape&) {
    const std::int64_t slots = x.replicas() * gate_blocks(x).count;
    return {0, slots * padded(x.features(), x.dtype) * static_cast<std::int64_t>(size_of(x.dtype))};
}

void CpuBackend::gated_rms_norm_forward(const GatedNormShape& shape, const Tensor& x, const Tensor& z,
                                        const Tensor& weight, const Tensor& y) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Gate<T> gate = gate_of<T>(shape);
        const Blocks blocks = gate_blocks(x);
        const std::int64_t groups = x.features() / shape.group, step = shape.shared_weight ? 0 : shape.group;
        parallel_for(threads_, x.replicas() * blocks.count, [&](std::int64_t task, int) {
            const std::int64_t r = task / blocks.count, block = task % blocks.count;
            for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i)
                for (std::int64_t g = 0; g < groups; ++g) {
                    const std::int64_t at = g * shape.group;
                    gate.forward(x.at<T>(r) + i * x.row_stride() + at, z.at<T>(r) + i * z.row_stride() + at,
                                 weight.at<T>(r) + g * step, y.at<T>(r) + i * y.row_stride() + at);
                }
        });
    });
}

void CpuBackend::gated_rms_norm_backward(const GatedNormShape& shape, const Tensor& x, const Tensor& z,
                                         const Tensor& weight, const Tensor& d_y, const Tensor& d_x, const Tensor& d_z,
                                         const Tensor& d_weight, const Tensor& scratch) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Gate<T> gate = gate_of<T>(shape);
        const Blocks blocks = gate_blocks(x);
        const std::int64_t groups = x.features() / shape.group, step = shape.shared_weight ? 0 : shape.group;
        const std::int64_t slot = padded(x.features(), x.dtype);
        parallel_for(threads_, x.replicas() * blocks.count, [&](std::int64_t task, int) {
            const std::int64_t r = task / blocks.count, block = task % blocks.count;
            T* d_w = scratch.at<T>() + task * slot;
            fill(T(0), d_w, slot);
            for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i)
                for (std::int64_t g = 0; g < groups; ++g) {
                    const std::int64_t at = g * shape.group;
                    gate.backward(x.at<T>(r) + i * x.row_stride() + at, z.at<T>(r) + i * z.row_stride() + at,
                                  weight.at<T>(r) + g * step, d_y.at<T>(r) + i * d_y.row_stride() + at,
                                  d_x.at<T>(r) + i * d_x.row_stride() + at, d_z.at<T>(r) + i * d_z.row_stride() + at,
                                  d_w + g * step);
                }
        });
        parallel_for(threads_, x.replicas(), [&](std::int64_t r, int) {
            for (std::int64_t block = 0; block < blocks.count; ++block)
                accumulate(static_cast<const T*>(scratch.at<T>() + (r * blocks.count + block) * slot),
                           d_weight.at<T>(r), d_weight.features());
        });
    });
}

}  // namespace whorl::cpu
