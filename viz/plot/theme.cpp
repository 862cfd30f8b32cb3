#include "viz/plot/theme.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/base/error.hpp"

namespace whorl::plot {

namespace {

constexpr std::size_t kRoles = 15;

Color rgb(std::uint32_t hex) {
    return {static_cast<std::uint8_t>(hex >> 16), static_cast<std::uint8_t>(hex >> 8), static_cast<std::uint8_t>(hex),
            1};
}

/// In the order of Role: ink, secondary, muted, accent, truth, mamba3, mamba2, gated_delta_net, attention,
/// forward_euler, backward_euler, zero_order_hold, bilinear, right, wrong.
using Palette = std::array<std::uint32_t, kRoles>;

constexpr Palette kOnWhite{0x1F2328, 0x565B62, 0x62666D, 0x6B3FA0, 0x1F2328, 0x0072B2, 0xC25200, 0x00805E,
                           0x6B6F76, 0x7B7F86, 0x7A4B2A, 0x8A7A00, 0xB0559A, 0x00805E, 0xB3261E};
constexpr Palette kOnDark{0xECEEF1, 0xB4BAC4, 0x8F97A3, 0xB79CED, 0xECEEF1, 0x56B4E9, 0xF0854A, 0x3CC495,
                          0x9AA1AC, 0x8A919C, 0xC9A27E, 0xE6C04A, 0xD79AC0, 0x3CC495, 0xFF8A80};
constexpr Palette kOnScreen{0x111418, 0x3F444B, 0x565B62, 0x6B3FA0, 0x111418, 0x0072B2, 0xC25200, 0x007A59,
                            0x6B6F76, 0x7B7F86, 0x7A4B2A, 0x8A7A00, 0xB0559A, 0x007A59, 0xB3261E};

Theme light_theme() {
    return {"light", rgb(0xF6F5F1), rgb(0xFFFFFF), rgb(0xF6F5F1), rgb(0xE6E4DE), rgb(0x8A877F), 13, 18, 15, 1,
            1,       false};
}

Theme dark_theme() {
    return {"dark", rgb(0x14171C), rgb(0x1C2027), rgb(0x14171C), rgb(0x2C323C), rgb(0x7B828D), 13, 18, 15, 1, 1, true};
}

/// Type 1.6 and lines 2 times as large, on paper 4/3 as wide and high.
Theme projector_theme() {
    return {"projector", rgb(0xFFFFFF), rgb(0xFFFFFF), rgb(0xF2F1ED), rgb(0xDAD8D2), rgb(0x6E7279), 21, 29, 24,
            2,           4.0 / 3,       false};
}

const std::vector<Theme>& themes() {
    static const std::vector<Theme> all{light_theme(), dark_theme(), projector_theme()};
    return all;
}

const Palette& palette(const Theme& theme) {
    if (theme.dark) return kOnDark;
    return theme.line_scale > 1 ? kOnScreen : kOnWhite;
}

}  // namespace

const Theme& theme(const std::string& name) {
    for (const Theme& one : themes())
        if (one.name == name) return one;
    throw UserError("there is no theme '" + name + "'" + suggestion(name, theme_names()));
}

const std::vector<std::string>& theme_names() {
    static const std::vector<std::string> names{"light", "dark", "projector"};
    return names;
}

Color color_of(const Theme& theme, Role role) {
    return rgb(palette(theme)[static_cast<std::size_t>(role)]);
}

std::vector<double> dash_of(Role role) {
    switch (role) {
        case Role::mamba2:
            return {7, 2.5};
        case Role::gated_delta_net:
            return {5, 1.7, 1.2, 1.7};
        case Role::attention:
            return {1.7, 1.7};
        case Role::forward_euler:
            return {1.2, 2.2};
        case Role::backward_euler:
            return {4, 2.3};
        case Role::zero_order_hold:
            return {3.4, 1.7, 1.2, 1.7};
        case Role::bilinear:
            return {4, 1.5, 1.2, 1.5, 1.2, 1.5};
        default:
            return {};
    }
}

Shape shape_of(Role role) {
    switch (role) {
        case Role::mamba2:
            return Shape::square;
        case Role::gated_delta_net:
        case Role::bilinear:
            return Shape::diamond;
        case Role::attention:
        case Role::backward_euler:
            return Shape::triangle;
        case Role::zero_order_hold:
            return Shape::wedge;
        case Role::forward_euler:
        case Role::wrong:
            return Shape::cross;
        default:
            return Shape::disc;
    }
}

double width_of(const Theme& theme, Weight weight) {
    constexpr std::array<double, 5> widths{1, 1.1, 1.75, 2.75, 3.5};
    return theme.line_scale * widths[static_cast<std::size_t>(weight)];
}

}  // namespace whorl::plot
