#include "viz/paint/figure_names.hpp"

namespace whorl::plot {
namespace {

template <class Enum, std::size_t count>
const char* pick(const char* const (&names)[count], Enum value) {
    const auto index = static_cast<std::size_t>(value);
    return index < count ? names[index] : "";
}

}  // namespace

const char* mark_kind(const Mark& mark) {
    static constexpr const char* kNames[] = {"line", "points", "arrow", "arc",  "region", "band",
                                             "rule", "stems",  "bars",  "grid", "text",   "handle"};
    static_assert(std::variant_size_v<Mark> == std::size(kNames));
    return pick(kNames, mark.index());
}

const char* name_of(Role role) {
    static constexpr const char* kNames[] = {"ink",       "secondary",     "muted",          "accent",
                                             "truth",     "mamba3",        "mamba2",         "gated_delta_net",
                                             "attention", "forward_euler", "backward_euler", "zero_order_hold",
                                             "bilinear",  "right",         "wrong"};
    static_assert(static_cast<std::size_t>(Role::wrong) + 1 == std::size(kNames));
    return pick(kNames, role);
}

const char* name_of(Weight weight) {
    static constexpr const char* kNames[] = {"hair", "context", "data", "chosen", "arrow"};
    return pick(kNames, weight);
}

const char* name_of(Dash dash) {
    static constexpr const char* kNames[] = {"by_role", "solid", "dashed", "dotted", "dash_dot"};
    return pick(kNames, dash);
}

const char* name_of(Shape shape) {
    static constexpr const char* kNames[] = {"by_role", "disc", "square", "diamond", "cross", "triangle", "wedge"};
    return pick(kNames, shape);
}

const char* name_of(Direction direction) {
    return direction == Direction::x ? "x" : "y";
}

const char* name_of(Anchor anchor) {
    static constexpr const char* kNames[] = {"left", "center", "right"};
    return pick(kNames, anchor);
}

const char* name_of(Scale scale) {
    return scale == Scale::log ? "log" : "linear";
}

const Style* style_of(const Mark& mark) {
    return std::visit(
        [](const auto& m) -> const Style* {
            if constexpr (std::is_same_v<std::decay_t<decltype(m)>, Grid>)
                return nullptr;
            else
                return &m.style;
        },
        mark);
}

const std::string& text_of(const Mark& mark) {
    return std::visit(
        [](const auto& m) -> const std::string& {
            if constexpr (std::is_same_v<std::decay_t<decltype(m)>, Text>)
                return m.text;
            else
                return m.label;
        },
        mark);
}

}  // namespace whorl::plot
