// A training that goes on while it is looked at: an actor, a thread of its own that owns trainer and backend, takes
// commands between steps, and publishes what there is as values that never change.
//
//     window ── play, pause, one step, stop ──▶ actor        actor ── Snapshot ──▶ window
//
// The window never waits for it. Commands are acknowledged at once (Snapshot::wanted) and take effect after the step.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "viz/views/training_view.hpp"

namespace whorl::viz {

struct LivePlan {
    std::string recipe = "parity-quick";
    std::vector<std::string> set{};  // --set
    std::int64_t threads = 0;        // of the processor; 0: a GPU where there is one, else all cores but one
    std::int64_t rows = 40, examples = 32;
    bool until_solved = false;  // ends where two rows running are right at the sizes that it trains on

    bool operator==(const LivePlan&) const = default;
};

enum class LiveWish { play, pause, stop };

struct LiveSnapshot {
    std::int64_t step = 0, steps = 0;
    std::string device{};       // what it computes on
    double seconds_a_step = 0;  // on average, looking on included
    bool waits = false;         // no step is under way: it was paused
    bool finished = false;
    std::string failure{};                       // what ended it, in one line
    std::string status{};                        // of a stored run: "running", "finished", …
    std::shared_ptr<const TrainingData> data{};  // empty until a row is there
    std::shared_ptr<const Moments> moments{};    // as data
};

class LiveTraining {
public:
    /// Begins at once. `news` is called from the actor's thread, after each snapshot that it publishes.
    explicit LiveTraining(LivePlan plan, std::function<void()> news = {});
    /// Ends the training after its step, and waits for that.
    ~LiveTraining();
    LiveTraining(const LiveTraining&) = delete;
    LiveTraining& operator=(const LiveTraining&) = delete;

    void wish(LiveWish wish);
    /// One step, then pause.
    void one_step();
    LiveWish wanted() const;
    std::shared_ptr<const LiveSnapshot> newest() const;
    const LivePlan& plan() const { return plan_; }

private:
    void run();
    void train();
    /// Waits while paused, and says so; false when it is to stop.
    bool may_step(LiveSnapshot& now);
    void publish(LiveSnapshot snapshot);

    const LivePlan plan_;
    const std::function<void()> news_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    LiveWish wish_ = LiveWish::play;
    bool single_ = false;
    std::shared_ptr<const LiveSnapshot> newest_ = std::make_shared<LiveSnapshot>();
    std::thread actor_;  // last: it begins when the others are there
};

}  // namespace whorl::viz
