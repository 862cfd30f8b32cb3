#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "gpu/runtime/cuda_backend.hpp"
#include "gpu/runtime/launch.cuh"

namespace whorl {

namespace gpu {
namespace {

constexpr std::int64_t kPartialBytes = 4 << 20, kTicketBytes = 4 << 20;
constexpr std::int64_t kStaticShared = 1024;  // what kernels declare besides the memory they are given
constexpr int kOldestMajor = 7, kOldestMinor = 5;

/// One CUDA graph.
class GraphRecording final : public Recording {
public:
    GraphRecording(cudaGraph_t graph, cudaStream_t stream) : stream_(stream) {
        std::size_t count = 0;
        check(cudaGraphGetNodes(graph, nullptr, &count), "counting a graph's nodes");
        nodes_ = static_cast<std::int64_t>(count);
        check(cudaGraphInstantiate(&graph_, graph, 0), "making a graph");
        check(cudaGraphUpload(graph_, stream), "handing over a graph");  // now, so that no run of it allocates
    }
    ~GraphRecording() override { cudaGraphExecDestroy(graph_); }
    GraphRecording(const GraphRecording&) = delete;
    GraphRecording& operator=(const GraphRecording&) = delete;
    void run() override { check(cudaGraphLaunch(graph_, stream_), "starting a graph"); }
    std::int64_t nodes() const override { return nodes_; }

private:
    cudaStream_t stream_;
    cudaGraphExec_t graph_ = nullptr;
    std::int64_t nodes_ = 0;
};

}  // namespace

void check(cudaError_t status, const char* what) {
    if (status == cudaSuccess) return;
    cudaGetLastError();  // it is reported here and must not surface again
    throw RuntimeFailure(std::string(what) + " on the GPU: " + cudaGetErrorString(status));
}

CudaBackend::CudaBackend(int index) : index_(index) {
    const std::string reason = why_no_cuda(index);
    if (!reason.empty()) throw UserError("--device cuda: " + reason + "; choose --device cpu");
    cudaDeviceProp device{};
    check(cudaGetDeviceProperties(&device, index), "device properties");
    use();
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "a stream");
    shared_limit_ = static_cast<std::int64_t>(device.sharedMemPerBlockOptin) - kStaticShared;
    multiprocessors_ = device.multiProcessorCount;
    name_ = device.name;
    partial_ = allocate(kPartialBytes);
    tickets_ = allocate(kTicketBytes);
}

CudaBackend::~CudaBackend() {
    if (stream_) cudaStreamDestroy(stream_);
}

void CudaBackend::use() const {
    check(cudaSetDevice(index_), "choosing the device");
}

std::string CudaBackend::describe() const {
    return "GPU, " + name_;
}

std::int64_t CudaBackend::free_memory() const {
    use();
    std::size_t available = 0, total = 0;
    check(cudaMemGetInfo(&available, &total), "free memory");
    return static_cast<std::int64_t>(available);
}

void CudaBackend::set_precision(const Precision& precision) {
    products_ = precision.matmul == Matmul::bf16   ? Products::bf16
                : precision.matmul == Matmul::tf32 ? Products::tf32
                                                   : Products::float32;
    storage_ = precision.storage;
}

unsigned* CudaBackend::tickets(std::int64_t count) const {
    if (count > tickets_.size() / static_cast<std::int64_t>(sizeof(unsigned)))
        throw RuntimeFailure("sums of " + std::to_string(count) +
                             " pieces at once are more than the GPU backend takes; compute fewer replicas at once "
                             "(--group)");
    return reinterpret_cast<unsigned*>(tickets_.data());
}

Buffer CudaBackend::allocate(std::int64_t bytes) {
    use();
    void* memory = nullptr;
    const auto size = static_cast<std::size_t>(bytes > 0 ? bytes : kAlignment);
    if (cudaMalloc(&memory, size) != cudaSuccess) {
        cudaGetLastError();  // the failure is reported here and must not surface again
        throw RuntimeFailure("out of memory on GPU " + std::to_string(index_) + ", " + name_ + ": cannot allocate " +
                             std::to_string(bytes / (1024 * 1024)) + " MiB");
    }
    check(cudaMemsetAsync(memory, 0, size, stream_), "zeroing memory");
    check(cudaStreamSynchronize(stream_), "zeroing memory");
    return {static_cast<std::byte*>(memory), bytes, [](std::byte* data) { cudaFree(data); }};
}

void CudaBackend::upload(const Tensor& to, const void* from, std::int64_t bytes) {
    use();
    check(cudaMemcpyAsync(to.data, from, static_cast<std::size_t>(bytes), cudaMemcpyHostToDevice, stream_), "upload");
    check(cudaStreamSynchronize(stream_), "upload");
}
void CudaBackend::download(void* to, const Tensor& from, std::int64_t bytes) {
    use();
    check(cudaMemcpyAsync(to, from.data, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToHost, stream_), "download");
    check(cudaStreamSynchronize(stream_), "download");
}
void CudaBackend::zero(const Tensor& first, std::int64_t bytes) {
    use();
    // A memory node of the step's graph; thrust::fill would be a kernel, and wait for it.
    check(cudaMemsetAsync(first.data, 0, static_cast<std::size_t>(bytes), stream_), "zeroing memory");
}

void CudaBackend::synchronize() {
    use();
    check(cudaStreamSynchronize(stream_), "the work");
}

std::unique_ptr<Recording> CudaBackend::record(std::function<void()> work) {
    use();
    check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "recording");
    cudaGraph_t graph = nullptr;
    try {
        work();
    } catch (...) {
        cudaStreamEndCapture(stream_, &graph);
        if (graph) cudaGraphDestroy(graph);
        throw;
    }
    check(cudaStreamEndCapture(stream_, &graph), "recording");
    auto recording = std::make_unique<GraphRecording>(graph, stream_);
    cudaGraphDestroy(graph);
    return recording;
}

}  // namespace gpu

int cuda_device_count() {
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    cudaGetLastError();
    return status == cudaSuccess ? count : 0;
}

std::string why_no_cuda(int index) {
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    cudaGetLastError();
    if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0)) return "no GPU on this machine";
    if (status == cudaErrorInsufficientDriver)
        return "no GPU: the NVIDIA driver is missing, or older than the CUDA version of this build";
    if (status != cudaSuccess) return std::string("no GPU: ") + cudaGetErrorString(status);
    if (index < 0 || index >= count) return "no GPU " + std::to_string(index) + " on this machine";
    cudaDeviceProp device{};
    gpu::check(cudaGetDeviceProperties(&device, index), "device properties");
    if (device.major * 10 + device.minor < gpu::kOldestMajor * 10 + gpu::kOldestMinor)
        return std::string("no GPU that is new enough: ") + device.name + " has compute capability " +
               std::to_string(device.major) + "." + std::to_string(device.minor) + ", 7.5 is needed";
    return {};
}

bool cuda_is_emulated() {
#if defined(__CUDACC__)
    return false;
#else
    return true;
#endif
}

std::unique_ptr<Backend> make_cuda_backend(int index) {
    return std::make_unique<gpu::CudaBackend>(index);
}

}  // namespace whorl
