// The explorer's bar, views by groups, and the list of keys.
#include <algorithm>

#include "core/base/error.hpp"
#include "viz/app/explorer.hpp"
#include "viz/app/imgui_compat.hpp"

namespace whorl::view {
namespace {

using viz::ViewState;

constexpr double kMargin = 24, kGap = 8;  // units

}  // namespace

/// The first view of each group.
std::vector<const viz::DeskView*> view_groups() {
    std::vector<const viz::DeskView*> groups;
    for (const viz::DeskView& view : viz::desk_views())
        if (groups.empty() || groups.back()->group != std::string(view.group)) groups.push_back(&view);
    return groups;
}

void Explorer::show_group(std::size_t which) {
    const auto groups = view_groups();
    if (which < groups.size()) show_view(groups[which]->name);
}

float Explorer::tabs(float x, float height) {
    const std::string now = viz::desk_view(state_.view).group;
    for (const viz::DeskView* first : view_groups()) {
        const bool large = theme().text > 16 || narrow();
        bool pressed = false;
        x += tab(std::string("view.") + first->name, large ? first->brief : first->group, {x, 0}, height,
                 now == first->group, pressed);
        if (pressed) show_view(first->name);
    }
    return x;
}

void Explorer::bar(float height) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float width = static_cast<float>(window().width()), middle = (height - units(32)) / 2;
    list.AddLine({0, height}, {width, height}, packed_color(theme().grid));
    const float left = tabs(units(kMargin - 10), height);
    const bool large = theme().text > 16 || narrow();
    const struct {
        const char *id, *text;
    } right[] = {{"help", "?"},
                 {"lessons", "Lessons"},
                 {"projector", theme().text > 16 ? "Small" : "Projector"},
                 {"theme", state_.theme == "dark" ? "Light" : "Dark"}};
    float x = width - units(kMargin);
    for (const auto& one : right) {
        const std::string id = one.id;
        if (large && id == "theme") continue;  // no room; L does it, and B the next
        if (narrow() && id == "projector") continue;
        const float wide = ImGui::CalcTextSize(one.text).x + units(24);
        x -= wide;
        const bool pressed = button(id, one.text, {x, middle}, {wide, units(32)}, id == "lessons" && lessons_listed_);
        x -= units(kGap);
        if (!pressed) continue;
        ViewState next = state_;
        if (id == "help") help_ = !help_;
        if (id == "lessons") lessons_listed_ = !lessons_listed_;
        if (id == "theme") next.theme = state_.theme == "light" ? "dark" : "light";
        if (id == "projector") next.theme = state_.theme == "projector" ? "light" : "projector";
        go(std::move(next));
    }
    bar_buttons_at_ = x + units(kGap);
    models_in_bar_ = model_chip(left + units(kGap), x, (height - units(32)) / 2);
}

/// The models that are shown, each with its colour and shape, where there is room between `left` and `right`.
bool Explorer::model_chip(float left, float right, float y) {
    struct Chip {
        std::string name;
        plot::Role role;
    };
    std::vector<Chip> chips;
    float wide = units(12);
    for (const std::string& source : desk_.sources(state_)) {
        try {
            chips.push_back({source, viz::role_of(desk_.shown(source, state_).exhibit.config)});
        } catch (const UserError&) {
            return false;  // the view says what is wrong
        }
        wide += units(28) + ImGui::CalcTextSize(source.c_str()).x;
    }
    if (chips.empty() || wide > right - left) return false;
    float x = right - wide;
    if (button("model", "", {x, y}, {wide, units(32)}, false)) next_model();
    ImDrawList& list = *ImGui::GetWindowDrawList();
    x += units(12);
    for (const Chip& chip : chips) {
        const ImU32 color = packed_color(plot::color_of(theme(), chip.role));
        const float r = units(5), cx = x + r, cy = y + units(16);
        const plot::Shape shape = plot::shape_of(chip.role);
        if (shape == plot::Shape::square)
            list.AddRectFilled({cx - r, cy - r}, {cx + r, cy + r}, color);
        else if (shape == plot::Shape::diamond)
            list.AddQuadFilled({cx, cy - 1.2f * r}, {cx + 1.2f * r, cy}, {cx, cy + 1.2f * r}, {cx - 1.2f * r, cy},
                               color);
        else
            list.AddCircleFilled({cx, cy}, r, color);
        x += units(16);
        list.AddText({x, y + (units(32) - ImGui::GetTextLineHeight()) / 2},
                     packed_color(plot::color_of(theme(), plot::Role::ink)), chip.name.c_str());
        x += ImGui::CalcTextSize(chip.name.c_str()).x + units(12);
    }
    return true;
}

void Explorer::help() {
    if (!help_) return;
    constexpr const char* lines[][2] = {
        {"left, right", "one token back or on; with Shift ten"},
        {"0 … 9, Backspace", "type a token behind the cursor; erase one"},
        {"Space", "play or pause; show the answers; a lesson's next step"},
        {"Enter", "the next piece of a token's step: kept, added, read"},
        {"Tab, Shift Tab", "the next button or slider; Enter presses it"},
        {"up, down", "move the slider; or through a training"},
        {"M", "the next model that has this view"},
        {"C, D", "compare with the view as it is now; the difference"},
        {"R, N", "as it began, train the same seed again; a new seed"},
        {"E", "write this view here, as .svg, .png and .csv"},
        {"Ctrl S", "save it as a file to hand on, with its models"},
        {"H", "the lessons; in one, A … E answer"},
        {"Alt 1 … 8", "the views"},
        {"L, B", "light or dark; projector"},
        {"Ctrl +, -, 0", "larger, smaller, as it was"},
        {"Ctrl Z, Ctrl Y", "undo, redo"},
        {"Ctrl C, V", "copy a link that opens just this; paste one, or a text"},
        {"?, F1; Esc", "this list; close it"},
        {"Ctrl Q", "quit"},
    };
    const float line = ImGui::GetTextLineHeight() + units(8),
                keys = ImGui::CalcTextSize("0 … 9, Backspace").x + units(24);
    float widest = 0;
    for (const auto& one : lines) widest = std::max(widest, ImGui::CalcTextSize(one[1]).x);
    const ImVec2 size{keys + widest + units(48), line * static_cast<float>(std::size(lines)) + units(40)};
    const ImVec2 low{(static_cast<float>(window().width()) - size.x) / 2,
                     (static_cast<float>(window().height()) - size.y) / 2};
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.AddRectFilled(low, {low.x + size.x, low.y + size.y}, packed_color(theme().card), units(8));
    list.AddRect(low, {low.x + size.x, low.y + size.y}, packed_color(theme().axis), units(8));
    for (std::size_t i = 0; i < std::size(lines); ++i) {
        const float y = low.y + units(20) + line * static_cast<float>(i);
        paragraph(lines[i][0], low.x + units(24), y, keys, plot::Role::ink);
        paragraph(lines[i][1], low.x + units(24) + keys, y, widest + units(4), plot::Role::secondary);
    }
}

}  // namespace whorl::view
