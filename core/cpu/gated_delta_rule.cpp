// The gated delta rule between convolutions and output norm: q, k normalised, g = -exp(A_log) softplus(a + dt_bias),
// β = σ(b) (times 2 with allow_neg_eigval), then the scan.
#include <algorithm>
#include <cmath>

#include "core/cpu/cpu_backend.hpp"
#include "core/cpu/delta_scan.hpp"
#include "core/cpu/sequence_tasks.hpp"
#include "core/numerics/mixer_terms.hpp"

namespace whorl {

std::int64_t gated_delta_state_size(const GatedDeltaNetConfig& config) {
    return config.v_heads() * config.head_dim * config.head_v_dim();
}

namespace cpu {
namespace {

struct GatedDeltaShape {
    GatedDeltaShape(const GatedDeltaNetConfig& c, const Tensor& y, FormChoice form, bool carried)
        : length(y.shape[2]),
          heads(c.num_heads),
          v_heads(c.v_heads()),
          key(c.head_dim),
          value(c.head_v_dim()),
          negative(c.allow_neg_eigval),
          scan(choose_delta_scan(length, key, value, form, carried)) {}

    std::int64_t length, heads, v_heads, key, value;
    bool negative;
    DeltaShape scan;
    std::int64_t saved_per_sequence() const { return v_heads * scan.saved_size(); }
};

template <class T>
struct GatedDeltaBuffers {
    GatedDeltaBuffers(Scratch& scratch, const GatedDeltaShape& s) : scan(scratch, s.scan) {
        for (T** vector : {&g, &beta, &d_g, &d_beta, &q_scale, &k_scale}) *vector = scratch.take<T>(s.length);
        for (T** rows : {&q, &k, &d_q, &d_k}) *rows = scratch.take<T>(s.length * s.key);
        for (T** rows : {&v, &o, &d_o, &d_v}) *rows = scratch.take<T>(s.length * s.value);
    }
    T *g, *beta, *d_g, *d_beta, *q_scale, *k_scale;  // [L]
    T *q, *k, *d_q, *d_k;                            // [L,K]
    T *v, *o, *d_o, *d_v;                            // [L,V]
    DeltaScratch<T> scan;
};

template <class T>
struct GatedDeltaSums {
    GatedDeltaSums(Scratch& scratch, const GatedDeltaShape& s)
        : dt_bias(scratch.take<T>(s.v_heads)), a_log(scratch.take<T>(s.v_heads)) {}
    T *dt_bias, *a_log;  // [Hv]
};

template <class T>
struct GatedDeltaSequence {
    const GatedDeltaShape& s;
    const GatedDeltaTensors& in;
    GatedDeltaBuffers<T>& x;
    std::int64_t r, b;

    T* row(const Tensor& tensor, std::int64_t t) const { return tensor.at<T>(r, b, t); }
    std::int64_t key_head(std::int64_t j) const { return j * s.heads / s.v_heads; }
    T beta_range() const { return s.negative ? T(2) : T(1); }

    /// out ← raw · scale / sqrt(Σ raw² + ε); keeps 1/sqrt(…).
    void normalise(const T* raw, T scale, T* out, T& inverse) const {
        inverse = numerics::inverse_length(sum_squares(raw, s.key));
        copy(raw, out, s.key);
        cpu::scale(scale * inverse, out, s.key);
    }
    T q_factor() const { return T(1) / std::sqrt(static_cast<T>(s.key)); }

    void prepare_head(std::int64_t j) const {
        const T bias = in.dt_bias.at<T>(r)[j], rate = numerics::head_decay_rate(in.a_log.at<T>(r)[j]);
        const std::int64_t offset = key_head(j) * s.key;
        for (std::int64_t t = 0; t < s.length; ++t) {
            normalise(row(in.q, t) + offset, q_factor(), x.q + t * s.key, x.q_scale[t]);
            normalise(row(in.k, t) + offset, T(1), x.k + t * s.key, x.k_scale[t]);
            copy(row(in.v, t) + j * s.value, x.v + t * s.value, s.value);
            x.g[t] = rate * numerics::step_size(row(in.a, t)[j], bias);
            x.beta[t] = numerics::write_strength(row(in.b, t)[j], s.negative);
        }
    }
    DeltaInput<T> scan_input() const { return {x.q, x.k, x.v, x.g, x.beta}; }

    void forward(const Tensor& y, T* saved, T* state, std::int64_t first, std::int64_t end) const {
        for (std::int64_t j = first; j < end; ++j) {
            prepare_head(j);
            delta_scan_forward<T>(s.scan, scan_input(), x.o, state ? nullptr : saved + j * s.scan.saved_size(),
                                  state ? state + j * s.scan.state_size() : nullptr, x.scan);
            for (std::int64_t t = 0; t < s.length; ++t) copy(x.o + t * s.value, row(y, t) + j * s.value, s.value);
        }
    }

