#include "core/config/toml_guard.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/config/value.hpp"

namespace whorl {
namespace {

// The position after the string that begins at `at`: basic, literal, or the multi-line form of either, whose last
// characters may be one or two quotes in front of the closing three.
std::size_t skip_string(std::string_view text, std::size_t at) {
    const char quote = text[at];
    const bool multi_line = text.substr(at, 3) == std::string(3, quote);
    const std::string_view end = text.substr(at, multi_line ? 3 : 1);
    at += end.size();
    while (at < text.size() && text.substr(at, end.size()) != end) {
        if (text[at] == '\n' && !multi_line) return at;
        at += text[at] == '\\' && quote == '"' ? 2 : 1;
    }
    at += end.size();
    for (int extra = 0; multi_line && extra < 2 && at < text.size() && text[at] == quote; ++extra) ++at;
    return std::min(at, text.size());
}

std::size_t skip_comment(std::string_view text, std::size_t at) {
    return std::min(text.find('\n', at), text.size());
}

}  // namespace

void guard_toml(std::string_view text, const std::string& source) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    int brackets = 0;
    int dots = 0;  // in the current key; the text between delimiters holds at most one
    int line = 1;
    const auto fail = [&](const std::string& what) {
        throw UserError(one_line(source + ":" + std::to_string(line) + ": " + what));
    };
    for (std::size_t at = text.substr(0, 3) == kByteOrderMark ? 3 : 0; at < text.size();) {
        const char c = text[at];
        const std::size_t start = at;
        at = c == '#' ? skip_comment(text, at) : c == '"' || c == '\'' ? skip_string(text, at) : at + 1;
        if (static_cast<unsigned char>(c) >= 0x80) fail("a character beyond ASCII outside of a string");
        if (c == '[' || c == '{') ++brackets;
        if (c == ']' || c == '}') --brackets;
        if (c == '.')
            ++dots;
        else if (std::string_view("=,[]{}\n").find(c) != std::string_view::npos)
            dots = 0;
        if (brackets > kMaxNesting || dots > kMaxNesting)
            fail("nested deeper than " + std::to_string(kMaxNesting) + " levels");
        line += static_cast<int>(std::count(text.begin() + start, text.begin() + at, '\n'));
    }
}

}  // namespace whorl
