// One block of threads on one OS thread. A warp's lanes that can go on are a mask, as are the warps that have some: a
// thread that waits clears its bit and switches straight to the next thread; the last to arrive at a rendezvous sets
// the others' bits and goes on without a switch. When nothing can go on, the block is stuck and the program ends with a
// report.
//
// A fiber runs thread after thread: only a thread that waits makes another fiber necessary.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gpu/emulated/fiber.hpp"
#include "gpu/emulated/grid.hpp"
#include "gpu/emulated/order.hpp"

namespace whorl::emulated {

inline constexpr std::size_t kSharedGuard = 1024;  // bytes behind the shared memory that nobody may write
inline constexpr int kLanes = 32, kMostWarps = static_cast<int>(kMostThreads) / kLanes;

class Block {
public:
    Block();
    /// Runs kernel() as every thread of block `index`.
    void run(const Grid& grid, const std::function<void()>& kernel, uint3 index);

    void meet_block(Place place);
    const std::uint64_t* meet_warp(WarpOperation operation, unsigned mask, std::uint64_t value, Place place);
    std::byte* place_to_keep() {
        Thread& self = *current_;
        self.kept_turn ^= 1U;
        return self.kept[self.kept_turn].data();
    }
    unsigned lane() const { return static_cast<unsigned>(current_ - threads_.data()) % kLanes; }

private:
    enum class State : std::uint8_t { ready, at_barrier, in_warp, ended };
    struct Thread {
        Fiber fiber;
        uint3 index{};
        State state = State::ready;
        WarpOperation operation{};
        Place place{};
        unsigned kept_turn = 0;
        alignas(16) std::array<std::array<std::byte, kKept>, 2> kept;
    };
    /// Lanes that meet under one mask. Two sets of values: who goes on early may leave a value for the next meeting
    /// before the others have read this one's.
    struct Group {
        unsigned mask = 0, arrived = 0, turn = 0;
        WarpOperation operation{};
        std::array<std::array<std::uint64_t, kLanes>, 2> values{};
    };
    struct Warp {
        unsigned ready = 0, at_barrier = 0, ended = 0;
        std::array<Group, kLanes> groups;  // by a mask's lowest lane
    };

    void set_threads(dim3 size);
    void reset();
    static void fiber_entry();
    void run_threads();
    Warp& warp_of(const Thread& thread) { return warps_[static_cast<std::size_t>(&thread - threads_.data()) / kLanes]; }
    /// The next thread that can go on, null when there is none; it no longer counts as ready.
    Thread* take_ready();
    int pick(unsigned choices) { return forward_ ? __builtin_ctz(choices) : order().pick(choices, random_); }
    void wait(State state, WarpOperation operation, Place place);
    void release_barrier();
    /// After the current thread's end: who goes on; the OS thread's own fiber after the last.
    Fiber& after_end();
    void check_guard() const;
    [[noreturn]] void fail(const std::string& what) const;
    std::string describe_threads() const;

    const Grid* grid_ = nullptr;
    const std::function<void()>* kernel_ = nullptr;
    dim3 size_{0, 0, 0};
    std::vector<Thread> threads_;
    std::unique_ptr<std::array<Warp, kMostWarps>> warps_memory_;
    Warp* warps_;
    unsigned ready_warps_ = 0;
    int warp_ = 0;  // the one that runs
    int live_ = 0, at_barrier_ = 0;
    Place barrier_{};
    const bool forward_ = order().is_forward();
    std::uint64_t random_ = order().seed();
    Thread* current_ = nullptr;
    Fiber outside_;
    Stacks stacks_;
};

}  // namespace whorl::emulated
