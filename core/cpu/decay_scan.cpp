#include "core/cpu/decay_scan.hpp"

#include <algorithm>

#include "core/cpu/decay_scan_chunked.hpp"
#include "core/cpu/vector_math.hpp"
#include "core/numerics/activations.hpp"

namespace whorl::cpu {
namespace {

constexpr std::int64_t kChunkRows = 48;    // positions × rank of a chunk; 32…80 measured alike (N = 64, P = 32)
constexpr std::int64_t kLeastChunked = 8;  // positions from which a carried sequence gains by matrix products

/// h ← e^a (h + b Σ k' v'ᵀ) + γ Σ k vᵀ ; k', v' may be null at the start of a sequence.
template <class T>
void advance(const ScanShape& s, T decay, T carry, T gamma, const T* k_before, const T* v_before, const T* k,
             const T* v, T* h) {
    for (std::int64_t n = 0; n < s.state; ++n) {
        T* row = h + n * s.headdim;
        scale(decay, row, s.headdim);
        for (std::int64_t r = 0; r < s.rank; ++r) {
            if (k_before) axpy(decay * carry * k_before[r * s.state + n], v_before + r * s.headdim, row, s.headdim);
            axpy(gamma * k[r * s.state + n], v + r * s.headdim, row, s.headdim);
        }
    }
}

template <class T>
void read_out(const ScanShape& s, const T* h, const T* q, T* y) {
    for (std::int64_t r = 0; r < s.rank; ++r) {
        T* out = y + r * s.headdim;
        fill(T(0), out, s.headdim);
        for (std::int64_t n = 0; n < s.state; ++n) axpy(q[r * s.state + n], h + n * s.headdim, out, s.headdim);
    }
}

/// The rows k_{t-1}, v_{t-1}: from the sequence, from the carry at t = 0, or null.
template <class T>
struct Before {
    const T *k = nullptr, *v = nullptr;
    Before(const ScanShape& s, const ScanInput<T>& in, std::int64_t t, const ScanCarry<T>* carry) {
        if (t > 0) {
            k = in.k + (t - 1) * s.rank * s.state;
            v = in.v + (t - 1) * s.rank * s.headdim;
        } else if (carry) {
            k = carry->k;
            v = carry->v;
        }
    }
};

template <class T>
void step(const ScanShape& s, const ScanInput<T>& in, std::int64_t t, const ScanCarry<T>* carry, T* h) {
    const Before<T> before(s, in, t, carry);
    advance(s, numerics::exp(in.log_decay[t]), in.carry[t], in.gamma[t], before.k, before.v,
            in.k + t * s.rank * s.state, in.v + t * s.rank * s.headdim, h);
}

template <class T>
void recurrent_forward(const ScanShape& s, const ScanInput<T>& in, T* y, T* saved, const ScanCarry<T>* carry,
                       T* scratch_h) {
    T* h = carry ? carry->h : scratch_h;
    if (!carry) fill(T(0), h, s.state_size());
    for (std::int64_t t = 0; t < s.length; ++t) {
        if (saved && t > 0 && t % s.chunk == 0) copy(h, saved + (t / s.chunk - 1) * s.state_size(), s.state_size());
        step(s, in, t, carry, h);
        read_out(s, h, in.q + t * s.rank * s.state, y + t * s.rank * s.headdim);
    }
    if (carry) keep_last(s, in, *carry);
}

/// Adds weight·(dh v) to dk, weight·(dhᵀ k) to dv; returns ⟨dh, Σ k vᵀ⟩.
template <class T>
T outer_product_backward(const ScanShape& s, const T* d_h, T weight, const T* k, const T* v, T* d_k, T* d_v) {
    T inner = 0;
    for (std::int64_t r = 0; r < s.rank; ++r)
        for (std::int64_t n = 0; n < s.state; ++n) {
            const T* row = d_h + n * s.headdim;
            const T slope = dot(row, v + r * s.headdim, s.headdim);
            inner += k[r * s.state + n] * slope;
            d_k[r * s.state + n] += weight * slope;
            axpy(weight * k[r * s.state + n], row, d_v + r * s.headdim, s.headdim);
        }
    return inner;
}

/// One position of the reverse pass: h is h_t, h_before h_{t-1} (null: zero); d_h arrives from t+1 and leaves for t-1.
template <class T>
void reverse_step(const ScanShape& s, const ScanInput<T>& in, std::int64_t t, const T* h, const T* h_before,
                  const T* d_y, const ScanGradient<T>& g, T* d_h) {
    const std::int64_t n_row = t * s.rank * s.state, p_row = t * s.rank * s.headdim;
    for (std::int64_t r = 0; r < s.rank; ++r)
        for (std::int64_t n = 0; n < s.state; ++n) {
            const T* dy = d_y + p_row + r * s.headdim;
            g.q[n_row + r * s.state + n] = dot(h + n * s.headdim, dy, s.headdim);
            axpy(in.q[n_row + r * s.state + n], dy, d_h + n * s.headdim, s.headdim);
        }
    const T decay = numerics::exp(in.log_decay[t]), beta = decay * in.carry[t];
    g.gamma[t] = outer_product_backward(s, d_h, in.gamma[t], in.k + n_row, in.v + p_row, g.k + n_row, g.v + p_row);
    T d_beta = 0;
    if (t > 0) {
        const std::int64_t n_last = n_row - s.rank * s.state, p_last = p_row - s.rank * s.headdim;
        d_beta = outer_product_backward(s, d_h, beta, in.k + n_last, in.v + p_last, g.k + n_last, g.v + p_last);
    }
    const T d_decay = h_before ? dot(d_h, h_before, s.state_size()) : T(0);
    g.carry[t] = decay * d_beta;
    g.log_decay[t] = decay * d_decay + beta * d_beta;
    scale(decay, d_h, s.state_size());
}

template <class T>
void recurrent_backward(const ScanShape& s, const ScanInput<T>& in, const T* d_y, const T* saved,
                        const ScanGradient<T>& g, ScanScratch<T>& scratch) {
    fill(T(0), g.k, s.rows() * s.state);
    fill(T(0), g.v, s.rows() * s.headdim);
    fill(T(0), scratch.d_h, s.state_size());
    for (std::int64_t c = s.chunks() - 1; c >= 0; --c) {
        const std::int64_t begin = c * s.chunk, end = std::min(begin + s.chunk, s.length);
        const T* entry = c > 0 ? saved + (c - 1) * s.state_size() : nullptr;
        if (entry)
            copy(entry, scratch.h, s.state_size());
        else
            fill(T(0), scratch.h, s.state_size());
        for (std::int64_t t = begin; t < end; ++t) {
            step<T>(s, in, t, nullptr, scratch.h);
            copy(scratch.h, scratch.states + (t - begin) * s.state_size(), s.state_size());
        }
        for (std::int64_t t = end - 1; t >= begin; --t) {
            const T* h = scratch.states + (t - begin) * s.state_size();
            reverse_step(s, in, t, h, t > begin ? h - s.state_size() : entry, d_y, g, scratch.d_h);
        }
    }
}

}  // namespace

ScanShape choose_scan(std::int64_t length, std::int64_t rank, std::int64_t state, std::int64_t headdim,
                      FormChoice choice, bool carried) {
    ScanShape shape{length, rank, state, headdim, choice.form, choice.chunk, carried};
    if (shape.form == Form::automatic) shape.form = carried && length < kLeastChunked ? Form::recurrent : Form::chunked;
    if (shape.chunk <= 0) {
        const std::int64_t most = std::max<std::int64_t>(kChunkRows / rank, 4);
        const std::int64_t chunks = (length + most - 1) / most;
        shape.chunk = (length + chunks - 1) / chunks;
    }
    shape.chunk = std::min(shape.chunk, length);
    return shape;
}

template <class T>
ScanScratch<T>::ScanScratch(Scratch& scratch, const ScanShape& shape) {
    const std::int64_t m = shape.chunk * shape.rank;
    const bool chunked = shape.form == Form::chunked;
    scores = scratch.take<T>(chunked ? m * m : 0);
    weights = scratch.take<T>(chunked ? m * m : 0);
    d_scores = scratch.take<T>(chunked ? m * m : 0);
    rows_n = scratch.take<T>(chunked ? m * shape.state : 0);
    rows_p = scratch.take<T>(chunked ? m * shape.headdim : 0);
    h = scratch.take<T>(shape.state_size());
    d_h = scratch.take<T>(shape.state_size());
    states = scratch.take<T>(chunked || shape.carried ? 0 : shape.chunk * shape.state_size());
    for (T** vector :
         {&decay, &strength, &from_start, &to_end, &d_strength, &d_entry, &d_exit, &d_crossing, &column_sums})
        *vector = scratch.take<T>(m);
}

template <class T>
void decay_scan_forward(const ScanShape& shape, const ScanInput<T>& in, T* y, T* saved, const ScanCarry<T>* carry,
                        ScanScratch<T>& scratch) {
    if (shape.form == Form::recurrent)
        recurrent_forward(shape, in, y, saved, carry, scratch.h);
    else
        chunked_forward(shape, in, y, saved, carry, scratch);
}

template <class T>
void decay_scan_backward(const ScanShape& shape, const ScanInput<T>& in, const T* d_y, const T* saved,
                         const ScanGradient<T>& gradient, ScanScratch<T>& scratch) {
    if (shape.form == Form::recurrent)
        recurrent_backward(shape, in, d_y, saved, gradient, scratch);
    else
        chunked_backward(shape, in, d_y, saved, gradient, scratch);
}

#define WHORL_INSTANTIATE(T)                                                                                \
    template struct ScanScratch<T>;                                                                         \
    template void decay_scan_forward<T>(const ScanShape&, const ScanInput<T>&, T*, T*, const ScanCarry<T>*, \
                                        ScanScratch<T>&);                                                   \
    template void decay_scan_backward<T>(const ScanShape&, const ScanInput<T>&, const T*, const T*,         \
                                         const ScanGradient<T>&, ScanScratch<T>&);
WHORL_INSTANTIATE(float)
WHORL_INSTANTIATE(double)
#undef WHORL_INSTANTIATE

}  // namespace whorl::cpu
