#include "app/run/interrupt.hpp"

#include <csignal>

namespace whorl {
namespace {

volatile std::sig_atomic_t received = 0;
struct sigaction earlier_interrupt, earlier_terminate, earlier_hangup;

void note(int number) {
    received = number;
}

}  // namespace

InterruptGuard::InterruptGuard() {
    received = 0;
    struct sigaction action = {};
    action.sa_handler = note;
    action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;  // the second one has the default effect
    sigaction(SIGINT, &action, &earlier_interrupt);
    sigaction(SIGTERM, &action, &earlier_terminate);
    sigaction(SIGHUP, nullptr, &earlier_hangup);
    // Under nohup it is ignored, and a run that is to outlive its terminal does.
    if (earlier_hangup.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
}

InterruptGuard::~InterruptGuard() {
    sigaction(SIGINT, &earlier_interrupt, nullptr);
    sigaction(SIGTERM, &earlier_terminate, nullptr);
    sigaction(SIGHUP, &earlier_hangup, nullptr);
}

int InterruptGuard::signal() {
    return static_cast<int>(received);
}

}  // namespace whorl
