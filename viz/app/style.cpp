#include "viz/app/style.hpp"

#include <imgui.h>

#include <initializer_list>

namespace whorl::view {
namespace {

using plot::Color;
using plot::Role;

ImVec4 vec(const Color& color, double opacity = 1) {
    const auto part = [](std::uint8_t value) { return static_cast<float>(value) / 255; };
    return {part(color.red), part(color.green), part(color.blue), static_cast<float>(color.opacity * opacity)};
}

void paint_with(ImGuiStyle& style, std::initializer_list<ImGuiCol> parts, const ImVec4& color) {
    for (const ImGuiCol part : parts) style.Colors[part] = color;
}

void set_colors(ImGuiStyle& style, const plot::Theme& theme) {
    theme.dark ? ImGui::StyleColorsDark(&style) : ImGui::StyleColorsLight(&style);
    const Color accent = color_of(theme, Role::accent);
    paint_with(style, {ImGuiCol_Text}, vec(color_of(theme, Role::ink)));
    paint_with(style, {ImGuiCol_TextDisabled}, vec(color_of(theme, Role::muted)));
    paint_with(style, {ImGuiCol_WindowBg, ImGuiCol_ScrollbarBg}, vec(theme.ground));
    paint_with(style, {ImGuiCol_ChildBg, ImGuiCol_PopupBg, ImGuiCol_Button, ImGuiCol_FrameBg}, vec(theme.card));
    paint_with(style, {ImGuiCol_Border, ImGuiCol_ScrollbarGrab}, vec(theme.axis));
    paint_with(style, {ImGuiCol_Separator}, vec(theme.grid));
    paint_with(style, {ImGuiCol_ButtonHovered, ImGuiCol_FrameBgHovered, ImGuiCol_HeaderHovered}, vec(accent, 0.12));
    paint_with(style, {ImGuiCol_ButtonActive, ImGuiCol_FrameBgActive, ImGuiCol_HeaderActive, ImGuiCol_Header},
               vec(accent, 0.24));
    paint_with(style, {ImGuiCol_CheckMark, ImGuiCol_SliderGrab, ImGuiCol_SliderGrabActive, ImGuiCol_NavHighlight},
               vec(accent));
    paint_with(style, {ImGuiCol_TextSelectedBg}, vec(accent, 0.3));
}

}  // namespace

void apply_style(const plot::Theme& theme, double scale) {
    ImGuiStyle style;
    set_colors(style, theme);
    style.WindowRounding = style.ChildRounding = style.PopupRounding = 8;
    style.FrameRounding = style.GrabRounding = 6;
    style.WindowPadding = {16, 16}, style.FramePadding = {12, 8}, style.ItemSpacing = {8, 8};
    style.FrameBorderSize = style.ChildBorderSize = style.PopupBorderSize = 1;
    style.ScaleAllSizes(static_cast<float>(scale));
    ImGui::GetStyle() = style;
}

}  // namespace whorl::view
