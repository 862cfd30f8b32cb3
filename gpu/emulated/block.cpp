#include "gpu/emulated/block.hpp"

#include <cstring>

namespace whorl::emulated {
namespace {

constexpr int kPoison = 0xFF;  // a NaN as float and double, -1 as an integer

constinit thread_local Block* running = nullptr;

bool same_place(const Place& a, const Place& b) {
    return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0);
}

}  // namespace

void meet_block(Place place) {
    running->meet_block(place);
}
const std::uint64_t* meet_warp(WarpOperation operation, unsigned mask, std::uint64_t value, Place place) {
    return running->meet_warp(operation, mask, value, place);
}
std::byte* place_to_keep() {
    return running->place_to_keep();
}
unsigned lane() {
    return running->lane();
}

Block::Block() : warps_memory_(std::make_unique<std::array<Warp, kMostWarps>>()), warps_(warps_memory_->data()) {}

void Block::run(const Grid& grid, const std::function<void()>& kernel, uint3 index) {
    grid_ = &grid;
    kernel_ = &kernel;
    blockIdx = index;
    gridDim = grid.blocks;
    blockDim = grid.threads;
    set_threads(grid.threads);
    reset();
    std::memset(gpu::shared_bytes, kPoison, grid.shared + kSharedGuard);
    Block* const before = running;
    running = this;
    Thread& first = *take_ready();
    first.fiber.prepare(stacks_.take(), fiber_entry);
    current_ = &first;
    threadIdx = first.index;
    outside_.switch_to(first.fiber);
    running = before;
    check_guard();
}

void Block::set_threads(dim3 size) {
    if (size.x == size_.x && size.y == size_.y && size.z == size_.z) return;
    size_ = size;
    threads_.clear();
    for (unsigned z = 0; z < size.z; ++z)
        for (unsigned y = 0; y < size.y; ++y)
            for (unsigned x = 0; x < size.x; ++x) {
                threads_.emplace_back();
                threads_.back().index = {x, y, z};
            }
}

void Block::reset() {
    const int count = static_cast<int>(threads_.size()), warps = (count + kLanes - 1) / kLanes;
    for (Thread& thread : threads_) {
        thread.fiber.forget();
        thread.state = State::ready;
    }
    for (int w = 0; w < warps; ++w) {
        const int lanes = count - w * kLanes;
        warps_[w].ready = lanes >= kLanes ? ~0U : (1U << lanes) - 1;
        warps_[w].ended = ~warps_[w].ready;
        warps_[w].at_barrier = 0;
    }
    ready_warps_ = warps == kMostWarps ? ~0U : (1U << warps) - 1;
    warp_ = pick(ready_warps_);
    live_ = count;
    at_barrier_ = 0;
}

// ---- who runs -------------------------------------------------------------------------------------------------------

void Block::fiber_entry() {
    Fiber::begin(running->outside_);
    running->run_threads();
}

/// A fiber's life: the thread it was made for, and others that have not begun when that one ends.
void Block::run_threads() {
    const Stack stack = current_->fiber.stack();
    Fiber ended;
    for (;;) {
        (*kernel_)();
        Fiber& next = after_end();
        if (next.has_begun()) {
            stacks_.give_back(stack);  // nobody takes it before this fiber has left it
            ended.leave_for(next);
        }
        next.adopt(stack);
    }
}

Fiber& Block::after_end() {
    Warp& warp = warp_of(*current_);
    current_->state = State::ended;
    warp.ended |= 1U << lane();
    if (--live_ == 0) return outside_;
    if (at_barrier_ == live_) release_barrier();
    Thread* next = take_ready();
    if (!next) fail("no thread can go on");
    current_ = next;
    threadIdx = next->index;
    return next->fiber;
}

Block::Thread* Block::take_ready() {
    if (warps_[warp_].ready == 0) {
        ready_warps_ &= ~(1U << warp_);
        if (ready_warps_ == 0) return nullptr;
        warp_ = pick(ready_warps_);
    }
    Warp& warp = warps_[warp_];
    const int lane = pick(warp.ready);
    warp.ready &= ~(1U << lane);
    return &threads_[static_cast<std::size_t>(warp_ * kLanes + lane)];
}

void Block::wait(State state, WarpOperation operation, Place place) {
    Thread& self = *current_;
    self.state = state;
    self.operation = operation;
    self.place = place;
    Thread* next = take_ready();
    if (!next) fail("no thread can go on");
    if (!next->fiber.has_begun()) next->fiber.prepare(stacks_.take(), fiber_entry);
    current_ = next;
    threadIdx = next->index;
    self.fiber.switch_to(next->fiber);
    self.state = State::ready;
}

// ---- where they meet ------------------------------------------------------------------------------------------------

void Block::meet_block(Place place) {
    if (at_barrier_ == 0) barrier_ = place;
    if (!same_place(barrier_, place)) {
        current_->state = State::at_barrier;
        current_->place = place;
        fail("threads of one block are in different __syncthreads");
    }
    if (at_barrier_ + 1 == live_) {
        release_barrier();
        return;
    }
    ++at_barrier_;
    warp_of(*current_).at_barrier |= 1U << lane();
    wait(State::at_barrier, {}, place);
}

void Block::release_barrier() {
    for (std::size_t w = 0; w * kLanes < threads_.size(); ++w) {
        if (warps_[w].at_barrier == 0) continue;
        warps_[w].ready |= warps_[w].at_barrier;
        warps_[w].at_barrier = 0;
        ready_warps_ |= 1U << w;
    }
    at_barrier_ = 0;
}

const std::uint64_t* Block::meet_warp(WarpOperation operation, unsigned mask, std::uint64_t value, Place place) {
    Warp& warp = warps_[warp_];
    const unsigned own = lane(), bit = 1U << own;
    current_->operation = operation;
    current_->place = place;
    if ((mask & bit) == 0) fail("a lane takes part in a warp operation whose mask does not name it");
    Group& group = warp.groups[static_cast<std::size_t>(__builtin_ctz(mask))];
    if (group.arrived == 0) {
        group.mask = mask;
        group.operation = operation;
    }
    const auto fail_here = [&](const char* what) {
        current_->state = State::in_warp;
        fail(what);
    };
    if ((mask & warp.ended) != 0) fail_here("a warp operation waits for a lane that has ended");
    if (group.mask != mask) fail_here("lanes of one warp meet with different masks");
    if (group.operation != operation) fail_here("lanes of one warp meet in different operations");
    auto& values = group.values[group.turn & 1U];
    values[own] = value;
    group.arrived |= bit;
    if (group.arrived == mask) {
        group.arrived = 0;
        ++group.turn;
        warp.ready |= mask & ~bit;
    } else {
        wait(State::in_warp, operation, place);
    }
    return values.data();
}

}  // namespace whorl::emulated
