#include "viz/app/app.hpp"

#include <backends/imgui_impl_opengl3.h>

#include <chrono>
#include <limits>

#include "viz/app/frame_guard.hpp"
#include "viz/app/gl.hpp"
#include "viz/app/imgui_compat.hpp"
#include "viz/app/style.hpp"

namespace whorl::view {
namespace {

constexpr double kFrame = 1.0 / 60;  // seconds between frames while something moves
constexpr double kIdle = 0.5;        // and between looks while nothing does
constexpr int kSettle = 3;           // frames that widgets take until they stand still

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

App::App(Window& window) : window_(window), textures_(std::make_unique<GlTextures>()) {
    IMGUI_CHECKVERSION();
    ImGui::CreateContext();
    ImGuiIO& io = ImGui::GetIO();
    io.IniFilename = io.LogFilename = nullptr;
    window_.attach();
    fonts_.update(scale());
    if (!ImGui_ImplOpenGL3_Init("#version 330 core") || !ImGui_ImplOpenGL3_CreateDeviceObjects())
        throw NoOpenGl("OpenGL 3.3 does not take ImGui's shaders");
}

App::~App() {
    textures_.reset();
    ImGui_ImplOpenGL3_Shutdown();
    window_.detach();
    ImGui::DestroyContext();
}

void App::run(const std::function<void()>& between) {
    run_for(std::numeric_limits<double>::infinity(), between);
}

void App::run_for(double seconds, const std::function<void()>& between) {
    const double end = now() + seconds;
    while (now() < end && wait()) {
        if (frames_ > 0 || moves()) one_frame();
        if (between) between();
    }
}

/// Takes what events there are, after a while if nothing is to be drawn. False once the window is closed.
bool App::wait() {
    const double begin = now(), busy = last_frame_ + kFrame - begin;
    const double longest = frames_ > 0 || moves() ? std::max(0.0, busy) : kIdle;
    if (!window_.poll(longest)) return false;
    const bool woken = longest == kIdle && now() - begin < 0.98 * kIdle;
    if (woken || (longest == kIdle && ImGui::GetIO().WantTextInput)) ask_for_frames(kSettle);
    return true;
}

void App::one_frame() {
    draw(nullptr);
}

plot::Image App::still() {
    constexpr int kMost = 20;
    plot::Image picture;
    for (int i = 0; i < kMost && (i < kSettle || !fonts_.complete()); ++i) draw(nullptr);
    draw(&picture);
    if (failure_) std::rethrow_exception(failure_);
    return picture;
}

void App::renew_look() {
    apply_style(*theme_, scale());
    if (!fonts_.update(scale(), theme_->text / 13)) return;
    ImGui_ImplOpenGL3_DestroyFontsTexture();
    ImGui_ImplOpenGL3_CreateFontsTexture();
}

void App::draw(plot::Image* picture) {
    last_frame_ = now();
    frames_ = std::max(0, frames_ - 1);
    if (window_.width() <= 0 || window_.height() <= 0) return;  // folded away
    ++frames_drawn_;
    renew_look();
    window_.begin_frame();
    ImGui_ImplOpenGL3_NewFrame();
    ImGui::NewFrame();
    guarded_frame();
    ImGui::Render();
    clear_frame(window_.width(), window_.height(), theme_->card);
    ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
    if (picture != nullptr) *picture = window_.pixels();
    textures_->end_frame();
    window_.end_frame();
    if (!fonts_.complete()) ask_for_frames(1);
}

void App::guarded_frame() {
    failure_ = nullptr;
    FrameGuard guard;
    try {
        frame();
    } catch (...) {
        failure_ = std::current_exception();
        guard.unwind();
        const std::string what = sentence(failure_);
        say_failure(what);
        failed(what);
    }
}

void App::say_failure(const std::string& what) {
    const auto width = static_cast<float>(window_.width()), margin = static_cast<float>(24 * scale());
    ImGui::SetNextWindowPos({margin, margin});
    ImGui::SetNextWindowSize({width - 2 * margin, 0});
    ImGui::SetNextWindowFocus();
    ImGui::Begin("failure", nullptr, ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoSavedSettings);
    ImGui::TextWrapped("%s", what.c_str());
    ImGui::TextWrapped("Ctrl Z takes the last step back, Alt 1 opens the start screen.");
    ImGui::End();
}

void begin_page(const char* id) {
    const ImGuiIO& io = ImGui::GetIO();
    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize(io.DisplaySize);
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {0, 0});
    ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, 0);
    ImGui::Begin(id, nullptr,
                 ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings |
                     ImGuiWindowFlags_NoBackground | ImGuiWindowFlags_NoBringToFrontOnFocus);
    ImGui::PopStyleVar(2);
}

}  // namespace whorl::view
