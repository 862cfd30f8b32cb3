// One line for every technical word: viz/lessons/glossary.toml, and what a lesson adds for itself in [gloss].
//
// A text marks a word as [[hinge]], or, where the sentence bends it, as [[hinges|hinge]].
#pragma once

#include <map>
#include <string>

#include "core/config/value.hpp"

namespace whorl::viz {

using Glossary = std::map<std::string, std::string>;

/// viz/lessons/glossary.toml as it was when the program was built.
extern const char* const kGlossaryText;
const Glossary& shared_glossary();

/// The shared one with a lesson's own words before it; `own` is a table of texts, or nothing. Throws UserError for
/// anything else.
Glossary glossary_with(const Value& own);

}  // namespace whorl::viz
