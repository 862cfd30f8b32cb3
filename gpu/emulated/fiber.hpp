// Stacks and the switch between them: Boost.Context's, with what the address sanitizer has to be told.
#pragma once

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <vector>

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
    bool has_begun() const { return context_ != nullptr; }
    /// Prepares entry(the fiber switched from) to run on `stack`.
    void prepare(Stack stack, void (*entry)(boost::context::detail::transfer_t));
    /// Goes on with a stack that another fiber has finished with.
    void adopt(Stack stack) { stack_ = stack; }
    void forget() { context_ = nullptr; }
    const Stack& stack() const { return stack_; }

    /// Leaves this fiber for `to` and returns when something switches back.
    void switch_to(Fiber& to);
    /// The same for the last time: never returns.
    [[noreturn]] void leave_for(Fiber& to);
    /// A fiber's first call, with what its entry was given.
    static void begin(boost::context::detail::transfer_t arrived) { arrive(arrived, nullptr); }

private:
    static void arrive(boost::context::detail::transfer_t arrived, void* fake_stack);

    boost::context::detail::fcontext_t context_ = nullptr;
    Stack stack_;
};

}  // namespace whorl::emulated
