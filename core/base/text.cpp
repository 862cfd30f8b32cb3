#include "core/base/text.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace whorl {
namespace {

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// The length of the sequence at the start of `text`, 0 when it is not well-formed.
std::size_t sequence_length(std::string_view text) {
    const auto first = static_cast<unsigned char>(text[0]);
    if (first < 0x80) return 1;
    const std::size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (length == 0 || text.size() < length) return 0;
    std::uint32_t code = first & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_continuation(text[i])) return 0;
        code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
    }
    constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    return code >= smallest[length] && code <= 0x10FFFF && !surrogate ? length : 0;
}

std::string escaped(char c) {
    if (c == '\n') return "\\n";
    if (c == '\t') return "\\t";
    return fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

}  // namespace

std::string one_line(std::string_view text) {
    std::string result;
    for (const char c : text) is_control(c) ? result += escaped(c) : result += c;
    return result;
}

std::string in_quotes(std::string_view text, std::size_t longest) {
    if (text.size() <= longest) return "'" + one_line(text) + "'";
    while (longest > 0 && is_continuation(text[longest])) --longest;
    return "'" + one_line(text.substr(0, longest)) + "…'";
}

bool valid_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

}  // namespace whorl
