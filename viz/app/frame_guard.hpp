// A frame that an exception leaves half made: ImGui's windows, fonts and colours that it began are ended for it, so
// that the next frame can say what was wrong.
#pragma once

#include <exception>
#include <string>

namespace whorl::view {

/// Begun with a frame, after ImGui::NewFrame().
class FrameGuard {
public:
    FrameGuard();
    /// All that was begun since.
    void unwind();

private:
    int fonts_;
};

/// What happened, in one line. `error` is not null.
std::string sentence(const std::exception_ptr& error);

}  // namespace whorl::view
