// Causal softmax attention, one head of one sequence a time: scores of a block of queries against all earlier keys,
// softmax, values. The backward pass makes the probabilities again from the kept maxima and sums.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/cpu/cpu_backend.hpp"
#include "core/cpu/gemm.hpp"
#include "core/cpu/sequence_tasks.hpp"
#include "core/numerics/rotation.hpp"

namespace whorl::cpu {
namespace {

constexpr std::int64_t kQueryBlock = 64;

struct AttentionShape {
    AttentionShape(const AttentionConfig& c, const Tensor& qkv, std::int64_t earlier, bool from_cache)
        : length(qkv.shape[2]),
          context(earlier + length),
          cached(from_cache),
          heads(c.num_heads),
          k(c.head_dim),
          rope(c.positions == Positions::rope) {}
    std::int64_t length, context;  // context: keys that the last query sees
    bool cached;                   // keys and values are read where the cache has them: forward only
    std::int64_t heads, k;
    bool rope;
    std::int64_t width() const { return heads * k; }
    std::int64_t block() const { return std::min(kQueryBlock, length); }
};

template <class T>
struct AttentionBuffers {
    AttentionBuffers(Scratch& scratch, const AttentionShape& s) {
        q = scratch.take<T>(s.length * s.k);
        for (T** rows : {&keys, &values, &d_q, &d_keys, &d_values})
            *rows = scratch.take<T>(s.cached ? 0 : s.length * s.k);
        p = scratch.take<T>(s.block() * s.context);
        d_p = scratch.take<T>(s.cached ? 0 : s.block() * s.context);
        for (T** table : {&sin, &cos}) *table = scratch.take<T>(s.length * (s.k / 2));
        frequency = scratch.take<double>(s.k / 2);
    }
    T *q = nullptr, *keys = nullptr, *values = nullptr;        // [L,K]
    T *d_q = nullptr, *d_keys = nullptr, *d_values = nullptr;  // [L,K]
    T *p = nullptr, *d_p = nullptr;                            // [block,context]
    T *sin = nullptr, *cos = nullptr;                          // [L,K/2]
    double* frequency = nullptr;                               // [K/2]
};

template <class T>
struct AttentionSequence {
    const AttentionShape& s;
    AttentionBuffers<T>& x;
    const Tensor& qkv;
    std::int64_t r, b, first;  // first: index of the first position

    T factor() const { return T(1) / std::sqrt(static_cast<T>(s.k)); }

    void angles() const {
        const std::int64_t half = s.k / 2;
        if (!s.rope) return;
        for (std::int64_t j = 0; j < half; ++j) x.frequency[j] = numerics::rope_frequency<double>(j, half);
        for (std::int64_t t = 0; t < s.length; ++t) {
            T *sin = x.sin + t * half, *cos = x.cos + t * half;
#pragma omp simd
            for (std::int64_t j = 0; j < half; ++j) {
                const auto turn = numerics::sincos(numerics::rope_angle<T>(first + t, x.frequency[j]));
                sin[j] = turn.sin;
                cos[j] = turn.cos;
            }
        }
    }
    /// Turns pairs (i, i + K/2) of row t by its position, or back.
    void turn(T* row, std::int64_t t, bool back) const {
        const std::int64_t half = s.k / 2;
        const T *sin = x.sin + t * half, *cos = x.cos + t * half;
        if (!s.rope) return;
#pragma omp simd
        for (std::int64_t j = 0; j < half; ++j) {
            const auto turned = numerics::rotate<T>({row[j], row[half + j]}, cos[j], back ? -sin[j] : sin[j]);
            row[j] = turned.x;
            row[half + j] = turned.y;
        }
    }
    const T* raw(std::int64_t t, int part, std::int64_t h) const {
        return qkv.at<T>(r, b, t) + part * s.width() + h * s.k;
    }

    /// Keys and values that one head's queries see: rows of the cache, or of the buffers.
    struct Seen {
        T *keys, *values;  // [context,K]
        std::int64_t stride;

        Matrix<const T> first(const T* rows, std::int64_t count, std::int64_t k) const {
            return {rows, count, k, stride};
        }
    };
    Seen seen(std::int64_t h, const Tensor& cache) const {
        if (!s.cached) return {x.keys, x.values, s.k};
        T* row = cache.at<T>(r, b) + h * s.k;
        return {row, row + s.width(), cache.row_stride()};
    }

    /// Fills q (scaled) of one head, and its new keys and values behind the earlier ones.
    void prepare_head(std::int64_t h, const Seen& to) const {
        const std::int64_t earlier = s.context - s.length;
        for (std::int64_t t = 0; t < s.length; ++t) {
            T *q = x.q + t * s.k, *key = to.keys + (earlier + t) * to.stride;
            copy(raw(t, 0, h), q, s.k);
            copy(raw(t, 1, h), key, s.k);
            copy(raw(t, 2, h), to.values + (earlier + t) * to.stride, s.k);
            turn(q, t, false);
            turn(key, t, false);
            scale(factor(), q, s.k);
        }
    }

    /// p ← probabilities of queries [begin, begin + rows) over the keys up to the last of them; returns that many keys.
    std::int64_t probabilities(std::int64_t begin, std::int64_t rows, const Seen& from) const {
        const std::int64_t earlier = s.context - s.length, columns = earlier + begin + rows;
        gemm_nt<T>({x.q + begin * s.k, rows, s.k, s.k}, from.first(from.keys, columns, s.k),
                   {x.p, rows, columns, columns}, Write::assign);
        for (std::int64_t i = 0; i < rows; ++i) {
            T* p = x.p + i * columns;
            const std::int64_t seen = earlier + begin + i + 1;
            T highest = -std::numeric_limits<T>::infinity();
            for (std::int64_t j = 0; j < seen; ++j) highest = std::max(highest, p[j]);
            const T total = sum_over<T>(seen, [&](T sum, std::int64_t j) {
                p[j] = numerics::exp(p[j] - highest);
                return sum + p[j];
            });
            scale(T(1) / total, p, seen);
            fill(T(0), p + seen, columns - seen);
        }
        return columns;
    }

