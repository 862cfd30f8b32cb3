// The emulated GPU itself: its warps and barriers do what CUDA's do, and a kernel that would hang or race is reported.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "gpu/emulated/cub/block/block_reduce.cuh"
#include "gpu/emulated/cub/block/block_scan.cuh"
#include "gpu/emulated/device.hpp"
#include "gpu/emulated/order.hpp"
#include "gpu/emulated/runtime.hpp"
#include "tests/support/catch.hpp"

using namespace whorl;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr unsigned kFull = 0xffffffffU;
constexpr int kThreads = 96;

cudaError_t start(void (*kernel)(int*), int* out, unsigned blocks = 1, std::size_t shared = 0) {
    emulated::launch<int*>("test", kernel, dim3(blocks), dim3(kThreads), shared, nullptr, out);
    return cudaGetLastError();
}

std::vector<int> result_of(void (*kernel)(int*), unsigned blocks = 1, std::size_t shared = 0) {
    std::vector<int> out(std::size_t{blocks} * kThreads, -7);
    REQUIRE(start(kernel, out.data(), blocks, shared) == cudaSuccess);
    return out;
}

int lane() {
    return static_cast<int>(threadIdx.x) % 32;
}

template <class Expected>
void check_lanes(const std::vector<int>& out, const Expected& expected) {
    for (int i = 0; i < kThreads; ++i) {
        INFO("thread " << i);
        CHECK(out[static_cast<std::size_t>(i)] == i / 32 * 32 + expected(i % 32));
    }
}

/// What is said by a kernel that ends the program, in a process of its own.
std::string report_of(void (*kernel)(int*), std::size_t shared = 0) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    std::cout.flush();  // or the child would say it again
    std::fflush(stdout);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::signal(SIGABRT, SIG_DFL);
        dup2(ends[1], 2);
        int out[kThreads];
        start(kernel, out, 1, shared);
        _exit(0);
    }
    close(ends[1]);
    std::string said;
    char buffer[4096];
    for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
        said.append(buffer, static_cast<std::size_t>(got));
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT));
    return said;
}

}  // namespace

TEST_CASE("emulated warps exchange values as CUDA's do", "[emulated]") {
    check_lanes(
        result_of([](int* out) { out[threadIdx.x] = __shfl_xor_sync(kFull, static_cast<int>(threadIdx.x), 5); }),
        [](int i) { return i ^ 5; });
    check_lanes(result_of([](int* out) {
                    out[threadIdx.x] = __shfl_sync(kFull, static_cast<int>(threadIdx.x), 40);  // 40 mod 32
                }),
                [](int) { return 8; });
    check_lanes(
        result_of([](int* out) { out[threadIdx.x] = __shfl_down_sync(kFull, static_cast<int>(threadIdx.x), 3, 8); }),
        [](int i) { return i % 8 + 3 < 8 ? i + 3 : i; });
    check_lanes(
        result_of([](int* out) { out[threadIdx.x] = __shfl_up_sync(kFull, static_cast<int>(threadIdx.x), 3, 16); }),
        [](int i) { return i % 16 < 3 ? i : i - 3; });
    // One after the other, without a barrier: nobody may see the next exchange's values.
    check_lanes(result_of([](int* out) {
                    int value = static_cast<int>(threadIdx.x);
                    for (int distance = 1; distance < 32; distance *= 2)
                        value = __shfl_xor_sync(kFull, value, distance);
                    out[threadIdx.x] = value;
                }),
                [](int i) { return i ^ 31; });
}

TEST_CASE("emulated blocks sum and scan as CUB does", "[emulated]") {
    const std::vector<int> sums = result_of([](int* out) {
        const int own = 1 << threadIdx.x % 20;
        out[threadIdx.x] = cub::BlockReduce<int, kThreads>().Sum(own);
    });
    CHECK(sums[0] == 4 * ((1 << 20) - 1) + (1 << 16) - 1);  // 96 threads: four times twenty, and sixteen
    CHECK(sums[1] == 2);                                    // as CUB, thread 0 alone has the sum
    const std::vector<int> scanned = result_of([](int* out) {
        cub::BlockScan<int, kThreads>().InclusiveSum(static_cast<int>(threadIdx.x), out[threadIdx.x]);
    });
    for (int i = 0; i < kThreads; ++i) CHECK(scanned[static_cast<std::size_t>(i)] == i * (i + 1) / 2);
    // In CUB's order 1e8 meets -1e8 in its warp before it meets the 1 of another.
    const std::vector<int> ordered = result_of([](int* out) {
        const float own = threadIdx.x == 0 ? 1e8F : threadIdx.x == 31 ? -1e8F : threadIdx.x >= 32 ? 1.0F : 0.0F;
        out[threadIdx.x] = static_cast<int>(cub::BlockReduce<float, kThreads>().Sum(own));
    });
    CHECK(ordered[0] == 64);
}

