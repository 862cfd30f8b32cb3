// A lesson's text with its marks: [[words]] that have a gloss, and {numbers} that live.
#pragma once

#include <string>
#include <vector>

#include "viz/lessons/scene.hpp"

namespace whorl::viz {

struct TextPiece {
    std::string text;
    std::string word{};  // of the glossary, where the piece is one
    bool live = false;   // a live number, by its name or filled in
};

/// Live numbers by their names. Throws UserError for a mark that is not closed.
std::vector<TextPiece> pieces_of(const std::string& text);
/// Live numbers filled in, as the scene has them.
std::vector<TextPiece> pieces_of(const std::string& text, const Scene& scene);
/// Words without their marks, live numbers by their names.
std::string plain_words(const std::string& text);
/// The same with live numbers filled in.
std::string filled(const std::string& text, const Scene& scene);

}  // namespace whorl::viz
