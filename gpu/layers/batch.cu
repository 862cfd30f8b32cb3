// Training batches on the device: every task's own generator. A warp has an example: all lanes find the random words
// and hand out the slots; in between, one of them walks through the sequence.
#include <algorithm>

#include "core/backend/workspace.hpp"
#include "gpu/runtime/cuda_backend.hpp"
#include "gpu/runtime/launch.cuh"
#include "gpu/tiles/block.cuh"
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

constexpr std::int64_t kSequences = 4;     // of a block
constexpr std::int64_t kMostWords = 1024;  // drawn ahead

/// An example's shared memory: its targets until their slots are known, and the words that it is likely to draw.
struct BatchMemory {
    int targets, words;
    explicit BatchMemory(std::int64_t length)
        : targets(static_cast<int>(length)),
          words(static_cast<int>(std::min(kMostWords, ceil_div(2 * length + 2, 4) * 4))) {}  // two a number
    std::int64_t bytes() const { return (std::int64_t{targets} + words) * kInt; }
};

/// What fill_slots does, by a warp. (A vote counts flags at once, cub::WarpScan in five steps.)
__device__ void fill_slots_together(const SampleView& sample, std::int64_t first, const SlotView& slots, int lane) {
    std::int64_t used = 0;
    for (std::int64_t begin = 0; begin < sample.capacity && used < slots.count; begin += 32) {
        const std::int64_t t = begin + lane;
        const bool asked = t < sample.capacity && sample.targets[t] >= 0;
        const unsigned all = __ballot_sync(0xffffffffU, asked);
        const std::int64_t slot = used + __popc(all & ((1U << lane) - 1));
        if (asked && slot < slots.count) {
            slots.row_of[slot] = static_cast<std::int32_t>(first + t);
            slots.target[slot] = sample.targets[t];
        }
        used += __popc(all);
    }
    for (std::int64_t slot = used + lane; slot < slots.count; slot += 32)
        slots.row_of[slot] = -1, slots.target[slot] = 0;
}

/// Grid: (blocks of sequences, replicas), a warp a sequence.
template <class OneTask>
__global__ void batch_kernel(OneTask task, Batch in, BatchMemory memory) {
    auto* shared = reinterpret_cast<std::int32_t*>(block_memory<true>(nullptr, 0));
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    const std::int64_t r = blockIdx.y, b = std::int64_t{blockIdx.x} * (blockDim.x / 32) + warp;
    if (b >= in.sequences) return;
    auto* words = reinterpret_cast<std::uint32_t*>(shared + warp * (memory.targets + memory.words));
    const ReplicaNumbers& replica = in.replicas[r];
    const StepNumbers& now = in.steps[replica.at];
    SampleKey key{replica.data_seed,
                  Split::train,
                  static_cast<std::uint64_t>(now.step),
                  static_cast<std::uint64_t>(in.first + b),
                  {in.min_size, now.size}};
    const Random random = key.random();
    for (int block = lane; block < memory.words / 4; block += 32) {
        const PhiloxCounter drawn = random.block(static_cast<std::uint32_t>(block));
        for (int i = 0; i < 4; ++i) words[4 * block + i] = drawn.word[i];
    }
    __syncwarp();
    key.drawn = {words, static_cast<std::uint32_t>(memory.words)};
    const SampleView sample{in.tokens.at(r, b), reinterpret_cast<std::int32_t*>(words + memory.words), in.length};
    if (lane == 0) task.generate(key, sample);
    __syncwarp();
    fill_slots_together(sample, b * in.length,
                        {in.row_of.at(r) + b * in.slots, in.target.at(r) + b * in.slots, in.slots}, lane);
}

/// Examples of a block; fewer where long ones do not fit, 0 where not even one does.
std::int64_t sequences_for(const CudaBackend& backend, std::int64_t length) {
    return std::min<std::int64_t>(kSequences, backend.shared_limit() / BatchMemory(length).bytes());
}

template <class OneTask>
class TaskBatch final : public DeviceBatch {
public:
    TaskBatch(const OneTask& task, const CudaBackend& backend) : task_(task), backend_(backend) {}

    void make(const BatchOrder& order) override {
        const std::int64_t replicas = order.tokens.replicas(), sequences = order.tokens.shape[1],
                           length = order.tokens.features();
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
        const BatchMemory memory(length);
        const std::int64_t together = sequences_for(backend_, length);
        launch("batch", batch_kernel<OneTask>, dim3(grid_size(ceil_div(sequences, together)), grid_size(replicas)),
               dim3(grid_size(32 * together)), static_cast<std::size_t>(together * memory.bytes()), backend_.stream(),
               task_, batch, memory);
    }

private:
    OneTask task_;
    const CudaBackend& backend_;
};

/// Of a file: its bytes lie on the device.
class TextBatch final : public DeviceBatch {
public:
    TextBatch(const TextView& host, CudaBackend& backend)
        : bytes_(backend.allocate(size_of(host))), maker_(on_device(host, backend), backend) {}

    void make(const BatchOrder& order) override { maker_.make(order); }

private:
    static std::int64_t size_of(const TextView& host) {
        return ceil_div(host.begin[2] + host.count[2], kInt) * kInt;  // the last split ends with the file
    }
    TextView on_device(TextView view, CudaBackend& backend) {
        std::vector<std::uint8_t> padded(view.bytes, view.bytes + view.begin[2] + view.count[2]);
        padded.resize(static_cast<std::size_t>(size_of(view)));
        backend.upload(Arena(bytes_.data(), Device::cuda).bytes(size_of(view)), padded.data(), size_of(view));
        view.bytes = reinterpret_cast<const std::uint8_t*>(bytes_.data());
        return view;
    }

    Buffer bytes_;
    TaskBatch<TextView> maker_;
};

template <class OneTask>
std::unique_ptr<DeviceBatch> make_batch(const OneTask& task, CudaBackend& backend) {
    if constexpr (std::is_same_v<OneTask, ByteText>)
        return std::make_unique<TextBatch>(task.view(), backend);
    else
        return std::make_unique<TaskBatch<OneTask>>(task, backend);
}

}  // namespace
}  // namespace whorl::gpu

namespace whorl {

std::unique_ptr<DeviceBatch> make_device_batch(const Task& task, Backend& backend, std::int64_t length) {
    auto* cuda = dynamic_cast<gpu::CudaBackend*>(&backend);
    if (!cuda || gpu::sequences_for(*cuda, length) == 0) return nullptr;
    return std::visit([&](const auto& one) { return gpu::make_batch(one, *cuda); }, task);
}

}  // namespace whorl
