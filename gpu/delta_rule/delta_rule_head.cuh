// One head of one sequence of the gated delta rule on one block of threads, between convolutions and output norm: q, k
// normalised, g = -exp(A_log) softplus(a + dt_bias), β = σ(b) (times 2 with allow_neg_eigval), then the scan.
//
// Value channels know nothing of each other. A head with many of them is several tasks, each a panel of its channels:
// they need less memory each, so that chunks may be longer and more blocks work. What they share of the gradients, all
// but v's, they leave in parts.
#pragma once

#include "core/numerics/mixer_terms.hpp"
#include "gpu/delta_rule/delta_scan_backward.cuh"
#include "gpu/runtime/block_sum.cuh"
#include "gpu/tiles/stored_rows.cuh"

namespace whorl::gpu {

struct RuleShape {
    std::int64_t replicas = 0, batch = 0;
    SequenceRows sequences;                                                 // of the sequences
    int length = 0;                                                         // of a sequence, at most
    int heads = 0, v_heads = 0, key = 0, panels = 1, panel = 0, chunk = 1;  // panel: channels of one
    bool negative = false;                                                  // β up to 2
    __host__ __device__ int value() const { return panels * panel; }
    __host__ __device__ std::int64_t tasks() const { return replicas * batch * v_heads * panels; }
    /// Where the rows of a panel, counted through all value heads, begin in what tasks share [replica][panel][row].
    __host__ __device__ std::int64_t panel_rows(std::int64_t r, std::int64_t index) const {
        return (r * v_heads * panels + index) * batch * length;
    }
    __host__ __device__ int key_head(int v_head) const { return v_head * heads / v_heads; }
    __host__ __device__ bool shared_keys() const { return heads != v_heads || panels > 1; }
    __host__ __device__ DeltaShape scan() const { return {length, key, panel, chunk}; }
    /// Kept from forward to backward, of a task: every ŵ, and the state on entry to every chunk but the first.
    __host__ __device__ std::int64_t saved_count() const {
        return std::int64_t{length} * panel + std::int64_t{scan().chunks() - 1} * key * panel;
    }
};
/// Channels of a panel: all if they are few, else a divisor of theirs between half of the most and the most, if there
/// is one. The most are fewer beside long keys, whose rows and states want the room.
inline int panel_of(int key, int value) {
    const int most = key > 64 ? 32 : 64;
    if (value <= most) return value;
    for (int panel = most; panel >= most / 2; --panel)
        if (value % panel == 0) return panel;
    return value;
}

/// Activations are stored as S.
template <class T, class S>
struct RuleViews {
    View<S> q, k, v, a, b;
    View<T> dt_bias, a_log;
};

template <class T>
struct RuleParts {
    T *q, *k;  // [replica, panel, row, K], only when tasks share keys
    T *a, *b;  // [replica, panel, row], only when heads have several panels
    T* sums;   // [task, 2]: dt_bias, A_log
};

template <class T, Products P>
struct RuleForwardMemory {
    __host__ __device__ RuleForwardMemory(BlockMemory& memory, const RuleShape& s) : scan(memory, s.scan()) {}
    DeltaForward<T, P> scan;
};
template <class T, Products P>
struct RuleBackwardMemory {
    __host__ __device__ RuleBackwardMemory(BlockMemory& memory, const RuleShape& s) : scan(memory, s.scan()) {
        q_inverse = memory.take<T>(s.chunk);
        k_inverse = memory.take<T>(s.chunk);
    }
    DeltaBackward<T, P> scan;
    T *q_inverse, *k_inverse;  // [m]: 1/‖raw row‖
};

template <class T, class S, class Scan>
struct RuleBlock {
    const RuleShape& s;
    const RuleViews<T, S>& in;
    Scan& scan;
    int r, b, j, panel;
    std::int64_t first_row;  // of the sequence among the replica's

