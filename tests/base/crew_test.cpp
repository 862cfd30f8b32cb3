// Threads that work at the same time, and what comes of a failure among them.
#include "core/base/crew.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>

#include "tests/support/catch.hpp"

using whorl::Crew;

namespace {

/// Waits until `count` threads are here; false when they do not come within ten seconds, or somebody calls it off.
class Meeting {
public:
    explicit Meeting(std::size_t count) : missing_(count) {}

    bool come() {
        std::unique_lock lock(guard_);
        if (--missing_ == 0) changed_.notify_all();
        changed_.wait_for(lock, std::chrono::seconds(10), [this] { return missing_ == 0 || off_; });
        return missing_ == 0;
    }
    void call_off() {
        const std::lock_guard lock(guard_);
        off_ = true;
        changed_.notify_all();
    }

private:
    std::mutex guard_;
    std::condition_variable changed_;
    std::size_t missing_;
    bool off_ = false;
};

}  // namespace

TEST_CASE("the members of a crew work at the same time and keep their threads", "[base][crew]") {
    Crew crew(3);
    std::vector<std::thread::id> first(3), second(3);
    Meeting meeting(3);
    std::vector<char> met(3, 0);
    crew.run([&](std::size_t i) {
        first[i] = std::this_thread::get_id();
        met[i] = meeting.come();
    });
    CHECK(met == std::vector<char>{1, 1, 1});
    crew.run([&](std::size_t i) { second[i] = std::this_thread::get_id(); });
    CHECK(first == second);
    CHECK((first[0] != first[1] && first[1] != first[2] && first[0] != first[2]));
    CHECK(std::count(first.begin(), first.end(), std::this_thread::get_id()) == 0);
}

TEST_CASE("a crew of one works where it is asked to", "[base][crew]") {
    Crew crew(1);
    std::thread::id there;
    crew.run([&](std::size_t) { there = std::this_thread::get_id(); });
    CHECK(there == std::this_thread::get_id());
}

TEST_CASE("a crew reports the first failure when all have ended and can work again", "[base][crew]") {
    Meeting never(4);  // one more than there are
    Crew crew(3, [&] { never.call_off(); });
    std::vector<char> ended(3, 0);
    const auto work = [&](std::size_t i) {
        if (i == 1) throw std::runtime_error("the cause");
        never.come();
        ended[i] = 1;
        throw std::runtime_error("a consequence");
    };
    CHECK_THROWS_WITH(crew.run(work), "the cause");
    CHECK((ended[0] == 1 && ended[2] == 1));
    crew.run([&](std::size_t i) { ended[i] = 2; });
    CHECK(ended == std::vector<char>{2, 2, 2});
}
