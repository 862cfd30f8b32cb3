#include "tasks/group.hpp"

#include <charconv>

namespace whorl {
namespace {

std::string factor_text(const GroupFactor& factor, std::int32_t element) {
    if (factor.kind == GroupKind::cyclic) return std::to_string(element);
    const Permutation p = permutation_of(factor, element);
    std::string text;
    for (std::int32_t i = 0; i < factor.degree; ++i) text += std::to_string(p.image[i] + 1);
    return text;
}

std::optional<GroupFactor> parse_factor(const std::string& name) {
    constexpr std::string_view kinds = "ZSA";
    const std::size_t kind = name.empty() ? kinds.npos : kinds.find(name[0]);
    if (kind == kinds.npos) return {};
    GroupFactor factor{static_cast<GroupKind>(kind), 0};
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + 1, end, factor.degree);
    if (error != std::errc{} || stop != end) return {};
    const bool cyclic = factor.kind == GroupKind::cyclic;
    const std::int32_t least = cyclic ? 2 : 3, most = cyclic ? kLargestGroup : kLargestDegree;
    if (factor.degree < least || factor.degree > most) return {};
    return factor;
}

}  // namespace

std::optional<FiniteGroup> parse_group(const std::string& name) {
    FiniteGroup group;
    group.factors = 0;
    for (std::size_t from = 0, to = 0; to != name.npos; from = to + 1) {
        to = name.find('x', from);
        const auto factor = parse_factor(name.substr(from, to == name.npos ? to : to - from));
        if (!factor || group.factors == kMostFactors) return {};
        group.factor[group.factors++] = *factor;
        if (group.order() > kLargestGroup) return {};
    }
    return group;
}

std::string group_name(const FiniteGroup& group) {
    std::string name;
    for (std::int32_t f = 0; f < group.factors; ++f) {
        name += f == 0 ? "" : "x";
        name += "ZSA"[static_cast<int>(group.factor[f].kind)] + std::to_string(group.factor[f].degree);
    }
    return name;
}

const char* group_names() {
    return "expected Z2 … Z4096, S3, S4, S5, A3, A4, A5 or a product of up to 4 of them such as A4xZ5, with at most "
           "4096 elements";
}

std::string element_text(const FiniteGroup& group, std::int32_t element) {
    std::string text;
    for (std::int32_t f = group.factors - 1; f >= 0; --f) {
        const std::int32_t order = group.factor[f].order();
        text = factor_text(group.factor[f], element % order) + (text.empty() ? "" : "," + text);
        element /= order;
    }
    return text;
}

}  // namespace whorl
