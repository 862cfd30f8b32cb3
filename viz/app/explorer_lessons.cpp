// The list of lessons, how far each was taken, and what a teacher takes home: steps that are recorded, answers as CSV.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/base/text.hpp"
#include "core/io/atomic_file.hpp"
#include "viz/app/explorer.hpp"
#include "viz/app/imgui_compat.hpp"
#include "viz/lessons/recording.hpp"

namespace whorl::view {
namespace {

constexpr double kMargin = 24, kButton = 36;  // units
constexpr const char* kRecorded = "my-lesson.toml";
constexpr const char* kPredictions = "whorl-predictions.csv";

/// "5 min", and how far it was taken.
std::string progress_words(const viz::Lesson& lesson, std::int64_t done) {
    const auto count = static_cast<std::int64_t>(lesson.steps.size());
    const std::string time = fmt::format("{} min", lesson.minutes);
    if (done <= 0) return time;
    return done >= count ? "✓ done" : fmt::format("{} of {} steps", done, count);
}

}  // namespace

/// Into the current folder, as E does.
void Explorer::record_step() {
    try {
        const std::size_t count = viz::append_step(kRecorded, desk_, state_);
        note_ = fmt::format("{} has {} step{} now: whorl view {}", kRecorded, count, count == 1 ? "" : "s", kRecorded);
    } catch (const std::exception& error) {
        note_ = one_line(error.what());
    }
}

void Explorer::save_predictions() {
    try {
        write_file(kPredictions, viz::predictions_csv(taught_.book));
        note_ = fmt::format("Written: {}, {} answers", kPredictions, taught_.book.predictions.size());
    } catch (const std::exception& error) {
        note_ = one_line(error.what());
    }
}

/// A row of the list: title at the left, time or progress at the right, below it what to know before.
float Explorer::lesson_row(std::size_t place, const std::string& name, float x, float y, float width) {
    Taught::Row& row = taught_.rows[name];
    if (row.lesson.steps.empty()) {
        row.lesson = viz::load_lesson(name);
        row.needs = viz::needs_text(row.lesson);
    }
    const viz::Lesson& read = row.lesson;
    const std::int64_t done = taught_.book.steps_done(name);
    const bool over = done >= static_cast<std::int64_t>(read.steps.size());
    const float line = ImGui::GetTextLineHeight(), height = 2 * line + units(20);
    if (button("lesson." + name, "", {x, y}, {width, height}, false)) open_lesson(name, over ? 0 : done);
    const std::string right = progress_words(read, done);
    const float top = y + units(8);
    ImGui::PushFont(fonts().widget(plot::Face::bold, 13));
    paragraph(fmt::format("{}  {}", place, read.title), x + units(14), top, width, plot::Role::ink);
    ImGui::PopFont();
    paragraph(right, x + width - units(14) - ImGui::CalcTextSize(right.c_str()).x, top, width,
              over ? plot::Role::right : plot::Role::secondary);
    paragraph(row.needs.empty() ? "no lesson before it" : "after: " + row.needs, x + units(14), top + line + units(4),
              width - units(28), plot::Role::secondary);
    return y + height;
}

void Explorer::lesson_list(const ImVec2& low, const ImVec2& high) {
    const float x = low.x + units(kMargin), all = high.x - x - units(kMargin), gap = units(8);
    ImGui::PushFont(fonts().widget(plot::Face::bold, 18));
    float y = paragraph("Lessons: each asks before it shows", x, low.y + units(kMargin), all, plot::Role::ink);
    ImGui::PopFont();
    const float foot = high.y - units(kMargin) - units(kButton);
    ImGui::SetCursorScreenPos({x, y});
    ImGui::PushStyleColor(ImGuiCol_ChildBg, IM_COL32(0, 0, 0, 0));
    ImGui::BeginChild("lesson.list", {high.x - x, foot - y - gap}, false, ImGuiWindowFlags_NoNavInputs);
    const ImVec2 begin = ImGui::GetCursorScreenPos();
    const bool two = theme().text <= 16 && all > units(720);
    const float width = two ? (all - gap) / 2 : all;
    const auto& files = viz::lesson_files();
    const std::size_t rows = two ? (files.size() + 1) / 2 : files.size();
    float bottom = begin.y;
    for (std::size_t i = 0; i < files.size(); ++i) {
        const bool right = i >= rows;
        if (i % rows == 0) y = begin.y;
        y = lesson_row(i, files[i].name, begin.x + (right ? width + gap : 0), y, width) + gap;
        bottom = std::max(bottom, y);
    }
    ImGui::SetCursorScreenPos({begin.x, bottom});
    ImGui::Dummy({1, 1});
    ImGui::EndChild();
    ImGui::PopStyleColor();
    lesson_tools(x, foot);
}

void Explorer::lesson_tools(float x, float y) {
    const auto next = [&](const char* id, const char* text) {
        const float wide = ImGui::CalcTextSize(text).x + units(24);
        const bool pressed = button(id, text, {x, y}, {wide, units(kButton)}, false);
        x += wide + units(8);
        return pressed;
    };
    if (next("lesson.close", "Back to the view")) lessons_listed_ = false;
    if (next("lesson.record", "Add this view as a step")) record_step();
    if (!taught_.book.predictions.empty() && next("lesson.predictions", "My answers as CSV")) save_predictions();
    if (!note_.empty()) say(note_, {x + units(8), y + (units(kButton) - ImGui::GetTextLineHeight()) / 2});
}

}  // namespace whorl::view
