// Runs a kernel's grid on the processor: every thread of a block is a fiber, and a barrier or a warp operation is a
// rendezvous that hands the processor to the next fiber. Blocks run one after the other on each OS thread.
//
// What a GPU may forgive or hang on ends the program here, with a report of where every thread of the block stands: a
// rendezvous that some thread can never reach, threads of one block in different __syncthreads, lanes of one warp in
// different operations, a mask that names a lane which has left, a write behind the shared memory that was asked for.
// Dynamic shared memory holds NaNs (all bits set) when a block begins.
//
// WHORL_EMULATED_ORDER=forward (default), backward, or a number that seeds a shuffle: the order of lanes, warps and
// blocks. A result that depends on it is a missing barrier.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "gpu/emulated/types.hpp"

// Of the thread that runs, set at each switch. constinit: accessed without a check for initialisation.
extern constinit thread_local uint3 threadIdx, blockIdx;
extern constinit thread_local dim3 blockDim, gridDim;

namespace whorl::gpu {
/// What `extern __shared__ … shared_bytes[]` declares in a function of this namespace (not of an unnamed one).
extern thread_local std::byte shared_bytes[];
}  // namespace whorl::gpu

namespace whorl::emulated {

inline constexpr std::size_t kSharedLimit = 227 * 1024;  // bytes of a block's shared memory
inline constexpr unsigned kMostThreads = 1024;

struct Grid {
    const char* name;  // for reports
    dim3 blocks, threads;
    std::size_t shared;  // bytes
};

/// Calls kernel() as each thread of the grid. The grid must be valid (see launch in runtime.hpp).
void run_grid(const Grid& grid, const std::function<void()>& kernel);

enum class WarpOperation : std::uint8_t { sync, shuffle, shuffle_xor, shuffle_up, shuffle_down, ballot, any, all };

struct Place {
    const char* file;
    int line;
};

/// __syncthreads: returns when every thread of the block that has not ended is in it.
void meet_block(Place place);

/// Leaves `value` and returns when all lanes of `mask` have done so: what they left, by lane, valid until the caller's
/// next meeting.
const std::uint64_t* meet_warp(WarpOperation operation, unsigned mask, std::uint64_t value, Place place);

/// Where the caller may keep what it leaves for other lanes until its next meeting but one: kKept bytes, two places in
/// turn.
std::byte* place_to_keep();
inline constexpr std::size_t kKept = 128;

/// The caller's place in its warp.
unsigned lane();

}  // namespace whorl::emulated
