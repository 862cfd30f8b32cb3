// The gated delta rule between convolutions and output norm (delta_rule_head.cuh) in one kernel, one block of threads a
// head of a sequence, or one warp where the usual sizes allow it (delta_strips.cuh). What value heads or sequences
// share is left in parts, to be added in order.
#include "core/backend/backend.hpp"
#include "gpu/delta_rule/delta_strips.cuh"
#include "gpu/delta_rule/delta_update.cuh"
#include "gpu/runtime/block_sum.cuh"
#include "gpu/runtime/cuda_backend.hpp"
#include "gpu/runtime/last_block.cuh"

namespace whorl::gpu {
namespace {

/// One block a task; a task is a panel of a value head of a sequence of a replica.
template <class T, class S, Products P, bool Shared>
__global__ void __launch_bounds__(kBlockThreads, 2)
    forward_kernel(const __grid_constant__ RuleShape s, const __grid_constant__ RuleViews<T, S> in,
                   const __grid_constant__ View<S> y, const __grid_constant__ View<T> carried, T* saved,
                   std::byte* outside, std::int64_t bytes) {
    BlockMemory memory(block_memory<Shared>(outside, bytes));
    RuleForwardMemory<T, P> own(memory, s);
    for (int task = static_cast<int>(blockIdx.x); task < s.tasks(); task += static_cast<int>(gridDim.x)) {
        RuleForward<T, S, P> head(s, in, own.scan, task);
        head.run(y, carried ? carried.at(head.r, head.b) + std::int64_t{head.j} * s.key * s.value() : nullptr,
                 saved + std::int64_t{task} * s.saved_count());
        __syncthreads();
    }
}

/// The gradients of dt_bias and A_log: the block that finishes the last of a head's tasks adds what all of them left.
template <class T, class S>
__device__ void add_rule_sums(const RuleShape& s, const RuleParts<T>& parts, int r, int j, unsigned* tickets,
                              const RuleViews<T, S>& gradient) {
    const int count = static_cast<int>(s.batch) * s.panels;
    if (!last_to_arrive(tickets + r * s.v_heads + j, static_cast<unsigned>(count))) return;
    T sums[2] = {};
    for (int i = static_cast<int>(threadIdx.x); i < count; i += kBlockThreads) {
        const int b = i / s.panels, panel = i % s.panels;
        const std::int64_t task = ((r * s.batch + b) * s.v_heads + j) * s.panels + panel;
        for (int which = 0; which < 2; ++which) sums[which] += __ldcg(parts.sums + 2 * task + which);
    }
    const T d_bias = block_sum<kBlockThreads>(sums[0]), d_a_log = block_sum<kBlockThreads>(sums[1]);
    if (threadIdx.x != 0) return;
    gradient.dt_bias.at(r)[j] += d_bias;
    gradient.a_log.at(r)[j] += d_a_log;
}

template <class T, class S, Products P, bool Shared>
__global__ void __launch_bounds__(kBlockThreads, 2)
    backward_kernel(const __grid_constant__ RuleShape s, const __grid_constant__ RuleViews<T, S> in,
                    const __grid_constant__ View<S> d_y, const __grid_constant__ RuleViews<T, S> gradient,
                    const __grid_constant__ RuleParts<T> parts, const T* saved, unsigned* tickets, std::byte* outside,
                    std::int64_t bytes) {
    BlockMemory memory(block_memory<Shared>(outside, bytes));
    RuleBackwardMemory<T, P> own(memory, s);
    for (int task = static_cast<int>(blockIdx.x); task < s.tasks(); task += static_cast<int>(gridDim.x)) {
        RuleBackward<T, S, P> head(s, in, own, d_y, gradient, parts, saved, task);
        head.run();
        add_rule_sums(s, parts, head.r, head.j, tickets, gradient);  // meets at a barrier
    }
}

/// Gradients of the keys and queries that tasks share.
template <class T, class S>
struct AddSharedKeys {
    RuleShape s;
    RuleParts<T> parts;
    View<S> d_q, d_k;
    __device__ void operator()(unsigned r, std::int64_t row, int column) const {
        const int head = column / s.key, n = column % s.key, tasks = s.v_heads / s.heads * s.panels;
        T sum_q = 0, sum_k = 0;
        for (int i = 0; i < tasks; ++i) {
            const std::int64_t at = (s.panel_rows(r, head * tasks + i) + row) * s.key + n;
            sum_q += parts.q[at];
            sum_k += parts.k[at];
        }
        d_q.row(r, row)[column] = sum_q;
        d_k.row(r, row)[column] = sum_k;
    }
};
/// Gradients of the steps and strengths that a head's panels share.
template <class T, class S>
struct AddPanels {
    RuleShape s;
    RuleParts<T> parts;
    View<S> d_a, d_b;
    __device__ void operator()(unsigned r, std::int64_t row, int column) const {
        T sum_a = 0, sum_b = 0;
        for (int panel = 0; panel < s.panels; ++panel) {
            const std::int64_t at = s.panel_rows(r, column * s.panels + panel) + row;
            sum_a += parts.a[at];
            sum_b += parts.b[at];
        }
        d_a.row(r, row)[column] = sum_a;
        d_b.row(r, row)[column] = sum_b;
    }
};

template <class T>
std::int64_t backward_bytes(const RuleShape& s) {
    return block_bytes<RuleBackwardMemory<T, kExactProducts<T>>>(s);
}
template <class T>
BlockPlan forward_plan(const CudaBackend& backend, const RuleShape& s) {
    return {block_bytes<RuleForwardMemory<T, kExactProducts<T>>>(s), s.tasks(), backend.shared_limit(),
            backend.multiprocessors()};
}
template <class T>
BlockPlan backward_plan(const CudaBackend& backend, const RuleShape& s) {
    return {backward_bytes<T>(s), s.tasks(), backend.shared_limit(), backend.multiprocessors()};
}

/// Positions of a block's chunk: what fits a multiprocessor's shared memory twice, shared out evenly, in whole tiles
/// where there are several chunks of more than two.
int block_chunk(const CudaBackend& backend, DType dtype, RuleShape s) {
    for (const int rows : {64, 48, 32, 16, 8}) {
        s.chunk = std::min(s.length, rows);
        std::int64_t bytes = 0;
        dispatch(dtype, [&](auto scalar) { bytes = backward_bytes<decltype(scalar)>(s); });
        if (bytes <= backend.shared_limit() / 2) break;
    }
    const int chunks = (s.length + s.chunk - 1) / s.chunk, even = (s.length + chunks - 1) / chunks;
    return chunks > 1 && even > 2 * kTileRows ? (even + kTileRows - 1) / kTileRows * kTileRows : even;
}
/// For a choice of form: one for the recurrent form; a warp's, where warps have the layer; else a block's.
int choose_chunk(const CudaBackend& backend, DType dtype, const RuleShape& s, FormChoice form) {
    if (form.form == Form::recurrent) return 1;
    if (form.chunk > 0) return static_cast<int>(std::min<std::int64_t>(form.chunk, s.length));
    return delta_strips_fit(backend.shared_limit(), dtype, s) ? kDeltaChunk : block_chunk(backend, dtype, s);
}

RuleShape shape_of(const CudaBackend& backend, const GatedDeltaNetConfig& c, const Tensor& y, FormChoice form) {
    RuleShape s;
    s.replicas = y.replicas();
    s.batch = y.shape[1];
    s.sequences = SequenceRows(y);
    s.length = static_cast<int>(y.shape[2]);
    s.heads = static_cast<int>(c.num_heads);
    s.v_heads = static_cast<int>(c.v_heads());
    s.key = static_cast<int>(c.head_dim);
    s.panel = panel_of(s.key, static_cast<int>(c.head_v_dim()));
    s.panels = static_cast<int>(c.head_v_dim()) / s.panel;
    s.negative = c.allow_neg_eigval;
    s.chunk = choose_chunk(backend, y.dtype, s, form);
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
        const std::int64_t steps = s.panels > 1 ? s.tasks() * s.length : 0;
        parts = {numbers(keys), numbers(keys), numbers(steps), numbers(steps), numbers(2 * s.tasks())};
        outside = base + bytes;
        bytes += blocks.scratch();
    }
    std::int64_t bytes = 0;
    RuleParts<T> parts;
    std::byte* outside;
};

/// Whether the kernels of strips have this layer and can read these tensors' rows.
bool strips_take(const CudaBackend& backend, const RuleShape& s, const GatedDeltaTensors& t, const Tensor& y) {
    return s.chunk == kDeltaChunk && delta_strips_fit(backend.shared_limit(), y.dtype, s) && in_groups(t.q, 4) &&
           in_groups(t.k, 4) && in_groups(t.v, 4) && in_groups(y, 4);
}

template <class T, class S>
RuleViews<T, S> views(const GatedDeltaTensors& t) {
    return {view<S>(t.q), view<S>(t.k), view<S>(t.v), view<S>(t.a), view<S>(t.b), view<T>(t.dt_bias), view<T>(t.a_log)};
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
        memory.saved = s.tasks() * s.saved_count() * static_cast<std::int64_t>(sizeof(T));
        memory.scratch =
            std::max(forward_plan<T>(*this, s).scratch(), RuleScratch<T>(nullptr, s, backward_plan<T>(*this, s)).bytes);
    });
    return memory;
}

