// Text from files, made fit for a message of one line.
#pragma once

#include <string>
#include <string_view>

namespace whorl {

/// Control characters become \n, \t or \xNN, so that the result is one line and cannot steer a terminal.
std::string one_line(std::string_view text);

/// 'text' in quotes, on one line, cut after `longest` bytes with an ellipsis.
std::string in_quotes(std::string_view text, std::size_t longest = 60);

/// True for well-formed UTF-8 (no overlong forms, surrogates, or code points above U+10FFFF).
bool valid_utf8(std::string_view text);

}  // namespace whorl
