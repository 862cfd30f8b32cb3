// What goes wrong is said in the window, and the window goes on.
#include <imgui_internal.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <new>

#include "app/run/shipped_models.hpp"
#include "core/io/checkpoint_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"
#include "viz/app/app.hpp"
#include "viz/app/explorer.hpp"
#include "viz/app/frame_guard.hpp"
#include "viz/app/software.hpp"
#include "viz/app/zoom.hpp"

using namespace whorl;
using namespace whorl::view;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Nothing where this machine has no OpenGL.
std::unique_ptr<Window> window() {
    try {
        return hidden_window({640, 360, 1, "Test"});
    } catch (const RuntimeFailure& error) {
        WARN("skipped: " << error.what());
        return nullptr;
    }
}

class FragileApp : public App {
public:
    using App::App;
    std::function<void()> disaster;
    std::string told;

protected:
    void frame() override {
        begin_page("fragile");
        ImGui::PushFont(fonts().widget(plot::Face::bold, 18));
        ImGui::PushStyleVar(ImGuiStyleVar_FrameRounding, 3);
        ImGui::PushStyleColor(ImGuiCol_Text, ImVec4{1, 0, 0, 1});
        ImGui::PushID(7);
        ImGui::PushTextWrapPos(100);
        ImGui::BeginGroup();
        ImGui::GetWindowDrawList()->PushClipRect({0, 0}, {10, 10});
        if (disaster) disaster();
        ImGui::GetWindowDrawList()->PopClipRect();
        ImGui::EndGroup();
        ImGui::PopTextWrapPos();
        ImGui::PopID();
        ImGui::PopStyleColor();
        ImGui::PopStyleVar();
        ImGui::PopFont();
        ImGui::End();
    }
    void failed(const std::string& what) override { told = what; }
};

std::size_t inked(const plot::Image& picture) {
    std::size_t found = 0;
    for (std::size_t i = 4; i < picture.rgba.size(); i += 4)
        found += !std::equal(&picture.rgba[i], &picture.rgba[i + 3], picture.rgba.data());
    return found;
}

/// What a state's window says where its figure should be.
std::string said(const viz::ViewState& state) {
    viz::Desk desk;
    return message_of<UserError>([&] { desk.figure(state); });
}

}  // namespace

TEST_CASE("a frame that is left by an exception is followed by whole ones", "[view][failures]") {
    const auto shown = window();
    if (!shown) return;
    FragileApp app(*shown);
    app.one_frame();
    CHECK_FALSE(app.failure());
    const int colors = GImGui->ColorStack.Size, variables = GImGui->StyleVarStack.Size, fonts = GImGui->FontStack.Size;
    const std::pair<std::function<void()>, const char*> disasters[] = {
        {[] { throw std::bad_alloc(); }, "not enough memory"},
        {[] { throw UserError("no such thing"); }, "no such thing"},
        {[] { throw RuntimeFailure("the disk is full"); }, "disk is full"},
        {[] { throw std::out_of_range("map::at"); }, "Internal error: map::at"},
        {[] { throw 7; }, "Internal error"},
    };
    for (const auto& [disaster, words] : disasters) {
        INFO(words);
        app.disaster = disaster;
        app.one_frame();
        CHECK(app.failure());
        CHECK_THAT(app.told, ContainsSubstring(words));
        CHECK(GImGui->ColorStack.Size == colors);
        CHECK(GImGui->StyleVarStack.Size == variables);
        CHECK(GImGui->FontStack.Size == fonts);
        CHECK_THROWS(app.still());  // a picture that nobody looks at is not one of a failure
        app.disaster = nullptr;
        app.one_frame();
        CHECK_FALSE(app.failure());
    }
}

TEST_CASE("the window says what went wrong in its frame", "[view][failures]") {
    const auto shown = window();
    if (!shown) return;
    FragileApp app(*shown);
    app.still();
    CHECK(inked(shown->pixels()) == 0);
    app.disaster = [] { throw std::bad_alloc(); };
    for (int i = 0; i < 3; ++i) app.one_frame();
    CHECK(inked(shown->pixels()) > 300);
}

TEST_CASE("a damaged model and one of another version are named", "[view][failures]") {
    const TemporaryFolder folder;
    const NamedModel model = named_model("parity-mamba3");
    const std::string path = folder / "mine.safetensors";
    save_model(path, model.config, model.slice, "");
    viz::ViewState state;
    state.view = "dials";
    state.models = {path};
    const std::string whole = slurp(path);
    CHECK_THAT(said(state), ContainsSubstring("does not say what task"));
    spill(path, whole.substr(0, whole.size() / 2));
    CHECK_THAT(said(state), ContainsSubstring(path));
    std::string later = whole;
    const std::string format = "whorl-checkpoint-1";
    later.replace(later.find(format), format.size(), "whorl-checkpoint-2");
    spill(path, later);
    CHECK_THAT(said(state), ContainsSubstring("format 'whorl-checkpoint-2'"));
    const auto shown = window();
    if (!shown) return;
    Explorer app(*shown, state);
    CHECK(app.still().width == 640);
    CHECK_FALSE(app.figure().has_value());
}

TEST_CASE("a lesson that is damaged while it is taught is left", "[view][failures]") {
    const TemporaryFolder folder;
    const std::string path = folder / "mine.toml";
    spill(path, "titel = 'Turned'\n");
    const auto shown = window();
    if (!shown) return;
    viz::ViewState state;
    state.lesson = path;
    Explorer app(*shown, state);
    CHECK(app.still().width == 640);
    CHECK(app.state().lesson.empty());
}

TEST_CASE("software is tried once", "[view][failures]") {
    ::setenv("LIBGL_ALWAYS_SOFTWARE", "1", 1);
    char* words[] = {nullptr};
    CHECK_THAT(start_in_software(NoOpenGl("no OpenGL 3.3"), words), ContainsSubstring("nor in software"));
    ::unsetenv("LIBGL_ALWAYS_SOFTWARE");
}

TEST_CASE("scales go up and down in steps and back to one", "[view][zoom]") {
    CHECK(zoomed(1, 1) == 1.1);
    CHECK(zoomed(1, -1) == 0.9);
    CHECK(zoomed(1.3, 1) == 1.5);
    CHECK(zoomed(1.3, -1) == 1.25);
    CHECK(zoomed(4, 1) == 4);
    CHECK(zoomed(0.5, -1) == 0.5);
    CHECK(zoomed(3.7, 0) == 1);
}
