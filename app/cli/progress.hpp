// The progress line of long work: rewritten in place on a terminal, a plain line every few seconds elsewhere. Goes to
// stderr, so that what the program prints can be piped.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "app/run/session.hpp"

namespace whorl::cli {

class ProgressLine {
public:
    explicit ProgressLine(std::string label);
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void show(const Progress& progress);
    /// The same for other work: `text` is asked for only when a line is due, `seconds` after the beginning.
    void show(double seconds, const std::function<std::string()>& text);
    /// A line of its own, above the progress line.
    void note(const std::string& text);
    void finish();

private:
    std::string label_;
    bool terminal_;
    double shown_at_ = -1e9;
    bool open_ = false;  // the cursor stands behind an unfinished line
};

/// The progress of a model that is fed token by token: silent for the first seconds, which are enough for most.
class TokenProgress {
public:
    /// `squared`: the work grows with the square of the tokens, as attention's does.
    TokenProgress(std::int64_t total, bool squared);
    void show(std::int64_t done);
    /// The same where `share` of the work is done.
    void show(std::int64_t done, double share);

private:
    ProgressLine line_;
    std::int64_t total_;
    bool squared_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// Hooks that show progress and notes on `line` and stop on Ctrl-C; an InterruptGuard must be alive.
SessionHooks hooks_for(ProgressLine& line);

/// "1h02m", "3m05s", "12s".
std::string duration_text(double seconds);

}  // namespace whorl::cli
