#include "core/cpu/decay_scan_chunked.hpp"

#include <algorithm>

#include "core/cpu/gemm.hpp"
#include "core/cpu/triangular.hpp"
#include "core/cpu/vector_math.hpp"
#include "core/numerics/activations.hpp"

namespace whorl::cpu {
namespace {

/// One chunk of one head: its rows (position, rank) and the coefficients spread over them.
template <class T>
struct Chunk {
    const ScanShape& s;
    std::int64_t begin, positions, rows;  // first position; positions; positions × rank
    bool first, last;

    Chunk(const ScanShape& shape, std::int64_t index)
        : s(shape),
          begin(index * shape.chunk),
          positions(std::min(shape.chunk, shape.length - begin)),
          rows(positions * shape.rank),
          first(index == 0),
          last(begin + positions == shape.length) {}

    Matrix<const T> n_rows(const T* base) const { return {base + begin * s.rank * s.state, rows, s.state, s.state}; }
    Matrix<const T> p_rows(const T* base) const {
        return {base + begin * s.rank * s.headdim, rows, s.headdim, s.headdim};
    }
    Matrix<T> n_rows(T* base) const { return {base + begin * s.rank * s.state, rows, s.state, s.state}; }
    Matrix<T> p_rows(T* base) const { return {base + begin * s.rank * s.headdim, rows, s.headdim, s.headdim}; }
    Matrix<T> square(T* base) const { return {base, rows, rows, rows}; }
    Matrix<const T> square(const T* base) const { return {base, rows, rows, rows}; }
    Matrix<T> state(T* base) const { return {base, s.state, s.headdim, s.headdim}; }
    Matrix<const T> state(const T* base) const { return {base, s.state, s.headdim, s.headdim}; }
};

template <class T>
Matrix<const T> read(Matrix<T> m) {
    return {m.data, m.rows, m.cols, m.ld};
}

/// Per row: e^{a_t}, s_t = γ_t + b_{t+1}, e^{Λ_t} from the chunk's start and e^{Λ_end-Λ_t} to its end.
template <class T>
void spread_coefficients(const Chunk<T>& c, const ScanInput<T>& in, ScanScratch<T>& x) {
    T sum = 0;
    for (std::int64_t i = 0; i < c.positions; ++i) {
        const std::int64_t t = c.begin + i;
        sum += in.log_decay[t];
        const T strength = in.gamma[t] + (t + 1 < c.s.length ? in.carry[t + 1] : T(0));
        for (std::int64_t r = 0; r < c.s.rank; ++r) {
            x.decay[i * c.s.rank + r] = in.log_decay[t];
            x.strength[i * c.s.rank + r] = strength;
            x.from_start[i * c.s.rank + r] = sum;
        }
    }
    const std::int64_t rows = c.rows;
#pragma omp simd
    for (std::int64_t i = 0; i < rows; ++i) {
        x.to_end[i] = numerics::exp(sum - x.from_start[i]);
        x.from_start[i] = numerics::exp(x.from_start[i]);
        x.decay[i] = numerics::exp(x.decay[i]);
    }
}

/// weights[i][j] = e^{Λ_i-Λ_j} for j ≤ i (1 inside a position): each row is the one before it, decayed once more.
template <class T>
void decay_weights(const Chunk<T>& c, ScanScratch<T>& x) {
    const std::int64_t rank = c.s.rank;
    for (std::int64_t i = 0; i < c.rows; ++i) {
        const std::int64_t own = i / rank * rank;
        T* row = x.weights + i * c.rows;
        const T* above = row - c.rows;
        const T decay = i == own ? x.decay[i] : T(1);
#pragma omp simd
        for (std::int64_t j = 0; j < own; ++j) row[j] = decay * above[j];
        fill(T(1), row + own, rank);
    }
}

/// Zeros behind the position's own block, as far as the row's panel goes.
template <class T>
void clear_above(const Chunk<T>& c, std::int64_t i, std::int64_t own, T* row) {
    const std::int64_t begin = own + c.s.rank, end = panel_end(i, c.rows, panel_rows(c.s.rank));
    if (begin < end) fill(T(0), row + begin, end - begin);
}

/// masked[i][j] = scores[i][j] · weight · (s_j before position i, γ_i inside it): what multiplies v_j in y_i.
template <class T>
void mask_scores(const Chunk<T>& c, const ScanInput<T>& in, const ScanScratch<T>& x, const T* scores, T* masked) {
    const std::int64_t rank = c.s.rank;
    for (std::int64_t i = 0; i < c.rows; ++i) {
        const std::int64_t own = i / rank * rank;
        const T *g = scores + i * c.rows, *w = x.weights + i * c.rows;
        T* out = masked + i * c.rows;
#pragma omp simd
        for (std::int64_t j = 0; j < own; ++j) out[j] = g[j] * w[j] * x.strength[j];
        const T gamma = in.gamma[c.begin + i / rank];
        for (std::int64_t j = own; j < own + rank; ++j) out[j] = g[j] * gamma;
        clear_above(c, i, own, out);
    }
}

/// out rows = factor[i]·in rows (· second[i] when given).
template <class T>
void scale_rows(Matrix<const T> in, const T* factor, const T* second, T* out) {
    for (std::int64_t i = 0; i < in.rows; ++i) {
        const T f = second ? factor[i] * second[i] : factor[i];
        const T* row = in.data + i * in.ld;
        T* target = out + i * in.cols;
#pragma omp simd
        for (std::int64_t j = 0; j < in.cols; ++j) target[j] = f * row[j];
    }
}

/// h ← e^{Λ_end} h + Kᵀ diag(e^{Λ_end-Λ} s) V: the state that the next chunk starts from. `entered`: there is an h.
template <class T>
void carry_state(const Chunk<T>& c, const ScanInput<T>& in, bool entered, T* h, ScanScratch<T>& x) {
    if (entered) scale(x.from_start[c.rows - 1], h, c.s.state_size());
    scale_rows(c.p_rows(in.v), x.to_end, x.strength, x.rows_p);
    gemm_tn<T>(c.n_rows(in.k), {x.rows_p, c.rows, c.s.headdim, c.s.headdim}, c.state(h),
               entered ? Write::add : Write::assign);
}

/// h ← h + b_0 Σ k' v'ᵀ: a carried state has yet to take what the first position weighs of the one before it.
template <class T>
void enter(const ScanShape& s, const ScanInput<T>& in, const ScanCarry<T>& carry) {
    for (std::int64_t r = 0; r < s.rank; ++r)
        for (std::int64_t n = 0; n < s.state; ++n)
            axpy(in.carry[0] * carry.k[r * s.state + n], carry.v + r * s.headdim, carry.h + n * s.headdim, s.headdim);
}

/// Gradients of the scores, and of decay and strength through the weights inside the chunk. A step's decay weighs every
/// pair (i, j) that it lies between, j < t ≤ i: going up from the last row, the columns' sums so far add up to exactly
/// those. (Row sum minus column sum, the textbook form, loses digits to cancellation.) On entry d_scores = dY Vᵀ; on
/// return it is the gradient of Q Kᵀ, and `scores` the masked scores.
template <class T>
void mask_backward(const Chunk<T>& c, const ScanInput<T>& in, const ScanGradient<T>& g, ScanScratch<T>& x) {
    const std::int64_t rank = c.s.rank;
    T *column_sums = x.column_sums, *d_strengths = x.d_strength;
    const T* strength = x.strength;
    fill(T(0), column_sums, c.rows);
    for (std::int64_t i = c.rows - 1; i >= 0; --i) {
        const std::int64_t own = i / rank * rank, t = c.begin + i / rank;
        T *score = x.scores + i * c.rows, *d = x.d_scores + i * c.rows;
        const T* w = x.weights + i * c.rows;
        const T crossing = sum_over<T>(own, [&](T sum, std::int64_t j) {
            const T d_strength = d[j] * score[j] * w[j], weight = w[j] * strength[j];
            d_strengths[j] += d_strength;
            column_sums[j] = numerics::fma(d_strength, strength[j], column_sums[j]);
            d[j] *= weight;
            score[j] *= weight;
            return sum + column_sums[j];
        });
        if (i == own) x.d_crossing[own] = crossing;
        const T gamma = in.gamma[t];
        for (std::int64_t j = own; j < own + rank; ++j) {
            g.gamma[t] += d[j] * score[j];
            d[j] *= gamma;
            score[j] *= gamma;
        }
        clear_above(c, i, own, d);
        clear_above(c, i, own, score);
    }
}

/// Through y += diag(e^Λ) Q h_in: adds to d_q, writes d_entry; leaves diag(e^Λ) dY in rows_p.
template <class T>
void entry_backward(const Chunk<T>& c, const ScanInput<T>& in, const T* d_y, const ScanGradient<T>& g, const T* h_in,
                    ScanScratch<T>& x) {
    scale_rows<T>(c.p_rows(d_y), x.from_start, nullptr, x.rows_p);
    const Matrix<T> d_q{x.rows_n, c.rows, c.s.state, c.s.state};
    gemm_nt<T>({x.rows_p, c.rows, c.s.headdim, c.s.headdim}, c.state(h_in), d_q, Write::assign);
    const Matrix<const T> q = c.n_rows(in.q);
    for (std::int64_t i = 0; i < c.rows; ++i)
        x.d_entry[i] = dot(q.data + i * q.ld, x.rows_n + i * c.s.state, c.s.state);
    accumulate(x.rows_n, c.n_rows(g.q).data, c.rows * c.s.state);
}

/// Through h_out = e^{Λ_end} h_in + Kᵀ diag(e^{Λ_end-Λ} s) V with gradient x.d_h: adds to d_k, d_v, d_s, writes d_exit;
/// returns the gradient of Λ_end through h_in.
template <class T>
T exit_backward(const Chunk<T>& c, const ScanInput<T>& in, const ScanGradient<T>& g, const T* h_in, ScanScratch<T>& x) {
    const std::int64_t p = c.s.headdim;
    gemm_nn<T>(c.n_rows(in.k), c.state(static_cast<const T*>(x.d_h)), {x.rows_p, c.rows, p, p}, Write::assign);
    const Matrix<const T> v = c.p_rows(in.v);
    const Matrix<T> d_v = c.p_rows(g.v);
    for (std::int64_t i = 0; i < c.rows; ++i) {
        const T d_strength = x.to_end[i] * dot(v.data + i * p, x.rows_p + i * p, p);
        x.d_strength[i] += d_strength;
        x.d_exit[i] = d_strength * x.strength[i];
        axpy(x.to_end[i] * x.strength[i], x.rows_p + i * p, d_v.data + i * p, p);
    }
    scale_rows(v, x.to_end, x.strength, x.rows_p);
    gemm_nt<T>({x.rows_p, c.rows, p, p}, c.state(static_cast<const T*>(x.d_h)), c.n_rows(g.k), Write::add);
    return h_in ? x.from_start[c.rows - 1] * dot(h_in, x.d_h, c.s.state_size()) : T(0);
}

/// A step's decay weighs the pairs it lies between, the outputs at or behind it (through the entry state), what the
/// chunk wrote before it into the exit state, and the whole way from entry to exit. d_γ, d_b come from d_s.
template <class T>
void collect_coefficients(const Chunk<T>& c, const ScanGradient<T>& g, T through, const ScanScratch<T>& x) {
    const std::int64_t rank = c.s.rank;
    T before = 0, behind = 0;
    for (std::int64_t i = 0; i < c.positions; ++i) {
        g.log_decay[c.begin + i] = through + before + x.d_crossing[i * rank];
        for (std::int64_t r = 0; r < rank; ++r) before += x.d_exit[i * rank + r];
    }
    for (std::int64_t i = c.positions - 1; i >= 0; --i) {
        const std::int64_t t = c.begin + i;
        T strength = 0;
        for (std::int64_t r = 0; r < rank; ++r) {
            behind += x.d_entry[i * rank + r];
            strength += x.d_strength[i * rank + r];
        }
        g.log_decay[t] += behind;
        g.gamma[t] += strength;
        if (t + 1 < c.s.length) g.carry[t + 1] = strength;
    }
}

}  // namespace

template <class T>
void chunked_forward(const ScanShape& shape, const ScanInput<T>& in, T* y, T* saved, const ScanCarry<T>* carry,
                     ScanScratch<T>& x) {
    T* h = carry ? carry->h : x.h;
    if (carry) enter(shape, in, *carry);
    for (std::int64_t index = 0; index < shape.chunks(); ++index) {
        const Chunk<T> c(shape, index);
        spread_coefficients(c, in, x);
        decay_weights(c, x);
        lower_of_nt<T>(c.n_rows(in.q), c.n_rows(in.k), c.square(x.scores), panel_rows(shape.rank));
        mask_scores(c, in, x, x.scores, x.scores);
        const Matrix<T> out = c.p_rows(y);
        const bool entered = carry || !c.first;
        if (entered) {
            if (!carry) copy(h, saved + (index - 1) * shape.state_size(), shape.state_size());
            gemm_nn<T>(c.n_rows(in.q), c.state(static_cast<const T*>(h)), out, Write::assign);
            scale_rows<T>(read(out), x.from_start, nullptr, out.data);
        }
        lower_times<T>(c.square(static_cast<const T*>(x.scores)), c.p_rows(in.v), out,
                       entered ? Write::add : Write::assign, panel_rows(shape.rank));
        if (carry || !c.last) carry_state(c, in, entered, h, x);
    }
    if (carry) keep_last(shape, in, *carry);
}

template <class T>
void chunked_backward(const ScanShape& shape, const ScanInput<T>& in, const T* d_y, const T* saved,
                      const ScanGradient<T>& g, ScanScratch<T>& x) {
    fill(T(0), g.gamma, shape.length);
    g.carry[0] = 0;
    for (std::int64_t index = shape.chunks() - 1; index >= 0; --index) {
        const Chunk<T> c(shape, index);
        const T* h_in = c.first ? nullptr : saved + (index - 1) * shape.state_size();
        spread_coefficients(c, in, x);
        decay_weights(c, x);
        for (T* sums : {x.d_strength, x.d_entry, x.d_exit}) fill(T(0), sums, c.rows);
        lower_of_nt<T>(c.n_rows(in.q), c.n_rows(in.k), c.square(x.scores), panel_rows(shape.rank));
        lower_of_nt<T>(c.p_rows(d_y), c.p_rows(in.v), c.square(x.d_scores), panel_rows(shape.rank));
        mask_backward(c, in, g, x);
        const Matrix<const T> masked = c.square(static_cast<const T*>(x.scores));
        const Matrix<const T> d_scores = c.square(static_cast<const T*>(x.d_scores));
        lower_transposed_times<T>(masked, c.p_rows(d_y), c.p_rows(g.v), Write::assign, panel_rows(shape.rank));
        lower_times<T>(d_scores, c.n_rows(in.k), c.n_rows(g.q), Write::assign, panel_rows(shape.rank));
        lower_transposed_times<T>(d_scores, c.n_rows(in.q), c.n_rows(g.k), Write::assign, panel_rows(shape.rank));
        const T through = c.last ? T(0) : exit_backward(c, in, g, h_in, x);
        if (!c.first) {
            entry_backward(c, in, d_y, g, h_in, x);
            if (c.last)
                fill(T(0), x.d_h, shape.state_size());
            else
                scale(x.from_start[c.rows - 1], x.d_h, shape.state_size());
            gemm_tn<T>(c.n_rows(in.q), {x.rows_p, c.rows, shape.headdim, shape.headdim}, c.state(x.d_h), Write::add);
        }
        collect_coefficients(c, g, through, x);
    }
}

#define WHORL_INSTANTIATE(T)                                                                             \
    template void chunked_forward<T>(const ScanShape&, const ScanInput<T>&, T*, T*, const ScanCarry<T>*, \
                                     ScanScratch<T>&);                                                   \
    template void chunked_backward<T>(const ScanShape&, const ScanInput<T>&, const T*, const T*,         \
                                      const ScanGradient<T>&, ScanScratch<T>&);
WHORL_INSTANTIATE(float)
WHORL_INSTANTIATE(double)
#undef WHORL_INSTANTIATE

}  // namespace whorl::cpu
