// The progress line of long work: rewritten in place on a terminal, a plain line every few seconds elsewhere. Goes to
// stderr, so that what the program prints can be piped.
#pragma once

#include <string>

#include "experiments/run/session.hpp"

namespace whorl::cli {

class ProgressLine {
public:
    explicit ProgressLine(std::string label);
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void show(const Progress& progress);
    /// A line of its own, above the progress line.
    void note(const std::string& text);
    void finish();

private:
    std::string label_;
    bool terminal_;
    double shown_at_ = -1e9;
    bool open_ = false;  // the cursor stands behind an unfinished line
};

/// Hooks that show progress and notes on `line` and stop on Ctrl-C; an InterruptGuard must be alive.
SessionHooks hooks_for(ProgressLine& line);

/// "1h02m", "3m05s", "12s".
std::string duration_text(double seconds);

}  // namespace whorl::cli
