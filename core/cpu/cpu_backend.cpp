#include "core/cpu/cpu_backend.hpp"

#include <cstdlib>
#include <cstring>

#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "core/cpu/gemm.hpp"
#include "core/cpu/parallel.hpp"
#include "core/cpu/vector_math.hpp"

namespace whorl {

namespace {

/// Runs the work itself.
class PlainRecording final : public Recording {
public:
    explicit PlainRecording(std::function<void()> work) : work_(std::move(work)) {}
    void run() override { work_(); }

private:
    std::function<void()> work_;
};

}  // namespace

void Backend::pack_batch(const Tensor&, const Tensor&, const PackedBatch&) {
    throw std::logic_error("this backend packs no batches");
}

std::unique_ptr<Recording> Backend::record(std::function<void()> work) {
    return std::make_unique<PlainRecording>(std::move(work));
}

std::unique_ptr<Backend> make_cpu_backend(int threads) {
    return std::make_unique<cpu::CpuBackend>(threads);
}

namespace cpu {
namespace {

/// Runs before the OpenMP runtime reads its environment: a thread that waits shall soon sleep. By default it spins for
/// milliseconds, and where anything else runs on the machine it then holds the processor that it waits for (measured on
/// two busy processors: 28 ms a step by default, 14 ms with short waits; alone no loss was seen). OMP_WAIT_POLICY or
/// GOMP_SPINCOUNT overrule this.
[[gnu::constructor(102)]] void keep_waits_short() {
    if (!std::getenv("OMP_WAIT_POLICY")) setenv("GOMP_SPINCOUNT", "1000", 0);
}

}  // namespace

CpuBackend::CpuBackend(int threads) : threads_(threads > 0 ? threads : most_threads()) {
    pin_gemm_blocking();
}

void CpuBackend::set_precision(const Precision& precision) {
    if (precision.matmul != Matmul::float32)
        throw UserError(
            "precision.matmul: a processor multiplies in float32 only; choose \"float32\", or a GPU with --device "
            "cuda");
    if (precision.storage != Storage::float32)
        throw UserError(
            "precision.storage: a processor keeps float32 only; choose \"float32\", or a GPU with --device cuda");
}

std::string CpuBackend::describe() const {
    return "CPU, " + std::to_string(threads_) + (threads_ == 1 ? " thread" : " threads");
}

Buffer CpuBackend::allocate(std::int64_t bytes) {
    const auto size = static_cast<std::size_t>((bytes + kAlignment - 1) / kAlignment * kAlignment);
    auto* data = static_cast<std::byte*>(std::aligned_alloc(kAlignment, size > 0 ? size : kAlignment));
    if (!data) throw RuntimeFailure("out of memory: cannot allocate " + std::to_string(bytes / (1024 * 1024)) + " MiB");
    std::memset(data, 0, size);
    return {data, bytes, [](std::byte* memory) { std::free(memory); }};
}

void CpuBackend::upload(const Tensor& to, const void* from, std::int64_t bytes) {
    std::memcpy(to.data, from, static_cast<std::size_t>(bytes));
}
void CpuBackend::download(void* to, const Tensor& from, std::int64_t bytes) {
    std::memcpy(to, from.data, static_cast<std::size_t>(bytes));
}
void CpuBackend::zero(const Tensor& first, std::int64_t bytes) {
    std::memset(first.data, 0, static_cast<std::size_t>(bytes));
}

void CpuBackend::add(const Tensor& x, const Tensor& y) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Blocks blocks(x.rows(), 256, 64);
        parallel_for(threads_, x.replicas() * blocks.count, [&](std::int64_t task, int) {
            const std::int64_t r = task / blocks.count, block = task % blocks.count;
            for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i)
                accumulate(static_cast<const T*>(x.at<T>(r) + i * x.row_stride()), y.at<T>(r) + i * y.row_stride(),
                           x.features());
        });
    });
}

}  // namespace cpu
}  // namespace whorl
