// Texts and numbers as XML holds them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace whorl::plot {

/// Fit for content and for attributes in double quotes. Bytes that are not UTF-8, and characters that XML may not hold
/// (controls, U+FFFE, U+FFFF), become U+FFFD; so do line breaks and tabs, which would not be painted as such.
std::string xml_text(std::string_view text);

/// `text` as the value of an id: letters, digits and _ - . stay, other characters become _; never empty.
std::string xml_id(std::string_view text);

/// At most `decimals` decimals, none that are 0, never "-0". The same in every locale.
std::string decimal(double value, int decimals = 2);

std::string utf8_of(char32_t letter);

}  // namespace whorl::plot