    /// Heads [first_head, end_head).
    void forward(const Tensor& y, const Tensor& cache, std::int64_t first_head, std::int64_t end_head) const {
        angles();
        for (std::int64_t h = first_head; h < end_head; ++h) {
            const Seen own = seen(h, cache);
            prepare_head(h, own);
            for (std::int64_t begin = 0; begin < s.length; begin += s.block()) {
                const std::int64_t rows = std::min(s.block(), s.length - begin);
                const std::int64_t columns = probabilities(begin, rows, own);
                T* out = y.at<T>(r, b, begin) + h * s.k;
                gemm_nn<T>({x.p, rows, columns, columns}, own.first(own.values, columns, s.k),
                           {out, rows, s.k, y.row_stride()}, Write::assign);
            }
        }
    }

    /// d_p ← p ⊙ (dY Vᵀ - rowsum(p ⊙ dY Vᵀ)): gradient of the scaled scores.
    void softmax_backward(Matrix<const T> d_out, std::int64_t columns) const {
        gemm_nt<T>(d_out, {x.values, columns, s.k, s.k}, {x.d_p, d_out.rows, columns, columns}, Write::assign);
        for (std::int64_t i = 0; i < d_out.rows; ++i) {
            const T* p = x.p + i * columns;
            T* d = x.d_p + i * columns;
            const T mean = dot(p, static_cast<const T*>(d), columns);
#pragma omp simd
            for (std::int64_t j = 0; j < columns; ++j) d[j] = p[j] * (d[j] - mean);
        }
    }

    void backward(const Tensor& d_y, const Tensor& d_qkv) const {
        angles();
        for (std::int64_t h = 0; h < s.heads; ++h) {
            const Seen own = seen(h, {});
            prepare_head(h, own);
            fill(T(0), x.d_keys, s.length * s.k);
            fill(T(0), x.d_values, s.length * s.k);
            for (std::int64_t begin = 0; begin < s.length; begin += s.block()) {
                const std::int64_t rows = std::min(s.block(), s.length - begin);
                const std::int64_t columns = probabilities(begin, rows, own);
                const Matrix<const T> d_out{d_y.at<T>(r, b, begin) + h * s.k, rows, s.k, d_y.row_stride()};
                softmax_backward(d_out, columns);
                const Matrix<const T> p{x.p, rows, columns, columns}, d_p{x.d_p, rows, columns, columns};
                gemm_tn<T>(p, d_out, {x.d_values, columns, s.k, s.k}, Write::add);
                gemm_nn<T>(d_p, {x.keys, columns, s.k, s.k}, {x.d_q + begin * s.k, rows, s.k, s.k}, Write::assign);
                gemm_tn<T>(d_p, {x.q + begin * s.k, rows, s.k, s.k}, {x.d_keys, columns, s.k, s.k}, Write::add);
            }
            for (std::int64_t t = 0; t < s.length; ++t) {
                scale(factor(), x.d_q + t * s.k, s.k);
                turn(x.d_q + t * s.k, t, true);
                turn(x.d_keys + t * s.k, t, true);
                T* to = d_qkv.at<T>(r, b, t) + h * s.k;
                copy(static_cast<const T*>(x.d_q + t * s.k), to, s.k);
                copy(static_cast<const T*>(x.d_keys + t * s.k), to + s.width(), s.k);
                copy(static_cast<const T*>(x.d_values + t * s.k), to + 2 * s.width(), s.k);
            }
        }
    }
};

}  // namespace

OpMemory CpuBackend::attention_memory(const AttentionConfig& config, const Tensor& qkv, std::int64_t capacity) {
    OpMemory memory;
    dispatch(qkv.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        memory.scratch = scratch_bytes<AttentionBuffers<T>>(AttentionShape(config, qkv, 0, false));
        if (capacity > 0)
            memory.scratch = std::max(memory.scratch,
                                      scratch_bytes<AttentionBuffers<T>>(AttentionShape(config, qkv, capacity, true)));
        memory.scratch *= threads_;
    });
    return memory;
}

void CpuBackend::attention_forward(const AttentionConfig& config, const Tensor& qkv, const Tensor& y,
                                   const Tensor& cache, std::int64_t position, const Tensor&, const Tensor& scratch) {
    dispatch(qkv.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const AttentionShape shape(config, qkv, cache ? position : 0, static_cast<bool>(cache));
        for_each_sequence_part<AttentionBuffers<T>>(
            threads_, qkv, scratch, shape, shape.heads,
            [&](std::int64_t r, std::int64_t b, std::int64_t first, std::int64_t end, auto& buffers) {
                AttentionSequence<T>{shape, buffers, qkv, r, b, position}.forward(y, cache, first, end);
            });
    });
}

void CpuBackend::attention_backward(const AttentionConfig& config, const Tensor& qkv, const Tensor&, const Tensor& d_y,
                                    const Tensor& d_qkv, const Tensor&, const Tensor& scratch) {
    dispatch(qkv.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const AttentionShape shape(config, qkv, 0, false);
        for_each_sequence<AttentionBuffers<T>>(
            threads_, qkv, scratch, shape, [&](std::int64_t r, std::int64_t b, auto& buffers) {
                AttentionSequence<T>{shape, buffers, qkv, r, b, 0}.backward(d_y, d_qkv);
            });
    });
}

}  // namespace whorl::cpu
