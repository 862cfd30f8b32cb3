// Ctrl-C, SIGTERM, and a terminal that goes away (SIGHUP) as a request to finish the step, save and leave. A second one
// ends the program at once.
#pragma once

namespace whorl {

class InterruptGuard {
public:
    /// Installs the handlers; the destructor puts the earlier ones back. One guard at a time.
    InterruptGuard();
    ~InterruptGuard();
    InterruptGuard(const InterruptGuard&) = delete;
    InterruptGuard& operator=(const InterruptGuard&) = delete;

    /// The signal that came, or 0.
    static int signal();
};

}  // namespace whorl
