// A lesson's text over several lines, with its live numbers and the words that have a gloss.
#pragma once

#include <imgui.h>

#include <string>
#include <vector>

#include "viz/lessons/marked_text.hpp"

namespace whorl::view {

struct FlowColors {
    ImU32 text, number, word;  // word: the line below one with a gloss
};

struct FlowedWord {
    std::string word;  // of the glossary
    ImVec2 low, high;
};

struct Flowed {
    float bottom = 0;  // where the next text may begin, without a gap
    std::vector<FlowedWord> words{};
};

/// In ImGui's current font; `list` null: only measures.
Flowed flow(ImDrawList* list, const std::vector<viz::TextPiece>& pieces, const ImVec2& at, float width,
            const FlowColors& colors);

}  // namespace whorl::view
