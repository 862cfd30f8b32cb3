#include "viz/app/flow.hpp"

#include <algorithm>

namespace whorl::view {
namespace {

constexpr float kLine = 1.35f;  // of a line's height, from line to line

/// A word, or a part of one: "hinge" and "." of “[[hinge]].” stay on one line.
struct Chunk {
    std::string text;
    const viz::TextPiece* piece;
    bool begins;  // a space stands before it
};

std::vector<Chunk> chunks_of(const std::vector<viz::TextPiece>& pieces) {
    std::vector<Chunk> chunks;
    bool space = true;
    for (const viz::TextPiece& piece : pieces)
        for (std::size_t at = 0; at < piece.text.size();) {
            if (piece.text[at] == ' ') {
                space = true;
                ++at;
                continue;
            }
            const std::size_t end = std::min(piece.text.find(' ', at), piece.text.size());
            chunks.push_back({piece.text.substr(at, end - at), &piece, space});
            space = false;
            at = end;
        }
    return chunks;
}

float width_of(const std::string& text) {
    return ImGui::CalcTextSize(text.c_str()).x;
}

/// From `first` up to the next space.
float width_up_to_space(const std::vector<Chunk>& chunks, std::size_t first) {
    float width = 0;
    for (std::size_t i = first; i < chunks.size() && (i == first || !chunks[i].begins); ++i)
        width += width_of(chunks[i].text);
    return width;
}

/// Dots, as what can be looked up has below it.
void underline(ImDrawList& list, const ImVec2& low, const ImVec2& high, ImU32 color) {
    const float dot = std::max(1.0f, ImGui::GetFontSize() / 12);
    for (float x = low.x; x < high.x; x += 3 * dot)
        list.AddRectFilled({x, high.y}, {std::min(x + 1.6f * dot, high.x), high.y + dot}, color);
}

}  // namespace

Flowed flow(ImDrawList* list, const std::vector<viz::TextPiece>& pieces, const ImVec2& at, float width,
            const FlowColors& colors) {
    const std::vector<Chunk> chunks = chunks_of(pieces);
    const float line = ImGui::GetTextLineHeight(), space = width_of(" ");
    Flowed flowed;
    ImVec2 pen = at;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        const Chunk& chunk = chunks[i];
        const viz::TextPiece& piece = *chunk.piece;
        if (chunk.begins && pen.x > at.x) {
            pen.x += space;
            if (pen.x + width_up_to_space(chunks, i) > at.x + width) pen = {at.x, pen.y + kLine * line};
        }
        const ImVec2 end{pen.x + width_of(chunk.text), pen.y + line};
        if (list != nullptr) {
            list->AddText(pen, piece.live ? colors.number : colors.text, chunk.text.c_str());
            if (!piece.word.empty()) underline(*list, pen, end, colors.word);
        }
        if (!piece.word.empty()) flowed.words.push_back({piece.word, pen, end});
        pen.x = end.x;
    }
    flowed.bottom = chunks.empty() ? at.y : pen.y + line;
    return flowed;
}

}  // namespace whorl::view
