// Mamba-2 between convolution and output norm: Δ, decay and the scan with b = 0, γ = Δ; y = h C + D x.
#include <algorithm>

#include "core/cpu/cpu_backend.hpp"
#include "core/cpu/decay_scan.hpp"
#include "core/cpu/sequence_tasks.hpp"
#include "core/numerics/mixer_terms.hpp"

namespace whorl {

std::int64_t mamba2_state_size(const Mamba2Config& config, std::int64_t heads) {
    return heads * config.d_state * config.headdim;
}

namespace cpu {
namespace {

struct Mamba2Shape {
    Mamba2Shape(const Mamba2Config& config, const Tensor& y, FormChoice form, bool carried)
        : length(y.shape[2]),
          heads(y.features() / config.headdim),
          headdim(config.headdim),
          state(config.d_state),
          groups(config.ngroups),
          scan(choose_scan(length, 1, state, headdim, form, carried)) {}

    std::int64_t length, heads, headdim, state, groups;
    ScanShape scan;
    std::int64_t saved_per_head() const { return padded(scan.saved_size(), DType::f32); }
    std::int64_t saved_per_sequence() const { return heads * saved_per_head(); }
};

template <class T>
struct Mamba2Buffers {
    Mamba2Buffers(Scratch& scratch, const Mamba2Shape& s) : scan(scratch, s.scan) {
        for (T** vector : {&dt, &log_decay, &zero, &d_log_decay, &d_gamma, &d_carry})
            *vector = scratch.take<T>(s.length);
        for (T** rows : {&q, &k, &d_q, &d_k}) *rows = scratch.take<T>(s.length * s.state);
        for (T** rows : {&v, &y, &d_y, &d_v}) *rows = scratch.take<T>(s.length * s.headdim);
        before = scratch.take<T>(s.state + s.headdim);
    }
    T *dt, *log_decay, *zero, *d_log_decay, *d_gamma, *d_carry;  // [L]
    T *q, *k, *d_q, *d_k;                                        // [L,N]
    T *v, *y, *d_y, *d_v;                                        // [L,P]
    T* before;                                                   // the scan's carried k, v: unused weight, b = 0
    ScanScratch<T> scan;
};

template <class T>
struct Mamba2Sums {
    Mamba2Sums(Scratch& scratch, const Mamba2Shape& s) {
        for (T** vector : {&dt_bias, &d, &a_log}) *vector = scratch.take<T>(s.heads);
    }
    T *dt_bias, *d, *a_log;  // [H]
};

/// One sequence of one replica.
template <class T>
struct Mamba2Sequence {
    const Mamba2Shape& s;
    const Mamba2Tensors& in;
    Mamba2Buffers<T>& x;
    std::int64_t r, b;

    T* row(const Tensor& tensor, std::int64_t t) const { return tensor.at<T>(r, b, t); }
    std::int64_t b_offset(std::int64_t h) const { return s.heads * s.headdim + h / (s.heads / s.groups) * s.state; }
    std::int64_t c_offset(std::int64_t h) const { return b_offset(h) + s.groups * s.state; }
    T decay_rate(std::int64_t h) const { return numerics::head_decay_rate(in.a_log.at<T>(r)[h]); }

    void prepare_head(std::int64_t h) const {
        const T bias = in.dt_bias.at<T>(r)[h], a = decay_rate(h);
        for (std::int64_t t = 0; t < s.length; ++t) {
            x.dt[t] = numerics::step_size(row(in.ddt, t)[h], bias);
            x.log_decay[t] = x.dt[t] * a;
            const T* xbc = row(in.xbc, t);
            copy(xbc + h * s.headdim, x.v + t * s.headdim, s.headdim);
            copy(xbc + b_offset(h), x.k + t * s.state, s.state);
            copy(xbc + c_offset(h), x.q + t * s.state, s.state);
        }
        fill(T(0), x.zero, s.length);
    }
    ScanInput<T> scan_input() const { return {x.q, x.k, x.v, x.log_decay, x.dt, x.zero}; }

    void forward(const Tensor& y, T* saved, T* state, std::int64_t first, std::int64_t end) const {
        for (std::int64_t h = first; h < end; ++h) {
            prepare_head(h);
            if (state) {
                fill(T(0), x.before, s.state + s.headdim);
                const ScanCarry<T> carry{state + h * s.scan.state_size(), x.before, x.before + s.state};
                decay_scan_forward<T>(s.scan, scan_input(), x.y, nullptr, &carry, x.scan);
            } else {
                decay_scan_forward<T>(s.scan, scan_input(), x.y, saved + h * s.saved_per_head(), nullptr, x.scan);
            }
            const T d = in.d.at<T>(r)[h];
            for (std::int64_t t = 0; t < s.length; ++t) {
                T* out = row(y, t) + h * s.headdim;
                copy(x.y + t * s.headdim, out, s.headdim);
                axpy(d, x.v + t * s.headdim, out, s.headdim);
            }
        }
    }

