// Training batches on the device: every task's own generator, one thread an example.
#include <algorithm>

#include "gpu/block.cuh"
#include "gpu/cuda_backend.hpp"
#include "gpu/launch.cuh"
#include "tasks/registry.hpp"

namespace whorl::gpu {
namespace {

constexpr std::int64_t kInt = static_cast<std::int64_t>(sizeof(std::int32_t));

/// A batch as the kernel sees it.
struct Batch {
    const StepNumbers* steps;
    const ReplicaNumbers* replicas;
    View<std::int32_t> tokens, row_of, target;
    std::int64_t min_size, first, sequences, length, slots;  // first: of the step's sequences; slots: of each
};

/// Targets lie in shared memory until their slots are known: `target_stride` of them a thread.
std::int64_t target_stride(std::int64_t length) {
    return length | 1;  // neighbours use different banks
}

/// Grid: (blocks of sequences, replicas).
template <class OneTask>
__global__ void batch_kernel(OneTask task, Batch in, int stride) {
    auto* targets = reinterpret_cast<std::int32_t*>(block_memory<true>(nullptr, 0));
    const std::int64_t r = blockIdx.y, b = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
    if (b >= in.sequences) return;
    const ReplicaNumbers& replica = in.replicas[r];
    const StepNumbers& now = in.steps[replica.at];
    const SampleView sample{in.tokens.at(r, b), targets + threadIdx.x * stride, in.length};
    task.generate({replica.data_seed,
                   Split::train,
                   static_cast<std::uint64_t>(now.step),
                   static_cast<std::uint64_t>(in.first + b),
                   {in.min_size, now.size}},
                  sample);
    fill_slots(sample, b * in.length, {in.row_of.at(r) + b * in.slots, in.target.at(r) + b * in.slots, in.slots});
}

template <class OneTask>
class TaskBatch final : public DeviceBatch {
public:
    TaskBatch(const OneTask& task, const CudaBackend& backend) : task_(task), backend_(backend) {}

    void make(const BatchOrder& order) override {
        const std::int64_t replicas = order.tokens.replicas(), sequences = order.tokens.shape[1],
                           length = order.tokens.features(), stride = target_stride(length);
        const Batch batch{order.steps,
                          order.replicas,
                          view<std::int32_t>(order.tokens),
                          view<std::int32_t>(order.supervision.row_of),
                          view<std::int32_t>(order.supervision.target),
                          order.min_size,
                          order.first,
                          sequences,
                          length,
                          order.supervision.row_of.features() / sequences};
        const std::int64_t threads = threads_for(backend_, length);
        launch("batch", batch_kernel<OneTask>, dim3(grid_size(ceil_div(sequences, threads)), grid_size(replicas)),
               dim3(grid_size(threads)), static_cast<std::size_t>(threads * stride * kInt), backend_.stream(), task_,
               batch, static_cast<int>(stride));
    }

    /// Examples of a block: a warp's, so that a small batch still meets many processors; fewer where the targets of
    /// long ones do not fit, 0 where not even one's do.
    static std::int64_t threads_for(const CudaBackend& backend, std::int64_t length) {
        return std::min<std::int64_t>(32, backend.shared_limit() / (target_stride(length) * kInt));
    }

private:
    OneTask task_;
    const CudaBackend& backend_;
};

}  // namespace
}  // namespace whorl::gpu

namespace whorl {

std::unique_ptr<DeviceBatch> make_device_batch(const Task& task, Backend& backend, std::int64_t length) {
    const auto* cuda = dynamic_cast<const gpu::CudaBackend*>(&backend);
    if (!cuda) return nullptr;
    return std::visit(
        [&](const auto& one) -> std::unique_ptr<DeviceBatch> {
            using Maker = gpu::TaskBatch<std::decay_t<decltype(one)>>;
            if (Maker::threads_for(*cuda, length) == 0) return nullptr;
            return std::make_unique<Maker>(one, *cuda);
        },
        task);
}

}  // namespace whorl