    void backward(const Tensor& d_y, const GatedDeltaTensors& gradient, const T* saved, GatedDeltaSums<T>& sums) const {
        for (std::int64_t t = 0; t < s.length; ++t) {
            fill(T(0), row(gradient.q, t), in.q.features());
            fill(T(0), row(gradient.k, t), in.k.features());
        }
        for (std::int64_t j = 0; j < s.v_heads; ++j) {
            prepare_head(j);
            for (std::int64_t t = 0; t < s.length; ++t) copy(row(d_y, t) + j * s.value, x.d_o + t * s.value, s.value);
            delta_scan_backward<T>(s.scan, scan_input(), x.d_o, saved + j * s.scan.saved_size(),
                                   {x.d_q, x.d_k, x.d_v, x.d_g, x.d_beta}, x.scan);
            head_backward(j, gradient, sums);
        }
    }

    /// d_raw += through out = raw·factor·inverse, out being the normalised row.
    void normalise_backward(const T* out, const T* d_out, T factor, T inverse, T* d_raw) const {
        const T along = dot(out, d_out, s.key) / factor;
        axpy(factor * inverse, d_out, d_raw, s.key);
        axpy(-along * inverse, out, d_raw, s.key);
    }

    void head_backward(std::int64_t j, const GatedDeltaTensors& gradient, GatedDeltaSums<T>& sums) const {
        const T bias = in.dt_bias.at<T>(r)[j], rate = numerics::head_decay_rate(in.a_log.at<T>(r)[j]);
        const std::int64_t offset = key_head(j) * s.key;
        for (std::int64_t t = 0; t < s.length; ++t) {
            normalise_backward(x.q + t * s.key, x.d_q + t * s.key, q_factor(), x.q_scale[t],
                               row(gradient.q, t) + offset);
            normalise_backward(x.k + t * s.key, x.d_k + t * s.key, T(1), x.k_scale[t], row(gradient.k, t) + offset);
            copy(x.d_v + t * s.value, row(gradient.v, t) + j * s.value, s.value);
            const T d_a = x.d_g[t] * rate * numerics::sigmoid(row(in.a, t)[j] + bias);
            row(gradient.a, t)[j] = d_a;
            sums.dt_bias[j] += d_a;
            sums.a_log[j] += x.d_g[t] * x.g[t];
            row(gradient.b, t)[j] = x.d_beta[t] * beta_range() * numerics::sigmoid_derivative(row(in.b, t)[j]);
        }
    }
};

}  // namespace

FormChoice CpuBackend::chosen_form(const GatedDeltaNetConfig& config, const Tensor& y, FormChoice form) const {
    const DeltaShape scan = GatedDeltaShape(config, y, form, false).scan;
    return {scan.form, scan.chunk};
}

OpMemory CpuBackend::gated_delta_memory(const GatedDeltaNetConfig& config, const Tensor& y, FormChoice form) {
    OpMemory memory;
    dispatch(y.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const GatedDeltaShape shape(config, y, form, false), carried(config, y, form, true);
        memory.saved = y.replicas() * y.shape[1] * shape.saved_per_sequence() * static_cast<std::int64_t>(sizeof(T));
        memory.scratch = std::max(backward_scratch_bytes<GatedDeltaBuffers<T>, GatedDeltaSums<T>>(threads_, y, shape),
                                  threads_ * scratch_bytes<GatedDeltaBuffers<T>>(carried));
    });
    return memory;
}

void CpuBackend::gated_delta_forward(const GatedDeltaNetConfig& config, const GatedDeltaTensors& in, const Tensor& y,
                                     const Tensor& state, const Tensor& saved, const Tensor& scratch, FormChoice form) {
    dispatch(y.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const GatedDeltaShape shape(config, y, form, static_cast<bool>(state));
        for_each_sequence_part<GatedDeltaBuffers<T>>(
            threads_, y, scratch, shape, shape.v_heads,
            [&](std::int64_t r, std::int64_t b, std::int64_t first, std::int64_t end, auto& buffers) {
                const GatedDeltaSequence<T> sequence{shape, in, buffers, r, b};
                sequence.forward(y, saved_of<T>(saved, y, r, b, shape.saved_per_sequence()),
                                 state ? state.at<T>(r, b) : nullptr, first, end);
            });
    });
}

void CpuBackend::gated_delta_backward(const GatedDeltaNetConfig& config, const GatedDeltaTensors& in, const Tensor& d_y,
                                      const GatedDeltaTensors& gradient, const Tensor& saved, const Tensor& scratch,
                                      FormChoice form) {
    dispatch(d_y.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const GatedDeltaShape shape(config, d_y, form, false);
        for_each_sequence_with_sums<T, GatedDeltaBuffers<T>, GatedDeltaSums<T>>(
            threads_, d_y, scratch, shape,
            [&](std::int64_t r, std::int64_t b, auto& buffers, auto& sums) {
                const GatedDeltaSequence<T> sequence{shape, in, buffers, r, b};
                sequence.backward(d_y, gradient, saved_of<T>(saved, d_y, r, b, shape.saved_per_sequence()), sums);
            },
            [&](std::int64_t r, const GatedDeltaSums<T>& sums) {
                add_to(gradient.dt_bias, r, sums.dt_bias, shape.v_heads);
                add_to(gradient.a_log, r, sums.a_log, shape.v_heads);
            });
    });
}

}  // namespace cpu
}  // namespace whorl
