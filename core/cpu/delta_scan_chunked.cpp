#include "core/cpu/delta_scan_chunked.hpp"

#include <algorithm>

#include "core/cpu/gemm.hpp"
#include "core/cpu/triangular.hpp"
#include "core/cpu/vector_math.hpp"
#include "core/numerics/activations.hpp"

namespace whorl::cpu {
namespace {

template <class T>
struct DeltaChunk {
    const DeltaShape& s;
    std::int64_t begin, rows;
    bool first, last;

    DeltaChunk(const DeltaShape& shape, std::int64_t index)
        : s(shape),
          begin(index * shape.chunk),
          rows(std::min(shape.chunk, shape.length - begin)),
          first(index == 0),
          last(begin + rows == shape.length) {}

    Matrix<const T> keys(const T* base) const { return {base + begin * s.key, rows, s.key, s.key}; }
    Matrix<const T> values(const T* base) const { return {base + begin * s.value, rows, s.value, s.value}; }
    Matrix<T> keys(T* base) const { return {base + begin * s.key, rows, s.key, s.key}; }
    Matrix<T> values(T* base) const { return {base + begin * s.value, rows, s.value, s.value}; }
    Matrix<T> square(T* base) const { return {base, rows, rows, rows}; }
    Matrix<const T> square_in(const T* base) const { return {base, rows, rows, rows}; }
    Matrix<T> rows_v(T* base) const { return {base, rows, s.value, s.value}; }
    Matrix<const T> rows_v_in(const T* base) const { return {base, rows, s.value, s.value}; }
    Matrix<T> state(T* base) const { return {base, s.key, s.value, s.value}; }
    Matrix<const T> state_in(const T* base) const { return {base, s.key, s.value, s.value}; }
};

/// Zeros from column `begin` of row i to the end of the row's panel.
template <class T>
void clear_from(const DeltaChunk<T>& c, std::int64_t i, std::int64_t begin, T* row) {
    const std::int64_t end = panel_end(i, c.rows, panel_rows(1));
    if (begin < end) fill(T(0), row + begin, end - begin);
}

/// Decay factors of the chunk and K Kᵀ, Q Kᵀ masked and decayed: keys strictly lower, scores lower.
template <class T>
void prepare(const DeltaChunk<T>& c, const DeltaInput<T>& in, DeltaScratch<T>& x) {
    T sum = 0;
    for (std::int64_t i = 0; i < c.rows; ++i) {
        sum += in.log_decay[c.begin + i];
        x.from_start[i] = sum;
        x.step_decay[i] = in.log_decay[c.begin + i];
    }
#pragma omp simd
    for (std::int64_t i = 0; i < c.rows; ++i) {
        x.to_end[i] = numerics::exp(sum - x.from_start[i]);
        x.from_start[i] = numerics::exp(x.from_start[i]);
        x.step_decay[i] = numerics::exp(x.step_decay[i]);
    }
    lower_of_nt<T>(c.keys(in.k), c.keys(in.k), c.square(x.keys), panel_rows(1));
    lower_of_nt<T>(c.keys(in.q), c.keys(in.k), c.square(x.scores), panel_rows(1));
    for (std::int64_t i = 0; i < c.rows; ++i) {
        T *d = x.decay + i * c.rows, *keys = x.keys + i * c.rows, *scores = x.scores + i * c.rows;
        const T *above = d - c.rows, decay = x.step_decay[i];
#pragma omp simd
        for (std::int64_t j = 0; j < i; ++j) {
            d[j] = decay * above[j];
            keys[j] *= d[j];
            scores[j] *= d[j];
        }
        d[i] = 1;
        clear_from(c, i, i, keys);
        clear_from(c, i, i + 1, scores);
    }
}

/// to rows = factor[i] · from rows.
template <class T>
void scale_rows(const T* factor, Matrix<const T> from, T* to) {
    for (std::int64_t i = 0; i < from.rows; ++i)
#pragma omp simd
        for (std::int64_t j = 0; j < from.cols; ++j) to[i * from.cols + j] = factor[i] * from.data[i * from.ld + j];
}

constexpr std::int64_t kSolveRows = 12;  // solved one after the other; what solved rows add to others is one product

/// Solves (I + keys diag β) Ŵ = rhs in place, block of rows after block of rows. `minus` [m,V] is left with -β Ŵ.
template <class T>
void solve_lower(const DeltaChunk<T>& c, const T* beta, const T* keys, T* w, T* minus) {
    const std::int64_t n = c.s.value;
    for_each_panel(c.rows, kSolveRows, [&](std::int64_t begin, std::int64_t end) {
        if (begin > 0)
            gemm_nn<T>(sub_block(c.square_in(keys), begin, end, 0, begin), sub_rows(c.rows_v_in(minus), 0, begin),
                       sub_rows(c.rows_v(w), begin, end), Write::add);
        for (std::int64_t i = begin; i < end; ++i) {
            for (std::int64_t j = begin; j < i; ++j) axpy(keys[i * c.rows + j], minus + j * n, w + i * n, n);
            for (std::int64_t v = 0; v < n; ++v) minus[i * n + v] = -beta[i] * w[i * n + v];
        }
    });
}

/// Solves (I + diag β keys)ᵀ dR = rhs in place, last block first. `minus` as above.
template <class T>
void solve_upper(const DeltaChunk<T>& c, const T* beta, const T* keys, T* d, T* minus) {
    const std::int64_t n = c.s.value, blocks = (c.rows + kSolveRows - 1) / kSolveRows;
    for (std::int64_t block = blocks - 1; block >= 0; --block) {
        const std::int64_t begin = block * kSolveRows, end = std::min(begin + kSolveRows, c.rows);
        if (end < c.rows)
            gemm_tn<T>(sub_block(c.square_in(keys), end, c.rows, begin, end), sub_rows(c.rows_v_in(minus), end, c.rows),
                       sub_rows(c.rows_v(d), begin, end), Write::add);
        for (std::int64_t i = end - 1; i >= begin; --i) {
            for (std::int64_t j = i + 1; j < end; ++j) axpy(keys[j * c.rows + i], minus + j * n, d + i * n, n);
            for (std::int64_t v = 0; v < n; ++v) minus[i * n + v] = -beta[i] * d[i * n + v];
        }
    }
}

/// Through the decay of a product: a step's decay weighs every pair (i, j) that it lies between, j < t ≤ i. Going up
/// from the last row, the columns' sums of sign · gradient ⊙ decayed value add up to exactly those; nothing cancels.
template <class T>
void decay_backward(const DeltaChunk<T>& c, T sign, const T* d, const T* value, DeltaScratch<T>& x) {
    fill(T(0), x.column_sums, c.rows);
    for (std::int64_t i = c.rows - 1; i >= 0; --i) {
        const T *d_row = d + i * c.rows, *row = value + i * c.rows;
        T* sums = x.column_sums;
        x.d_crossing[i] += sum_over<T>(i, [&](T sum, std::int64_t j) {
            sums[j] = numerics::fma(sign * d_row[j], row[j], sums[j]);
            return sum + sums[j];
        });
    }
}

/// d ← gradient of the undecayed product, zero above the diagonal (and on it when strict).
template <class T>
void mask_decay(const DeltaChunk<T>& c, const T* decay, bool strict, T sign, T* d) {
    for (std::int64_t i = 0; i < c.rows; ++i) {
        const std::int64_t end = strict ? i : i + 1;
#pragma omp simd
        for (std::int64_t j = 0; j < end; ++j) d[i * c.rows + j] *= sign * decay[i * c.rows + j];
        clear_from(c, i, end, d + i * c.rows);
    }
}

/// Through S_out = e^{Λ_end} S_in + (diag(e^{Λ_end-Λ}) K)ᵀ U with gradient x.d_s: adds to d_u, d_k, writes d_exit;
/// returns the gradient of Λ_end through S_in.
template <class T>
T exit_backward(const DeltaChunk<T>& c, const DeltaInput<T>& in, const DeltaGradient<T>& g, const T* s_in,
                DeltaScratch<T>& x) {
    const Matrix<const T> k = c.keys(in.k), d_s = c.state_in(x.d_s);
    gemm_nn<T>(k, d_s, c.rows_v(x.rows_v), Write::assign);
    for (std::int64_t i = 0; i < c.rows; ++i) {
        x.d_exit[i] = x.to_end[i] * dot(x.rows_v + i * c.s.value, x.u + i * c.s.value, c.s.value);
        axpy(x.to_end[i], x.rows_v + i * c.s.value, x.d_u + i * c.s.value, c.s.value);
    }
    scale_rows<T>(x.to_end, c.rows_v_in(x.u), x.rows_v);
    gemm_nt<T>(c.rows_v_in(x.rows_v), d_s, c.keys(g.k), Write::add);
    return s_in ? x.from_start[c.rows - 1] * dot(s_in, x.d_s, c.s.state_size()) : T(0);
}

/// One term out = diag(e^Λ) X S_in (X = Q or K) with gradient `d_out` [m,V] already times e^Λ: adds to d_x, d_entry,
/// d_s.
template <class T>
void entry_term_backward(const DeltaChunk<T>& c, Matrix<const T> rows, const T* d_out, const T* s_in, T* d_rows,
                         DeltaScratch<T>& x) {
    gemm_nt<T>(c.rows_v_in(d_out), c.state_in(s_in), {x.rows_k, c.rows, c.s.key, c.s.key}, Write::assign);
    for (std::int64_t i = 0; i < c.rows; ++i)
        x.d_entry[i] += dot(rows.data + i * rows.ld, x.rows_k + i * c.s.key, c.s.key);
    accumulate(x.rows_k, d_rows, c.rows * c.s.key);
    gemm_tn<T>(rows, c.rows_v_in(d_out), c.state(x.d_s), Write::add);
}

/// All but what passes through the entry state; returns the gradient of Λ_end through it.
template <class T>
T chunk_backward(const DeltaChunk<T>& c, const DeltaInput<T>& in, const T* d_o, const T* w, const T* s_in,
                 const DeltaGradient<T>& g, DeltaScratch<T>& x) {
    const T* beta = in.beta + c.begin;
    prepare(c, in, x);
    for (T* sums : {x.d_entry, x.d_exit, x.d_crossing}) fill(T(0), sums, c.rows);
    scale_rows<T>(beta, c.values(w), x.u);
    const Matrix<const T> k = c.keys(in.k), d_out = c.values(d_o);
    lower_transposed_times<T>(c.square_in(x.scores), d_out, c.rows_v(x.d_u), Write::assign, panel_rows(1));
    fill(T(0), c.keys(g.k).data, c.rows * c.s.key);
    const T through = c.last ? T(0) : exit_backward(c, in, g, s_in, x);
    solve_upper(c, beta, x.keys, x.d_u, x.rows_v);
    for (std::int64_t i = 0; i < c.rows; ++i)
        g.beta[c.begin + i] = dot(x.d_u + i * c.s.value, c.values(w).data + i * c.s.value, c.s.value);
    const Matrix<T> d_v = c.values(g.v);
    scale_rows<T>(beta, c.rows_v_in(x.d_u), d_v.data);

    lower_of_nt<T>(d_out, c.rows_v_in(x.u), c.square(x.d_scores), panel_rows(1));
    lower_of_nt<T>({d_v.data, c.rows, c.s.value, c.s.value}, c.rows_v_in(x.u), c.square(x.d_keys), panel_rows(1));
    decay_backward<T>(c, T(1), x.d_scores, x.scores, x);
    decay_backward<T>(c, T(-1), x.d_keys, x.keys, x);
    mask_decay<T>(c, x.decay, false, T(1), x.d_scores);
    mask_decay<T>(c, x.decay, true, T(-1), x.d_keys);
    lower_times<T>(c.square_in(x.d_scores), k, c.keys(g.q), Write::assign, panel_rows(1));
    lower_transposed_times<T>(c.square_in(x.d_scores), c.keys(in.q), c.keys(g.k), Write::add, panel_rows(1));
    lower_times<T>(c.square_in(x.d_keys), k, c.keys(g.k), Write::add, panel_rows(1));
    lower_transposed_times<T>(c.square_in(x.d_keys), k, c.keys(g.k), Write::add, panel_rows(1));
    return through;
}

/// A step's decay weighs the pairs it lies between, the outputs at or behind it (through the entry state), what the
/// chunk wrote before it into the exit state, and the whole way from entry to exit.
template <class T>
void collect_decay(const DeltaChunk<T>& c, const DeltaGradient<T>& g, T through, const DeltaScratch<T>& x) {
    T before = 0, behind = 0;
    for (std::int64_t i = 0; i < c.rows; ++i) {
        g.log_decay[c.begin + i] = through + before + x.d_crossing[i];
        before += x.d_exit[i];
    }
    for (std::int64_t i = c.rows - 1; i >= 0; --i) {
        behind += x.d_entry[i];
        g.log_decay[c.begin + i] += behind;
    }
}

/// The gradient of the state on entry, and what flows through it to Q, K and Λ.
template <class T>
void state_backward(const DeltaChunk<T>& c, const DeltaInput<T>& in, const T* d_o, const T* s_in,
                    const DeltaGradient<T>& g, DeltaScratch<T>& x) {
    if (c.first) return;
    if (c.last)
        fill(T(0), x.d_s, c.s.state_size());
    else
        scale(x.from_start[c.rows - 1], x.d_s, c.s.state_size());
    scale_rows<T>(x.from_start, c.values(d_o), x.rows_v);
    entry_term_backward(c, c.keys(in.q), x.rows_v, s_in, c.keys(g.q).data, x);
    const T* d_v = c.values(g.v).data;
    for (std::int64_t i = 0; i < c.rows; ++i)
        for (std::int64_t j = 0; j < c.s.value; ++j)
            x.rows_v[i * c.s.value + j] = -x.from_start[i] * d_v[i * c.s.value + j];
    entry_term_backward(c, c.keys(in.k), x.rows_v, s_in, c.keys(g.k).data, x);
}

}  // namespace

template <class T>
void chunked_delta_forward(const DeltaShape& shape, const DeltaInput<T>& in, T* o, T* saved, T* carry,
                           DeltaScratch<T>& x) {
    T *boundaries = saved + (carry ? 0 : padded(shape.length * shape.value, DType::f32)), *s = carry ? carry : x.s;
    for (std::int64_t index = 0; index < shape.chunks(); ++index) {
        const DeltaChunk<T> c(shape, index);
        const bool entered = carry || !c.first;
        prepare(c, in, x);
        const Matrix<T> out = c.values(o), w = carry ? c.rows_v(x.d_u) : c.values(saved);
        copy(c.values(in.v).data, w.data, c.rows * shape.value);
        if (entered) {
            if (!carry) copy(s, boundaries + (index - 1) * shape.state_size(), shape.state_size());
            gemm_nn<T>(c.keys(in.k), c.state_in(s), c.rows_v(x.rows_v), Write::assign);
            for (std::int64_t i = 0; i < c.rows; ++i)
                axpy(-x.from_start[i], x.rows_v + i * shape.value, w.data + i * shape.value, shape.value);
            gemm_nn<T>(c.keys(in.q), c.state_in(s), c.rows_v(x.rows_v), Write::assign);
            scale_rows<T>(x.from_start, c.rows_v_in(x.rows_v), out.data);
        }
        solve_lower(c, in.beta + c.begin, x.keys, w.data, x.rows_v);
        scale_rows<T>(in.beta + c.begin, {w.data, w.rows, w.cols, w.ld}, x.u);
        lower_times<T>(c.square_in(x.scores), c.rows_v_in(x.u), out, entered ? Write::add : Write::assign,
                       panel_rows(1));
        if (c.last && !carry) break;
        if (entered) scale(x.from_start[c.rows - 1], s, shape.state_size());
        scale_rows<T>(x.to_end, c.rows_v_in(x.u), x.rows_v);
        gemm_tn<T>(c.keys(in.k), c.rows_v_in(x.rows_v), c.state(s), entered ? Write::add : Write::assign);
    }
}

template <class T>
void chunked_delta_backward(const DeltaShape& shape, const DeltaInput<T>& in, const T* d_o, const T* saved,
                            const DeltaGradient<T>& g, DeltaScratch<T>& x) {
    const T* boundaries = saved + padded(shape.length * shape.value, DType::f32);
    for (std::int64_t index = shape.chunks() - 1; index >= 0; --index) {
        const DeltaChunk<T> c(shape, index);
        const T* s_in = c.first ? nullptr : boundaries + (index - 1) * shape.state_size();
        const T through = chunk_backward(c, in, d_o, saved, s_in, g, x);
        state_backward(c, in, d_o, s_in, g, x);
        collect_decay(c, g, through, x);
    }
}

#define WHORL_INSTANTIATE(T)                                                                                       \
    template void chunked_delta_forward<T>(const DeltaShape&, const DeltaInput<T>&, T*, T*, T*, DeltaScratch<T>&); \
    template void chunked_delta_backward<T>(const DeltaShape&, const DeltaInput<T>&, const T*, const T*,           \
                                            const DeltaGradient<T>&, DeltaScratch<T>&);
WHORL_INSTANTIATE(float)
WHORL_INSTANTIATE(double)
#undef WHORL_INSTANTIATE

}  // namespace whorl::cpu
