// What a lesson asks, and what became of the answer.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "viz/app/explorer.hpp"
#include "viz/app/imgui_compat.hpp"
#include "viz/lessons/answer.hpp"
#include "viz/lessons/marked_text.hpp"

namespace whorl::view {
namespace {

using viz::LessonQuestion;

constexpr double kGap = 10, kButton = 36;  // units

}  // namespace

/// Buttons of their own height: long choices take as many lines as they need, as a button's own text would not.
float Explorer::choices(const LessonQuestion& asked, float x, float y, float width) {
    for (std::size_t i = 0; i < asked.choices.size(); ++i) {
        const std::string text =
            fmt::format("{}  {}", static_cast<char>('A' + i), viz::filled(asked.choices[i], scene()));
        const float inner = width - units(24), height = ImGui::CalcTextSize(text.c_str(), nullptr, false, inner).y;
        const ImVec2 size{width, std::max(units(kButton), height + units(16))};
        if (button("choice." + std::to_string(i), "", {x, y}, size, false)) answer_question(i);
        paragraph(text, x + units(12), y + (size.y - height) / 2, inner, plot::Role::ink);
        y += size.y + units(8);
    }
    return y + units(2);
}

/// A position can be dragged, too.
float Explorer::position_slider(float x, float y, float width) {
    const double last = static_cast<double>(std::max<std::size_t>(scene().read.tokens.size(), 2)) - 1;
    const float height = units(28), radius = units(7), from = x + radius, length = width - 2 * radius;
    ImGui::SetCursorScreenPos({x, y});
    ImGui::InvisibleButton("answer.slider", {width, height});
    enlist("answer.slider");
    if (ImGui::IsItemActive()) {
        const double share = std::clamp((ImGui::GetIO().MousePos.x - from) / length, 0.0f, 1.0f);
        taught_.guess = std::to_string(1 + std::llround(share * last));
    }
    const double guess = taught_.guess.empty() ? 1 : std::atof(taught_.guess.c_str());
    const float knob = from + length * static_cast<float>(std::clamp((guess - 1) / last, 0.0, 1.0));
    const float middle = y + height / 2;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.AddRectFilled({from, middle - units(2)}, {from + length, middle + units(2)}, packed_color(theme().axis));
    list.AddCircleFilled({knob, middle}, radius, packed_color(theme().card));
    list.AddCircle({knob, middle}, radius, packed_color(plot::color_of(theme(), plot::Role::accent)), 0, units(2));
    return y + height + units(6);
}

/// What is typed, with its unit, and what gives it as the answer.
float Explorer::number_field(const LessonQuestion& asked, float x, float y, float width) {
    const ImVec2 low{x, y}, high{x + width * 0.5f, y + units(kButton)};
    const float line = y + (units(kButton) - ImGui::GetTextLineHeight()) / 2;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.AddRectFilled(low, high, packed_color(theme().canvas), units(6));
    list.AddRect(low, high, packed_color(plot::color_of(theme(), plot::Role::accent)), units(6));
    paragraph(taught_.guess + "|", x + units(10), line, width, plot::Role::ink);
    const float unit = ImGui::CalcTextSize(asked.unit.c_str()).x;
    paragraph(asked.unit, high.x - unit - units(10), line, width, plot::Role::secondary);
    const bool ready = viz::answer_value(asked, taught_.guess).has_value();
    const ImVec2 size{width - (high.x - x) - units(8), units(kButton)};
    if (button("answer.give", "Answer", {high.x + units(8), y}, size, ready)) give_answer(taught_.guess);
    return paragraph(ready ? "" : "Type a number, then Enter.", x, high.y + units(6), width, plot::Role::secondary);
}

float Explorer::question(const LessonQuestion& asked, float x, float y, float width) {
    y = lesson_text(asked.ask, x, y, width, plot::Face::bold);
    if (asked.kind == viz::QuestionKind::choice) return choices(asked, x, y, width);
    if (asked.kind == viz::QuestionKind::position) y = position_slider(x, y, width);
    return number_field(asked, x, y, width);
}

/// A question that was answered: what was said and, once that may be known, what is right and why.
float Explorer::verdict(const LessonQuestion& asked, const std::string& answer, bool known, float x, float y,
                        float width) {
    const plot::Theme& look = theme();
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float top = y, pad = units(12), inner = width - pad;
    const std::string said = viz::filled(viz::answer_words(asked, answer), scene());
    y = paragraph(viz::filled(asked.ask, scene()), x + pad, y, inner, plot::Role::secondary) - units(4);
    const std::optional<bool> right = viz::is_right(asked, answer);
    if (!known || !right) {
        y = paragraph("You: " + said, x + pad, y, inner, plot::Role::ink);
    } else {
        ImGui::PushFont(fonts().widget(plot::Face::bold, 13));
        y = paragraph((*right ? "✓ " : "✗ ") + said, x + pad, y, inner, *right ? plot::Role::right : plot::Role::wrong);
        ImGui::PopFont();
        if (!*right) {
            const std::string truth = viz::filled(viz::right_words(asked), scene());
            y = paragraph("It is: " + truth, x + pad, y - units(4), inner, plot::Role::ink);
        }
    }
    if (known && !asked.why.empty()) y = lesson_text(asked.why, x + pad, y - units(2), inner, plot::Face::regular);
    list.AddRectFilled({x, top}, {x + units(3), y - units(kGap)}, packed_color(look.axis));
    return y + units(6);
}

}  // namespace whorl::view
