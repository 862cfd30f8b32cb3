// Stacks and the switch between them, with what the address sanitizer has to be told. A switch must be cheap: a
// kernel's shuffle makes one for every lane. The processor predicts returns by a stack of its own, which stays right
// only when a switch is called and returns; hence a few lines of assembly for x86-64, and the C library's contexts
// elsewhere.
#pragma once

#include <cstddef>
#include <vector>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define WHORL_FIBER_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WHORL_FIBER_SANITIZED 1
#endif
#endif

namespace whorl::emulated {

struct Stack {
    std::byte* lowest = nullptr;
    std::size_t bytes = 0;
};

/// Stacks that are used again; each has a page below it that faults.
class Stacks {
public:
    Stacks() = default;
    ~Stacks();
    Stacks(const Stacks&) = delete;
    Stacks& operator=(const Stacks&) = delete;

    Stack take();
    void give_back(Stack stack) { free_.push_back(stack); }

private:
    std::vector<Stack> all_, free_;
};

/// What runs on a stack of its own, or the OS thread's part that waits for those.
class Fiber {
public:
    /// Prepares entry() to run on `stack`; it calls begin first and never returns.
    void prepare(Stack stack, void (*entry)());
    static void begin(Fiber& from) { arrive(from, nullptr); }
    /// Goes on with a stack that another fiber has finished with.
    void adopt(Stack stack) { stack_ = stack; }
    const Stack& stack() const { return stack_; }

    bool has_begun() const { return begun_; }
    void forget() { begun_ = false; }

    /// Leaves this fiber for `to` and returns when something switches back.
    void switch_to(Fiber& to);
    /// The same for the last time: never returns.
    [[noreturn]] void leave_for(Fiber& to);

private:
    void jump(Fiber& to);
    static void arrive(Fiber& from, void* fake_stack);

#if defined(__x86_64__)
    void* pointer_ = nullptr;  // to the stack's top, where the saved registers lie
#else
    ucontext_t context_{};
#endif
    bool begun_ = false;
    Stack stack_;
};

#if defined(__x86_64__)
/// Saves the registers that a call preserves and where they are, takes up those at `to`, and returns there.
extern "C" void whorl_switch_stack(void** from, void* to);
inline void Fiber::jump(Fiber& to) {
    whorl_switch_stack(&pointer_, to.pointer_);
}
#else
inline void Fiber::jump(Fiber& to) {
    swapcontext(&context_, &to.context_);
}
#endif

#ifndef WHORL_FIBER_SANITIZED
inline void Fiber::arrive(Fiber&, void*) {}
inline void Fiber::switch_to(Fiber& to) {
    begun_ = true;
    jump(to);
}
#endif

}  // namespace whorl::emulated
