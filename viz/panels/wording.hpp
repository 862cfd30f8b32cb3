// Numbers and lists as a sentence wants them.
#pragma once

#include <string>
#include <vector>

namespace whorl::viz {

/// "0.8", "−1.62", "1.2·10^{-5}": `digits` significant ones, with a minus sign instead of a hyphen.
std::string number(double value, int digits = 3);

/// 0.123 → "12 %"; two digits below 10 %, "0 %" for nothing.
std::string percent(double share);

/// "−1.3°" with `digits` decimals, never "−0°".
std::string degrees(double value, int digits);

/// "a", "a and b", "a, b and c"
std::string list(const std::vector<std::string>& words);

/// "no", "one" … "twelve", then digits.
std::string count(std::size_t n);

/// Its first letter a capital, where that is an ASCII one.
std::string capital(std::string text);

}  // namespace whorl::viz
