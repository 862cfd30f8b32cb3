// The text that is read: moved through, typed, and asked about.
#include <algorithm>
#include <cctype>

#include "viz/app/explorer.hpp"
#include "viz/app/imgui_compat.hpp"
#include "viz/plot/text_runs.hpp"

namespace whorl::view {

using viz::ViewState;

void Explorer::move_cursor(std::int64_t by) {
    const viz::ReadText text = read();
    if (text.tokens.empty()) return;
    ViewState next = state_;
    const auto count = static_cast<std::int64_t>(text.tokens.size());
    next.cursor = std::clamp<std::int64_t>(text.cursor + by, 1, count);
    if (next.cursor == count) next.cursor = -1;
    next.predicted.clear();
    next.shown = false;
    next.beat = 0;
    go(std::move(next));
}

/// Types behind the cursor: what stood there is gone.
void Explorer::type(const std::string& letter) {
    const viz::ReadText text = read();
    std::string typed;
    for (std::int64_t t = 0; t < text.cursor; ++t) typed += plot::plain_text(text.tokens[static_cast<std::size_t>(t)]);
    typed += letter;
    if (text.tokens.empty() || !desk_.can_read(state_, typed)) return;
    ViewState next = state_;
    next.text = typed;
    next.cursor = -1;
    next.predicted.clear();
    next.shown = false;
    go(std::move(next));
}

void Explorer::erase() {
    const viz::ReadText text = read();
    std::string kept;
    for (std::int64_t t = 0; t + 1 < text.cursor; ++t)
        kept += plot::plain_text(text.tokens[static_cast<std::size_t>(t)]);
    if (!desk_.can_read(state_, kept)) return;
    ViewState next = state_;
    next.text = kept;
    next.cursor = -1;
    next.predicted.clear();
    next.shown = false;
    go(std::move(next));
}

/// What a text has besides digits, as "+" of sums: letters as the keyboard makes them.
void Explorer::type_signs() {
    for (const ImWchar letter : ImGui::GetIO().InputQueueCharacters)
        if (letter > ' ' && letter < 127 && std::isalnum(static_cast<unsigned char>(letter)) == 0 && letter != '?')
            type(std::string(1, static_cast<char>(letter)));
}

/// Shows the answers once every choice is made; then reads the token that was asked about.
void Explorer::answer() {
    if (state_.view != "start") return;
    const viz::StartData& data = desk_.start(state_);
    if (state_.shown) return type(plot::plain_text(data.next));
    const std::vector<int> choices = viz::choices_of(state_, data.dials.size());
    if (std::count(choices.begin(), choices.end(), -1) > 0) {
        note_ = "First pick a landing point under each dial.";
        return;
    }
    ViewState next = state_;
    next.shown = true;
    go(std::move(next));
}

/// The next piece of the token's step; behind the last piece the next token.
void Explorer::next_beat() {
    if (state_.view != "dials") return;
    ViewState next = state_;
    next.beat = (state_.beat + 1) % 4;
    const viz::ReadText text = read();
    if (state_.beat == 3 && text.cursor < static_cast<std::int64_t>(text.tokens.size())) {
        next.cursor = text.cursor + 1;
        next.beat = 1;
    }
    go(std::move(next));
}

}  // namespace whorl::view