TEST_CASE("emulated warps vote, and parts of a warp meet by themselves", "[emulated]") {
    const std::vector<int> votes = result_of([](int* out) {
        const unsigned odd = __ballot_sync(kFull, lane() % 2 != 0);
        const bool any = __any_sync(kFull, threadIdx.x == 40), all = __all_sync(kFull, threadIdx.x >= 32);
        out[threadIdx.x] = (odd == 0xaaaaaaaaU ? 4 : 0) + (any ? 2 : 0) + (all ? 1 : 0);
    });
    CHECK(votes[0] == 4);
    CHECK(votes[33] == 7);
    CHECK(votes[95] == 5);
    const std::vector<int> halves = result_of([](int* out) {
        const unsigned half = lane() < 16 ? 0xffffU : 0xffff0000U;
        int sum = lane();
        for (int distance = 8; distance > 0; distance /= 2) sum += __shfl_xor_sync(half, sum, distance);
        if (lane() >= 16) sum += __shfl_xor_sync(half, sum, 1);
        out[threadIdx.x] = sum;
    });
    CHECK(halves[3] == 120);
    CHECK(halves[64 + 20] == 2 * 376);
}

TEST_CASE("emulated blocks wait for all their threads", "[emulated]") {
    const std::vector<int> out = result_of(
        [](int* to) {
            __shared__ int values[kThreads];
            for (int round = 0; round < 3; ++round) {
                values[threadIdx.x] = static_cast<int>(1000 * blockIdx.x + threadIdx.x) + round;
                __syncthreads();
                to[blockIdx.x * kThreads + threadIdx.x] = values[kThreads - 1 - threadIdx.x];
                __syncthreads();
            }
        },
        50);
    for (int i = 0; i < 50 * kThreads; ++i)
        REQUIRE(out[static_cast<std::size_t>(i)] == 1000 * (i / kThreads) + kThreads - 1 - i % kThreads + 2);
}

TEST_CASE("emulated blocks start with shared memory that is no number", "[emulated]") {
    const std::vector<int> out = result_of(
        [](int* to) {
            int* mine = reinterpret_cast<int*>(gpu::shared_bytes) + threadIdx.x;
            to[blockIdx.x * kThreads + threadIdx.x] = *mine;
            *mine = 3;
        },
        20, kThreads * sizeof(int));
    CHECK(std::all_of(out.begin(), out.end(), [](int value) { return value == -1; }));
}

TEST_CASE("the emulated GPU refuses the launches that a GPU refuses", "[emulated]") {
    void (*kernel)(int*) = [](int*) {};
    int none = 0;
    emulated::launch<int*>("test", kernel, dim3(1), dim3(1025), 0, nullptr, &none);
    CHECK(cudaGetLastError() == cudaErrorInvalidConfiguration);
    emulated::launch<int*>("test", kernel, dim3(1, 65536), dim3(32), 0, nullptr, &none);
    CHECK(cudaGetLastError() == cudaErrorInvalidConfiguration);
    void (*large)(int*) = [](int*) {};
    CHECK(start(large, &none, 1, 50 * 1024) == cudaErrorInvalidValue);
    CHECK(cudaFuncSetAttribute(large, cudaFuncAttributeMaxDynamicSharedMemorySize, 50 * 1024) == cudaSuccess);
    CHECK(start(large, &none, 1, 50 * 1024) == cudaSuccess);
    CHECK(cudaFuncSetAttribute(large, cudaFuncAttributeMaxDynamicSharedMemorySize, 228 * 1024) != cudaSuccess);
    CHECK(cudaGetLastError() == cudaErrorInvalidValue);  // read, it does not surface in a later launch
}

TEST_CASE("the emulated GPU reports kernels that would hang", "[emulated]") {
    const std::string stuck = report_of([](int*) {
        if (threadIdx.x < 40) return;
        if (threadIdx.x < 64 || threadIdx.x >= 80)
            __syncthreads();
        else
            __shfl_xor_sync(kFull, 1, 1);
    });
    CHECK_THAT(stuck, ContainsSubstring("kernel test, block (0, 0, 0) of (1, 1, 1)"));
    CHECK_THAT(stuck, ContainsSubstring("no thread can go on"));
    CHECK_THAT(stuck, ContainsSubstring("threads 0..39: ended"));
    CHECK_THAT(stuck, ContainsSubstring("threads 40..63: in __syncthreads, "));
    CHECK_THAT(stuck, ContainsSubstring("threads 64..79: in __shfl_xor_sync, "));
    CHECK_THAT(stuck, ContainsSubstring("grid_test.cpp:"));
    const std::string barriers = report_of([](int*) {
        if (threadIdx.x < 32)
            __syncthreads();
        else
            __syncthreads();
    });
    CHECK_THAT(barriers, ContainsSubstring("different __syncthreads"));
}