    void backward(const Tensor& d_y, const Mamba2Tensors& gradient, const T* saved, Mamba2Sums<T>& sums) const {
        for (std::int64_t t = 0; t < s.length; ++t) fill(T(0), row(gradient.xbc, t), in.xbc.features());
        for (std::int64_t h = 0; h < s.heads; ++h) {
            prepare_head(h);
            for (std::int64_t t = 0; t < s.length; ++t)
                copy(row(d_y, t) + h * s.headdim, x.d_y + t * s.headdim, s.headdim);
            decay_scan_backward<T>(s.scan, scan_input(), x.d_y, saved + h * s.saved_per_head(),
                                   {x.d_q, x.d_k, x.d_v, x.d_log_decay, x.d_gamma, x.d_carry}, x.scan);
            head_backward(h, gradient, sums);
        }
    }

    void head_backward(std::int64_t h, const Mamba2Tensors& gradient, Mamba2Sums<T>& sums) const {
        const T bias = in.dt_bias.at<T>(r)[h], a = decay_rate(h), d = in.d.at<T>(r)[h];
        for (std::int64_t t = 0; t < s.length; ++t) {
            T* d_xbc = row(gradient.xbc, t);
            T* d_x = d_xbc + h * s.headdim;
            copy(x.d_v + t * s.headdim, d_x, s.headdim);
            axpy(d, x.d_y + t * s.headdim, d_x, s.headdim);
            sums.d[h] += dot(x.d_y + t * s.headdim, x.v + t * s.headdim, s.headdim);
            accumulate(x.d_k + t * s.state, d_xbc + b_offset(h), s.state);
            accumulate(x.d_q + t * s.state, d_xbc + c_offset(h), s.state);
            const T d_dt = x.d_gamma[t] + a * x.d_log_decay[t];
            const T d_ddt = d_dt * numerics::sigmoid(row(in.ddt, t)[h] + bias);
            row(gradient.ddt, t)[h] = d_ddt;
            sums.dt_bias[h] += d_ddt;
            sums.a_log[h] += x.d_log_decay[t] * x.log_decay[t];  // dA/dA_log = A
        }
    }
};

}  // namespace

FormChoice CpuBackend::chosen_form(const Mamba2Config& config, const Tensor& y, FormChoice form) const {
    const ScanShape scan = Mamba2Shape(config, y, form, false).scan;
    return {scan.form, scan.chunk};
}

OpMemory CpuBackend::mamba2_memory(const Mamba2Config& config, const Tensor& y, FormChoice form) {
    OpMemory memory;
    dispatch(y.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Mamba2Shape shape(config, y, form, false), carried(config, y, form, true);
        memory.saved = y.replicas() * y.shape[1] * shape.saved_per_sequence() * static_cast<std::int64_t>(sizeof(T));
        memory.scratch = std::max(backward_scratch_bytes<Mamba2Buffers<T>, Mamba2Sums<T>>(threads_, y, shape),
                                  threads_ * scratch_bytes<Mamba2Buffers<T>>(carried));
    });
    return memory;
}

void CpuBackend::mamba2_forward(const Mamba2Config& config, const Mamba2Tensors& in, const Tensor& y,
                                const Tensor& state, const Tensor& saved, const Tensor& scratch, FormChoice form) {
    dispatch(y.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Mamba2Shape shape(config, y, form, static_cast<bool>(state));
        for_each_sequence_part<Mamba2Buffers<T>>(
            threads_, y, scratch, shape, shape.heads,
            [&](std::int64_t r, std::int64_t b, std::int64_t first, std::int64_t end, auto& buffers) {
                const Mamba2Sequence<T> sequence{shape, in, buffers, r, b};
                sequence.forward(y, saved_of<T>(saved, y, r, b, shape.saved_per_sequence()),
                                 state ? state.at<T>(r, b) : nullptr, first, end);
            });
    });
}

void CpuBackend::mamba2_backward(const Mamba2Config& config, const Mamba2Tensors& in, const Tensor& d_y,
                                 const Mamba2Tensors& gradient, const Tensor& saved, const Tensor& scratch,
                                 FormChoice form) {
    dispatch(d_y.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Mamba2Shape shape(config, d_y, form, false);
        for_each_sequence_with_sums<T, Mamba2Buffers<T>, Mamba2Sums<T>>(
            threads_, d_y, scratch, shape,
            [&](std::int64_t r, std::int64_t b, auto& buffers, auto& sums) {
                const Mamba2Sequence<T> sequence{shape, in, buffers, r, b};
                sequence.backward(d_y, gradient, saved_of<T>(saved, d_y, r, b, shape.saved_per_sequence()), sums);
            },
            [&](std::int64_t r, const Mamba2Sums<T>& sums) {
                add_to(gradient.dt_bias, r, sums.dt_bias, shape.heads);
                add_to(gradient.d, r, sums.d, shape.heads);
                add_to(gradient.a_log, r, sums.a_log, shape.heads);
            });
    });
}

}  // namespace cpu
}  // namespace whorl
