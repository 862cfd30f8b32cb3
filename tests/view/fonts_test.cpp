// The letters of widgets and figures, at every scale.
#include "viz/app/fonts.hpp"

#include <cmath>
#include <memory>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/picture.hpp"
#include "viz/app/app.hpp"

using namespace whorl;
using namespace whorl::view;
using plot::Face;

namespace {

/// ImGui's context alone, without a window.
struct ImguiOnly {
    ImguiOnly() { ImGui::CreateContext(); }
    ~ImguiOnly() { ImGui::DestroyContext(); }
};

class WidgetApp : public App {
public:
    using App::App;

protected:
    void frame() override {
        ImGui::SetNextWindowPos({0, 0});
        ImGui::SetNextWindowSize(ImGui::GetIO().DisplaySize);
        ImGui::Begin("widgets", nullptr, ImGuiWindowFlags_NoDecoration);
        ImGui::TextUnformatted("Δθ ← αRu ✓");
        ImGui::PushFont(fonts().widget(Face::bold, 26));
        ImGui::Button("Show");
        ImGui::PopFont();
        ImGui::End();
    }
};

}  // namespace

TEST_CASE("widgets have all letters that figures have", "[view][fonts]") {
    const ImguiOnly context;
    Fonts fonts;
    for (const double scale : {1.0, 1.6, 2.0}) {
        REQUIRE(fonts.update(scale));
        CHECK_FALSE(fonts.update(scale));
        for (const Face face : {Face::regular, Face::bold})
            for (char32_t letter = 0x20; letter < 0xFFFF; ++letter)
                if (plot::has_glyph(face, letter))
                    REQUIRE(fonts.widget(face, 13)->FindGlyphNoFallback(static_cast<ImWchar>(letter)) != nullptr);
    }
}

TEST_CASE("widgets' texts are as wide as figures' texts", "[view][fonts]") {
    const ImguiOnly context;
    Fonts fonts;
    const char* text = "What does each do at the next 1? Δθ = π";
    for (const double scale : {1.0, 1.6, 2.0}) {
        fonts.update(scale);
        ImFont* font = fonts.widget(Face::regular, 13);
        const double width = static_cast<double>(font->CalcTextSizeA(font->FontSize, 1e6f, 0, text).x);
        const plot::FontHeights& heights = plot::font_heights(Face::regular);
        const double em = static_cast<double>(font->FontSize) / (heights.ascent - heights.descent);
        CHECK(width == Approx(plot::text_width(text, Face::regular) * em).epsilon(0.003));
        CHECK(em == Approx(13 * scale).margin(1));  // later versions have whole sizes of lines
    }
}

TEST_CASE("a figure's letters are there one frame later", "[view][fonts]") {
    const ImguiOnly context;
    Fonts fonts;
    fonts.update(1.6);
    CHECK(fonts.complete());
    const std::vector<char32_t> letters = plot::letters_of("½ ✗ Ж");  // no font here has the last
    CHECK(fonts.text(Face::bold, 33.3, letters).font != nullptr);
    CHECK_FALSE(fonts.complete());
    CHECK(fonts.update(1.6));
    const SizedFont there = fonts.text(Face::bold, 33.3, letters);
    CHECK(fonts.complete());
    CHECK(static_cast<double>(there.em) == Approx(33.3).margin(1));
    CHECK(there.font->FindGlyphNoFallback(0x2717) != nullptr);
}

TEST_CASE("widgets are shown in each theme", "[view][fonts]") {
    std::unique_ptr<Window> window;
    try {
        window = hidden_window({320, 240, 1.6, "Test"});
    } catch (const RuntimeFailure& error) {
        SKIP(error.what());
    }
    WidgetApp app(*window);
    for (const std::string& name : plot::theme_names()) {
        app.set_theme(plot::theme(name));
        const plot::Image image = app.still();
        const std::uint8_t* corner = &image.rgba[4 * static_cast<std::size_t>(image.width) * 100 + 40];
        CHECK(int{corner[0]} == int{app.theme().ground.red});
        std::size_t ink = 0;
        for (std::size_t i = 0; i < image.rgba.size(); i += 4) ink += image.rgba[i] == corner[0] ? 0 : 1;
        CHECK(ink > 500);
        CHECK(ink < image.rgba.size() / 8);
    }
}
