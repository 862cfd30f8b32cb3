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
    int device = 0;
    std::unique_ptr<EmulatedGraph> recorded;  // while it records
};
struct EmulatedEvent {
    Clock::time_point time;
};

namespace {

constexpr std::size_t kAlignment = 256, kStaticSharedLimit = 48 * 1024;
constexpr unsigned kMostBlocks = 65535;  // along y and z

thread_local cudaError_t last_error = cudaSuccess;
thread_local int current_device = 0;

cudaError_t result(cudaError_t status) {
    if (status != cudaSuccess) last_error = status;
    return status;
}

using KernelOnDevice = std::pair<int, const void*>;

std::mutex allowed_guard;
std::map<KernelOnDevice, std::size_t>& allowed() {
    static std::map<KernelOnDevice, std::size_t> bytes_of_kernel;
    return bytes_of_kernel;
}

bool is_allowed(const void* kernel, std::size_t bytes) {
    if (bytes <= kStaticSharedLimit) return true;
    const std::lock_guard lock(allowed_guard);
    const auto found = allowed().find({current_device, kernel});
    return found != allowed().end() && bytes <= found->second;
}

/// What is allocated: by the last byte of each block, so that the first one at or behind an address is its own.
struct Allocation {
    std::uintptr_t begin;
    int device;
};
std::mutex allocations_guard;
std::map<std::uintptr_t, Allocation>& allocations() {
    static std::map<std::uintptr_t, Allocation> by_last_byte;
    return by_last_byte;
}

std::uintptr_t address(const void* pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer);
}

bool lies_on(int device, const void* pointer, std::size_t bytes) {
    if (bytes == 0) return true;
    const std::lock_guard lock(allocations_guard);
    const auto found = allocations().lower_bound(address(pointer) + bytes - 1);
    return found != allocations().end() && found->second.begin <= address(pointer) && found->second.device == device;
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

int device_of(cudaStream_t stream) {
    return stream ? stream->device : current_device;  // null: the current device's own stream
}

void submit(cudaStream_t stream, Work work) {
    if (stream && stream->recorded)
        stream->recorded->nodes.push_back(std::move(work));
    else
        work();
}

cudaError_t allow_shared(const void* kernel, int bytes) {
    if (bytes < 0 || static_cast<std::size_t>(bytes) > kSharedLimit) return result(cudaErrorInvalidValue);
    const std::lock_guard lock(allowed_guard);
    allowed()[{current_device, kernel}] = static_cast<std::size_t>(bytes);
    return cudaSuccess;
}

void launch(const Grid& grid, const void* kernel, cudaStream_t stream, Work call) {
    if (!is_valid(grid))
        result(cudaErrorInvalidConfiguration);
    else if (!is_allowed(kernel, grid.shared))
        result(cudaErrorInvalidValue);
    else if (device_of(stream) != current_device)
        result(cudaErrorInvalidResourceHandle);
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
        case cudaErrorInvalidDevice:
            return "invalid device ordinal";
        case cudaErrorInvalidResourceHandle:
            return "invalid resource handle";
        case cudaErrorStreamCaptureUnsupported:
            return "not permitted while the stream is recorded";
    }
    return "unknown error";
}

cudaError_t cudaGetLastError() {
    return std::exchange(last_error, cudaSuccess);
}

cudaError_t cudaGetDeviceCount(int* count) {
    *count = whorl::emulated::kDevices;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* device, int index) {
    if (index < 0 || index >= whorl::emulated::kDevices) return result(cudaErrorInvalidDevice);
    *device = {"emulated on the processor", 9, 0, 132, whorl::emulated::kSharedLimit, pages(_SC_PHYS_PAGES)};
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int index) {
    if (index < 0 || index >= whorl::emulated::kDevices) return result(cudaErrorInvalidDevice);
    current_device = index;
    return cudaSuccess;
}

// A block of its own for each, so that the address sanitizer sees the ends.
cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
    if (posix_memalign(memory, kAlignment, bytes) != 0) return result(cudaErrorMemoryAllocation);
    const std::lock_guard lock(allocations_guard);
    if (bytes > 0) allocations()[address(*memory) + bytes - 1] = {address(*memory), current_device};
    return cudaSuccess;
}

cudaError_t cudaFree(void* memory) {
    {
        const std::lock_guard lock(allocations_guard);
        const auto found = allocations().lower_bound(address(memory));
        if (found != allocations().end() && found->second.begin == address(memory)) allocations().erase(found);
    }
    std::free(memory);
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* available, std::size_t* total) {
    *available = pages(_SC_AVPHYS_PAGES);
    *total = pages(_SC_PHYS_PAGES);
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
    const int device = whorl::emulated::device_of(stream);
    if ((kind != cudaMemcpyDeviceToHost && !lies_on(device, to, bytes)) ||
        (kind != cudaMemcpyHostToDevice && !lies_on(device, from, bytes)))
        return result(cudaErrorInvalidValue);
    whorl::emulated::submit(stream, [=] { std::memcpy(to, from, bytes); });
    return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
    if (!lies_on(whorl::emulated::device_of(stream), to, bytes)) return result(cudaErrorInvalidValue);
    whorl::emulated::submit(stream, [=] { std::memset(to, value, bytes); });
    return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
    *stream = new EmulatedStream{current_device, nullptr};
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
    whorl::emulated::submit(stream, [event] { event->time = Clock::now(); });
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

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) {
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
    for (const Work& work : exec->nodes) whorl::emulated::submit(stream, work);
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
