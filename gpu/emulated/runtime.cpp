#include "gpu/emulated/runtime.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

using Work = std::function<void()>;
using Clock = std::chrono::steady_clock;

struct EmulatedGraph {
    std::vector<Work> nodes;
};
struct EmulatedStream {
    std::unique_ptr<EmulatedGraph> recorded;  // while it records
};
struct EmulatedEvent {
    Clock::time_point time;
};

namespace {

constexpr std::size_t kAlignment = 256, kStaticSharedLimit = 48 * 1024;
constexpr unsigned kMostBlocks = 65535;  // along y and z

thread_local cudaError_t last_error = cudaSuccess;

cudaError_t result(cudaError_t status) {
    if (status != cudaSuccess) last_error = status;
    return status;
}

void submit(cudaStream_t stream, Work work) {
    if (stream && stream->recorded)
        stream->recorded->nodes.push_back(std::move(work));
    else
        work();
}

std::mutex allowed_guard;
std::map<const void*, std::size_t>& allowed() {
    static std::map<const void*, std::size_t> bytes_of_kernel;
    return bytes_of_kernel;
}

bool is_allowed(const void* kernel, std::size_t bytes) {
    if (bytes <= kStaticSharedLimit) return true;
    const std::lock_guard lock(allowed_guard);
    const auto found = allowed().find(kernel);
    return found != allowed().end() && bytes <= found->second;
}

bool is_valid(const whorl::emulated::Grid& grid) {
    const auto& [name, blocks, threads, shared] = grid;
    const std::uint64_t count = std::uint64_t{threads.x} * threads.y * threads.z;
    return count > 0 && count <= whorl::emulated::kMostThreads && threads.z <= 64 && blocks.x > 0 && blocks.y > 0 &&
           blocks.z > 0 && blocks.x < 1U << 31 && blocks.y <= kMostBlocks && blocks.z <= kMostBlocks;
}

std::size_t pages(int which) {
    return static_cast<std::size_t>(sysconf(which)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

namespace whorl::emulated {

cudaError_t allow_shared(const void* kernel, int bytes) {
    if (bytes < 0 || static_cast<std::size_t>(bytes) > kSharedLimit) return result(cudaErrorInvalidValue);
    const std::lock_guard lock(allowed_guard);
    allowed()[kernel] = static_cast<std::size_t>(bytes);
    return cudaSuccess;
}

void launch(const Grid& grid, const void* kernel, cudaStream_t stream, Work call) {
    if (!is_valid(grid))
        result(cudaErrorInvalidConfiguration);
    else if (!is_allowed(kernel, grid.shared))
        result(cudaErrorInvalidValue);
    else
        submit(stream, [grid, call = std::move(call)] { run_grid(grid, call); });
}

}  // namespace whorl::emulated

const char* cudaGetErrorString(cudaError_t status) {
    switch (status) {
        case cudaSuccess:
            return "no error";
        case cudaErrorInvalidValue:
            return "invalid argument";
        case cudaErrorMemoryAllocation:
            return "out of memory";
        case cudaErrorInvalidConfiguration:
            return "invalid configuration argument";
        case cudaErrorInsufficientDriver:
            return "the driver is too old";
        case cudaErrorNoDevice:
            return "no device";
        case cudaErrorStreamCaptureUnsupported:
            return "not permitted while the stream is recorded";
    }
    return "unknown error";
}

cudaError_t cudaGetLastError() {
    return std::exchange(last_error, cudaSuccess);
}

cudaError_t cudaGetDeviceCount(int* count) {
    *count = 1;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* device, int) {
    *device = {"emulated on the processor", 9, 0, 132, whorl::emulated::kSharedLimit, pages(_SC_PHYS_PAGES)};
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int) {
    return cudaSuccess;
}

// A block of its own for each, so that the address sanitizer sees the ends.
cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
    return posix_memalign(memory, kAlignment, bytes) == 0 ? cudaSuccess : result(cudaErrorMemoryAllocation);
}

cudaError_t cudaFree(void* memory) {
    std::free(memory);
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* available, std::size_t* total) {
    *available = pages(_SC_AVPHYS_PAGES);
    *total = pages(_SC_PHYS_PAGES);
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
    submit(stream, [=] { std::memcpy(to, from, bytes); });
    return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
    submit(stream, [=] { std::memset(to, value, bytes); });
    return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
    *stream = new EmulatedStream;
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    delete stream;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    return stream->recorded ? result(cudaErrorStreamCaptureUnsupported) : cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
    *event = new EmulatedEvent;
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    delete event;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    submit(stream, [event] { event->time = Clock::now(); });
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t) {
    return cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t stop) {
    *milliseconds = std::chrono::duration<float, std::milli>(stop->time - start->time).count();
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
    if (stream->recorded) return result(cudaErrorStreamCaptureUnsupported);
    stream->recorded = std::make_unique<EmulatedGraph>();
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
    if (!stream->recorded) return result(cudaErrorInvalidValue);
    *graph = stream->recorded.release();
    return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t*, std::size_t* count) {
    *count = graph->nodes.size();
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
    *exec = new EmulatedGraph(*graph);
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
    for (const Work& work : exec->nodes) submit(stream, work);
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    delete graph;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
    delete exec;
    return cudaSuccess;
}
