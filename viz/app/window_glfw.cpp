// A window on the screen, by GLFW.
#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>
#include <backends/imgui_impl_glfw.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/base/error.hpp"
#include "viz/app/gl.hpp"
#include "viz/app/window.hpp"

namespace whorl::view {
namespace {

std::string last_problem() {
    const char* text = nullptr;
    glfwGetError(&text);
    return text == nullptr ? "" : text;
}

bool is_set(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr && *value != '\0';
}

[[noreturn]] void fail_without_display() {
    const std::string problem = last_problem();
    const bool named = is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
    throw UserError(
        fmt::format("no window can be opened: {}; 'whorl view --screenshot FILE.png' takes a picture without "
                    "a display, 'ssh -X' forwards one",
                    named ? problem : "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)"));
}

/// The library, ended last.
struct Library {
    Library() {
        if (glfwInit() != GLFW_TRUE) fail_without_display();
    }
    ~Library() { glfwTerminate(); }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
};

/// Of the first screen.
double screen_scale() {
    float x = 1, y = 1;
    if (GLFWmonitor* screen = glfwGetPrimaryMonitor(); screen != nullptr) glfwGetMonitorContentScale(screen, &x, &y);
    return std::max(1.0, static_cast<double>(x));
}

class VisibleWindow : public Window {
public:
    explicit VisibleWindow(const WindowSize& size) : chosen_(size.scale) {
        glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
        glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 3);
        glfwWindowHint(GLFW_OPENGL_PROFILE, GLFW_OPENGL_CORE_PROFILE);
        glfwWindowHint(GLFW_OPENGL_FORWARD_COMPAT, GLFW_TRUE);
        const double scale = chosen_ > 0 ? chosen_ : screen_scale();
        const auto pixels = [&](int length) { return static_cast<int>(std::lround(length * scale)); };
        window_ = glfwCreateWindow(pixels(size.width), pixels(size.height), size.title.c_str(), nullptr, nullptr);
        if (window_ == nullptr) throw NoOpenGl(fmt::format("no OpenGL 3.3 on this display: {}", last_problem()));
        glfwMakeContextCurrent(window_);
        glfwSwapInterval(1);
    }
    ~VisibleWindow() override { glfwDestroyWindow(window_); }
    VisibleWindow(const VisibleWindow&) = delete;
    VisibleWindow& operator=(const VisibleWindow&) = delete;

    int width() const override { return framebuffer().width; }
    int height() const override { return framebuffer().height; }
    double scale() const override {
        float x = 1, y = 1;
        glfwGetWindowContentScale(window_, &x, &y);
        return chosen_ > 0 ? chosen_ : std::max(1.0, static_cast<double>(x));
    }
    std::string renderer() const override { return gl_renderer(); }

    void attach() override { ImGui_ImplGlfw_InitForOpenGL(window_, true); }
    void detach() override { ImGui_ImplGlfw_Shutdown(); }
    bool poll(double seconds) override {
        seconds > 0 ? glfwWaitEventsTimeout(seconds) : glfwPollEvents();
        return glfwWindowShouldClose(window_) == 0;
    }
    void wake() override { glfwPostEmptyEvent(); }
    void close() override { glfwSetWindowShouldClose(window_, GLFW_TRUE); }

    void begin_frame() override { ImGui_ImplGlfw_NewFrame(); }
    void end_frame() override { glfwSwapBuffers(window_); }
    plot::Image pixels() override { return read_pixels(width(), height()); }

private:
    WindowSize framebuffer() const {
        WindowSize size;
        glfwGetFramebufferSize(window_, &size.width, &size.height);
        return size;
    }

    Library library_;
    double chosen_;
    GLFWwindow* window_ = nullptr;
};

}  // namespace

std::unique_ptr<Window> visible_window(const WindowSize& size) {
    return std::make_unique<VisibleWindow>(size);
}

}  // namespace whorl::view
