// What leaves the window and comes back: pictures, files of views, links and the clipboard.
#include <algorithm>
#include <cctype>
#include <filesystem>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "viz/app/explorer.hpp"
#include "viz/app/imgui_compat.hpp"
#include "viz/desk/view_file.hpp"
#include "viz/paint/save.hpp"

namespace whorl::view {

using viz::ViewState;

namespace {

/// `name`, or `name`-2 and so on, where none of the files is there yet.
std::string unused_name(const std::string& name, const std::vector<std::string>& endings) {
    for (int number = 1;; ++number) {
        const std::string next = number == 1 ? name : name + "-" + std::to_string(number);
        const bool taken = std::any_of(endings.begin(), endings.end(), [&](const std::string& ending) {
            return std::filesystem::exists(next + ending);
        });
        if (!taken) return next;
    }
}

}  // namespace

/// Writes the view's figure here as picture and as numbers, beside what is there already.
void Explorer::export_view() {
    const std::vector<std::string> endings = {".svg", ".png", ".csv"};
    const std::string name = unused_name("whorl-" + state_.view, endings);
    try {
        const plot::Figure figure = desk_.signed_figure(state_);
        plot::SaveOptions options;
        options.scale = 2;
        for (const std::string& ending : endings) plot::save_figure(name + ending, figure, theme(), options);
        note_ = "Written: " + name + ".svg, .png and .csv";
    } catch (const std::exception& error) {
        note_ = one_line(error.what());
    }
}

/// The view as a file to hand on, with the models in it that others do not have.
void Explorer::save_view() {
    const std::string name = unused_name("whorl-" + state_.view, {viz::kViewFileEnding});
    try {
        viz::save_view(name + viz::kViewFileEnding, state_, desk_);
        note_ = "Written: " + name + viz::kViewFileEnding + ", which whorl view opens";
    } catch (const std::exception& error) {
        note_ = one_line(error.what());
    }
}

void Explorer::copy_link() {
    try {
        ImGui::SetClipboardText(viz::link_of(state_).c_str());
        note_ = "The link of this view is on the clipboard.";
    } catch (const UserError& error) {
        note_ = error.what();
    }
}

void Explorer::paste() {
    const char* clipboard = ImGui::GetClipboardText();
    std::string pasted = clipboard == nullptr ? "" : clipboard;
    pasted.erase(std::remove_if(pasted.begin(), pasted.end(), [](unsigned char c) { return std::isspace(c) != 0; }),
                 pasted.end());
    try {
        if (pasted.rfind("whorl:", 0) == 0) return go(viz::read_link(pasted).state);
    } catch (const UserError& error) {
        note_ = error.what();
        return;
    }
    ViewState next = state_;
    next.text = pasted;
    next.cursor = -1;
    next.predicted.clear();
    next.shown = false;
    if (!read().tokens.empty() && !pasted.empty() && desk_.can_read(state_, pasted)) return go(std::move(next));
    note_ = "What is on the clipboard is neither a link nor a text of this task.";
}

}  // namespace whorl::view
