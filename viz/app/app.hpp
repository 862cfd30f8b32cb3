// The loop around ImGui: frames as long as something moves, and none while nothing does.
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>

#include "viz/app/fonts.hpp"
#include "viz/app/gl_textures.hpp"
#include "viz/app/window.hpp"
#include "viz/plot/theme.hpp"

namespace whorl::view {

/// One at a time: ImGui has one context.
class App {
public:
    /// `window` outlives it.
    explicit App(Window& window);
    virtual ~App();
    App(const App&) = delete;
    App& operator=(const App&) = delete;

    /// Until the window is closed; `between` is called after every frame, and twice a second while there is none.
    void run(const std::function<void()>& between = {});
    /// The same, for so long at most.
    void run_for(double seconds, const std::function<void()>& between = {});
    std::int64_t frames_drawn() const { return frames_drawn_; }
    /// Draws one frame, whatever moves. What goes wrong in it is said in the window.
    void one_frame();
    /// What went wrong in the last frame; null: nothing.
    const std::exception_ptr& failure() const { return failure_; }
    /// Frames until all letters are there and widgets have found their sizes; what the last one shows. Throws what goes
    /// wrong in it.
    plot::Image still();

    /// A factor on the window's scale, the user's choice.
    void set_zoom(double zoom) { zoom_ = zoom; }
    /// Widgets' colours and type sizes from the next frame on.
    void set_theme(const plot::Theme& theme) { theme_ = &theme; }
    const plot::Theme& theme() const { return *theme_; }
    /// Pixels to each of a drawing's.
    double scale() const { return window_.scale() * zoom_; }
    /// At least so many more frames, without input.
    void ask_for_frames(int count) { frames_ = std::max(frames_, count); }

protected:
    /// Fills the window by ImGui's calls.
    virtual void frame() = 0;
    /// frame() was left by an exception, and the window shows what it said in its place.
    virtual void failed(const std::string& /*what*/) {}
    /// True: frames go on, 60 a second at most.
    virtual bool moves() const { return false; }

    Window& window() { return window_; }
    const Window& window() const { return window_; }
    Fonts& fonts() { return fonts_; }
    Brush brush(ImDrawList& list) { return {list, fonts_, &*textures_}; }

private:
    void renew_look();
    void draw(plot::Image* picture);
    void guarded_frame();
    void say_failure(const std::string& what);
    bool wait();

    Window& window_;
    Fonts fonts_;
    std::unique_ptr<GlTextures> textures_;
    const plot::Theme* theme_ = &plot::theme("light");
    double zoom_ = 1, last_frame_ = 0;
    int frames_ = 3;
    std::int64_t frames_drawn_ = 0;
    std::exception_ptr failure_;
};

/// Begins an ImGui window without frame or decoration that fills the whole; call ImGui::End() after.
void begin_page(const char* id);

}  // namespace whorl::view
