// Viridis (van der Walt and Smith, matplotlib; CC0) and the contrast of WCAG 2.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "viz/plot/theme.hpp"

namespace whorl::plot {

namespace {

/// Every 16th of matplotlib's 256 colours, and the last: straight lines between them are off by 5 of 255 at most.
constexpr std::array<std::uint32_t, 17> kViridis{0x440154, 0x48186A, 0x472D7B, 0x424086, 0x3B528B, 0x33638D,
                                                 0x2C728E, 0x26828E, 0x21918C, 0x1FA088, 0x28AE80, 0x3FBC73,
                                                 0x5EC962, 0x84D44B, 0xADDC30, 0xD8E219, 0xFDE725};

double channel(std::uint32_t hex, int shift) {
    return static_cast<double>((hex >> shift) & 0xFFU);
}

std::uint8_t mixed(std::uint32_t a, std::uint32_t b, int shift, double share) {
    return static_cast<std::uint8_t>(std::lround(channel(a, shift) + share * (channel(b, shift) - channel(a, shift))));
}

double linear(std::uint8_t channel) {
    const double c = channel / 255.0;
    return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}

double luminance(const Color& color) {
    return 0.2126 * linear(color.red) + 0.7152 * linear(color.green) + 0.0722 * linear(color.blue);
}

}  // namespace

Color viridis(double share) {
    if (!(share > 0)) share = 0;
    // The table's last step is 15 of 255 long, the others 16.
    const double place = std::min(share, 1.0) * 255 / 16;
    const auto i = std::min<std::size_t>(static_cast<std::size_t>(place), kViridis.size() - 2);
    const double length = i + 2 == kViridis.size() ? 15.0 / 16 : 1.0;
    const double rest = (place - static_cast<double>(i)) / length;
    const std::uint32_t a = kViridis[i], b = kViridis[i + 1];
    return {mixed(a, b, 16, rest), mixed(a, b, 8, rest), mixed(a, b, 0, rest), 1};
}

double contrast(const Color& a, const Color& b) {
    const double one = luminance(a) + 0.05, other = luminance(b) + 0.05;
    return std::max(one, other) / std::min(one, other);
}

}  // namespace whorl::plot
