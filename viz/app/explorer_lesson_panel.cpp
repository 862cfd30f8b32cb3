// A lesson's panel, at the right: what it says, what it asks, and what became of that.
#include <fmt/format.h>

#include <algorithm>

#include "viz/app/explorer.hpp"
#include "viz/app/flow.hpp"
#include "viz/app/imgui_compat.hpp"
#include "viz/lessons/answer.hpp"

namespace whorl::view {
namespace {

using viz::LessonQuestion;
using viz::Stage;

constexpr double kMargin = 24, kGap = 10, kButton = 36;  // units

const char* name_of(Stage stage) {
    switch (stage) {
        case Stage::predict:
            return "Predict";
        case Stage::act:
            return "Do";
        case Stage::check:
            return "Check";
        default:
            return "On";
    }
}

std::vector<Stage> stages_of(const viz::LessonStep& step) {
    std::vector<Stage> stages;
    if (step.predict) stages.push_back(Stage::predict);
    if (!step.done.empty()) stages.push_back(Stage::act);
    if (step.check) stages.push_back(Stage::check);
    return stages;
}

/// Where the lesson stands among those that ship; 0 for one's own.
std::size_t place_of(const std::string& name) {
    const auto& files = viz::lesson_files();
    for (std::size_t i = 0; i < files.size(); ++i)
        if (name == files[i].name) return i + 1;
    return 0;
}

}  // namespace

// --- text ------------------------------------------------------------------------------------------------------------

/// Text over several lines; returns where the next may begin.
float Explorer::paragraph(const std::string& text, float x, float y, float width, plot::Role role) {
    ImGui::SetCursorScreenPos({x, y});
    ImGui::PushStyleColor(ImGuiCol_Text, color(role));
    ImGui::PushTextWrapPos(x + width - ImGui::GetWindowPos().x);
    ImGui::TextUnformatted(text.c_str());
    ImGui::PopTextWrapPos();
    ImGui::PopStyleColor();
    return ImGui::GetItemRectMax().y + units(kGap);
}

/// The same with live numbers and glosses, which a click opens.
float Explorer::lesson_text(const std::string& text, float x, float y, float width, plot::Face face) {
    ImGui::PushFont(fonts().widget(face, 13));
    const plot::Theme& look = theme();
    const FlowColors colors{packed_color(plot::color_of(look, plot::Role::ink)),
                            packed_color(plot::color_of(look, plot::Role::accent)),
                            packed_color(plot::color_of(look, plot::Role::accent))};
    const Flowed flowed = flow(ImGui::GetWindowDrawList(), viz::pieces_of(text, scene()), {x, y}, width, colors);
    for (const FlowedWord& one : flowed.words) {
        ImGui::SetCursorScreenPos(one.low);
        const std::string id = "gloss." + one.word;
        ImGui::PushID(static_cast<int>(one.low.y));
        const bool clicked = ImGui::InvisibleButton(id.c_str(), {one.high.x - one.low.x, one.high.y - one.low.y});
        ImGui::PopID();
        if (ImGui::IsItemHovered()) ImGui::SetMouseCursor(ImGuiMouseCursor_Hand);
        const bool again = widgets_.count(id) > 0;  // keys stop once at a word, and at one of several
        const bool pressed = (!again && enlist(id)) || clicked;
        if (pressed) taught_.word = taught_.word == one.word ? "" : one.word;
    }
    ImGui::PopFont();
    return flowed.bottom + units(kGap);
}

/// The open gloss, above the buttons: a word and one line.
float Explorer::gloss_box(float x, float foot, float width) {
    const auto found = taught_.glossary.find(taught_.word);
    if (found == taught_.glossary.end()) return foot;
    const std::vector<viz::TextPiece> text = {{found->first + ":", "", true}, {" " + found->second}};
    const FlowColors colors{packed_color(plot::color_of(theme(), plot::Role::secondary)),
                            packed_color(plot::color_of(theme(), plot::Role::ink)), 0};
    const float pad = units(12), inner = width - 2 * pad;
    const float height = flow(nullptr, text, {0, 0}, inner, colors).bottom + units(20), top = foot - height;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.AddRectFilled({x, top}, {x + width, foot}, packed_color(theme().canvas));
    list.AddRectFilled({x, top}, {x + units(3), foot}, packed_color(plot::color_of(theme(), plot::Role::accent)));
    flow(&list, text, {x + pad, top + units(10)}, inner, colors);
    return top - units(kGap);
}

// --- the panel -------------------------------------------------------------------------------------------------------

/// Which lesson, how long, and how far.
float Explorer::lesson_heading(float x, float y, float width) {
    const viz::Lesson& taught = *lesson();
    const std::size_t place = place_of(state_.lesson);
    const std::string time = fmt::format("{} min", taught.minutes);
    if (place > 0)
        paragraph(fmt::format("LESSON {} OF {}", place - 1, viz::lesson_files().size() - 1), x, y, width,
                  plot::Role::secondary);
    const float right = x + width - ImGui::CalcTextSize(time.c_str()).x;
    y = paragraph(time, right, y, width, plot::Role::secondary) - units(4);
    ImGui::PushFont(fonts().widget(plot::Face::bold, 18));
    y = paragraph(taught.title, x, y, width, plot::Role::ink);
    ImGui::PopFont();
    step_bars(x, y, width);
    return y + units(14);
}

/// One for each step; they lead back to what was done, and on to where that ended.
void Explorer::step_bars(float x, float y, float width) {
    const std::size_t steps = lesson()->steps.size();
    const auto count = static_cast<float>(steps);
    const float gap = units(6), part = (width - gap * (count - 1)) / count;
    for (std::size_t i = 0; i < steps; ++i) {
        const float low = x + static_cast<float>(i) * (part + gap);
        const auto step = static_cast<std::int64_t>(i);
        const bool reached = step < state_.step;
        ImGui::GetWindowDrawList()->AddRectFilled(
            {low, y}, {low + part, y + units(4)},
            packed_color(reached ? plot::color_of(theme(), plot::Role::accent) : theme().grid), units(2));
        if (!reached && step > taught_.book.steps_done(state_.lesson)) continue;
        ImGui::SetCursorScreenPos({low, y - units(5)});
        const std::string id = "lesson.step." + std::to_string(i + 1);
        const bool clicked = ImGui::InvisibleButton(id.c_str(), {part, units(14)});
        if (ImGui::IsItemHovered()) ImGui::SetMouseCursor(ImGuiMouseCursor_Hand);
        if (enlist(id) || clicked) return open_lesson(state_.lesson, step);
    }
}

/// "Predict  Do  Check": those that the step has, the present one in ink.
float Explorer::stage_line(Stage now, float x, float y, float width) {
    float bottom = y, at = x;
    for (const Stage one : stages_of(lesson_step())) {
        const std::string text = std::string(one < now ? "✓ " : "") + name_of(one);
        ImGui::PushFont(fonts().widget(one == now ? plot::Face::bold : plot::Face::regular, 13));
        bottom = paragraph(text, at, y, width, one == now ? plot::Role::accent : plot::Role::secondary);
        at += ImGui::CalcTextSize(text.c_str()).x + units(18);
        ImGui::PopFont();
    }
    return bottom + units(4);
}

/// What is said and asked, from the top; what has been answered stays.
float Explorer::lesson_content(Stage now, float x, float y, float width) {
    const viz::LessonStep& step = lesson_step();
    y = lesson_text(step.say, x, y, width, plot::Face::regular) + units(2);
    const auto predicted = viz::prediction_of(step, viz::ViewState(state_));
    const bool seen = now != Stage::act;
    if (predicted) y = verdict(*step.predict, *predicted, seen, x, y, width);
    if (now != Stage::predict && !step.task.empty()) {
        const bool done = now != Stage::act && !step.done.empty();
        y = lesson_text((done ? "✓ " : "") + step.task, x, y, width, done ? plot::Face::regular : plot::Face::bold);
    }
    if (const LessonQuestion* asked = viz::question_at(step, now)) y = question(*asked, x, y + units(2), width);
    if (const auto checked = viz::check_answer_of(step, state_)) y = verdict(*step.check, *checked, true, x, y, width);
    return y;
}

/// Scrolls where it must, and then to what is new.
void Explorer::lesson_reading(Stage now, const ImVec2& low, const ImVec2& high) {
    ImGui::SetCursorScreenPos(low);
    ImGui::PushStyleColor(ImGuiCol_ChildBg, IM_COL32(0, 0, 0, 0));
    ImGui::PushStyleVar(ImGuiStyleVar_ScrollbarSize, units(8));
    ImGui::BeginChild("lesson.text", {high.x - low.x, high.y - low.y}, false, ImGuiWindowFlags_NoNavInputs);
    const ImVec2 begin = ImGui::GetCursorScreenPos();
    const float width = high.x - low.x - units(kMargin);
    const float bottom = lesson_content(now, begin.x, begin.y, width);
    ImGui::SetCursorScreenPos({begin.x, bottom});
    ImGui::Dummy({1, 1});
    const std::string asked = fmt::format("{}.{}.{}", state_.lesson, state_.step, static_cast<int>(now));
    if (asked != taught_.asked) {
        taught_.asked = asked;
        taught_.scrolling = 3;
        ask_for_frames(4);
    }
    if (taught_.scrolling > 0 && state_.answer.empty() && now != Stage::check) {
        ImGui::SetScrollY(0);
    } else if (taught_.scrolling > 0) {
        ImGui::SetScrollY(ImGui::GetScrollMaxY());
    }
    taught_.scrolling = std::max(0, taught_.scrolling - 1);
    ImGui::EndChild();
    ImGui::PopStyleVar();
    ImGui::PopStyleColor();
}

void Explorer::lesson_panel(const ImVec2& low, const ImVec2& high) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.AddRectFilled(low, {low.x + units(3), high.y}, packed_color(plot::color_of(theme(), plot::Role::accent)));
    const Stage now = stage();
    const float x = low.x + units(kMargin + 3), width = high.x - x - units(kMargin);
    float y = lesson_heading(x, low.y + units(20), width);
    y = stage_line(now, x, y, width);
    const ImVec2 size{(width - units(8)) / 2, units(kButton)};
    const float foot = high.y - units(20) - size.y;
    const float reading = gloss_box(x, foot - units(kGap), width);
    lesson_reading(now, {x, y}, {high.x, reading});
    if (button("lesson.leave", "Leave", {x, foot}, size, false)) return leave_lesson();
    const bool last = state_.step >= static_cast<std::int64_t>(lesson()->steps.size());
    if (button("lesson.next", last ? "Done" : "Next", {x + size.x + units(8), foot}, size, now == Stage::over))
        next_step();
}

}  // namespace whorl::view