TEST_CASE("the emulated GPU reports lanes that do not meet as they say", "[emulated]") {
    const std::string operations = report_of([](int*) {
        if (lane() < 16)
            __syncwarp();
        else
            __ballot_sync(kFull, true);
    });
    CHECK_THAT(operations, ContainsSubstring("different operations"));
    const std::string ended = report_of([](int*) {
        if (lane() < 3) return;
        __syncthreads();  // which those that have ended do not hold up
        __syncwarp();
    });
    CHECK_THAT(ended, ContainsSubstring("waits for a lane that has ended"));
    CHECK_THAT(report_of([](int*) { __syncwarp(lane() < 31 ? kFull : 1U); }), ContainsSubstring("does not name it"));
    CHECK_THAT(report_of([](int*) { __syncwarp(lane() < 16 ? kFull : kFull & ~2U); }),
               ContainsSubstring("different masks"));
}

TEST_CASE("the emulated GPU reports a write behind the shared memory", "[emulated]") {
    CHECK_THAT(report_of([](int*) { gpu::shared_bytes[64 + 3] = std::byte{1}; }, 64),
               ContainsSubstring("byte 3 behind the 64 bytes of shared memory"));
}

TEST_CASE("each emulated device has its own streams, memory and permissions", "[emulated][devices]") {
    const auto kernel = +[](int* out) { out[threadIdx.x] = 1; };
    const auto start_on = [&](cudaStream_t stream, int* out, std::size_t shared) {
        emulated::launch<int*>("test", kernel, dim3(1), dim3(kThreads), shared, stream, out);
        return cudaGetLastError();
    };
    cudaStream_t streams[emulated::kDevices];
    void* memory[emulated::kDevices];
    constexpr std::size_t kBytes = kThreads * sizeof(int), kMuchShared = 64 * 1024;
    for (int i = 0; i < emulated::kDevices; ++i) {
        REQUIRE(cudaSetDevice(i) == cudaSuccess);
        REQUIRE(cudaStreamCreateWithFlags(&streams[i], cudaStreamNonBlocking) == cudaSuccess);
        REQUIRE(cudaMalloc(&memory[i], kBytes) == cudaSuccess);
    }
    CHECK(cudaSetDevice(emulated::kDevices) == cudaErrorInvalidDevice);
    CHECK(cudaGetLastError() == cudaErrorInvalidDevice);
    REQUIRE(cudaSetDevice(1) == cudaSuccess);
    int* out = static_cast<int*>(memory[1]);
    CHECK(start_on(streams[0], out, 0) == cudaErrorInvalidResourceHandle);
    CHECK(start_on(streams[1], out, 0) == cudaSuccess);
    CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kMuchShared) == cudaSuccess);
    CHECK(start_on(streams[1], out, kMuchShared) == cudaSuccess);
    CHECK(cudaMemsetAsync(memory[1], 0, kBytes, streams[1]) == cudaSuccess);
    CHECK(cudaMemsetAsync(memory[1], 0, kBytes + 1, streams[1]) == cudaErrorInvalidValue);
    CHECK(cudaMemsetAsync(memory[1], 0, kBytes, streams[0]) == cudaErrorInvalidValue);
    REQUIRE(cudaSetDevice(0) == cudaSuccess);
    cudaGetLastError();
    CHECK(start_on(streams[0], static_cast<int*>(memory[0]), kMuchShared) == cudaErrorInvalidValue);
    for (int i = 0; i < emulated::kDevices; ++i) {
        CHECK(cudaFree(memory[i]) == cudaSuccess);
        CHECK(cudaStreamDestroy(streams[i]) == cudaSuccess);
    }
}

TEST_CASE("every order of the emulated GPU runs each block once", "[emulated]") {
    const char* before = std::getenv("WHORL_EMULATED_ORDER");
    const std::string kept = before ? before : "";
    for (const char* name : {"forward", "backward", "1", "2"}) {
        setenv("WHORL_EMULATED_ORDER", name, 1);
        const emulated::Order order;
        for (const std::int64_t count : {1, 2, 12, 97}) {
            std::set<std::int64_t> seen;
            for (std::int64_t turn = 0; turn < count; ++turn) seen.insert(order.of_block(turn, count));
            CHECK(seen.size() == static_cast<std::size_t>(count));
            CHECK((*seen.begin() == 0 && *seen.rbegin() == count - 1));
        }
        std::set<int> picked;
        std::uint64_t state = order.seed();
        for (int i = 0; i < 200; ++i) picked.insert(order.pick(0x80000101U, state));
        for (const int bit : picked) CHECK((bit == 0 || bit == 8 || bit == 31));
        CHECK(picked.size() == (order.is_forward() || std::string(name) == "backward" ? 1U : 3U));
    }
    setenv("WHORL_EMULATED_ORDER", kept.c_str(), 1);
}