void CudaBackend::gated_delta_forward(const GatedDeltaNetConfig& config, const GatedDeltaTensors& in, const Tensor& y,
                                      const Tensor& state, const Tensor& saved, const Tensor& scratch,
                                      FormChoice form) {
    if (state && y.shape[2] == 1 && delta_update(*this, config, in, y, state)) return;
    dispatch_stored(y.dtype, [&](auto scalar, auto stored) {
        using T = decltype(scalar);
        using S = decltype(stored);
        RuleShape s = shape_of(*this, config, y, form);
        if (state && form.form != Form::recurrent && form.chunk == 0)
            s.chunk = block_chunk(*this, y.dtype, s);  // warps carry no state
        if constexpr (sizeof(T) == sizeof(float))
            if (!state && strips_take(*this, s, in, y))
                return delta_strips_forward(*this, s, views<T, S>(in), view<S>(y), saved.at<T>());
        const BlockPlan blocks = forward_plan<T>(*this, s);
        with_block_kernel<T, S>(blocks, products_, [&](auto products, auto shared) {
            launch("gated_delta_forward", forward_kernel<T, S, products(), shared()>, dim3(grid_size(blocks.blocks)),
                   dim3(kBlockThreads), blocks.shared ? static_cast<std::size_t>(blocks.bytes) : 0, stream_, s,
                   views<T, S>(in), view<S>(y), view<T>(state), saved.at<T>(), blocks.shared ? nullptr : scratch.data,
                   blocks.bytes);
        });
    });
}