    __device__ RuleBlock(const RuleShape& shape, const RuleViews<T, S>& tensors, Scan& block_scan, int task)
        : s(shape),
          in(tensors),
          scan(block_scan),
          r(task / (shape.panels * shape.v_heads * static_cast<int>(shape.batch))),
          b(task / (shape.panels * shape.v_heads) % static_cast<int>(shape.batch)),
          j(task / shape.panels % shape.v_heads),
          panel(task % shape.panels),
          first_row(shape.sequences.first_row(r, b)) {
        scan.s.length = s.sequences.length_of(r, b);
    }

    __device__ S* at(const View<S>& tensor, int i) const { return tensor.row(r, first_row + scan.begin + i); }
    /// Of what tasks share.
    __device__ std::int64_t part_row(int i) const {
        return s.panel_rows(r, j * s.panels + panel) + first_row + scan.begin + i;
    }
    __device__ int key_offset() const { return s.key_head(j) * s.key; }
    __device__ int value_offset() const { return (j * s.panels + panel) * s.panel; }
    __device__ T q_factor() const { return T(1) / numerics::sqrt(static_cast<T>(s.key)); }
    __device__ T rate() const { return numerics::head_decay_rate(in.a_log.at(r)[j]); }
    __device__ T step_bias() const { return in.dt_bias.at(r)[j]; }

    /// Starts the copies of the chunk's raw queries and keys.
    __device__ void fetch() const {
        copy_stored_rows(scan.m, s.key, scan.q, scan.s.k_ld(), at(in.q, 0) + key_offset(), in.q.stride2);
        copy_stored_rows(scan.m, s.key, scan.k, scan.s.k_ld(), at(in.k, 0) + key_offset(), in.k.stride2);
    }
    /// The same for the task's own channels.
    __device__ void fetch_values(T* to, const View<S>& from) const {
        copy_stored_rows(scan.m, s.panel, to, scan.s.v_ld, at(from, 0) + value_offset(), from.stride2);
    }
    /// What has come is made wide, with the rows of fetch_values.
    __device__ void widen(T* values) const {
        if constexpr (sizeof(S) < sizeof(T)) {
            for (T* rows : {scan.q, scan.k}) widen_rows(scan.m, s.key, rows, scan.s.k_ld());
            widen_rows(scan.m, s.panel, values, scan.s.v_ld);
            __syncthreads();
        }
    }
    __device__ void coefficients() const {
        const T rate_of_head = rate(), bias = step_bias();
        spread(scan.m, [&](int i) {
            scan.log_decay[i] = rate_of_head * numerics::step_size<T>(at(in.a, i)[j], bias);
            scan.beta[i] = numerics::write_strength<T>(at(in.b, i)[j], s.negative);
        });
    }
    /// Brings q and k to their lengths and leaves 1/‖raw row‖ where that is wanted. No barrier at the end.
    __device__ void normalise(T* q_inverse, T* k_inverse) const {
        const T factor = q_factor();
        spread_groups(2 * scan.m, [&](int i, int lane) {
            const bool query = i < scan.m;
            const int row = query ? i : i - scan.m;
            normalise_row(i < 0, lane, query ? factor : T(1),
                          (query ? scan.q : scan.k) + (i < 0 ? 0 : row) * scan.s.k_ld(),
                          q_inverse && i >= 0 ? (query ? q_inverse : k_inverse) + row : nullptr);
        });
    }

private:
    /// row ← row · factor / ‖row‖, eight lanes; none: nothing but the sum.
    __device__ void normalise_row(bool none, int lane, T factor, T* row, T* inverse) const {
        T square = 0;
        for (int n = lane; n < (none ? 0 : s.key); n += kGroupLanes) square += row[n] * row[n];
        const T scale = numerics::inverse_length(group_sum(square));
        if (none) return;
        if (inverse && lane == 0) *inverse = scale;
        for (int n = lane; n < s.key; n += kGroupLanes) row[n] *= factor * scale;  // each lane what it read
    }
};

template <class T, class S, Products P>
struct RuleForward : RuleBlock<T, S, DeltaForward<T, P>> {
    using Base = RuleBlock<T, S, DeltaForward<T, P>>;
    using Base::Base;
    using Base::s, Base::in, Base::scan, Base::r, Base::b, Base::j, Base::panel, Base::at;

