// A look at TOML text before the parser proper sees it.
#pragma once

#include <string>
#include <string_view>

namespace whorl {

/// Throws UserError for text that would make a recursive parser or its tree's destructor exhaust the stack: brackets
/// nested, or keys dotted, deeper than kMaxNesting. Whatever else is wrong is left for the parser to say.
void guard_toml_nesting(std::string_view text, const std::string& source);

}  // namespace whorl
