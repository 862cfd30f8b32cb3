// Figures made beside the window: a thread with a desk of its own answers what states ask for, so that a long text
// never holds up a frame.
//
// The window asks in every frame, and gets what there is: the answer, or none yet. What was asked for last is made
// first.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "viz/desk/desk.hpp"

namespace whorl::viz {

/// What became of a state: a figure, or in one line why there is none.
struct DeskAnswer {
    std::shared_ptr<const plot::Figure> figure{};
    std::string failure{};
};

class DeskWorker {
public:
    /// `news` is called from the worker's thread after each answer.
    explicit DeskWorker(std::function<void()> news = {});
    /// Waits for the figure that is being made.
    ~DeskWorker();
    DeskWorker(const DeskWorker&) = delete;
    DeskWorker& operator=(const DeskWorker&) = delete;

    /// As Desk::show_training, for all states asked about from now on.
    void show_training(std::shared_ptr<const TrainingData> data, std::shared_ptr<const Moments> moments);

    /// The answer, where it comes within `patience` seconds; else null, and it is made meanwhile.
    std::shared_ptr<const DeskAnswer> answer(const ViewState& state, double patience);

private:
    struct Wish {
        std::string key;
        ViewState state;
    };
    void run();
    DeskAnswer make(const ViewState& state);
    std::string key(const ViewState& state) const;

    const std::function<void()> news_;
    Desk desk_;  // the worker's alone
    mutable std::mutex mutex_;
    std::condition_variable asked_, answered_;
    std::vector<Wish> wishes_;  // the last is made first
    std::map<std::string, std::shared_ptr<const DeskAnswer>> answers_;
    std::shared_ptr<const TrainingData> training_;
    std::shared_ptr<const Moments> moments_;
    std::int64_t training_version_ = 0;
    bool ends_ = false;
    std::thread worker_;  // last: it begins when the others are there
};

}  // namespace whorl::viz
