#include "viz/desk/followed_run.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <new>

#include "app/run/manifest.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/checkpoint_file.hpp"

namespace whorl::viz {
namespace {

namespace fs = std::filesystem;

constexpr auto kLookEvery = std::chrono::milliseconds(400);

std::string time_and_size(const std::string& path) {
    std::error_code error;
    const auto time = fs::last_write_time(path, error).time_since_epoch().count();
    const auto size = fs::file_size(path, error);
    return error ? "-" : fmt::format("{}:{}", time, size);
}

bool has_logged(const RunDirectory& run) {
    bool any = false;
    if (!fs::exists(run.metrics_path())) return false;
    run.visit_metrics([&](const Document& row) {
        const Value* kind = find(row.root, "kind");
        const auto* name = kind == nullptr ? nullptr : std::get_if<std::string>(&kind->data);
        any = name != nullptr && *name == "train";
        return !any;
    });
    return any;
}

}  // namespace

FollowedRun::FollowedRun(std::string source, std::function<void()> news)
    : source_(std::move(source)), name_(source_name(source_)), news_(std::move(news)), reader_([this] { follow(); }) {}

FollowedRun::~FollowedRun() {
    {
        const std::lock_guard lock(mutex_);
        ends_ = true;
    }
    changed_.notify_all();
    reader_.join();
}

std::shared_ptr<const LiveSnapshot> FollowedRun::newest() const {
    const std::lock_guard lock(mutex_);
    return newest_;
}

void FollowedRun::wait() const {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return read_ || ends_; });
}

std::string FollowedRun::stamp() const {
    const std::string& run = name_.path;
    return time_and_size(run + "/metrics.jsonl") + time_and_size(run + "/manifest.json") +
           time_and_size(run + "/snapshots") + time_and_size(run + "/checkpoints");
}

LiveSnapshot FollowedRun::read() {
    const ReplicaChoice choice = replica_choice(name_.replica);
    const RunDirectory run = RunDirectory::open(name_.path);
    LiveSnapshot now;
    now.status = load_status(run).status;
    now.steps = load_setup(run).config.training.steps;
    if (!has_logged(run)) return now;
    const auto replica = choice.index < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(choice.index));
    last_ = load_stored_training(name_.path, replica, {}, last_ ? &*last_ : nullptr);
    now.step = last_->step, now.steps = last_->steps, now.status = last_->status;
    now.finished = now.status == "finished";
    now.data = std::make_shared<const TrainingData>(last_->data);
    if (!last_->moments.at.empty()) now.moments = std::make_shared<const Moments>(last_->moments);
    return now;
}

void FollowedRun::publish(LiveSnapshot snapshot) {
    auto next = std::make_shared<const LiveSnapshot>(std::move(snapshot));
    {
        const std::lock_guard lock(mutex_);
        newest_ = std::move(next);
        read_ = true;
    }
    changed_.notify_all();
    if (news_) news_();
}

void FollowedRun::follow() {
    const auto fail = [&](const std::string& what) {
        LiveSnapshot failed = *newest();  // what was read before is still to be seen
        failed.failure = one_line(what);
        publish(std::move(failed));
    };
    for (std::string seen;;) {
        const std::string now = stamp();
        if (now != seen) {
            seen = now;
            try {
                publish(read());
            } catch (const std::bad_alloc&) {
                fail("out of memory");
            } catch (const std::exception& error) {
                fail(error.what());
            }
        }
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, kLookEvery, [&] { return ends_; })) return;
    }
}

}  // namespace whorl::viz
