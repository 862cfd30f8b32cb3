#include "viz/desk/live_training.hpp"

#include <algorithm>
#include <chrono>
#include <new>

#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl::viz {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kPublishEvery = 0.1;  // seconds, for the number of steps; rows are published at once

/// The thread and those that it begins give way to the window's.
void give_way() {
#ifdef __linux__
    constexpr int kNiceness = 10;
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kNiceness);
#endif
}

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Right at all sizes that it trains on, in the last two rows.
bool is_solved(const TrainingData& data, std::int64_t trained_size) {
    constexpr double kRight = 0.99;
    bool any = false;
    for (std::size_t i = 0; i < data.accuracy.size(); ++i) {
        if (data.sizes[i] > trained_size) continue;
        const std::vector<double>& rows = data.accuracy[i];
        if (rows.size() < 2 || rows.back() < kRight || rows[rows.size() - 2] < kRight) return false;
        any = true;
    }
    return any;
}

int threads_of(const LivePlan& plan) {
    if (plan.threads > 0) return static_cast<int>(plan.threads);
    return std::max(2, static_cast<int>(std::thread::hardware_concurrency())) - 1;
}

/// A GPU where there is one, else all cores but one, which draws. Of this thread alone.
std::unique_ptr<Backend> device_of(const LivePlan& plan) {
    if (plan.threads == 0 && why_no_cuda().empty() && !cuda_is_emulated()) return make_cuda_backend();
    return make_cpu_backend(threads_of(plan));
}

}  // namespace

LiveTraining::LiveTraining(LivePlan plan, std::function<void()> news)
    : plan_(std::move(plan)), news_(std::move(news)), actor_([this] { run(); }) {}

LiveTraining::~LiveTraining() {
    wish(LiveWish::stop);
    actor_.join();
}

void LiveTraining::wish(LiveWish wish) {
    {
        const std::lock_guard lock(mutex_);
        if (wish_ == LiveWish::stop) return;  // that is for good
        wish_ = wish;
        single_ = false;
    }
    changed_.notify_all();
}

void LiveTraining::one_step() {
    {
        const std::lock_guard lock(mutex_);
        if (wish_ == LiveWish::stop) return;
        wish_ = LiveWish::pause;
        single_ = true;
    }
    changed_.notify_all();
}

LiveWish LiveTraining::wanted() const {
    const std::lock_guard lock(mutex_);
    return wish_;
}

std::shared_ptr<const LiveSnapshot> LiveTraining::newest() const {
    const std::lock_guard lock(mutex_);
    return newest_;
}

bool LiveTraining::may_step(LiveSnapshot& now) {
    std::unique_lock lock(mutex_);
    while (wish_ == LiveWish::pause && !single_) {
        if (now.waits) {
            changed_.wait(lock);
            continue;
        }
        now.waits = true;
        lock.unlock();
        publish(now);
        lock.lock();  // the wish may have changed meanwhile
    }
    single_ = now.waits = false;
    return wish_ != LiveWish::stop;
}

void LiveTraining::publish(LiveSnapshot snapshot) {
    auto next = std::make_shared<const LiveSnapshot>(std::move(snapshot));
    {
        const std::lock_guard lock(mutex_);
        newest_ = std::move(next);
    }
    if (news_) news_();
}

void LiveTraining::train() {
    const RunSetup setup = set_up(load_recipe(plan_.recipe, plan_.set));
    const auto device = device_of(plan_);
    check_devices(setup, *device, {});
    Watching watching;
    watching.rows = plan_.rows;
    watching.examples = plan_.examples;
    bool row = false;
    watching.progress = [&](std::int64_t) { row = true; };
    WatchedTraining training(setup, *device, watching);
    LiveSnapshot now;
    now.steps = setup.config.training.steps;
    now.device = device->describe();
    publish(now);
    auto published = Clock::now();
    double spent = 0;
    while (!now.finished && may_step(now)) {
        row = false;
        const auto begin = Clock::now();
        training.step();
        now.step = training.steps_done();
        now.finished = training.finished();
        if (row) {
            TrainingData data = training.data();
            data.steps = now.steps;
            now.data = std::make_shared<const TrainingData>(std::move(data));
            now.moments = std::make_shared<const Moments>(
                Moments{{title_of(setup.model), "trained here", setup.model, {}, setup.task},
                        setup.config.training.curriculum.largest(),
                        training.moments()});
            if (plan_.until_solved && is_solved(*now.data, now.moments->trained_size)) now.finished = true;
        }
        spent += seconds_since(begin);
        now.seconds_a_step = spent / static_cast<double>(now.step);
        if (!row && !now.finished && seconds_since(published) < kPublishEvery) continue;
        publish(now);
        published = Clock::now();
    }
    if (now.finished) return;
    now.failure = "stopped";
    publish(now);
}

void LiveTraining::run() {
    give_way();
    const auto fail = [&](const std::string& what) {
        LiveSnapshot last = *newest();
        last.failure = one_line(what);
        publish(std::move(last));
    };
    try {
        train();
    } catch (const std::bad_alloc&) {
        fail("out of memory");
    } catch (const std::exception& error) {
        fail(error.what());
    }
}

}  // namespace whorl::viz
