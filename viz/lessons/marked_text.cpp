#include "viz/lessons/marked_text.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "viz/lessons/live_number.hpp"

namespace whorl::viz {
namespace {

/// Where what begins at `at` ends, behind its mark.
std::size_t end_of_mark(const std::string& text, std::size_t at, const char* mark) {
    const std::size_t end = text.find(mark, at);
    if (end == std::string::npos)
        throw UserError(in_quotes(text.substr(at, 24)) + " has no closing " + std::string(mark));
    return end;
}

/// "hinges|hinge": what is shown, and the word that it is.
TextPiece gloss_piece(const std::string& marked) {
    const std::size_t bar = marked.find('|');
    if (bar == std::string::npos) return {marked, marked};
    return {marked.substr(0, bar), marked.substr(bar + 1)};
}

}  // namespace

std::vector<TextPiece> pieces_of(const std::string& text) {
    std::vector<TextPiece> pieces;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == '{') {
            const std::size_t end = end_of_mark(text, at, "}");
            pieces.push_back({text.substr(at + 1, end - at - 1), "", true});
            at = end + 1;
        } else if (text.compare(at, 2, "[[") == 0) {
            const std::size_t end = end_of_mark(text, at, "]]");
            pieces.push_back(gloss_piece(text.substr(at + 2, end - at - 2)));
            at = end + 2;
        } else {
            const std::size_t next = std::min({text.find('{', at), text.find("[[", at), text.size()});
            pieces.push_back({text.substr(at, next - at)});
            at = next;
        }
    }
    return pieces;
}

std::vector<TextPiece> pieces_of(const std::string& text, const Scene& scene) {
    std::vector<TextPiece> pieces = pieces_of(text);
    for (TextPiece& piece : pieces)
        if (piece.live) piece.text = live_number(piece.text, scene).text;
    return pieces;
}

std::string plain_words(const std::string& text) {
    std::string plain;
    for (const TextPiece& piece : pieces_of(text)) plain += piece.text;
    return plain;
}

std::string filled(const std::string& text, const Scene& scene) {
    std::string plain;
    for (const TextPiece& piece : pieces_of(text, scene)) plain += piece.text;
    return plain;
}

}  // namespace whorl::viz
