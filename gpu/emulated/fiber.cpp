#include "gpu/emulated/fiber.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#ifdef WHORL_FIBER_SANITIZED
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace whorl::emulated {
namespace {

namespace context = boost::context::detail;

#ifdef WHORL_FIBER_SANITIZED
constexpr std::size_t kStackBytes = 512 * 1024;
#else
constexpr std::size_t kStackBytes = 128 * 1024;  // address space; memory only where it is touched
#endif

constexpr std::size_t kTopStep = 320;

}  // namespace

Stack Stacks::take() {
    if (!free_.empty()) {
        const Stack stack = free_.back();
        free_.pop_back();
        return stack;
    }
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    void* memory = mmap(nullptr, page + kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE) != 0) {
        std::fputs("GPU emulation: no memory for a stack\n", stderr);
        std::abort();
    }
    // Tops at different places of a page: at the same one they would fight for one set of the cache.
    const std::size_t shift = all_.size() * kTopStep % page;
    all_.push_back({static_cast<std::byte*>(memory) + page, kStackBytes - shift});
    return all_.back();
}

Stacks::~Stacks() {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    for (const Stack& stack : all_) munmap(stack.lowest - page, page + kStackBytes);
}

void Fiber::prepare(Stack stack, void (*entry)(context::transfer_t)) {
    stack_ = stack;
#ifdef WHORL_FIBER_SANITIZED
    __asan_unpoison_memory_region(stack.lowest, stack.bytes);  // of the frames that were left without returning
#endif
    context_ = context::make_fcontext(stack.lowest + stack.bytes, stack.bytes, entry);
}

#ifdef WHORL_FIBER_SANITIZED

void Fiber::arrive(context::transfer_t arrived, void* fake_stack) {
    Fiber& from = *static_cast<Fiber*>(arrived.data);
    from.context_ = arrived.fctx;
    const void* lowest = nullptr;
    std::size_t bytes = 0;
    __sanitizer_finish_switch_fiber(fake_stack, &lowest, &bytes);
    if (!from.stack_.lowest)  // the OS thread's own
        from.stack_ = {static_cast<std::byte*>(const_cast<void*>(lowest)), bytes};
}
void Fiber::switch_to(Fiber& to) {
    void* fake_stack = nullptr;
    __sanitizer_start_switch_fiber(&fake_stack, to.stack_.lowest, to.stack_.bytes);
    arrive(context::jump_fcontext(to.context_, this), fake_stack);
}
void Fiber::leave_for(Fiber& to) {
    __sanitizer_start_switch_fiber(nullptr, to.stack_.lowest, to.stack_.bytes);
    context::jump_fcontext(to.context_, this);
    std::abort();
}

#else

void Fiber::arrive(context::transfer_t arrived, void*) {
    static_cast<Fiber*>(arrived.data)->context_ = arrived.fctx;
}
void Fiber::switch_to(Fiber& to) {
    arrive(context::jump_fcontext(to.context_, this), nullptr);
}
void Fiber::leave_for(Fiber& to) {
    context::jump_fcontext(to.context_, this);
    std::abort();
}

#endif

}  // namespace whorl::emulated
