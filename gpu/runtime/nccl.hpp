// The few functions of NCCL that data-parallel training needs. Declared here and looked up at run time: building takes
// no NCCL, and one program runs with and without it. Names and numbers are those of nccl.h, whose interface has been
// stable since version 2.0.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <string>

struct ncclComm;

namespace whorl::gpu {

using NcclComm = ::ncclComm*;
enum class NcclType : int { float32 = 7, float64 = 8 };
enum class NcclSum : int { sum = 0 };
inline constexpr int kNcclSuccess = 0;
inline constexpr int kOldestNccl = 21100;  // 2.11: graphs since 2.9, group operations in them without known faults

struct Nccl {
    int (*get_version)(int* version) = nullptr;
    int (*comm_init_all)(NcclComm* comms, int count, const int* devices) = nullptr;
    int (*comm_destroy)(NcclComm comm) = nullptr;
    int (*comm_abort)(NcclComm comm) = nullptr;
    int (*all_reduce)(const void* from, void* to, std::size_t count, NcclType type, NcclSum op, NcclComm comm,
                      cudaStream_t stream) = nullptr;
    int (*group_start)() = nullptr;
    int (*group_end)() = nullptr;
    const char* (*error_string)(int result) = nullptr;

    std::string missing;  // why there is none, in a few words with what to do; empty when all of the above are there
};

/// Looks for the library. The emulation (gpu/emulated) brings its own.
Nccl open_nccl();

/// The library that WHORL_NCCL names, a file, or else libnccl.so.2 where the loader finds it; opened once.
const Nccl& nccl();

}  // namespace whorl::gpu
