// The gated delta rule between convolutions and output norm: q, k normalised, g = -exp(A_log) softplus(a + dt_bias),
// β = σ(b) (times 2 with allow_neg_eigval), then the scan, in one kernel, one block of threads a head of a sequence.
#include "core/backend/backend.hpp"
#include "core/numerics/mixer_terms.hpp"
#include "gpu/cuda_backend.hpp"
#include "gpu/delta_scan.cuh"
#include "gpu/delta_update.cuh"
#include "gpu/reduce.cuh"

namespace whorl::gpu {
namespace {

struct RuleShape {
    std::int64_t replicas = 0, batch = 0;
    int length = 0, heads = 0, v_heads = 0, key = 0, value = 0, chunk = 1;
    bool negative = false;  // β up to 2
    std::int64_t tasks() const { return replicas * batch * v_heads; }
    __host__ __device__ bool shared_keys() const { return heads != v_heads; }
};

__host__ __device__ DeltaShape scan_of(const RuleShape& s) {
    return {s.length, s.key, s.value, s.chunk};
}
/// Kept from forward to backward: every ŵ, and the state on entry to every chunk but the first.
__host__ __device__ std::int64_t saved_count(const RuleShape& s) {
    return std::int64_t{s.length} * s.value + std::int64_t{scan_of(s).chunks() - 1} * s.key * s.value;
}

template <class T>
struct RuleViews {
    View<T> q, k, v, a, b, dt_bias, a_log;
};

template <class T>
struct RuleParts {
    T *q, *k;  // [task, L, K], only when value heads share keys
    T* sums;   // [task, 2]: dt_bias, A_log
};

template <class T>
struct RuleForwardMemory {
    __host__ __device__ RuleForwardMemory(BlockMemory& memory, const RuleShape& s) : scan(memory, scan_of(s)) {}
    DeltaForward<T> scan;
};
template <class T>
struct RuleBackwardMemory {
    __host__ __device__ RuleBackwardMemory(BlockMemory& memory, const RuleShape& s) : scan(memory, scan_of(s)) {
        q_inverse = memory.take<T>(s.chunk);
        k_inverse = memory.take<T>(s.chunk);
    }
    DeltaBackward<T> scan;
    T *q_inverse, *k_inverse;  // [m]: 1/‖raw row‖
};

/// One head of one sequence.
template <class T, class Scan>
struct RuleBlock {
    const RuleShape& s;
    const RuleViews<T>& in;
    Scan& scan;
    std::int64_t r, b;
    int j;

    __device__ T* at(const View<T>& tensor, int i) const { return tensor.at(r, b, scan.begin + i); }
    __device__ int key_offset() const { return static_cast<int>(std::int64_t{j} * s.heads / s.v_heads) * s.key; }
    __device__ T q_factor() const { return T(1) / numerics::sqrt(static_cast<T>(s.key)); }
    __device__ T rate() const { return numerics::head_decay_rate(in.a_log.at(r)[j]); }
    __device__ T step_bias() const { return in.dt_bias.at(r)[j]; }

