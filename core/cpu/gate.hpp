// Gate and norm of one head's (or group's) n channels, forward and backward:
//   none:      out = x ⊙ silu(z)
//   pre_gate:  out = RMSNorm(x)·w ⊙ silu(z)        (Gated DeltaNet; Mamba-3)
//   post_gate: out = RMSNorm(x ⊙ silu(z))·w        (Mamba-2; Mamba-3)
#pragma once

#include <cstdint>

#include "core/config/model_config.hpp"
#include "core/cpu/vector_math.hpp"
#include "core/numerics/activations.hpp"
#include "core/numerics/mixer_terms.hpp"

namespace whorl::cpu {

template <class T>
struct Gate {
    OutprojNorm norm = OutprojNorm::none;
    std::int64_t n = 0;
    T epsilon = 0;

    T inverse_rms(const T* x) const { return numerics::inverse_rms(sum_squares(x, n), static_cast<T>(n), epsilon); }

    void forward(const T* x, const T* z, const T* w, T* out) const {
        if (norm == OutprojNorm::post_gate) {
#pragma omp simd
            for (std::int64_t i = 0; i < n; ++i) out[i] = x[i] * numerics::silu(z[i]);
            const T s = inverse_rms(out);
#pragma omp simd
            for (std::int64_t i = 0; i < n; ++i) out[i] *= s * w[i];
            return;
        }
        if (norm == OutprojNorm::none) {
#pragma omp simd
            for (std::int64_t i = 0; i < n; ++i) out[i] = x[i] * numerics::silu(z[i]);
            return;
        }
        const T s = inverse_rms(x);
#pragma omp simd
        for (std::int64_t i = 0; i < n; ++i) out[i] = x[i] * s * w[i] * numerics::silu(z[i]);
    }

    /// Overwrites d_x and d_z, accumulates d_w (null without norm). No two of the pointers may alias, but d_out may be
    /// d_x.
    void backward(const T* x, const T* z, const T* w, const T* d_out, T* d_x, T* d_z, T* d_w) const {
        if (norm == OutprojNorm::none) {
#pragma omp simd
            for (std::int64_t i = 0; i < n; ++i) {
                const T d = d_out[i];
                d_z[i] = d * x[i] * numerics::silu_derivative(z[i]);
                d_x[i] = d * numerics::silu(z[i]);
            }
        } else if (norm == OutprojNorm::pre_gate) {
            backward_before(x, z, w, d_out, d_x, d_z, d_w);
        } else {
            backward_after(x, z, w, d_out, d_x, d_z, d_w);
        }
    }

private:
    void backward_before(const T* x, const T* z, const T* w, const T* d_out, T* d_x, T* d_z, T* d_w) const {
        const T s = inverse_rms(x);
#pragma omp simd
        for (std::int64_t i = 0; i < n; ++i) {
            const T d = d_out[i], gate = numerics::silu(z[i]), normed = x[i] * s;
            d_w[i] = numerics::fma(d * normed, gate, d_w[i]);
            d_z[i] = d * normed * w[i] * numerics::silu_derivative(z[i]);
            d_x[i] = d * gate * w[i];
        }
        const T projection = s * dot(static_cast<const T*>(d_x), x, n) / static_cast<T>(n);
#pragma omp simd
        for (std::int64_t i = 0; i < n; ++i) d_x[i] = s * numerics::fma(-(x[i] * s), projection, d_x[i]);
    }

    void backward_after(const T* x, const T* z, const T* w, const T* d_out, T* d_x, T* d_z, T* d_w) const {
#pragma omp simd
        for (std::int64_t i = 0; i < n; ++i) d_z[i] = numerics::silu(z[i]);  // the gate, until its gradient replaces it
        const T square = sum_over<T>(n, [&](T sum, std::int64_t i) {
            const T gated = x[i] * d_z[i];
            return numerics::fma(gated, gated, sum);
        });
        const T s = numerics::inverse_rms(square, static_cast<T>(n), epsilon);
        const T projection = sum_over<T>(n,
                                         [&](T sum, std::int64_t i) {
                                             const T normed = x[i] * d_z[i] * s;
                                             d_w[i] = numerics::fma(d_out[i], normed, d_w[i]);
                                             d_x[i] = d_out[i] * w[i];
                                             return numerics::fma(d_x[i], normed, sum);
                                         }) /
                             static_cast<T>(n);
#pragma omp simd
        for (std::int64_t i = 0; i < n; ++i) {
            const T gate = d_z[i], d_gated = s * numerics::fma(-(x[i] * gate * s), projection, d_x[i]);
            d_z[i] = d_gated * x[i] * numerics::silu_derivative(z[i]);
            d_x[i] = d_gated * gate;
        }
    }
};

}  // namespace whorl::cpu
