#include "app/cli/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/run/interrupt.hpp"

namespace whorl::cli {
namespace {

constexpr double kTerminalSeconds = 0.2, kPlainSeconds = 5.0, kSilentSeconds = 3.0;

// The replica with the lowest loss stands for the population: what people wait for is the first that succeeds.
std::size_t leader(const TrainingRow& row) {
    std::size_t lowest = 0;
    for (std::size_t r = 1; r < row.loss.size(); ++r)
        if (row.loss[r] < row.loss[lowest] || std::isnan(row.loss[lowest])) lowest = r;
    return lowest;
}

std::string count_text(double count) {
    if (count >= 1e6) return fmt::format("{:.2f}M", count / 1e6);
    return count >= 1e3 ? fmt::format("{:.0f}k", count / 1e3) : fmt::format("{:.0f}", count);
}

std::string progress_text(const std::string& label, const Progress& p) {
    const std::size_t shown = leader(p.row);
    const double fresh = static_cast<double>(p.row.step - p.steps_before),
                 left = static_cast<double>(p.steps - p.row.step);
    const double rate = static_cast<double>((p.row.tokens - p.tokens_before) * p.replicas) / std::max(p.seconds, 1e-9);
    const char* whose = p.replicas > 1 ? "lowest " : "";
    return fmt::format("{} {}/{} ({:.0f} %), {} tokens/s, {} left, size {}, {}loss {:.3f}, accuracy {:.3f}", label,
                       p.row.step, p.steps, 100.0 * static_cast<double>(p.row.step) / static_cast<double>(p.steps),
                       count_text(rate), duration_text(p.seconds / std::max(fresh, 1.0) * left), p.row.max_size, whose,
                       p.row.loss[shown], p.row.accuracy[shown]);
}

}  // namespace

std::string duration_text(double seconds) {
    const auto whole = static_cast<long long>(std::llround(std::clamp(seconds, 0.0, 1e9)));
    if (whole >= 3600) return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
    return whole >= 60 ? fmt::format("{}m{:02}s", whole / 60, whole % 60) : fmt::format("{}s", whole);
}

ProgressLine::ProgressLine(std::string label) : label_(std::move(label)), terminal_(isatty(STDERR_FILENO) == 1) {}
ProgressLine::~ProgressLine() {
    finish();
}

void ProgressLine::show(const Progress& progress) {
    show(progress.seconds, [&] { return progress_text(label_, progress); });
}

void ProgressLine::show(double seconds, const std::function<std::string()>& text) {
    if (seconds - shown_at_ < (terminal_ ? kTerminalSeconds : kPlainSeconds)) return;
    shown_at_ = seconds;
    // \x1b[K clears what a longer line before left behind.
    std::fprintf(stderr, terminal_ ? "\r%s\x1b[K" : "%s\n", text().c_str());
    std::fflush(stderr);
    open_ = terminal_;
}

void ProgressLine::note(const std::string& text) {
    finish();
    std::fprintf(stderr, "%s\n", text.c_str());
}

void ProgressLine::finish() {
    if (open_) std::fputs("\n", stderr);
    open_ = false;
}

TokenProgress::TokenProgress(std::int64_t total, bool squared) : line_(""), total_(total), squared_(squared) {}

void TokenProgress::show(std::int64_t done) {
    const double share = static_cast<double>(done) / static_cast<double>(total_);
    show(done, squared_ ? share * share : share);
}

void TokenProgress::show(std::int64_t done, double share) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    if (seconds < kSilentSeconds || done == 0) return;
    line_.show(seconds, [&] {
        return fmt::format("{} of {} tokens, about {} left", done, total_, duration_text(seconds * (1 / share - 1)));
    });
}

SessionHooks hooks_for(ProgressLine& line) {
    SessionHooks hooks;
    hooks.progress = [&line](const Progress& progress) { line.show(progress); };
    hooks.note = [&line](const std::string& text) { line.note(text); };
    hooks.stop = [] { return InterruptGuard::signal() != 0; };
    return hooks;
}

}  // namespace whorl::cli