    /// Starts the copies of the chunk's raw queries and keys.
    __device__ void fetch(int chunk) const {
        scan.enter(chunk);
        copy_rows<T>(scan.m, s.key, scan.q, scan.k_ld(), at(in.q, 0) + key_offset(), in.q.stride2);
        copy_rows<T>(scan.m, s.key, scan.k, scan.k_ld(), at(in.k, 0) + key_offset(), in.k.stride2);
    }
    /// row ← row · factor / ‖row‖, eight lanes; inverse: where 1/‖row‖ goes, or null. i < 0: nothing but the sum.
    __device__ void normalise(int i, int lane, T factor, T* rows, T* inverse) const {
        T *row = rows + (i < 0 ? 0 : i) * scan.k_ld(), square = 0;
        for (int n = lane; n < (i < 0 ? 0 : s.key); n += kGroupLanes) square += row[n] * row[n];
        const T scale = numerics::inverse_length(group_sum(square));
        __syncwarp();
        if (i < 0) return;
        if (inverse && lane == 0) inverse[i] = scale;
        for (int n = lane; n < s.key; n += kGroupLanes) row[n] *= factor * scale;
    }
    __device__ void prepare(T* q_inverse, T* k_inverse) const {
        spread(scan.m, [&](int i) {
            scan.log_decay[i] = rate() * numerics::step_size(at(in.a, i)[j], step_bias());
            scan.beta[i] = numerics::write_strength(at(in.b, i)[j], s.negative);
        });
        wait_for_copies();
        spread_groups(scan.m, [&](int i, int lane) { normalise(i, lane, q_factor(), scan.q, q_inverse); });
        spread_groups(scan.m, [&](int i, int lane) { normalise(i, lane, T(1), scan.k, k_inverse); });
        __syncthreads();
        scan.prepare();
    }
};

struct Task {
    std::int64_t r, b;
    int j;
    __device__ Task(const RuleShape& s, std::int64_t task)
        : r(task / s.v_heads / s.batch), b(task / s.v_heads % s.batch), j(static_cast<int>(task % s.v_heads)) {}
};

template <class T, bool Shared>
__global__ void __launch_bounds__(kBlockThreads)
    forward_kernel(RuleShape s, RuleViews<T> in, View<T> y, View<T> carried, T* saved, std::int64_t tasks,
                   std::byte* outside, std::int64_t bytes) {
    BlockMemory memory(block_memory<Shared>(outside, bytes));
    RuleForwardMemory<T> own(memory, s);
    auto& scan = own.scan;
    for (std::int64_t index = blockIdx.x; index < tasks; index += gridDim.x) {
        const Task task(s, index);
        const RuleBlock<T, DeltaForward<T>> head{s, in, scan, task.r, task.b, task.j};
        T* state = carried ? carried.at(task.r, task.b) + std::int64_t{task.j} * s.key * s.value : nullptr;
        T *kept = saved + index * saved_count(s), *entries = kept + std::int64_t{s.length} * s.value;
        if (state)
            spread(s.key, s.value, [&](int n, int p) { scan.state[n * scan.v_ld() + p] = state[n * s.value + p]; });
        for (int chunk = 0; chunk < scan.s.chunks(); ++chunk) {
            const bool with_state = chunk > 0 || state;
            if (chunk > 0 && !state) {
                T* entry = entries + std::int64_t{chunk - 1} * s.key * s.value;
                spread(s.key, s.value, [&](int n, int p) { entry[n * s.value + p] = scan.state[n * scan.v_ld() + p]; });
            }
            head.fetch(chunk);
            copy_rows<T>(scan.m, s.value, scan.w, scan.v_ld(), head.at(in.v, 0) + task.j * s.value, in.v.stride2);
            head.prepare(nullptr, nullptr);
            scan.solve(with_state);
            if (!state)
                spread(scan.m, s.value, [&](int i, int p) {
                    kept[std::int64_t{scan.begin + i} * s.value + p] = scan.w[i * scan.v_ld() + p];
                });
            scan.outputs(with_state, [&](int i, int p, T value, bool add) {
                T* to = head.at(y, i) + task.j * s.value + p;
                *to = add ? *to + value : value;
            });
            if (!scan.last() || state) scan.advance(with_state);
        }
        if (state)
            spread(s.key, s.value, [&](int n, int p) { state[n * s.value + p] = scan.state[n * scan.v_ld() + p]; });
        __syncthreads();
    }
}

/// d_raw = Rᵀ d_out through out = raw · factor · inverse, the warp's row; returns it by `write(n, value)`.
template <class T, class Write>
__device__ void normalise_backward(const T* out, const T* d_out, T factor, T inverse, int count, int lane,
                                   const Write& write) {
    T along = 0;
    for (int n = lane; n < count; n += 32) along += out[n] * d_out[n];
    along = warp_sum(along) / factor;
    for (int n = lane; n < count; n += 32) write(n, inverse * (factor * d_out[n] - along * out[n]));
}

template <class T, bool Shared>
__global__ void __launch_bounds__(kBlockThreads)
    backward_kernel(RuleShape s, RuleViews<T> in, View<T> d_y, RuleViews<T> gradient, RuleParts<T> parts,
                    const T* saved, std::int64_t tasks, std::byte* outside, std::int64_t bytes) {
    BlockMemory memory(block_memory<Shared>(outside, bytes));
    RuleBackwardMemory<T> own(memory, s);
    auto& scan = own.scan;
    for (std::int64_t index = blockIdx.x; index < tasks; index += gridDim.x) {
        const Task task(s, index);
        const RuleBlock<T, DeltaBackward<T>> head{s, in, scan, task.r, task.b, task.j};
        const T *kept = saved + index * saved_count(s), *entries = kept + std::int64_t{s.length} * s.value;
        const int j = task.j, offset = head.key_offset();
        T sum_dt_bias = 0, sum_a_log = 0;
        for (int chunk = scan.s.chunks() - 1; chunk >= 0; --chunk) {
            head.fetch(chunk);
            if (chunk > 0) {
                const T* entry = entries + std::int64_t{chunk - 1} * s.key * s.value;
                copy_rows<T>(s.key, s.value, scan.state, scan.v_ld(), entry, s.value);
            }
            copy_rows<T>(scan.m, s.value, scan.w, scan.v_ld(), kept + std::int64_t{scan.begin} * s.value, s.value);
            copy_rows<T>(scan.m, s.value, scan.d_o, scan.v_ld(), head.at(d_y, 0) + j * s.value, d_y.stride2);
            head.prepare(own.q_inverse, own.k_inverse);
            scan.backward(chunk > 0);
            spread(scan.m, s.value,
                   [&](int i, int p) { head.at(gradient.v, i)[j * s.value + p] = scan.d_v[i * scan.v_ld() + p]; });
            spread_rows(scan.m, [&](int i, int lane) {
                const std::int64_t row = (index * s.length + scan.begin + i) * s.key;
                T* to_q = s.shared_keys() ? parts.q + row : head.at(gradient.q, i) + offset;
                T* to_k = s.shared_keys() ? parts.k + row : head.at(gradient.k, i) + offset;
                const int at = i * scan.k_ld();
                normalise_backward(scan.q + at, scan.d_q + at, head.q_factor(), own.q_inverse[i], s.key, lane,
                                   [&](int n, T value) { to_q[n] = value; });
                normalise_backward(scan.k + at, scan.d_k + at, T(1), own.k_inverse[i], s.key, lane,
                                   [&](int n, T value) { to_k[n] = value; });
            });
            spread(scan.m, [&](int i) {
                const T d_g = scan.d_log_decay[i],
                        d_a = d_g * head.rate() * numerics::sigmoid(head.at(in.a, i)[j] + head.step_bias());
                head.at(gradient.a, i)[j] = d_a;
                sum_dt_bias += d_a;
                sum_a_log += d_g * scan.log_decay[i];
                head.at(gradient.b, i)[j] =
                    scan.d_beta[i] * (s.negative ? T(2) : T(1)) * numerics::sigmoid_derivative(head.at(in.b, i)[j]);
            });
            __syncthreads();
        }
        sum_dt_bias = sum_over_block(sum_dt_bias);
        sum_a_log = sum_over_block(sum_a_log);
        if (threadIdx.x == 0) {
            parts.sums[2 * index] = sum_dt_bias;
            parts.sums[2 * index + 1] = sum_a_log;
        }
        __syncthreads();
    }
}

/// Gradients of the keys and queries that value heads share.
template <class T>
struct AddSharedKeys {
    RuleShape s;
    RuleParts<T> parts;
    View<T> d_q, d_k;
    __device__ void operator()(unsigned r, std::int64_t row, int column) const {
        const int head = column / s.key, n = column % s.key;
        const std::int64_t b = row / s.length, t = row % s.length;
        T sum_q = 0, sum_k = 0;
        for (int j = 0; j < s.v_heads; ++j) {
            if (static_cast<int>(std::int64_t{j} * s.heads / s.v_heads) != head) continue;
            const std::int64_t at = (((r * s.batch + b) * s.v_heads + j) * s.length + t) * s.key + n;
            sum_q += parts.q[at];
            sum_k += parts.k[at];
        }
        d_q.row(r, row)[column] = sum_q;
        d_k.row(r, row)[column] = sum_k;
    }
};

/// Grid: (1, replicas) with columns (head, dt_bias or A_log).
template <class T>
__global__ void add_rule_sums_kernel(RuleShape s, const T* parts, View<T> dt_bias, View<T> a_log) {
    const int column = static_cast<int>(blockIdx.x) * kSumColumns + static_cast<int>(threadIdx.x),
              columns = 2 * s.v_heads;
    T sum = 0;
    if (column < columns)
        for (std::int64_t b = threadIdx.y; b < s.batch; b += kSumLanes)
            sum += parts[(blockIdx.y * s.batch + b) * columns + column];
    sum = add_lanes(sum);
    if (threadIdx.y == 0 && column < columns) (column % 2 ? a_log : dt_bias).at(blockIdx.y)[column / 2] += sum;
}

template <class Memory>
BlockPlan plan(const CudaBackend& backend, const RuleShape& s) {
    return {block_bytes<Memory>(s), s.tasks(), backend.shared_limit(), backend.multiprocessors()};
}

RuleShape shape_of(const CudaBackend& backend, const GatedDeltaNetConfig& c, const Tensor& y, FormChoice form) {
    RuleShape s;
    s.replicas = y.replicas();
    s.batch = y.shape[1];
    s.length = static_cast<int>(y.shape[2]);
    s.heads = static_cast<int>(c.num_heads);
    s.v_heads = static_cast<int>(c.v_heads());
    s.key = static_cast<int>(c.head_dim);
    s.value = static_cast<int>(c.head_v_dim());
    s.negative = c.allow_neg_eigval;
    if (form.form == Form::recurrent) return s;
    if (form.chunk > 0) {
        s.chunk = static_cast<int>(std::min<std::int64_t>(form.chunk, s.length));
        return s;
    }
    for (s.chunk = 32; s.chunk > 4; s.chunk /= 2) {
        std::int64_t bytes = 0;
        dispatch(y.dtype, [&](auto scalar) { bytes = block_bytes<RuleBackwardMemory<decltype(scalar)>>(s); });
        if (bytes <= backend.shared_limit() / 2) break;
    }
    const int chunks = (s.length + s.chunk - 1) / s.chunk;
    s.chunk = (s.length + chunks - 1) / chunks;
    return s;
}

template <class T>
struct RuleScratch {
    RuleScratch(std::byte* base, const RuleShape& s, const BlockPlan& blocks) {
        const std::int64_t keys = s.shared_keys() ? s.tasks() * s.length * s.key : 0;
        const auto numbers = [&](std::int64_t count) {
            T* part = reinterpret_cast<T*>(base + bytes);
            bytes += (count * static_cast<std::int64_t>(sizeof(T)) + kAlignment - 1) / kAlignment * kAlignment;
            return part;
        };
        parts = {numbers(keys), numbers(keys), numbers(2 * s.tasks())};
        outside = base + bytes;
        bytes += blocks.scratch();
    }
    std::int64_t bytes = 0;
    RuleParts<T> parts;
    std::byte* outside;
};

template <class T>
RuleViews<T> views(const GatedDeltaTensors& t) {
    return {view<T>(t.q), view<T>(t.k), view<T>(t.v), view<T>(t.a), view<T>(t.b), view<T>(t.dt_bias), view<T>(t.a_log)};
}

}  // namespace

FormChoice CudaBackend::chosen_form(const GatedDeltaNetConfig& config, const Tensor& y, FormChoice form) const {
    const int chunk = shape_of(*this, config, y, form).chunk;
    return {chunk > 1 ? Form::chunked : Form::recurrent, chunk};
}

OpMemory CudaBackend::gated_delta_memory(const GatedDeltaNetConfig& config, const Tensor& y, FormChoice form) {
    OpMemory memory;
    dispatch(y.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const RuleShape s = shape_of(*this, config, y, form);
        memory.saved = s.tasks() * saved_count(s) * static_cast<std::int64_t>(sizeof(T));
        memory.scratch = std::max(plan<RuleForwardMemory<T>>(*this, s).scratch(),
                                  RuleScratch<T>(nullptr, s, plan<RuleBackwardMemory<T>>(*this, s)).bytes);
    });
    return memory;
}

