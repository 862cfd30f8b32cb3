// Threads that stay: each member of a crew does all its work on a thread of its own, as a GPU's host thread should.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace whorl {

class Crew {
public:
    /// A crew of one has no thread: its work is done where it is asked for. `on_failure` is called by each member whose
    /// work threw: it frees others that would wait for it.
    explicit Crew(
        std::size_t members, std::function<void()> on_failure = [] {});
    ~Crew();
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;

    std::size_t size() const { return members_; }

    /// work(i) for every member i, all at the same time; returns when the last is done. Throws what the first one to
    /// fail threw. Not to be called from two threads at once, nor from a member.
    template <class Work>
    void run(const Work& work) {
        if (members_ == 1) return work(std::size_t{0});
        const std::function<void(std::size_t)> job = std::cref(work);
        run_on_threads(job);
    }

private:
    void run_on_threads(const std::function<void(std::size_t)>& job);
    void serve(std::size_t member);
    void fail(std::exception_ptr failure);

    std::size_t members_;
    std::function<void()> on_failure_;
    std::mutex guard_;
    std::condition_variable begin_, end_;
    const std::function<void(std::size_t)>* job_ = nullptr;
    std::size_t round_ = 0, busy_ = 0;
    bool leave_ = false;
    std::exception_ptr failure_;
    std::vector<std::thread> threads_;
};

}  // namespace whorl
