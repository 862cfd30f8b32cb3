#include "viz/app/frame_guard.hpp"

#include <imgui_internal.h>

#include <new>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl::view {

FrameGuard::FrameGuard() : fonts_(GImGui->FontStack.Size) {}

void FrameGuard::unwind() {
    while (GImGui->FontStack.Size > fonts_) ImGui::PopFont();
    ImGui::ErrorCheckEndFrameRecover(nullptr);  // ends windows with all else that was begun in them
}

std::string sentence(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const UserError& wrong) {
        return one_line(wrong.what());
    } catch (const RuntimeFailure& wrong) {
        return one_line(wrong.what());
    } catch (const std::bad_alloc&) {
        return "There is not enough memory for that.";
    } catch (const std::exception& wrong) {
        return one_line(std::string("Internal error: ") + wrong.what());
    } catch (...) {
        return "Internal error.";
    }
}

}  // namespace whorl::view
