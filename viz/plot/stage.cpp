#include "viz/plot/stage.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace whorl::plot {

bool Stage::shows(Point point) const {
    return finite(point) && holds(grown(frame(), 0.5), point);
}

Color Stage::color(const Style& style) const {
    Color color = color_of(theme, style.role);
    color.opacity = style.strength;
    return color;
}

namespace {

std::vector<double> dash_lengths(const Style& style, bool dashed) {
    switch (style.dash) {
        case Dash::dashed:
            return {4, 2.3};
        case Dash::dotted:
            return {1.2, 2.2};
        case Dash::dash_dot:
            return {3.4, 1.7, 1.2, 1.7};
        case Dash::solid:
            return {};
        case Dash::by_role:
            break;
    }
    return dashed ? dash_of(style.role) : std::vector<double>{};
}

bool speaks_in_colour(Role role) {
    return role == Role::secondary || role == Role::muted || role == Role::accent || role == Role::wrong ||
           role == Role::right;
}

}  // namespace

Stroke Stage::stroke(const Style& style, bool dashed) const {
    Stroke stroke{color(style), width_of(theme, style.weight), dash_lengths(style, dashed)};
    for (double& length : stroke.dash) length *= stroke.width;
    return stroke;
}

TextStyle Stage::text(const Style& style) const {
    const bool bold = style.weight == Weight::chosen || style.weight == Weight::arrow;
    return {theme.text, bold ? Face::bold : Face::regular,
            color_of(theme, speaks_in_colour(style.role) ? style.role : Role::ink)};
}

TextBlock Stage::label(const std::string& words, const Style& style) const {
    return lay_out(words, text(style), std::max(width_of(room) * 0.5, 7 * theme.text));
}

void Stage::wish(const std::string& mark, const std::string& words, const Style& style, std::vector<LabelSpot> spots) {
    if (words.empty()) return;
    LabelWish wish;
    wish.id = id(mark) + ".label";
    wish.block = label(words, style);
    wish.spots = std::move(spots);
    wish.room = room;
    wish.weight = style.weight;
    wish.leader = theme.axis;
    wish.ground = ground;
    wish.hair = width_of(theme, Weight::hair);
    wish.veil = veil;
    wishes.push_back(std::move(wish));
}

double point_radius(const Theme& theme, Weight weight) {
    constexpr std::array<double, 5> radii{1.5, 2.5, 4, 5, 6};
    // Lines may double, marks that double cover each other.
    return std::sqrt(theme.line_scale) * radii[static_cast<std::size_t>(weight)];
}

}  // namespace whorl::plot
