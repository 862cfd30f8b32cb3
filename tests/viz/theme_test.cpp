// Contrast, and hues that stay apart for eyes that miss one kind of cone.
#include "viz/plot/theme.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"

using namespace whorl;
using namespace whorl::plot;

namespace {

const std::vector<Role> kTexts{Role::ink, Role::secondary, Role::muted, Role::accent, Role::right, Role::wrong};
const std::vector<Role> kModels{Role::mamba3, Role::mamba2, Role::gated_delta_net, Role::attention};
const std::vector<Role> kRules{Role::mamba3,         Role::mamba2,          Role::forward_euler,
                               Role::backward_euler, Role::zero_order_hold, Role::bilinear};

using Triple = std::array<double, 3>;
using Matrix = std::array<Triple, 3>;

Triple times(const Matrix& m, const Triple& v) {
    Triple out{};
    for (std::size_t i = 0; i < 3; ++i) out[i] = m[i][0] * v[0] + m[i][1] * v[1] + m[i][2] * v[2];
    return out;
}

double linear(std::uint8_t channel) {
    const double c = channel / 255.0;
    return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}

/// Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
const std::array<Matrix, 4> kEyes{{
    {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
    {{{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}},
    {{{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}},
    {{{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}},
}};

/// CIE 1976, white D65.
Triple lab(const Triple& rgb) {
    const Matrix to_xyz{
        {{0.4124564, 0.3575761, 0.1804375}, {0.2126729, 0.7151522, 0.0721750}, {0.0193339, 0.1191920, 0.9503041}}};
    const Triple xyz = times(to_xyz, rgb), white{0.95047, 1, 1.08883};
    Triple f{};
    for (std::size_t i = 0; i < 3; ++i) {
        const double t = std::max(xyz[i], 0.0) / white[i];
        f[i] = t > 0.008856 ? std::cbrt(t) : 7.787 * t + 16.0 / 116;
    }
    return {116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])};
}

double seen_distance(const Matrix& eye, const Color& a, const Color& b) {
    const Triple one = lab(times(eye, {linear(a.red), linear(a.green), linear(a.blue)}));
    const Triple other = lab(times(eye, {linear(b.red), linear(b.green), linear(b.blue)}));
    return std::hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2]);
}

}  // namespace

TEST_CASE("contrast is that of WCAG", "[plot][theme]") {
    CHECK(contrast({0, 0, 0, 1}, {255, 255, 255, 1}) == Approx(21));
    CHECK(contrast({119, 119, 119, 1}, {255, 255, 255, 1}) == Approx(4.48).margin(0.005));  // a known pair
    CHECK(contrast({9, 99, 9, 1}, {9, 99, 9, 1}) == 1);
}

TEST_CASE("texts reach a contrast of 4.5 and marks of 3 on every ground", "[plot][theme]") {
    for (const std::string& name : theme_names()) {
        const Theme& theme = plot::theme(name);
        for (const Color& ground : {theme.card, theme.canvas, theme.ground}) {
            for (const Role role : kTexts) {
                CAPTURE(name, int(role), contrast(color_of(theme, role), ground));
                CHECK(contrast(color_of(theme, role), ground) >= 4.5);
            }
            for (int role = 0; role <= int(Role::wrong); ++role) {
                CAPTURE(name, role);
                CHECK(contrast(color_of(theme, Role(role)), ground) >= 3);
            }
            CHECK(contrast(theme.axis, ground) >= 3);
        }
    }
}

TEST_CASE("models and rules that may share a panel differ in hue and dash and shape", "[plot][theme]") {
    for (const std::vector<Role>& group : {kModels, kRules})
        for (std::size_t i = 0; i < group.size(); ++i)
            for (std::size_t j = 0; j < i; ++j) {
                CAPTURE(int(group[i]), int(group[j]));
                CHECK(dash_of(group[i]) != dash_of(group[j]));
                CHECK(shape_of(group[i]) != shape_of(group[j]));
                for (const std::string& name : theme_names())
                    CHECK(color_of(plot::theme(name), group[i]) != color_of(plot::theme(name), group[j]));
            }
}

TEST_CASE("hues of models stay apart in the eyes of the colour-blind", "[plot][theme]") {
    // 2.3 is a just noticeable difference. Models are four: 9. Rules are six, and differ in dash and shape as well: 5.
    for (const std::string& name : theme_names())
        for (const auto& [group, least] : {std::pair{kModels, 9.0}, std::pair{kRules, 5.0}})
            for (std::size_t eye = 0; eye < kEyes.size(); ++eye)
                for (std::size_t i = 0; i < group.size(); ++i)
                    for (std::size_t j = 0; j < i; ++j) {
                        const Theme& theme = plot::theme(name);
                        const double apart =
                            seen_distance(kEyes[eye], color_of(theme, group[i]), color_of(theme, group[j]));
                        CAPTURE(name, eye, int(group[i]), int(group[j]), apart);
                        CHECK(apart >= least);
                    }
}

TEST_CASE("right and wrong differ in shape", "[plot][theme]") {
    CHECK(shape_of(Role::right) != shape_of(Role::wrong));
}

TEST_CASE("viridis runs from violet to yellow and grows lighter all the way", "[plot][theme]") {
    CHECK(viridis(0) == Color{0x44, 0x01, 0x54, 1});
    CHECK(viridis(1) == Color{0xFD, 0xE7, 0x25, 1});
    CHECK(viridis(-3) == viridis(0));
    CHECK(viridis(7) == viridis(1));
    CHECK(viridis(NAN) == viridis(0));
    const Color middle = viridis(128.0 / 255);  // in matplotlib's table: 21918C
    CHECK(middle == Color{0x21, 0x91, 0x8C, 1});
    double before = -1;
    for (int i = 0; i <= 100; ++i) {
        const Color c = viridis(i / 100.0);
        const double light = lab({linear(c.red), linear(c.green), linear(c.blue)})[0];
        CHECK(light > before);
        before = light;
    }
}

TEST_CASE("the projector's type is 1.6 and its lines 2 times as large", "[plot][theme]") {
    const Theme &light = plot::theme("light"), &projector = plot::theme("projector");
    CHECK(projector.text / light.text == Approx(1.6).epsilon(0.02));
    CHECK(width_of(projector, Weight::data) == 2 * width_of(light, Weight::data));
    CHECK(width_of(light, Weight::data) == 1.75);
    CHECK(width_of(light, Weight::chosen) == 2.75);
}

TEST_CASE("an unknown theme names the nearest", "[plot][theme]") {
    CHECK_THROWS_WITH(plot::theme("drak"), Catch::Matchers::ContainsSubstring("did you mean 'dark'"));
    CHECK_THROWS_AS(plot::theme(""), UserError);
}
