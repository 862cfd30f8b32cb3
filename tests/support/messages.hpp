// The text of the error that an action throws, for tests that read it.
#pragma once

#include <string>

/// The message of the E that `action` throws; "(nothing was thrown)" when it throws none.
template <class E, class Action>
std::string message_of(Action action) {
    try {
        action();
    } catch (const E& error) {
        return error.what();
    }
    return "(nothing was thrown)";
}
