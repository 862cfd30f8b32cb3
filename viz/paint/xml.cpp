#include "viz/paint/xml.hpp"

#include <fmt/format.h>

#include <cctype>

#include "viz/plot/font.hpp"

namespace whorl::plot {
namespace {

bool is_allowed(char32_t letter) {
    return letter >= 0x20 && letter != 0x7F && letter != 0xFFFE && letter != 0xFFFF;
}

std::string escaped(char32_t letter) {
    switch (letter) {
        case U'&':
            return "&amp;";
        case U'<':
            return "&lt;";
        case U'>':
            return "&gt;";
        case U'"':
            return "&quot;";
        default:
            return utf8_of(is_allowed(letter) ? letter : 0xFFFD);
    }
}

}  // namespace

std::string utf8_of(char32_t letter) {
    const auto tail = [&](int shift) { return static_cast<char>(0x80u | (letter >> shift & 0x3Fu)); };
    if (letter < 0x80) return {static_cast<char>(letter)};
    if (letter < 0x800) return {static_cast<char>(0xC0u | letter >> 6), tail(0)};
    if (letter < 0x10000) return {static_cast<char>(0xE0u | letter >> 12), tail(6), tail(0)};
    return {static_cast<char>(0xF0u | letter >> 18), tail(12), tail(6), tail(0)};
}

std::string xml_text(std::string_view text) {
    std::string result;
    for (const char32_t letter : letters_of(text)) result += escaped(letter);
    return result;
}

std::string xml_id(std::string_view text) {
    std::string result;
    for (const char32_t letter : letters_of(text)) {
        const bool plain =
            letter < 0x80 && (std::isalnum(static_cast<int>(letter)) != 0 || letter == '-' || letter == '.');
        result += plain ? static_cast<char>(letter) : '_';
    }
    if (result.empty() || (std::isalpha(static_cast<unsigned char>(result[0])) == 0 && result[0] != '_'))
        result.insert(0, "_");
    return result;
}

std::string decimal(double value, int decimals) {
    std::string text = fmt::format("{:.{}f}", value, decimals);
    if (text.find('.') != std::string::npos) {
        text.erase(text.find_last_not_of('0') + 1);
        if (text.back() == '.') text.pop_back();
    }
    return text == "-0" ? "0" : text;
}

}  // namespace whorl::plot
