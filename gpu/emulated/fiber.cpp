#include "gpu/emulated/fiber.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#ifdef WHORL_FIBER_SANITIZED
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if defined(__x86_64__)
asm(R"(
    .text
    .globl whorl_switch_stack
    .type whorl_switch_stack, @function
whorl_switch_stack:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size whorl_switch_stack, . - whorl_switch_stack
)");
#endif

namespace whorl::emulated {
namespace {

#ifdef WHORL_FIBER_SANITIZED
constexpr std::size_t kStackBytes = 512 * 1024;
#else
constexpr std::size_t kStackBytes = 128 * 1024;  // address space; memory only where it is touched
#endif
constexpr std::size_t kTopStep = 320;

std::size_t page_bytes() {
    return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

Stack Stacks::take() {
    if (!free_.empty()) {
        const Stack stack = free_.back();
        free_.pop_back();
        return stack;
    }
    const std::size_t page = page_bytes();
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
    const std::size_t page = page_bytes();
    for (const Stack& stack : all_) munmap(stack.lowest - page, page + kStackBytes);
}

void Fiber::prepare(Stack stack, void (*entry)()) {
    stack_ = stack;
    begun_ = true;
#ifdef WHORL_FIBER_SANITIZED
    __asan_unpoison_memory_region(stack.lowest, stack.bytes);  // of the frames that were left without returning
#endif
#if defined(__x86_64__)
    // What whorl_switch_stack takes up: six registers, where to go, and a return address of 0 that ends backtraces.
    auto** top = reinterpret_cast<void**>(stack.lowest + stack.bytes);
    *--top = nullptr;
    *--top = reinterpret_cast<void*>(entry);
    for (int i = 0; i < 6; ++i) *--top = nullptr;
    pointer_ = top;
#else
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack.lowest;
    context_.uc_stack.ss_size = stack.bytes;
    context_.uc_link = nullptr;
    makecontext(&context_, entry, 0);
#endif
}

#ifdef WHORL_FIBER_SANITIZED

void Fiber::arrive(Fiber& from, void* fake_stack) {
    const void* lowest = nullptr;
    std::size_t bytes = 0;
    __sanitizer_finish_switch_fiber(fake_stack, &lowest, &bytes);
    if (!from.stack_.lowest)  // the OS thread's own
        from.stack_ = {static_cast<std::byte*>(const_cast<void*>(lowest)), bytes};
}
void Fiber::switch_to(Fiber& to) {
    begun_ = true;
    void* fake_stack = nullptr;
    __sanitizer_start_switch_fiber(&fake_stack, to.stack_.lowest, to.stack_.bytes);
    jump(to);
    arrive(*this, fake_stack);
}
void Fiber::leave_for(Fiber& to) {
    __sanitizer_start_switch_fiber(nullptr, to.stack_.lowest, to.stack_.bytes);
    jump(to);
    std::abort();
}

#else

void Fiber::leave_for(Fiber& to) {
    jump(to);
    std::abort();
}

#endif

}  // namespace whorl::emulated