void CudaBackend::gated_delta_forward(const GatedDeltaNetConfig& config, const GatedDeltaTensors& in, const Tensor& y,
                                      const Tensor& state, const Tensor& saved, const Tensor& scratch,
                                      FormChoice form) {
    if (state && y.shape[2] == 1 && delta_update(*this, config, in, y, state)) return;
    dispatch(y.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const RuleShape s = shape_of(*this, config, y, form);
        const BlockPlan blocks = plan<RuleForwardMemory<T>>(*this, s);
        launch("gated_delta_forward", WHORL_BLOCK_KERNEL(forward_kernel, T, blocks), dim3(grid_size(blocks.blocks)),
               dim3(kBlockThreads), blocks.shared ? static_cast<std::size_t>(blocks.bytes) : 0, stream_, s,
               views<T>(in), view<T>(y), view<T>(state), saved.at<T>(), s.tasks(),
               blocks.shared ? nullptr : scratch.data, blocks.bytes);
    });
}

void CudaBackend::gated_delta_backward(const GatedDeltaNetConfig& config, const GatedDeltaTensors& in,
                                       const Tensor& d_y, const GatedDeltaTensors& gradient, const Tensor& saved,
                                       const Tensor& scratch, FormChoice form) {
    dispatch(d_y.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const RuleShape s = shape_of(*this, config, d_y, form);
        const BlockPlan blocks = plan<RuleBackwardMemory<T>>(*this, s);
        const RuleScratch<T> work(scratch.data, s, blocks);
        launch("gated_delta_backward", WHORL_BLOCK_KERNEL(backward_kernel, T, blocks), dim3(grid_size(blocks.blocks)),
               dim3(kBlockThreads), blocks.shared ? static_cast<std::size_t>(blocks.bytes) : 0, stream_, s,
               views<T>(in), view<T>(d_y), views<T>(gradient), work.parts, static_cast<const T*>(saved.at<T>()),
               s.tasks(), blocks.shared ? nullptr : work.outside, blocks.bytes);
        if (s.shared_keys())
            for_each_element("gated_delta_backward", stream_, s.replicas, s.batch * s.length, s.heads * s.key,
                             AddSharedKeys<T>{s, work.parts, view<T>(gradient.q), view<T>(gradient.k)});
        launch("gated_delta_backward", add_rule_sums_kernel<T>,
               dim3(grid_size(ceil_div(2 * s.v_heads, kSumColumns)), grid_size(s.replicas)),
               dim3(kSumColumns, kSumLanes), 0, stream_, s, static_cast<const T*>(work.parts.sums),
               view<T>(gradient.dt_bias), view<T>(gradient.a_log));
    });
}

}  // namespace whorl::gpu