    /// kept: of this task; state: of this head [K,V], read and advanced, or null: nothing is kept with it.
    __device__ __forceinline__ void run(const View<S>& y, T* state, T* kept) {
        T* entries = kept + std::int64_t{s.length} * s.panel;
        const int stride = state ? s.value() : s.panel;  // of the states' rows
        if (state) {
            state += panel * s.panel;
            copy_rows(s.key, s.panel, scan.state, scan.s.v_ld, state, stride);
        }
        for (int chunk = 0; chunk < scan.s.chunks(); ++chunk) {
            const bool with_state = chunk > 0 || state;
            scan.enter(chunk);
            this->fetch();
            this->fetch_values(scan.w, in.v);
            prepare();
            scan.solve(with_state, [&](int i, int p, T value) {
                if (!state) kept[std::int64_t{scan.begin + i} * s.panel + p] = value;
            });
            scan.outputs(with_state, [&](int i, int p, T value) { at(y, i)[this->value_offset() + p] = value; });
            __syncthreads();
            if (scan.last() && !state) break;
            T* to = state ? state : entries + std::int64_t{chunk} * s.key * s.panel;
            const bool written = !state || scan.last();
            scan.advance(with_state, [&](int n, int p, T value) {
                if (written) to[n * stride + p] = value;
            });
        }
    }

private:
    __device__ void prepare() const {
        this->coefficients();
        wait_for_copies();
        this->widen(scan.w);
        scan.decay_sums();
        this->normalise(nullptr, nullptr);
        __syncthreads();
        scan.weights.pairs(scan.m);
        __syncthreads();
    }
};

template <class T, class S, Products P>
struct RuleBackward : RuleBlock<T, S, DeltaBackward<T, P>> {
    using Base = RuleBlock<T, S, DeltaBackward<T, P>>;
    using Base::s, Base::in, Base::scan, Base::r, Base::b, Base::j, Base::at;

    RuleBackwardMemory<T, P>& own;
    const View<S>& d_y;
    const RuleViews<T, S>& gradient;
    const RuleParts<T>& parts;
    const T* kept;
    int task;
    T sum_dt_bias = 0, sum_a_log = 0;  // each thread's share

    __device__ RuleBackward(const RuleShape& shape, const RuleViews<T, S>& tensors, RuleBackwardMemory<T, P>& memory,
                            const View<S>& d_out, const RuleViews<T, S>& to, const RuleParts<T>& left, const T* saved,
                            int task_index)
        : Base(shape, tensors, memory.scan, task_index),
          own(memory),
          d_y(d_out),
          gradient(to),
          parts(left),
          kept(saved + std::int64_t{task_index} * shape.saved_count()),
          task(task_index) {}