void CudaBackend::gated_delta_backward(const GatedDeltaNetConfig& config, const GatedDeltaTensors& in,
                                       const Tensor& d_y, const GatedDeltaTensors& gradient, const Tensor& saved,
                                       const Tensor& scratch, FormChoice form) {
    dispatch_stored(d_y.dtype, [&](auto scalar, auto stored) {
        using T = decltype(scalar);
        using S = decltype(stored);
        const RuleShape s = shape_of(*this, config, d_y, form);
        const BlockPlan blocks = backward_plan<T>(*this, s);
        const RuleScratch<T> work(scratch.data, s, blocks);
        if constexpr (sizeof(T) == sizeof(float))
            if (strips_take(*this, s, in, d_y) && strips_take(*this, s, gradient, d_y))
                return delta_strips_backward(*this, s, views<T, S>(in), view<S>(d_y), views<T, S>(gradient),
                                             work.parts.sums, saved.at<T>());
        with_block_kernel<T, S>(blocks, products_, [&](auto products, auto shared) {
            launch("gated_delta_backward", backward_kernel<T, S, products(), shared()>, dim3(grid_size(blocks.blocks)),
                   dim3(kBlockThreads), blocks.shared ? static_cast<std::size_t>(blocks.bytes) : 0, stream_, s,
                   views<T, S>(in), view<S>(d_y), views<T, S>(gradient), work.parts,
                   static_cast<const T*>(saved.at<T>()), tickets(s.replicas * s.v_heads),
                   blocks.shared ? nullptr : work.outside, blocks.bytes);
        });
        if (s.shared_keys())
            for_each_element("gated_delta_backward", stream_, s.replicas, s.sequences, s.heads * s.key,
                             AddSharedKeys<T, S>{s, work.parts, view<S>(gradient.q), view<S>(gradient.k)});
        if (s.panels > 1)
            for_each_element("gated_delta_backward", stream_, s.replicas, s.sequences, s.v_heads,
                             AddPanels<T, S>{s, work.parts, view<S>(gradient.a), view<S>(gradient.b)});
    });
}

}  // namespace whorl::gpu
