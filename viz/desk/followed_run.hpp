// A run on disk that is looked at: read in a thread of its own, and read again whenever its files have grown, so that a
// run under way is seen as it goes and the window never waits.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "viz/data/shown_model.hpp"
#include "viz/desk/live_training.hpp"

namespace whorl::viz {

class FollowedRun {
public:
    /// `source`: a run, with @N for its replica N; `news` is called from the thread after each reading.
    explicit FollowedRun(std::string source, std::function<void()> news = {});
    /// Waits for a reading that is under way.
    ~FollowedRun();
    FollowedRun(const FollowedRun&) = delete;
    FollowedRun& operator=(const FollowedRun&) = delete;

    const std::string& source() const { return source_; }
    /// As of the last reading: data and moments are empty before the run has logged a loss, `failure` says why a run
    /// cannot be read, `status` how far it is.
    std::shared_ptr<const LiveSnapshot> newest() const;
    /// Waits for the first reading.
    void wait() const;

private:
    void follow();
    LiveSnapshot read();
    /// What changes when the run's files do.
    std::string stamp() const;
    void publish(LiveSnapshot snapshot);

    const std::string source_;
    const SourceName name_;
    const std::function<void()> news_;
    std::optional<StoredTraining> last_;  // the thread's alone
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    bool ends_ = false, read_ = false;
    std::shared_ptr<const LiveSnapshot> newest_ = std::make_shared<LiveSnapshot>();
    std::thread reader_;  // last: it begins when the others are there
};

}  // namespace whorl::viz
