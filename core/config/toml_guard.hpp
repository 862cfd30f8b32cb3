// A look at TOML text before the parser proper sees it.
#pragma once

#include <string>
#include <string_view>

namespace whorl {

/// Throws UserError `source:line: what` for text that the parser cannot be trusted with: brackets nested, or keys
/// dotted, deeper than kMaxNesting (its recursion, and the destructor of its tree, would exhaust the stack), and
/// characters beyond ASCII outside of strings and comments (never valid, and undefined behaviour in toml++ 3.3).
/// Whatever else is wrong is left for the parser to say.
void guard_toml(std::string_view text, const std::string& source);

}  // namespace whorl
