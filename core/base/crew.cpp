#include "core/base/crew.hpp"

#include <utility>

namespace whorl {

Crew::Crew(std::size_t members, std::function<void()> on_failure)
    : members_(members), on_failure_(std::move(on_failure)) {
    if (members_ == 1) return;
    for (std::size_t i = 0; i < members_; ++i) threads_.emplace_back([this, i] { serve(i); });
}

Crew::~Crew() {
    {
        const std::lock_guard lock(guard_);
        leave_ = true;
    }
    begin_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void Crew::run_on_threads(const std::function<void(std::size_t)>& job) {
    std::unique_lock lock(guard_);
    job_ = &job;
    busy_ = members_;
    ++round_;
    begin_.notify_all();
    end_.wait(lock, [this] { return busy_ == 0; });
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

// Kept before the others hear of it: what they throw then is not the cause.
void Crew::fail(std::exception_ptr failure) {
    {
        const std::lock_guard lock(guard_);
        if (!failure_) failure_ = failure;
    }
    on_failure_();
}

void Crew::serve(std::size_t member) {
    std::unique_lock lock(guard_);
    for (std::size_t done = 0;; done = round_) {
        begin_.wait(lock, [&] { return leave_ || round_ != done; });
        if (leave_) return;
        lock.unlock();
        try {
            (*job_)(member);
        } catch (...) {
            fail(std::current_exception());
        }
        lock.lock();
        if (--busy_ == 0) end_.notify_one();
    }
}

}  // namespace whorl
