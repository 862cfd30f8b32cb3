#include "core/cpu/delta_scan.hpp"

#include <algorithm>

#include "core/cpu/delta_scan_chunked.hpp"
#include "core/cpu/vector_math.hpp"
#include "core/numerics/activations.hpp"

namespace whorl::cpu {
namespace {

constexpr std::int64_t kChunk = 40;      // positions of a chunk; the best of 32…80 by a little (K = 32, V = 64)
constexpr std::int64_t kLeastDelta = 8;  // positions from which a carried sequence gains by matrix products

/// S ← e^g S; ŵ ← v - Sᵀk; S ← S + β k ŵᵀ.
template <class T>
void delta_step(const DeltaShape& s, const DeltaInput<T>& in, std::int64_t t, T* state, T* w) {
    const T *k = in.k + t * s.key, *v = in.v + t * s.value;
    const T decay = numerics::exp(in.log_decay[t]);
    copy(v, w, s.value);
    for (std::int64_t i = 0; i < s.key; ++i) {
        T* row = state + i * s.value;
        scale(decay, row, s.value);
        axpy(-k[i], row, w, s.value);
    }
    for (std::int64_t i = 0; i < s.key; ++i) axpy(in.beta[t] * k[i], w, state + i * s.value, s.value);
}

template <class T>
void recurrent_forward(const DeltaShape& s, const DeltaInput<T>& in, T* o, T* saved, T* state, T* row) {
    T* boundaries = saved ? saved + padded(s.length * s.value, DType::f32) : nullptr;
    for (std::int64_t t = 0; t < s.length; ++t) {
        if (saved && t > 0 && t % s.chunk == 0)
            copy(state, boundaries + (t / s.chunk - 1) * s.state_size(), s.state_size());
        T* w = saved ? saved + t * s.value : row;
        delta_step(s, in, t, state, w);
        T* out = o + t * s.value;
        fill(T(0), out, s.value);
        for (std::int64_t i = 0; i < s.key; ++i) axpy(in.q[t * s.key + i], state + i * s.value, out, s.value);
    }
}

/// One position of the reverse pass. after = S_t, before = S_{t-1} (null: zero); d_s arrives from t+1, leaves for t-1.
template <class T>
void reverse_step(const DeltaShape& s, const DeltaInput<T>& in, std::int64_t t, const T* after, const T* before,
                  const T* w, const T* d_o, const DeltaGradient<T>& g, DeltaScratch<T>& x) {
    const T *q = in.q + t * s.key, *k = in.k + t * s.key;
    T *d_q = g.q + t * s.key, *d_k = g.k + t * s.key, *d_w = g.v + t * s.value;
    const T beta = in.beta[t], decay = numerics::exp(in.log_decay[t]);
    fill(T(0), d_w, s.value);
    for (std::int64_t i = 0; i < s.key; ++i) {
        T* row = x.d_s + i * s.value;
        d_q[i] = dot(after + i * s.value, d_o, s.value);
        axpy(q[i], d_o, row, s.value);
        axpy(k[i], row, d_w, s.value);
        d_k[i] = beta * dot(row, w, s.value);
    }
    g.beta[t] = dot(d_w, w, s.value);
    scale(beta, d_w, s.value);
    T d_decay = 0;
    for (std::int64_t i = 0; i < s.key; ++i) {
        T* row = x.d_s + i * s.value;
        axpy(-k[i], d_w, row, s.value);
        if (before) {
            const T* old = before + i * s.value;
            d_k[i] -= decay * dot(old, d_w, s.value);
            d_decay += dot(row, old, s.value);
        }
        scale(decay, row, s.value);
    }
    g.log_decay[t] = decay * d_decay;
}

template <class T>
void recurrent_backward(const DeltaShape& s, const DeltaInput<T>& in, const T* d_o, const T* saved,
                        const DeltaGradient<T>& g, DeltaScratch<T>& x) {
    const T* boundaries = saved + padded(s.length * s.value, DType::f32);
    fill(T(0), x.d_s, s.state_size());
    for (std::int64_t c = s.chunks() - 1; c >= 0; --c) {
        const std::int64_t begin = c * s.chunk, end = std::min(begin + s.chunk, s.length);
        const T* entry = c > 0 ? boundaries + (c - 1) * s.state_size() : nullptr;
        fill(T(0), x.s, s.state_size());
        if (entry) copy(entry, x.s, s.state_size());
        for (std::int64_t t = begin; t < end; ++t) {
            delta_step(s, in, t, x.s, x.rows_v);
            copy(x.s, x.states + (t - begin) * s.state_size(), s.state_size());
        }
        for (std::int64_t t = end - 1; t >= begin; --t) {
            const T* after = x.states + (t - begin) * s.state_size();
            reverse_step(s, in, t, after, t > begin ? after - s.state_size() : entry, saved + t * s.value,
                         d_o + t * s.value, g, x);
        }
    }
}

}  // namespace

DeltaShape choose_delta_scan(std::int64_t length, std::int64_t key, std::int64_t value, FormChoice choice,
                             bool carried) {
    DeltaShape shape{length, key, value, choice.form, choice.chunk, carried};
    if (shape.form == Form::automatic) shape.form = carried && length < kLeastDelta ? Form::recurrent : Form::chunked;
    if (shape.chunk <= 0) {
        const std::int64_t chunks = (length + kChunk - 1) / kChunk;
        shape.chunk = (length + chunks - 1) / chunks;
    }
    shape.chunk = std::min(shape.chunk, length);
    return shape;
}

template <class T>
DeltaScratch<T>::DeltaScratch(Scratch& scratch, const DeltaShape& shape) {
    const std::int64_t m = shape.chunk;
    const bool chunked = shape.form == Form::chunked;
    for (T** square : {&keys, &scores, &decay, &d_scores, &d_keys}) *square = scratch.take<T>(chunked ? m * m : 0);
    for (T** rows : {&u, &d_u, &rows_v}) *rows = scratch.take<T>(m * shape.value);
    rows_k = scratch.take<T>(m * shape.key);
    for (T** state : {&s, &d_s}) *state = scratch.take<T>(shape.state_size());
    states = scratch.take<T>(chunked || shape.carried ? 0 : m * shape.state_size());
    for (T** vector : {&step_decay, &from_start, &to_end, &d_entry, &d_exit, &d_crossing, &column_sums})
        *vector = scratch.take<T>(m);
}

template <class T>
void delta_scan_forward(const DeltaShape& shape, const DeltaInput<T>& in, T* o, T* saved, T* carry,
                        DeltaScratch<T>& x) {
    if (shape.form == Form::chunked) return chunked_delta_forward(shape, in, o, saved, carry, x);
    if (!carry) fill(T(0), x.s, shape.state_size());
    recurrent_forward<T>(shape, in, o, saved, carry ? carry : x.s, x.rows_v);
}

template <class T>
void delta_scan_backward(const DeltaShape& shape, const DeltaInput<T>& in, const T* d_o, const T* saved,
                         const DeltaGradient<T>& gradient, DeltaScratch<T>& x) {
    if (shape.form == Form::recurrent)
        recurrent_backward(shape, in, d_o, saved, gradient, x);
    else
        chunked_delta_backward(shape, in, d_o, saved, gradient, x);
}

#define WHORL_INSTANTIATE(T)                                                                                    \
    template struct DeltaScratch<T>;                                                                            \
    template void delta_scan_forward<T>(const DeltaShape&, const DeltaInput<T>&, T*, T*, T*, DeltaScratch<T>&); \
    template void delta_scan_backward<T>(const DeltaShape&, const DeltaInput<T>&, const T*, const T*,           \
                                         const DeltaGradient<T>&, DeltaScratch<T>&);
WHORL_INSTANTIATE(float)
WHORL_INSTANTIATE(double)
#undef WHORL_INSTANTIATE

}  // namespace whorl::cpu
