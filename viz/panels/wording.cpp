#include "viz/panels/wording.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

namespace whorl::viz {

std::string number(double value, int digits) {
    std::string text = fmt::format("{:.{}g}", value == 0 ? 0.0 : value, digits);  // no "-0"
    const std::size_t exponent = text.find('e');
    if (exponent != std::string::npos) {
        const int power = std::atoi(text.c_str() + exponent + 1);
        text = fmt::format("{}·10^{{{}}}", text.substr(0, exponent), power);
    }
    return text.rfind('-', 0) == 0 ? "−" + text.substr(1) : text;
}

std::string percent(double share) {
    const double value = 100 * share;
    return (std::fabs(value) < 10 ? number(value, 2) : number(std::round(value), 15)) + " %";
}

std::string degrees(double value, int digits) {
    const std::string text = fmt::format("{:.{}f}°", std::fabs(value), digits);
    return value < 0 && text != fmt::format("{:.{}f}°", 0.0, digits) ? "−" + text : text;
}

std::string list(const std::vector<std::string>& words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
        text += words[i];
    }
    return text;
}

std::string count(std::size_t n) {
    static const std::vector<std::string> kWords = {"no",    "one",   "two",  "three", "four",   "five",  "six",
                                                    "seven", "eight", "nine", "ten",   "eleven", "twelve"};
    return n < kWords.size() ? kWords[n] : fmt::format("{}", n);
}

std::string capital(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
    return text;
}

}  // namespace whorl::viz
