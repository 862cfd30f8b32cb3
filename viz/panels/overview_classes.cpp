#include "viz/panels/overview_classes.hpp"

#include <algorithm>
#include <map>

#include "viz/plot/text_runs.hpp"

namespace whorl::viz {
namespace {

using plot::Role;
using plot::Shape;

constexpr std::size_t kMostClasses = 7, kRanges = 4;

/// Hues that differ in shape as well.
constexpr Role kRoles[] = {Role::mamba3,         Role::mamba2,        Role::gated_delta_net, Role::zero_order_hold,
                           Role::backward_euler, Role::forward_euler, Role::bilinear};

/// Variants of one hue differ in shape.
void set_look(OverviewClass& one, Role role, std::size_t variant) {
    constexpr Shape shapes[] = {Shape::by_role, Shape::by_role, Shape::triangle, Shape::wedge, Shape::square};
    one.role = role;
    one.shape = shapes[std::min<std::size_t>(variant, 4)];
    one.hollow = variant % 2 == 1;
}

void set_looks(std::vector<OverviewClass>& classes, const OverviewKey& key) {
    std::map<Role, std::size_t> seen;
    for (std::size_t c = 0; c < classes.size(); ++c) {
        const auto own = key.roles.find(classes[c].label);
        const Role role = own != key.roles.end() ? own->second : kRoles[c % std::size(kRoles)];
        set_look(classes[c], role, seen[role]++);
    }
}

std::vector<double> numbers_of(const std::vector<Known>& values) {
    std::vector<double> numbers;
    for (const Known& value : values)
        if (const auto* number = std::get_if<double>(&value)) numbers.push_back(*number);
    return numbers;
}

/// Ranges that about as many values fall into.
std::vector<OverviewClass> ranges_of(const OverviewData& data, const std::vector<std::size_t>& dots, std::size_t key,
                                     const std::vector<double>& numbers) {
    std::vector<OverviewClass> classes(kRanges);
    const auto range_of = [&](double value) {
        const auto rank =
            static_cast<std::size_t>(std::lower_bound(numbers.begin(), numbers.end(), value) - numbers.begin());
        return rank * kRanges / numbers.size();
    };
    for (std::size_t i = 0; i < dots.size(); ++i)
        if (const auto* number = std::get_if<double>(&data.dots[dots[i]].known[key]))
            classes[range_of(*number)].members.push_back(i);
    for (std::size_t c = 0; c < kRanges; ++c) {
        const std::size_t first = (c * numbers.size() + kRanges - 1) / kRanges,
                          last = ((c + 1) * numbers.size() + kRanges - 1) / kRanges - 1;
        classes[c].label = known_text(data.keys[key], numbers[first]);
        if (last > first) classes[c].label += " … " + known_text(data.keys[key], numbers[last]);
    }
    return classes;
}

std::vector<OverviewClass> values_apart(const OverviewData& data, const std::vector<std::size_t>& dots, std::size_t key,
                                        const std::vector<Known>& values) {
    std::vector<OverviewClass> classes;
    for (const Known& value : values) {
        OverviewClass one;
        one.label = known_text(data.keys[key], value);
        for (std::size_t i = 0; i < dots.size(); ++i)
            if (data.dots[dots[i]].known[key] == value) one.members.push_back(i);
        if (!one.members.empty()) classes.push_back(std::move(one));
    }
    return classes;
}

void lump_rare(std::vector<OverviewClass>& classes) {
    if (classes.size() <= kMostClasses) return;
    std::vector<OverviewClass> common = classes;
    std::stable_sort(common.begin(), common.end(), [](const OverviewClass& a, const OverviewClass& b) {
        return a.members.size() > b.members.size();
    });
    const std::size_t least = common[kMostClasses - 2].members.size();
    OverviewClass others;
    others.label = "others";
    std::vector<OverviewClass> kept;
    for (OverviewClass& one : classes) {
        if (one.members.size() >= least && kept.size() + 1 < kMostClasses)
            kept.push_back(std::move(one));
        else
            others.members.insert(others.members.end(), one.members.begin(), one.members.end());
    }
    std::sort(others.members.begin(), others.members.end());
    kept.push_back(std::move(others));
    classes = std::move(kept);
}

}  // namespace

std::vector<OverviewClass> overview_classes(const OverviewData& data, const std::vector<std::size_t>& dots,
                                            std::size_t key) {
    const std::vector<Known> values = values_of(data, key);  // of all dots: a filter moves no colour
    const std::vector<double> numbers = numbers_of(values);
    const bool many = numbers.size() == values.size() && numbers.size() > kMostClasses;
    std::vector<OverviewClass> classes =
        many ? ranges_of(data, dots, key, numbers) : values_apart(data, dots, key, values);
    if (!many) lump_rare(classes);
    set_looks(classes, data.keys[key]);
    OverviewClass unknown;
    unknown.label = "unknown", unknown.role = Role::muted, unknown.hollow = true;
    for (std::size_t i = 0; i < dots.size(); ++i)
        if (data.dots[dots[i]].known[key].index() == 0) unknown.members.push_back(i);
    if (!unknown.members.empty()) classes.push_back(std::move(unknown));
    classes.erase(
        std::remove_if(classes.begin(), classes.end(), [](const OverviewClass& one) { return one.members.empty(); }),
        classes.end());
    return classes;
}

}  // namespace whorl::viz
