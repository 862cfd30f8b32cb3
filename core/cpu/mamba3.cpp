#include "core/cpu/cpu_backend.hpp"
#include "core/cpu/mamba3_sequence.hpp"
#include "core/cpu/sequence_tasks.hpp"

namespace whorl {

std::int64_t mamba3_state_size(const Mamba3Config& config, std::int64_t heads) {
    const std::int64_t angles = config.rotation == Rotation::none ? 0 : config.angles();
    const std::int64_t carried = config.rank() * (config.d_state + config.headdim);
    return heads * (angles + config.d_state * config.headdim + carried);
}

namespace cpu {
namespace {

/// gradient += sum, back from rotation order; `rows` rows of N channels.
template <class T>
void add_permuted(const Mamba3Shape& s, const Tensor& gradient, std::int64_t replica, const T* sum, std::int64_t rows) {
    if (!gradient) return;
    T* to = gradient.at<T>(replica);
    for (std::int64_t row = 0; row < rows; ++row)
        for (std::int64_t i = 0; i < s.state; ++i) to[row * s.state + s.source_channel(i)] += sum[row * s.state + i];
}

template <class T>
void collect_sums(const Mamba3Shape& s, const Mamba3Tensors& gradient, std::int64_t r, const Mamba3Sums<T>& sums) {
    add_to(gradient.dt_bias, r, sums.dt_bias, s.heads);
    add_to(gradient.d, r, sums.d, s.heads);
    add_to(gradient.a_log, r, sums.a_log, s.heads);
    add_permuted(s, gradient.b_bias, r, sums.b_bias, s.heads * s.rank);
    add_permuted(s, gradient.c_bias, r, sums.c_bias, s.heads * s.rank);
    add_permuted(s, gradient.b_norm, r, sums.b_norm, 1);
    add_permuted(s, gradient.c_norm, r, sums.c_norm, 1);
    add_to(gradient.mimo_x, r, sums.mimo_x, s.heads * s.rank * s.headdim);
    add_to(gradient.mimo_z, r, sums.mimo_z, s.heads * s.rank * s.headdim);
    add_to(gradient.mimo_o, r, sums.mimo_o, s.heads * s.rank * s.headdim);
    add_to(gradient.norm, r, sums.norm, s.heads * s.headdim);
}

}  // namespace

FormChoice CpuBackend::chosen_form(const Mamba3Config& config, const Tensor& y, FormChoice form) const {
    const ScanShape scan = Mamba3Shape(config, y, form, false).scan;
    return {scan.form, scan.chunk};
}

OpMemory CpuBackend::mamba3_memory(const Mamba3Config& config, const Tensor& y, FormChoice form) {
    OpMemory memory;
    dispatch(y.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Mamba3Shape shape(config, y, form, false), carried(config, y, form, true);
        const std::int64_t per_head = std::max(shape.saved_per_head(), carried.saved_per_head());
        memory.saved = y.replicas() * y.shape[1] * shape.heads * per_head * static_cast<std::int64_t>(sizeof(T));
        memory.scratch = backward_scratch_bytes<Mamba3Buffers<T>, Mamba3Sums<T>>(threads_, y, shape);
        memory.scratch = std::max(memory.scratch, threads_ * scratch_bytes<Mamba3Buffers<T>>(carried));
    });
    return memory;
}

void CpuBackend::mamba3_forward(const Mamba3Config& config, const Mamba3Tensors& in, const Tensor& y,
                                const Tensor& state, std::int64_t position, const Tensor& saved, const Tensor& scratch,
                                FormChoice form) {
    dispatch(y.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Mamba3Shape shape(config, y, form, static_cast<bool>(state));
        for_each_sequence_part<Mamba3Buffers<T>>(
            threads_, y, scratch, shape, shape.heads,
            [&](std::int64_t r, std::int64_t b, std::int64_t first, std::int64_t end, auto& buffers) {
                Mamba3Sequence<T> sequence(shape, in, buffers, r, b);
                sequence.forward(y, saved_of<T>(saved, y, r, b, shape.saved_per_sequence()),
                                 state ? state.at<T>(r, b) : nullptr, position, first, end);
            });
    });
}

void CpuBackend::mamba3_backward(const Mamba3Config& config, const Mamba3Tensors& in, const Tensor& d_y,
                                 const Mamba3Tensors& gradient, const Tensor& saved, const Tensor& scratch,
                                 FormChoice form) {
    dispatch(d_y.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Mamba3Shape shape(config, d_y, form, false);
        for_each_sequence_with_sums<T, Mamba3Buffers<T>, Mamba3Sums<T>>(
            threads_, d_y, scratch, shape,
            [&](std::int64_t r, std::int64_t b, auto& buffers, auto& sums) {
                Mamba3Sequence<T> sequence(shape, in, buffers, r, b);
                sequence.backward(d_y, gradient, saved_of<T>(saved, d_y, r, b, shape.saved_per_sequence()), sums);
            },
            [&](std::int64_t r, const Mamba3Sums<T>& sums) { collect_sums(shape, gradient, r, sums); });
    });
}

}  // namespace cpu
}  // namespace whorl