    __device__ __forceinline__ void run() {
        for (int chunk = scan.s.chunks() - 1; chunk >= 0; --chunk) {
            const bool with_state = chunk > 0;
            scan.enter(chunk);
            fetch_rows(chunk);
            prepare();
            scan.backward(with_state,
                          [&](int i, int p, T value) { at(gradient.v, i)[this->value_offset() + p] = value; });
            if (with_state) scan.state_gradient();
            scan.row_totals(with_state);
            rows_backward();
            __syncthreads();
            collect(with_state);
        }
        const T d_bias = block_sum<kBlockThreads>(sum_dt_bias), d_a_log = block_sum<kBlockThreads>(sum_a_log);
        if (threadIdx.x != 0) return;
        parts.sums[2 * task] = d_bias;
        parts.sums[2 * task + 1] = d_a_log;
    }

private:
    __device__ void fetch_rows(int chunk) const {
        const T* entry = kept + std::int64_t{s.length} * s.panel + std::int64_t{chunk - 1} * s.key * s.panel;
        const int v_ld = scan.s.v_ld;
        this->fetch();
        if (chunk > 0) copy_rows(s.key, s.panel, scan.state, v_ld, entry, s.panel);
        copy_rows(scan.m, s.panel, scan.w, v_ld, kept + std::int64_t{scan.begin} * s.panel, s.panel);
        this->fetch_values(scan.d_o, d_y);
    }
    __device__ void prepare() const {
        __syncthreads();  // the chunk behind has read its coefficients
        this->coefficients();
        wait_for_copies();
        this->widen(scan.d_o);
        scan.decay_sums();
        this->normalise(own.q_inverse, own.k_inverse);
        __syncthreads();
        scan.weights.pairs(scan.m);
        scan.row_weights();
        __syncthreads();
    }

    /// From d_q, d_k to the gradients of the raw rows. No barrier at the end.
    __device__ void rows_backward() const {
        const T factor = this->q_factor();
        spread_groups(2 * scan.m, [&](int i, int lane) {
            const bool query = i < scan.m;
            const int row = i < 0 ? 0 : query ? i : i - scan.m, first = row * scan.s.k_ld();
            at_row_gradient(query, row, [&](auto* to) {
                normalise_backward(i < 0, lane, query ? factor : T(1), (query ? own.q_inverse : own.k_inverse)[row],
                                   (query ? scan.q : scan.k) + first, (query ? scan.d_q : scan.d_k) + first, to);
            });
        });
    }
    /// body(where row i's gradient goes).
    template <class Body>
    __device__ __forceinline__ void at_row_gradient(bool query, int i, const Body& body) const {
        const auto part = [&] { return (query ? parts.q : parts.k) + this->part_row(i) * s.key; };
        const auto whole = [&] { return at(query ? gradient.q : gradient.k, i) + this->key_offset(); };
        if constexpr (std::is_same_v<T, S>)  // one code for both
            body(s.shared_keys() ? part() : whole());
        else if (s.shared_keys())
            body(part());
        else
            body(whole());
    }
    /// to = Rᵀ d_out through out = raw · factor · inverse, eight lanes; none: nothing but the sum.
    template <class To>
    __device__ void normalise_backward(bool none, int lane, T factor, T inverse, const T* out, const T* d_out,
                                       To* to) const {
        T along = 0;
        for (int n = lane; n < (none ? 0 : s.key); n += kGroupLanes) along += out[n] * d_out[n];
        along = group_sum(along) / factor;
        for (int n = lane; n < (none ? 0 : s.key); n += kGroupLanes)
            to[n] = inverse * (factor * d_out[n] - along * out[n]);
    }

    /// The gradient of position i's a, or b.
    __device__ void keep_step_gradient(const View<S>& whole, T* part, int i, T value) const {
        if (s.panels > 1)
            part[this->part_row(i)] = value;
        else
            at(whole, i)[j] = value;
    }
    __device__ void collect(bool with_state) {
        const T rate = this->rate(), bias = this->step_bias();
        scan.collect(with_state, !scan.last(), [&](int i, T d_log_decay, T d_beta) {
            const T d_a = d_log_decay * rate * numerics::sigmoid(at(in.a, i)[j] + bias);
            keep_step_gradient(gradient.a, parts.a, i, d_a);
            sum_dt_bias += d_a;
            sum_a_log += d_log_decay * scan.log_decay[i];
            keep_step_gradient(gradient.b, parts.b, i,
                               d_beta * (s.negative ? T(2) : T(1)) * numerics::sigmoid_derivative<T>(at(in.b, i)[j]));
        });
    }
};

}  // namespace whorl::gpu
