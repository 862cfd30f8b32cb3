// The overview in the window: which keys place and colour its dots, which dots are shown, and what a click opens.
#include <cstring>

#include "core/base/error.hpp"
#include "viz/app/explorer.hpp"
#include "viz/app/imgui_compat.hpp"
#include "viz/desk/overviews.hpp"
#include "viz/desk/pointing.hpp"
#include "viz/panels/overview.hpp"

namespace whorl::view {
namespace {

using viz::ViewState;

constexpr double kGap = 8, kButton = 32, kIndent = 12;  // units

/// The state of a model that a dot stands for, with the look of the one before.
ViewState state_of_dot(const std::string& opens, const ViewState& before) {
    ViewState next = viz::view_of_model(opens);
    next.theme = before.theme;
    next.scale = before.scale;
    return next;
}

std::string without_sign(const std::string& sort) {
    return sort.empty() || sort[0] != '-' ? sort : sort.substr(1);
}

}  // namespace

// --- what a click does -----------------------------------------------------------------------------------------------

/// Opens it; with Shift it is put beside the one that was clicked so before.
void Explorer::open_dot(const std::string& opens, bool beside) {
    if (opens.empty()) {
        note_ = "Of this replica only the results were kept, no weights.";
        return;
    }
    try {
        ViewState next = state_of_dot(opens, state_);
        if (beside && picked_.empty()) {
            picked_ = opens;
            note_ = opens + ": click another one with Shift, to see the two beside each other.";
            return;
        }
        if (beside) next.beside = viz::key_of(state_of_dot(picked_, state_));
        picked_.clear();
        opened_ = next.models;
        go(std::move(next));
    } catch (const UserError& error) {
        note_ = error.what();
    }
}

bool Explorer::press_dot(const Pane& pane, plot::Point paper) {
    if (state_.view != "overview") return false;
    if (const auto opens = viz::opened_at(pane.figure, pane.placed, paper)) open_dot(*opens, ImGui::GetIO().KeyShift);
    return true;
}

// --- the column ------------------------------------------------------------------------------------------------------

/// A button with the key that is chosen; pressed, all keys stand below it.
float Explorer::key_list(const char* name, const char* label, std::string ViewState::*field, const std::string& now,
                         const std::vector<std::string>& keys, float x, float y, float width) {
    y = paragraph(label, x, y, width, plot::Role::ink) - units(4);
    const std::string id = std::string("overview.") + name;
    const bool open = open_list_ == name;
    if (button(id, now.empty() ? "as stored" : now, {x, y}, {width, units(kButton)}, open))
        open_list_ = open ? "" : name;
    y += units(kButton + 4);
    for (const std::string& key : keys) {
        if (!open) break;
        const bool chosen = key == now;
        if (button(id + "." + key, key.empty() ? "as stored" : key, {x + units(kIndent), y},
                   {width - units(kIndent), units(kButton - 6)}, chosen)) {
            ViewState next = state_;
            next.*field = key;
            open_list_.clear();
            go(std::move(next));
        }
        y += units(kButton - 4);
    }
    return y + units(kGap);
}

/// A field to type in: what it says holds once Enter is pressed or it is left.
float Explorer::filter_field(float x, float y, float width) {
    y = paragraph("only", x, y, width, plot::Role::ink) - units(4);
    if (filter_shown_ != state_.filter) {
        filter_shown_ = state_.filter;
        std::snprintf(filter_text_.data(), filter_text_.size(), "%s", state_.filter.c_str());
    }
    ImGui::SetCursorScreenPos({x, y});
    ImGui::SetNextItemWidth(width);
    ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, {units(6), units(6)});
    ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 1);
    ImGui::PushStyleColor(ImGuiCol_FrameBg, ImGui::ColorConvertU32ToFloat4(packed_color(theme().card)));
    ImGui::PushStyleColor(ImGuiCol_Border, ImGui::ColorConvertU32ToFloat4(packed_color(theme().axis)));
    ImGui::PushStyleColor(ImGuiCol_Text, color(plot::Role::ink));
    ImGui::PushStyleColor(ImGuiCol_TextDisabled, color(plot::Role::secondary));
    ImGui::InputTextWithHint("##filter", "accuracy>=90", filter_text_.data(), filter_text_.size());
    const bool left = ImGui::IsItemDeactivatedAfterEdit();
    if (enlist("overview.filter")) ImGui::SetKeyboardFocusHere(-1);
    const float below = ImGui::GetItemRectMax().y;
    ImGui::PopStyleColor(4);
    ImGui::PopStyleVar(2);
    if (left) {
        ViewState next = state_;
        next.filter = filter_text_.data();
        go(std::move(next));
    }
    return below + units(2 * kGap);
}

float Explorer::overview_column(float x, float y, float width) {
    const auto data = viz::known_overview(state_.models);
    if (data == nullptr || data->dots.empty()) return y;
    const viz::OverviewChoice now =
        viz::resolved(*data, {state_.x, state_.y, state_.colour, state_.filter, state_.sort});
    std::vector<std::string> keys = viz::varying_keys(*data);
    y = key_list("y", "up", &ViewState::y, now.y, keys, x, y, width);
    y = key_list("x", "across", &ViewState::x, now.x, keys, x, y, width);
    y = key_list("colour", "colour and shape", &ViewState::colour, now.colour, keys, x, y, width);
    keys.insert(keys.begin(), "");
    y = key_list("sort", "sorted by", &ViewState::sort, without_sign(now.sort), keys, x, y, width);
    if (!state_.sort.empty()) {
        const bool falls = state_.sort[0] == '-';
        if (button("overview.falls", falls ? "✓  largest first" : "largest first", {x, y}, {width, units(kButton)},
                   falls)) {
            ViewState next = state_;
            next.sort = (falls ? "" : "-") + without_sign(state_.sort);
            go(std::move(next));
        }
        y += units(kButton + kGap);
    }
    return filter_field(x, y, width);
}

}  // namespace whorl::view
