// The part of the CUDA runtime that gpu/ calls. Work begins at once and is done when the call returns, except while a
// stream records a graph. Errors are CUDA's where a launch would fail on a GPU.
//
// There are kDevices devices, alike; each thread has a current one. As on a GPU, a kernel is started with a stream of
// the current device, and may have the shared memory that it was allowed there. Stricter than a GPU, which forgives it:
// what a stream copies or zeroes must lie on its own device.
#pragma once

#include <cstddef>
#include <functional>
#include <tuple>

#include "gpu/emulated/grid.hpp"

enum cudaError_t {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInvalidConfiguration = 9,
    cudaErrorInsufficientDriver = 35,
    cudaErrorNoDevice = 100,
    cudaErrorInvalidDevice = 101,
    cudaErrorInvalidResourceHandle = 400,
    cudaErrorStreamCaptureUnsupported = 900,
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal = 1 };
inline constexpr unsigned cudaStreamNonBlocking = 1;

using cudaStream_t = struct EmulatedStream*;
using cudaEvent_t = struct EmulatedEvent*;
using cudaGraph_t = struct EmulatedGraph*;
using cudaGraphExec_t = struct EmulatedGraph*;
using cudaGraphNode_t = void*;

struct cudaDeviceProp {
    char name[256];
    int major, minor, multiProcessorCount;
    std::size_t sharedMemPerBlockOptin, totalGlobalMem;
};

const char* cudaGetErrorString(cudaError_t status);
cudaError_t cudaGetLastError();
cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* device, int index);
cudaError_t cudaSetDevice(int index);

cudaError_t cudaMalloc(void** memory, std::size_t bytes);
cudaError_t cudaFree(void* memory);
cudaError_t cudaMemGetInfo(std::size_t* available, std::size_t* total);
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream);

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);

cudaError_t cudaEventCreate(cudaEvent_t* event);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t stop);

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long flags);
cudaError_t cudaGraphUpload(cudaGraphExec_t exec, cudaStream_t stream);
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec);

namespace whorl::emulated {

inline constexpr int kDevices = 2;

/// The device of a stream; for null, the current one.
int device_of(cudaStream_t stream);
/// Does `work` now, or keeps it while `stream` records.
void submit(cudaStream_t stream, std::function<void()> work);

/// Allows a kernel `bytes` of dynamic shared memory on the current device.
cudaError_t allow_shared(const void* kernel, int bytes);
/// Checks a launch as the driver does and runs it, or keeps it while `stream` records. A failure is left for
/// cudaGetLastError.
void launch(const Grid& grid, const void* kernel, cudaStream_t stream, std::function<void()> call);

/// kernel<<<blocks, threads, shared, stream>>>(arguments…).
template <class... Parameters>
void launch(const char* name, void (*kernel)(Parameters...), dim3 blocks, dim3 threads, std::size_t shared,
            cudaStream_t stream, Parameters... arguments) {
    launch({name, blocks, threads, shared}, reinterpret_cast<const void*>(kernel), stream,
           [kernel, kept = std::tuple<Parameters...>(arguments...)] { std::apply(kernel, kept); });
}

}  // namespace whorl::emulated

template <class Kernel>
cudaError_t cudaFuncSetAttribute(Kernel* kernel, cudaFuncAttribute, int bytes) {
    return whorl::emulated::allow_shared(reinterpret_cast<const void*>(kernel), bytes);
}
