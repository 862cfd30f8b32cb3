// A window that nobody sees: an OpenGL context without a surface, and a framebuffer of its own.
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>

#include "core/base/error.hpp"
#include "viz/app/gl.hpp"
#include "viz/app/imgui_compat.hpp"
#include "viz/app/window.hpp"

namespace whorl::view {
namespace {

[[noreturn]] void fail(const char* step) {
    throw NoOpenGl(fmt::format(
        "no OpenGL 3.3 without a display ({}, EGL error {:#x}); Mesa's software renderer has it (packages libegl1 and "
        "libgl1-mesa-dri)",
        step, static_cast<unsigned>(eglGetError())));
}

/// The display and the context, ended in turn.
class Context {
public:
    Context() {
        const auto platform_display =
            reinterpret_cast<PFNEGLGETPLATFORMDISPLAYEXTPROC>(eglGetProcAddress("eglGetPlatformDisplayEXT"));
        if (platform_display == nullptr) fail("eglGetPlatformDisplayEXT");
        display_ = platform_display(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, nullptr);
        if (display_ == EGL_NO_DISPLAY || eglInitialize(display_, nullptr, nullptr) != EGL_TRUE) fail("eglInitialize");
        try {
            make_context();
        } catch (...) {
            eglTerminate(display_);
            throw;
        }
    }
    ~Context() {
        eglMakeCurrent(display_, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
        eglDestroyContext(display_, context_);
        eglTerminate(display_);
    }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

private:
    void make_context() {
        if (eglBindAPI(EGL_OPENGL_API) != EGL_TRUE) fail("eglBindAPI");
        const EGLint wanted[] = {EGL_SURFACE_TYPE, EGL_PBUFFER_BIT, EGL_RENDERABLE_TYPE, EGL_OPENGL_BIT, EGL_NONE};
        EGLConfig config = nullptr;
        EGLint count = 0;
        if (eglChooseConfig(display_, wanted, &config, 1, &count) != EGL_TRUE || count == 0) fail("eglChooseConfig");
        const EGLint version[] = {
            EGL_CONTEXT_MAJOR_VERSION,           3,       EGL_CONTEXT_MINOR_VERSION, 3, EGL_CONTEXT_OPENGL_PROFILE_MASK,
            EGL_CONTEXT_OPENGL_CORE_PROFILE_BIT, EGL_NONE};
        context_ = eglCreateContext(display_, config, EGL_NO_CONTEXT, version);
        if (context_ == EGL_NO_CONTEXT) fail("eglCreateContext");
        if (eglMakeCurrent(display_, EGL_NO_SURFACE, EGL_NO_SURFACE, context_) != EGL_TRUE) fail("eglMakeCurrent");
    }

    EGLDisplay display_ = EGL_NO_DISPLAY;
    EGLContext context_ = EGL_NO_CONTEXT;
};

/// What is drawn on in place of a screen.
class Framebuffer {
public:
    Framebuffer(int width, int height) {
        glGenFramebuffers(1, &frame_);
        glGenRenderbuffers(1, &colors_);
        glBindRenderbuffer(GL_RENDERBUFFER, colors_);
        glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA8, width, height);
        glBindFramebuffer(GL_FRAMEBUFFER, frame_);
        glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, colors_);
        if (glCheckFramebufferStatus(GL_FRAMEBUFFER) != GL_FRAMEBUFFER_COMPLETE)
            throw RuntimeFailure(fmt::format("no framebuffer of {} x {} pixels", width, height));
    }
    ~Framebuffer() {
        glDeleteFramebuffers(1, &frame_);
        glDeleteRenderbuffers(1, &colors_);
    }
    Framebuffer(const Framebuffer&) = delete;
    Framebuffer& operator=(const Framebuffer&) = delete;
    void bind() const { glBindFramebuffer(GL_FRAMEBUFFER, frame_); }

private:
    GLuint frame_ = 0, colors_ = 0;
};

class HiddenWindow : public Window {
public:
    explicit HiddenWindow(const WindowSize& size)
        : scale_(size.scale > 0 ? size.scale : 1),
          width_(static_cast<int>(std::lround(size.width * scale_))),
          height_(static_cast<int>(std::lround(size.height * scale_))),
          frame_(width_, height_) {}

    int width() const override { return width_; }
    int height() const override { return height_; }
    double scale() const override { return scale_; }
    double patience() const override { return 600; }
    std::string renderer() const override { return gl_renderer(); }
    void attach() override { name_keys(); }
    void detach() override {}
    bool poll(double seconds) override {
        std::unique_lock lock(mutex_);
        woken_.wait_for(lock, std::chrono::duration<double>(seconds), [&] { return news_ || !open_; });
        news_ = false;
        return open_;
    }
    void wake() override { tell(news_, true); }
    void close() override { tell(open_, false); }

    void begin_frame() override {
        ImGuiIO& io = ImGui::GetIO();
        io.DisplaySize = {static_cast<float>(width_), static_cast<float>(height_)};
        io.DeltaTime = 1.0f / 60;  // the same pictures however long they take
        frame_.bind();
    }
    void end_frame() override { glFlush(); }
    plot::Image pixels() override {
        frame_.bind();
        return read_pixels(width_, height_);
    }

private:
    void tell(bool& what, bool value) {
        {
            const std::lock_guard lock(mutex_);
            what = value;
        }
        woken_.notify_all();
    }

    double scale_;
    int width_, height_;
    Context context_;
    Framebuffer frame_;
    std::mutex mutex_;
    std::condition_variable woken_;
    bool open_ = true, news_ = false;
};

}  // namespace

std::unique_ptr<Window> hidden_window(const WindowSize& size) {
    return std::make_unique<HiddenWindow>(size);
}

}  // namespace whorl::view
