#include "core/cpu/mamba3_sequence.hpp"

#include <algorithm>
#include <cmath>

#include "core/numerics/discretization.hpp"
#include "core/numerics/mixer_terms.hpp"
#include "core/numerics/rotation.hpp"

namespace whorl::cpu {

Mamba3Shape::Mamba3Shape(const Mamba3Config& c, const Tensor& y, FormChoice form, bool carried)
    : config(c),
      length(y.shape[2]),
      heads(y.features() / c.headdim),
      headdim(c.headdim),
      state(c.d_state),
      rank(c.rank()),
      groups(c.ngroups),
      angles(c.rotation == Rotation::none ? 0 : c.angles()),
      scan(choose_scan(length, rank, state, headdim, form, carried)) {}

std::int64_t Mamba3Shape::source_channel(std::int64_t position) const {
    return numerics::rotated_channel(position, angles, state, config.pairing() == RotaryPairing::neighbours);
}

template <class T>
Mamba3Sums<T>::Mamba3Sums(Scratch& scratch, const Mamba3Shape& s) {
    for (T** vector : {&dt_bias, &d, &a_log}) *vector = scratch.take<T>(s.heads);
    for (T** vector : {&b_bias, &c_bias}) *vector = scratch.take<T>(s.heads * s.rank * s.state);
    for (T** vector : {&b_norm, &c_norm}) *vector = scratch.take<T>(s.state);
    for (T** vector : {&mimo_x, &mimo_z, &mimo_o})
        *vector = scratch.take<T>(s.config.mimo ? s.heads * s.rank * s.headdim : 0);
    norm = scratch.take<T>(s.heads * s.headdim);
}

template <class T>
Mamba3Buffers<T>::Mamba3Buffers(Scratch& scratch, const Mamba3Shape& s)
    : b(scratch.take<T>(s.bc_rows() * s.state)),
      c(scratch.take<T>(s.bc_rows() * s.state)),
      d_b(scratch.take<T>(s.bc_rows() * s.state)),
      d_c(scratch.take<T>(s.bc_rows() * s.state)),
      b_inverse(scratch.take<T>(s.bc_rows())),
      c_inverse(scratch.take<T>(s.bc_rows())),
      b_weight(scratch.take<T>(s.state)),
      c_weight(scratch.take<T>(s.state)),
      scan(scratch, s.scan) {
    for (T** table : {&theta, &d_theta, &sin, &cos, &d_phase}) *table = scratch.take<T>(s.length * s.angles);
    for (T** vector : {&dt, &a, &lambda, &log_decay, &gamma, &carry, &d_log_decay, &d_gamma, &d_carry})
        *vector = scratch.take<T>(s.length);
    phase = scratch.take<T>(s.angles);
    frequency = scratch.take<double>(s.config.rotation == Rotation::standard ? s.angles : 0);
    for (T** rows : {&q, &k, &d_q, &d_k}) *rows = scratch.take<T>(s.scan.rows() * s.state);
    for (T** rows : {&v, &y, &d_y, &d_v}) *rows = scratch.take<T>(s.scan.rows() * s.headdim);
    for (T** one : {&row1, &row2, &row3, &row4}) *one = scratch.take<T>(std::max(s.headdim, s.state));
}

// ---- forward --------------------------------------------------------------------------------------------------------

template <class T>
void Mamba3Sequence<T>::forward(const Tensor& y, T* saved, T* state, std::int64_t position, std::int64_t first,
                                std::int64_t end) {
    prepare_shared();
    const std::int64_t state_size = s_.scan.state_size();
    const std::int64_t per_head_state = s_.angles + state_size + s_.rank * (s_.state + s_.headdim);
    for (std::int64_t h = first; h < end; ++h) {
        T* own = state ? state + h * per_head_state : nullptr;
        prepare_head(h, own, position);
        T* kept = saved + h * s_.saved_per_head();
        T* boundaries = kept + padded(s_.scan.rows() * s_.headdim, DType::f32);
        x_.y = kept;
        const ScanInput<T> input{x_.q, x_.k, x_.v, x_.log_decay, x_.gamma, x_.carry};
        if (own) {
            T* h_state = own + s_.angles;
            T* k_state = h_state + state_size;
            const ScanCarry<T> carry{h_state, k_state, k_state + s_.rank * s_.state};
            decay_scan_forward<T>(s_.scan, input, x_.y, nullptr, &carry, x_.scan);
        } else {
            decay_scan_forward<T>(s_.scan, input, x_.y, boundaries, nullptr, x_.scan);
        }
        gate_head(h, y);
    }
}

template <class T>
void Mamba3Sequence<T>::prepare_shared() {
    const std::int64_t inner = s_.heads * s_.headdim, bc = s_.rank * s_.groups * s_.state;
    norm_rows(inner, in_.b_norm, x_.b_weight, x_.b, x_.b_inverse);
    norm_rows(inner + bc, in_.c_norm, x_.c_weight, x_.c, x_.c_inverse);
    if (s_.config.rotation != Rotation::data_dependent) return;
    for (std::int64_t t = 0; t < s_.length; ++t) {
        const T* raw = row(in_.angle, t);
        T* theta = x_.theta + t * s_.angles;
#pragma omp simd
        for (std::int64_t j = 0; j < s_.angles; ++j) theta[j] = numerics::angular_velocity(raw[j]);
    }
}

/// rows ← RMSNorm_N(B or C)·w in rotation order (raw values when bc_norm is off: then inverse is 1).
template <class T>
void Mamba3Sequence<T>::norm_rows(std::int64_t offset, const Tensor& weight, T* permuted_weight, T* rows, T* inverse) {
    const std::int64_t n = s_.state, per_position = s_.rank * s_.groups;
    for (std::int64_t i = 0; i < n; ++i) permuted_weight[i] = weight ? weight.at<T>(r_)[s_.source_channel(i)] : T(1);
    for (std::int64_t t = 0; t < s_.length; ++t)
        for (std::int64_t g = 0; g < per_position; ++g) {
            const T* raw = row(in_.xbc, t) + offset + g * n;
            T* out = rows + (t * per_position + g) * n;
            const T scale =
                weight ? numerics::inverse_rms(sum_squares(raw, n), static_cast<T>(n), static_cast<T>(in_.epsilon))
                       : T(1);
            inverse[t * per_position + g] = scale;
            s_.to_rotation_order(raw, out);
#pragma omp simd
            for (std::int64_t i = 0; i < n; ++i) out[i] *= scale * permuted_weight[i];
        }
}

template <class T>
void Mamba3Sequence<T>::prepare_head(std::int64_t h, T* phase_state, std::int64_t position) {
    coefficients(h);
    phases(phase_state, position);
    rotate_head(h, x_.b, in_.b_bias, x_.k);
    rotate_head(h, x_.c, in_.c_bias, x_.q);
    for (std::int64_t t = 0; t < s_.length; ++t) {
        const T* x = row(in_.xbc, t) + h * s_.headdim;
        for (std::int64_t r = 0; r < s_.rank; ++r) {
            T* v = x_.v + (t * s_.rank + r) * s_.headdim;
            copy(x, v, s_.headdim);
            if (!in_.mimo_x) continue;
            const T* mix = in_.mimo_x.at<T>(r_, h, r);
#pragma omp simd
            for (std::int64_t p = 0; p < s_.headdim; ++p) v[p] *= mix[p];
        }
    }
}

template <class T>
void Mamba3Sequence<T>::coefficients(std::int64_t h) {
    const T bias = in_.dt_bias.at<T>(r_)[h];
    const T a_head = in_.a_log ? numerics::head_decay_rate(in_.a_log.at<T>(r_)[h]) : T(0);
    const bool heavy = s_.config.a_activation == AActivation::heavy_tail;
    for (std::int64_t t = 0; t < s_.length; ++t) {
        x_.dt[t] = row(in_.ddt, t)[h];
        x_.a[t] = row(in_.da, t)[h];
        x_.lambda[t] = row(in_.u, t)[h];
    }
    const T floor = static_cast<T>(s_.config.a_floor);
#pragma omp simd
    for (std::int64_t t = 0; t < s_.length; ++t) x_.dt[t] = numerics::step_size(x_.dt[t], bias);
    if (in_.a_log)
        fill(a_head, x_.a, s_.length);
    else
        for (std::int64_t t = 0; t < s_.length; ++t) x_.a[t] = numerics::data_decay_rate(x_.a[t], heavy, floor);
    if (s_.config.discretization != Discretization::trapezoidal)
        fill(s_.config.discretization == Discretization::euler ? T(1) : T(0.5), x_.lambda, s_.length);
    else
        for (std::int64_t t = 0; t < s_.length; ++t) x_.lambda[t] = numerics::sigmoid(x_.lambda[t]);
    for (std::int64_t t = 0; t < s_.length; ++t) {
        const auto weights = numerics::exp_trapezoid_scan(x_.dt[t], x_.a[t], x_.lambda[t]);
        x_.log_decay[t] = weights.log_decay;
        x_.gamma[t] = weights.gamma;
        x_.carry[t] = weights.carry;
    }
}

/// sin, cos [L,S] of the cumulative angle of the head whose Δ is in the buffers.
template <class T>
void Mamba3Sequence<T>::phases(T* phase_state, std::int64_t position) {
    const std::int64_t n = s_.angles;
    if (n == 0) return;
    const bool standard = s_.config.rotation == Rotation::standard;
    T* phase = phase_state ? phase_state : x_.phase;
    if (!phase_state) fill(T(0), phase, n);
    for (std::int64_t j = 0; standard && j < n; ++j) x_.frequency[j] = numerics::rope_frequency<double>(j, n);
    for (std::int64_t t = 0; t < s_.length; ++t) {
        T *sin = x_.sin + t * n, *cos = x_.cos + t * n;
        if (standard) {
#pragma omp simd
            for (std::int64_t j = 0; j < n; ++j) phase[j] = numerics::rope_angle<T>(position + t, x_.frequency[j]);
        } else {
            const T* theta = x_.theta + t * n;
            const T dt = x_.dt[t];
#pragma omp simd
            for (std::int64_t j = 0; j < n; ++j) phase[j] = numerics::advance_phase(phase[j], theta[j], dt);
        }
#pragma omp simd
        for (std::int64_t j = 0; j < n; ++j) {
            const auto turn = numerics::sincos(phase[j]);
            sin[j] = turn.sin;
            cos[j] = turn.cos;
        }
    }
}

/// out [L·rank,N] = rotation of (normed row of the head's group + bias).
template <class T>
void Mamba3Sequence<T>::rotate_head(std::int64_t h, const T* rows, const Tensor& bias, T* out) {
    const std::int64_t n = s_.state, s = s_.angles, group = h / (s_.heads / s_.groups);
    for (std::int64_t r = 0; r < s_.rank; ++r) {
        T* shift = x_.row1;
        fill(T(0), shift, n);
        if (bias)
            for (std::int64_t i = 0; i < n; ++i) shift[i] = bias.at<T>(r_, h, r)[s_.source_channel(i)];
        for (std::int64_t t = 0; t < s_.length; ++t) {
            const T* in = rows + ((t * s_.rank + r) * s_.groups + group) * n;
            T* to = out + (t * s_.rank + r) * n;
            const T *sin = x_.sin + t * s, *cos = x_.cos + t * s;
#pragma omp simd
            for (std::int64_t j = 0; j < s; ++j) {
                const T first = in[j] + shift[j], second = in[s + j] + shift[s + j];
                const auto turned = numerics::rotate<T>({first, second}, cos[j], sin[j]);
                to[j] = turned.x;
                to[s + j] = turned.y;
            }
#pragma omp simd
            for (std::int64_t i = 2 * s; i < n; ++i) to[i] = in[i] + shift[i];
        }
    }
}

template <class T>
Gate<T> Mamba3Sequence<T>::gate() const {
    return {s_.config.outproj_norm, s_.headdim, static_cast<T>(in_.epsilon)};
}

/// skip ← y + D x of one row; returns its gate input: z, with MIMO z ⊙ mimo_z (put into `mixed`).
template <class T>
const T* Mamba3Sequence<T>::ungated(std::int64_t h, std::int64_t t, std::int64_t r, T* skip, T* mixed) const {
    const std::int64_t at = (t * s_.rank + r) * s_.headdim;
    const T d = in_.d.at<T>(r_)[h];
#pragma omp simd
    for (std::int64_t p = 0; p < s_.headdim; ++p) skip[p] = numerics::fma(d, x_.v[at + p], x_.y[at + p]);
    const T* z = row(in_.z, t) + h * s_.headdim;
    if (!in_.mimo_z) return z;
    const T* mix = in_.mimo_z.at<T>(r_, h, r);
#pragma omp simd
    for (std::int64_t p = 0; p < s_.headdim; ++p) mixed[p] = z[p] * mix[p];
    return mixed;
}

template <class T>
void Mamba3Sequence<T>::gate_head(std::int64_t h, const Tensor& y) {
    const Gate<T> gated = gate();
    const T* weight = in_.norm ? in_.norm.at<T>(r_) + h * s_.headdim : nullptr;
    for (std::int64_t t = 0; t < s_.length; ++t) {
        T* out = row(y, t) + h * s_.headdim;
        if (!in_.mimo_o) {
            const T* z = ungated(h, t, 0, x_.row1, x_.row2);
            gated.forward(x_.row1, z, weight, out);
            continue;
        }
        fill(T(0), out, s_.headdim);
        for (std::int64_t r = 0; r < s_.rank; ++r) {
            const T* z = ungated(h, t, r, x_.row1, x_.row2);
            gated.forward(x_.row1, z, weight, x_.row3);
            multiply_add(in_.mimo_o.at<T>(r_, h, r), x_.row3, out, s_.headdim);
        }
    }
}

// ---- backward -------------------------------------------------------------------------------------------------------

template <class T>
void Mamba3Sequence<T>::backward(const Tensor& d_y, const Mamba3Tensors& gradient, const T* saved,
                                 Mamba3Sums<T>& sums) {
    prepare_shared();
    fill(T(0), x_.d_b, s_.bc_rows() * s_.state);
    fill(T(0), x_.d_c, s_.bc_rows() * s_.state);
    fill(T(0), x_.d_theta, s_.length * s_.angles);
    for (std::int64_t h = 0; h < s_.heads; ++h) {
        prepare_head(h, nullptr, 0);
        const T* kept = saved + h * s_.saved_per_head();
        const T* boundaries = kept + padded(s_.scan.rows() * s_.headdim, DType::f32);
        x_.y = const_cast<T*>(kept);
        gate_head_backward(h, d_y, gradient, sums);
        const ScanInput<T> input{x_.q, x_.k, x_.v, x_.log_decay, x_.gamma, x_.carry};
        const ScanGradient<T> scan_gradient{x_.d_q, x_.d_k, x_.d_v, x_.d_log_decay, x_.d_gamma, x_.d_carry};
        decay_scan_backward<T>(s_.scan, input, x_.d_y, boundaries, scan_gradient, x_.scan);
        input_backward(h, gradient, sums);
        fill(T(0), x_.d_phase, s_.length * s_.angles);
        const std::int64_t bias = h * s_.rank * s_.state;
        rotate_head_backward(h, x_.k, x_.d_k, x_.d_b, sums.b_bias + bias);
        rotate_head_backward(h, x_.q, x_.d_q, x_.d_c, sums.c_bias + bias);
        coefficients_backward(h, gradient, sums);
    }
    const std::int64_t inner = s_.heads * s_.headdim, bc = s_.rank * s_.groups * s_.state;
    norm_rows_backward(inner, x_.b_weight, x_.b_inverse, x_.d_b, gradient, sums.b_norm);
    norm_rows_backward(inner + bc, x_.c_weight, x_.c_inverse, x_.d_c, gradient, sums.c_norm);
    for (std::int64_t t = 0; t < s_.length; ++t) {
        const T* raw = row(in_.angle, t);
        T* d_raw = row(gradient.angle, t);
        fill(T(0), d_raw, in_.angle.features());
        if (s_.config.rotation != Rotation::data_dependent) continue;
        const T* d_theta = x_.d_theta + t * s_.angles;
#pragma omp simd
        for (std::int64_t j = 0; j < s_.angles; ++j)
            d_raw[j] = d_theta[j] * numerics::angular_velocity_derivative(raw[j]);
    }
}

/// d_out → d_y [L·rank,P] (gradient of the scan's output), d_z, and the sums of D, mimo_z, mimo_o, norm.
template <class T>
void Mamba3Sequence<T>::gate_head_backward(std::int64_t h, const Tensor& d_y, const Mamba3Tensors& gradient,
                                           Mamba3Sums<T>& sums) {
    const Gate<T> gated = gate();
    const std::int64_t n = s_.headdim;
    const T* weight = in_.norm ? in_.norm.at<T>(r_) + h * n : nullptr;
    T *skip = x_.row1, *d_out = x_.row3, *d_gate = x_.row4;
    for (std::int64_t t = 0; t < s_.length; ++t) {
        T* d_z = row(gradient.z, t) + h * n;
        const T* d_row = row(d_y, t) + h * n;
        if (in_.mimo_o) fill(T(0), d_z, n);
        for (std::int64_t r = 0; r < s_.rank; ++r) {
            const std::int64_t at = (t * s_.rank + r) * n;
            const T* z = ungated(h, t, r, skip, x_.row2);
            if (!in_.mimo_o) {
                gated.backward(skip, z, weight, d_row, x_.d_y + at, d_z, sums.norm + h * n);
            } else {
                const std::int64_t mix = (h * s_.rank + r) * n;
                gated.forward(skip, z, weight, d_out);
                multiply_add(d_row, d_out, sums.mimo_o + mix, n);
                const T *mimo_o = in_.mimo_o.at<T>(r_, h, r), *mimo_z = in_.mimo_z.at<T>(r_, h, r);
#pragma omp simd
                for (std::int64_t p = 0; p < n; ++p) d_out[p] = d_row[p] * mimo_o[p];
                gated.backward(skip, z, weight, d_out, x_.d_y + at, d_gate, sums.norm + h * n);
                multiply_add(d_gate, mimo_z, d_z, n);
                multiply_add(d_gate, static_cast<const T*>(row(in_.z, t) + h * n), sums.mimo_z + mix, n);
            }
            sums.d[h] += dot(x_.d_y + at, x_.v + at, n);
        }
    }
}

/// d_x = Σ_r mimo_x ⊙ (d_v + D d_y), and the sum of mimo_x.
template <class T>
void Mamba3Sequence<T>::input_backward(std::int64_t h, const Mamba3Tensors& gradient, Mamba3Sums<T>& sums) {
    const std::int64_t n = s_.headdim;
    const T d = in_.d.at<T>(r_)[h];
    for (std::int64_t t = 0; t < s_.length; ++t) {
        T* d_x = row(gradient.xbc, t) + h * n;
        const T* x = row(in_.xbc, t) + h * n;
        fill(T(0), d_x, n);
        for (std::int64_t r = 0; r < s_.rank; ++r) {
            const std::int64_t at = (t * s_.rank + r) * n;
            T* d_v = x_.d_v + at;
            axpy(d, x_.d_y + at, d_v, n);
            if (!in_.mimo_x) {
                accumulate(d_v, d_x, n);
                continue;
            }
            multiply_add(d_v, in_.mimo_x.at<T>(r_, h, r), d_x, n);
            multiply_add(d_v, x, sums.mimo_x + (h * s_.rank + r) * n, n);
        }
    }
}

/// Turns d_rotated back, adds it to the group's rows and the head's bias; adds the angle's gradient to d_phase.
template <class T>
void Mamba3Sequence<T>::rotate_head_backward(std::int64_t h, const T* rotated, T* d_rotated, T* d_rows, T* d_bias) {
    const std::int64_t n = s_.state, s = s_.angles, group = h / (s_.heads / s_.groups);
    for (std::int64_t t = 0; t < s_.length; ++t)
        for (std::int64_t r = 0; r < s_.rank; ++r) {
            const T* at = rotated + (t * s_.rank + r) * n;
            T* d = d_rotated + (t * s_.rank + r) * n;
            const T *sin = x_.sin + t * s, *cos = x_.cos + t * s;
            T* d_phase = x_.d_phase + t * s;
#pragma omp simd
            for (std::int64_t j = 0; j < s; ++j) {
                // A Pair of its own for each call: one shared by both would keep the loop from being vectorised.
                d_phase[j] += numerics::rotate_phase_gradient<T>({at[j], at[s + j]}, {d[j], d[s + j]});
                const auto back = numerics::rotate_back<T>({d[j], d[s + j]}, cos[j], sin[j]);
                d[j] = back.x;
                d[s + j] = back.y;
            }
            accumulate(d, d_rows + ((t * s_.rank + r) * s_.groups + group) * n, n);
            accumulate(d, d_bias + r * n, n);
        }
}

/// d_phase is the gradient of each position's angle; a position's step turns all later ones.
template <class T>
void Mamba3Sequence<T>::phases_backward() {
    const std::int64_t n = s_.angles;
    fill(T(0), x_.phase, n);
    for (std::int64_t t = s_.length - 1; t >= 0; --t) {
        T *d_phase = x_.d_phase + t * n, *d_theta = x_.d_theta + t * n;
        const T dt = x_.dt[t];
#pragma omp simd
        for (std::int64_t j = 0; j < n; ++j) {
            x_.phase[j] += d_phase[j];
            d_phase[j] = x_.phase[j];
            d_theta[j] = numerics::fma(dt, x_.phase[j], d_theta[j]);
        }
    }
}

template <class T>
void Mamba3Sequence<T>::coefficients_backward(std::int64_t h, const Mamba3Tensors& gradient, Mamba3Sums<T>& sums) {
    const bool turning = s_.config.rotation == Rotation::data_dependent;
    const bool heavy = s_.config.a_activation == AActivation::heavy_tail;
    const bool learned_weight = s_.config.discretization == Discretization::trapezoidal;
    if (turning) phases_backward();
    const T bias = in_.dt_bias.at<T>(r_)[h], floor = static_cast<T>(s_.config.a_floor);
    for (std::int64_t t = 0; t < s_.length; ++t) {
        auto d = numerics::exp_trapezoid_scan_backward(x_.dt[t], x_.a[t], x_.lambda[t],
                                                       {x_.d_log_decay[t], x_.d_carry[t], x_.d_gamma[t]});
        if (turning) d.dt += dot(x_.theta + t * s_.angles, x_.d_phase + t * s_.angles, s_.angles);
        const T d_ddt = d.dt * numerics::sigmoid(row(in_.ddt, t)[h] + bias);
        row(gradient.ddt, t)[h] = d_ddt;
        sums.dt_bias[h] += d_ddt;
        if (in_.a_log) {
            sums.a_log[h] += d.a * x_.a[t];
            row(gradient.da, t)[h] = 0;
        } else {
            const T v = row(in_.da, t)[h];
            const T slope = heavy ? numerics::heavy_tail_derivative(v) : numerics::sigmoid(v);
            const bool floored = -x_.a[t] <= floor;
            row(gradient.da, t)[h] = floored ? T(0) : -d.a * slope;
        }
        row(gradient.u, t)[h] = learned_weight ? d.lambda * numerics::sigmoid_derivative(row(in_.u, t)[h]) : T(0);
    }
}

/// From the gradient of the normed rows (rotation order) to the raw B or C of d_xbc, and the weight's sum.
template <class T>
void Mamba3Sequence<T>::norm_rows_backward(std::int64_t offset, const T* weight, const T* inverse, const T* d_rows,
                                           const Mamba3Tensors& gradient, T* d_weight) {
    const std::int64_t n = s_.state, per_position = s_.rank * s_.groups;
    const bool normed = static_cast<bool>(in_.b_norm);
    T *raw = x_.row1, *d_raw = x_.row2;
    for (std::int64_t t = 0; t < s_.length; ++t)
        for (std::int64_t g = 0; g < per_position; ++g) {
            const T* source = row(in_.xbc, t) + offset + g * n;
            T* target = row(gradient.xbc, t) + offset + g * n;
            const T* d = d_rows + (t * per_position + g) * n;
            const T scale = inverse[t * per_position + g];
            s_.to_rotation_order(source, raw);
            if (normed) {
                const T projection = sum_over<T>(n, [&](T sum, std::int64_t i) {
                    d_weight[i] = numerics::fma(d[i] * raw[i], scale, d_weight[i]);
                    return numerics::fma(d[i] * weight[i], raw[i], sum);
                });
                const T pull = projection * scale * scale / static_cast<T>(n);
#pragma omp simd
                for (std::int64_t i = 0; i < n; ++i)
                    d_raw[i] = scale * numerics::fma(d[i], weight[i], -(raw[i] * pull));
            } else {
                copy(d, d_raw, n);
            }
            s_.from_rotation_order(d_raw, target);
        }
}

#define WHORL_INSTANTIATE(T)          \
    template struct Mamba3Sums<T>;    \
    template struct Mamba3Buffers<T>; \
    template class Mamba3Sequence<T>;
WHORL_INSTANTIATE(float)
WHORL_INSTANTIATE(double)
#undef WHORL_INSTANTIATE

}  // namespace whorl::cpu
