#include "viz/desk/desk_worker.hpp"

#include <algorithm>
#include <chrono>
#include <new>

#include "core/base/text.hpp"

namespace whorl::viz {
namespace {

constexpr std::size_t kMostAnswers = 256;  // some tens of kilobytes each
constexpr std::size_t kMostWishes = 4;     // older ones are no longer on the screen

bool is_live(const ViewState& state) {
    return (is_desk_view(state.view) && desk_view(state.view).live) ||
           std::count(state.models.begin(), state.models.end(), kLiveModel) > 0;
}

}  // namespace

DeskWorker::DeskWorker(std::function<void()> news) : news_(std::move(news)), worker_([this] { run(); }) {}

DeskWorker::~DeskWorker() {
    {
        const std::lock_guard lock(mutex_);
        ends_ = true;
    }
    asked_.notify_all();
    worker_.join();
}

void DeskWorker::show_training(std::shared_ptr<const TrainingData> data, std::shared_ptr<const Moments> moments) {
    const std::lock_guard lock(mutex_);
    if (training_ == data && moments_ == moments) return;
    training_ = std::move(data);
    moments_ = std::move(moments);
    ++training_version_;
}

std::string DeskWorker::key(const ViewState& state) const {
    return what_figures_need(state) + (is_live(state) ? "#" + std::to_string(training_version_) : "");
}

std::shared_ptr<const DeskAnswer> DeskWorker::answer(const ViewState& state, double patience) {
    std::unique_lock lock(mutex_);
    const std::string wanted = key(state);
    const auto found = [&] { return answers_.find(wanted) != answers_.end(); };
    if (!found()) {
        const bool waits = std::any_of(wishes_.begin(), wishes_.end(), [&](const Wish& w) { return w.key == wanted; });
        if (!waits) {
            wishes_.push_back({wanted, state});
            if (wishes_.size() > kMostWishes) wishes_.erase(wishes_.begin());
            asked_.notify_all();
        }
        answered_.wait_for(lock, std::chrono::duration<double>(patience), found);
    }
    const auto at = answers_.find(wanted);
    return at == answers_.end() ? nullptr : at->second;
}

DeskAnswer DeskWorker::make(const ViewState& state) {
    try {
        return {std::make_shared<const plot::Figure>(desk_.figure(state)), {}};
    } catch (const std::bad_alloc&) {
        return {nullptr, "There is not enough memory for this figure."};
    } catch (const std::exception& error) {
        return {nullptr, one_line(error.what())};
    }
}

void DeskWorker::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        asked_.wait(lock, [&] { return ends_ || !wishes_.empty(); });
        if (ends_) return;
        const Wish wish = wishes_.back();
        const auto training = training_;
        const auto moments = moments_;
        lock.unlock();
        desk_.show_training(training, moments);
        auto answer = std::make_shared<const DeskAnswer>(make(wish.state));
        lock.lock();
        if (answers_.size() >= kMostAnswers) answers_.clear();
        answers_[wish.key] = std::move(answer);
        wishes_.erase(std::remove_if(wishes_.begin(), wishes_.end(), [&](const Wish& w) { return w.key == wish.key; }),
                      wishes_.end());
        answered_.notify_all();
        if (!news_) continue;
        lock.unlock();
        news_();
        lock.lock();
    }
}

}  // namespace whorl::viz
