#include "viz/app/bench.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

#include "viz/app/explorer.hpp"
#include "viz/app/gl.hpp"
#include "viz/app/imgui_compat.hpp"

namespace whorl::view {
namespace {

constexpr double kFrame = 1.0 / 60;                              // seconds
constexpr double kAskedP50 = 17, kAskedP99 = 33;                 // milliseconds
constexpr double kAskedFirst = 1000, kAskedIdle = 1, kIdle = 2;  // milliseconds, per cent of a core, seconds

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double cpu_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Since the process began, loading included, to a hundredth of a second. Negative where /proc does not tell.
double process_age() {
    std::ifstream file("/proc/self/stat");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    const std::size_t name_end = text.rfind(')');  // the name may hold anything
    if (name_end == std::string::npos) return -1;
    std::istringstream fields(text.substr(name_end + 1));
    std::string field;
    for (int i = 3; i <= 22 && fields >> field; ++i) continue;  // proc(5): the 22nd is the start, in ticks since boot
    timespec boot{};
    if (!fields || clock_gettime(CLOCK_BOOTTIME, &boot) != 0) return -1;
    return static_cast<double>(boot.tv_sec) + 1e-9 * static_cast<double>(boot.tv_nsec) -
           std::stod(field) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// To and fro over the text, a token a frame: 1 … count … 1.
std::int64_t cursor_at(std::int64_t frame, std::int64_t count) {
    if (count < 2) return 1;
    const std::int64_t at = frame % (2 * count - 2);
    return 1 + (at < count ? at : 2 * count - 2 - at);
}

struct Scene {
    const char* title;
    const char* view;
    std::int64_t tokens;  // over which the cursor moves; 0: there is none
    bool trains;          // meanwhile
};
// Dials and ledger with nothing else to do first, then what a student sees who lets a training go on beside them.
constexpr Scene kScenes[] = {
    {"start", "start", 16, false},
    {"ledger", "ledger", 81, false},
    {"start, while training", "start", 16, true},
    {"ledger, while training", "ledger", 81, true},
    {"train, while training", "train", 0, true},
};

viz::ViewState state_of(const Scene& scene, std::int64_t frame) {
    viz::ViewState state;
    state.view = scene.view;
    if (scene.tokens == 0) return state;
    state.text = "size:" + std::to_string(scene.tokens);
    state.cursor = cursor_at(frame, scene.tokens);
    return state;
}

void press_space(Explorer& app) {
    for (const bool down : {true, false}) {
        send_key(Key::space, down);
        app.one_frame();
    }
}

/// Begins a training where none is under way.
void keep_training(Explorer& app) {
    if (app.live() != nullptr && !app.live()->newest()->finished) return;
    viz::ViewState state;
    state.view = "train";
    app.show(state);
    app.one_frame();
    press_space(app);
}

/// Milliseconds of each frame, until the last pixel is there. As often as a screen shows them: a training gets its
/// time between.
std::vector<double> frame_times(Explorer& app, const Scene& scene, double seconds) {
    std::vector<double> times;
    const double end = now() + seconds;
    for (std::int64_t frame = 0; now() < end; ++frame) {
        if (scene.trains) keep_training(app);
        const double begin = now();
        app.show(state_of(scene, frame));
        app.one_frame();
        glFinish();
        times.push_back(1000 * (now() - begin));
        std::this_thread::sleep_for(std::chrono::duration<double>(std::max(0.0, begin + kFrame - now())));
    }
    return times;
}

void report_idle(Explorer& app) {
    app.run_for(kIdle);  // what is still to be drawn
    const std::int64_t frames = app.frames_drawn();
    const double cpu = cpu_seconds(), begin = now();
    app.run_for(kIdle);
    const double used = cpu_seconds() - cpu, took = now() - begin;
    fmt::print("idle           {} frames, {:.1f} ms of CPU time in {:.1f} s: {:.2f} % of a core (asked: {:g} %)\n",
               app.frames_drawn() - frames, 1000 * used, took, 100 * used / took, kAskedIdle);
}

void report_times(const char* title, const std::vector<double>& times) {
    fmt::print("{:<24} {:>6} {:>8.1f} {:>8.1f} {:>8.1f}\n", title, times.size(), percentile(times, 0.5),
               percentile(times, 0.99), percentile(times, 1));
    std::fflush(stdout);
}

/// Back through the training that the scenes left, moment by moment, once with every dial made anew and once again.
void report_scrub(Explorer& app) {
    viz::ViewState state;
    state.view = "train";
    app.show(state);
    app.one_frame();
    if (app.live()->wanted() == viz::LiveWish::play) press_space(app);
    while (!app.live()->newest()->waits && !app.live()->newest()->finished)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    app.one_frame();
    const auto moments = app.live()->newest()->moments;
    if (moments == nullptr) return;
    for (const char* title : {"scrubbing", "scrubbing again"}) {
        std::vector<double> times;
        for (const viz::Moment& one : moments->at) {
            state.moment = one.step;
            const double begin = now();
            app.show(state);
            app.one_frame();
            glFinish();
            times.push_back(1000 * (now() - begin));
        }
        report_times(title, times);
    }
}

}  // namespace

double percentile(std::vector<double> times, double rank) {
    if (times.empty()) return 0;
    std::sort(times.begin(), times.end());
    const double last = std::ceil(rank * static_cast<double>(times.size())) - 1;
    return times[static_cast<std::size_t>(std::clamp(last, 0.0, static_cast<double>(times.size() - 1)))];
}

void bench(double seconds) {
    const auto window = hidden_window({});
    auto app = std::make_unique<Explorer>(*window, viz::ViewState{});
    app->still();
    const double first = 1000 * process_age();
    fmt::print("window         {} x {}, {}, {} cores\n", window->width(), window->height(), window->renderer(),
               std::thread::hardware_concurrency());
    fmt::print("first picture  {:.0f} ms after the start (asked: {:g} ms)\n", first, kAskedFirst);
    report_idle(*app);
    fmt::print("\n{:<24} {:>6} {:>8} {:>8} {:>8}\n", "milliseconds a frame", "frames", "p50", "p99", "worst");
    for (const Scene& scene : kScenes) report_times(scene.title, frame_times(*app, scene, seconds));
    report_scrub(*app);
    fmt::print("{:<24} {:>6} {:>8g} {:>8g}\n", "asked", "", kAskedP50, kAskedP99);
}

}  // namespace whorl::view
