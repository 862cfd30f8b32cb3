// What a lesson dims or hides of the view and its controls, and where a position is guessed.
#include <cmath>

#include "viz/app/explorer.hpp"
#include "viz/lessons/answer.hpp"
#include "viz/lessons/dimming.hpp"

namespace whorl::view {
namespace {

constexpr double kDimmed = 0.76, kHidden = 1;  // of the ground over it

ImVec2 on_screen(const Pane& pane, const plot::Point& paper) {
    return {pane.spot.at.x + static_cast<float>(paper.x * pane.spot.scale),
            pane.spot.at.y + static_cast<float>(paper.y * pane.spot.scale)};
}

}  // namespace

void Explorer::veil(const ImVec2& low, const ImVec2& high, double opacity, const plot::Color& over) {
    plot::Color color = over;
    color.opacity = opacity;
    ImGui::GetWindowDrawList()->AddRectFilled(low, high, packed_color(color));
}

void Explorer::veil_unless(const std::string& allowed, const ImVec2& low, const ImVec2& high, const plot::Color& over) {
    if (lesson() != nullptr && !viz::allows(lesson_step(), stage(), allowed)) veil(low, high, kDimmed, over);
}

void Explorer::veil(const Pane& pane) {
    if (lesson() == nullptr) return;
    const auto cover = [&](const plot::Box& box, double opacity) {
        const ImVec2 low = on_screen(pane, box.low), high = on_screen(pane, box.high);
        veil({low.x - units(4), low.y - units(4)}, {high.x + units(4), high.y + units(4)}, opacity, theme().card);
    };
    for (const plot::Box& box : viz::dimmed_parts(pane.placed, lesson_step().show)) cover(box, kDimmed);
    if (stage() == viz::Stage::predict)
        for (const plot::Box& box : viz::hidden_parts(pane.placed, lesson_step().hide)) {
            cover(box, kHidden);
            const ImVec2 low = on_screen(pane, box.low), high = on_screen(pane, box.high);
            const char* text = "shown once you have predicted";
            const ImVec2 size = ImGui::CalcTextSize(text);
            if (size.x > high.x - low.x || 4 * size.y > high.y - low.y) continue;
            ImGui::GetWindowDrawList()->AddText({(low.x + high.x - size.x) / 2, (low.y + high.y - size.y) / 2},
                                                packed_color(plot::color_of(theme(), plot::Role::secondary)), text);
        }
    const viz::LessonQuestion* asked = open_question();
    if (asked == nullptr || asked->kind != viz::QuestionKind::position) return;
    const auto guess = viz::answer_value(*asked, taught_.guess);
    const auto count = static_cast<double>(scene().read.tokens.size());
    for (const plot::PlacedPanel& panel : pane.placed.panels) {
        // Panels that run over the text.
        if (!guess || *guess > count || std::abs(panel.x.high - count) > 2) continue;
        const double x = panel.to_paper({*guess, panel.y.low}).x;
        ImGui::GetWindowDrawList()->AddLine(on_screen(pane, {x, panel.frame.low.y}),
                                            on_screen(pane, {x, panel.frame.high.y}),
                                            packed_color(plot::color_of(theme(), plot::Role::accent)), units(2));
    }
}

}  // namespace whorl::view
