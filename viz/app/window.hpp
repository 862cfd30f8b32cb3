// Where frames are shown: on a screen (window_glfw.cpp) or nowhere (window_egl.cpp: for screenshots and tests, without
// a display). Each brings an OpenGL 3.3 core context, which is current from its construction on.
//
// ImGui's context must exist before attach() and live until detach().
#pragma once

#include <memory>
#include <string>

#include "core/base/error.hpp"
#include "viz/paint/raster.hpp"

namespace whorl::view {

struct WindowSize {
    int width = 1280, height = 720;  // in units of 1/scale pixels
    double scale = 0;                // pixels to each; 0: what the screen asks for
    std::string title = "Whorl";
};

/// This machine's OpenGL is older than 3.3, or there is none; Mesa's software renderer may do (software.hpp).
class NoOpenGl : public RuntimeFailure {
public:
    using RuntimeFailure::RuntimeFailure;
};

class Window {
public:
    virtual ~Window() = default;

    /// Pixels, of which ImGui's coordinates are.
    virtual int width() const = 0;
    virtual int height() const = 0;
    /// Pixels to each of a drawing's, changes when a window moves to another screen.
    virtual double scale() const = 0;
    /// Of the machine's OpenGL: "llvmpipe …" where a program draws in place of a graphics chip.
    virtual std::string renderer() const = 0;

    /// How long a frame waits for its figure, seconds: where nobody looks on, as long as it takes.
    virtual double patience() const { return 0.03; }

    virtual void attach() = 0;
    virtual void detach() = 0;

    /// Waits for an event for at most so many seconds, and takes all there are. False once the window is to be closed.
    virtual bool poll(double seconds) = 0;
    /// Ends the waiting; from any thread.
    virtual void wake() = 0;
    virtual void close() = 0;

    /// Before and after ImGui's own; begin_frame also clears.
    virtual void begin_frame() = 0;
    virtual void end_frame() = 0;
    /// What the last frame shows, to be called between drawing and end_frame().
    virtual plot::Image pixels() = 0;
};

/// Throws NoOpenGl where there is no OpenGL 3.3 by EGL, not even in software.
std::unique_ptr<Window> hidden_window(const WindowSize& size);

/// Throws UserError without a display, NoOpenGl without OpenGL 3.3.
std::unique_ptr<Window> visible_window(const WindowSize& size);

}  // namespace whorl::view
