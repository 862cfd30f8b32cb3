// What is said before the program ends: where every thread of the block stands.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "gpu/emulated/block.hpp"

namespace whorl::emulated {
namespace {

const char* name_of(WarpOperation operation) {
    switch (operation) {
        case WarpOperation::sync:
            return "__syncwarp";
        case WarpOperation::shuffle:
            return "__shfl_sync";
        case WarpOperation::shuffle_xor:
            return "__shfl_xor_sync";
        case WarpOperation::shuffle_up:
            return "__shfl_up_sync";
        case WarpOperation::shuffle_down:
            return "__shfl_down_sync";
        case WarpOperation::ballot:
            return "__ballot_sync";
        case WarpOperation::any:
            return "__any_sync";
        case WarpOperation::all:
            return "__all_sync";
    }
    return "?";
}

std::string text(const Place& place) {
    return std::string(place.file) + ":" + std::to_string(place.line);
}

std::string triple(unsigned x, unsigned y, unsigned z) {
    return "(" + std::to_string(x) + ", " + std::to_string(y) + ", " + std::to_string(z) + ")";
}

}  // namespace

std::string Block::describe_threads() const {
    const auto state_of = [&](const Thread& thread) -> std::string {
        if (&thread == current_ && thread.state == State::ready) return "runs";
        switch (thread.state) {
            case State::at_barrier:
                return "in __syncthreads, " + text(thread.place);
            case State::in_warp:
                return std::string("in ") + name_of(thread.operation) + ", " + text(thread.place);
            case State::ended:
                return "ended";
            case State::ready:
                return thread.fiber.has_begun() ? "can go on" : "not begun";
        }
        return "?";
    };
    std::string lines;
    for (std::size_t i = 0; i < threads_.size();) {
        std::size_t end = i + 1;
        while (end < threads_.size() && state_of(threads_[end]) == state_of(threads_[i])) ++end;
        lines +=
            "  threads " + std::to_string(i) + ".." + std::to_string(end - 1) + ": " + state_of(threads_[i]) + "\n";
        i = end;
    }
    return lines;
}

void Block::fail(const std::string& what) const {
    static std::mutex one_at_a_time;
    one_at_a_time.lock();  // never unlocked: one report
    std::fflush(stdout);
    std::fprintf(stderr, "GPU emulation: kernel %s, block %s of %s, thread %s of %s: %s\n%s", grid_->name,
                 triple(blockIdx.x, blockIdx.y, blockIdx.z).c_str(), triple(gridDim.x, gridDim.y, gridDim.z).c_str(),
                 triple(threadIdx.x, threadIdx.y, threadIdx.z).c_str(),
                 triple(blockDim.x, blockDim.y, blockDim.z).c_str(), what.c_str(), describe_threads().c_str());
    std::fflush(stderr);
    std::abort();
}

void Block::check_guard() const {
    const std::byte* guard = gpu::shared_bytes + grid_->shared;
    for (std::size_t i = 0; i < kSharedGuard; ++i)
        if (guard[i] != std::byte{0xFF})
            fail("byte " + std::to_string(i) + " behind the " + std::to_string(grid_->shared) +
                 " bytes of shared memory was written");
}

}  // namespace whorl::emulated
