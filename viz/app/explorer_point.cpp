// The mouse over a figure: what lies under it, and what a press or a drag sets.
#include <algorithm>

#include "viz/app/explorer.hpp"
#include "viz/app/imgui_compat.hpp"
#include "viz/desk/pointing.hpp"

namespace whorl::view {

using viz::ViewState;

void Explorer::point(const Pane& pane) {
    const ImGuiIO& io = ImGui::GetIO();
    const bool within = io.MousePos.x >= pane.low.x && io.MousePos.x < pane.high.x && io.MousePos.y >= pane.low.y &&
                        io.MousePos.y < pane.high.y;
    const bool free = within && !help_ && !ImGui::IsAnyItemHovered() && !ImGui::IsAnyItemActive();
    const plot::Point paper{(io.MousePos.x - pane.spot.at.x) / pane.spot.scale,
                            (io.MousePos.y - pane.spot.at.y) / pane.spot.scale};
    const bool begins = free && ImGui::IsMouseClicked(0);
    if (begins && press_dot(pane, paper)) return;
    pointing_ = pointing_ || begins;
    if (begins && (grip_ = viz::grip_at(pane.figure, pane.placed, paper)))
        grip_->paper = {grip_->paper.x - paper.x, grip_->paper.y - paper.y};  // from the mouse, as it stays
    // A ledger's bars grow with what is dragged, and their scale with them: what the hand does is read off the old one.
    if (begins && grip_ && state_.view == "ledger") held_ = pane;
    const Pane& under = state_.view == "ledger" && grip_ && !begins ? held_ : pane;
    if (pointing_ && ImGui::IsMouseDown(0) && grip_) {
        if (ImGui::IsMouseDragging(0, 1))
            drag_to(viz::with_handle_at(state_, under.figure, under.placed, grip_->handle,
                                        {paper.x + grip_->paper.x, paper.y + grip_->paper.y}));
    } else if (pointing_ && ImGui::IsMouseDown(0)) {
        if (auto next = viz::pointed(state_, pane.figure, pane.placed, paper, read().cursor, begins))
            drag_to(std::move(*next));
    }
    if (pointing_ && ImGui::IsMouseReleased(0)) {
        pointing_ = false;
        end_gesture();
    }
    if (!free && !pointing_) return;
    if (const auto hit = viz::hit_at(pane.figure, pane.placed, paper)) show_hit(*hit, pane.spot);
}

/// What lies under the mouse: a ring around it, and its numbers beside it.
void Explorer::show_hit(const viz::Hit& hit, const Spot& spot) {
    ImDrawList& list = *ImGui::GetForegroundDrawList();
    const ImVec2 at{spot.at.x + static_cast<float>(hit.paper.x * spot.scale),
                    spot.at.y + static_cast<float>(hit.paper.y * spot.scale)};
    const ImVec2 size = ImGui::CalcTextSize(hit.text.c_str());
    const float pad = units(8);
    ImVec2 low{at.x + units(14), at.y - size.y - units(20)};
    low.x = std::min(low.x, static_cast<float>(window().width()) - size.x - 3 * pad);
    if (low.y < units(4)) low.y = at.y + units(14);
    list.AddCircle(at, units(7), packed_color(plot::color_of(theme(), plot::Role::accent)), 0, units(2));
    list.AddRectFilled(low, {low.x + size.x + 2 * pad, low.y + size.y + 2 * pad}, packed_color(theme().card), units(6));
    list.AddRect(low, {low.x + size.x + 2 * pad, low.y + size.y + 2 * pad}, packed_color(theme().axis), units(6));
    list.AddText({low.x + pad, low.y + pad}, packed_color(plot::color_of(theme(), plot::Role::ink)), hit.text.c_str());
}

}  // namespace whorl::view
