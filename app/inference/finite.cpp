#include "app/inference/finite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/text.hpp"

namespace whorl {
namespace {

template <class T>
std::string first_nonfinite(const ParameterLayout& layout, std::span<const T> slice) {
    for (const ParameterInfo& parameter : layout.parameters()) {
        const auto values =
            slice.subspan(static_cast<std::size_t>(parameter.offset), static_cast<std::size_t>(parameter.count));
        const auto found = std::find_if(values.begin(), values.end(), [](T value) { return !std::isfinite(value); });
        if (found != values.end()) return fmt::format("{} holds {}", parameter.name, *found);
    }
    return "";
}

}  // namespace

std::string nonfinite_parameter(const ParameterLayout& layout, std::span<const double> slice) {
    return first_nonfinite(layout, slice);
}

std::string nonfinite_parameter(const ParameterLayout& layout, std::span<const float> slice) {
    return first_nonfinite(layout, slice);
}

std::string nonfinite_parameter(const LoadedModel& model) {
    const std::string what = nonfinite_parameter(ParameterLayout(model.config), model.slice);
    if (what.empty()) return "";
    return one_line(fmt::format("{}: {}{}; such weights answer nothing", model.path,
                                model.replicas > 1 ? fmt::format("replica {}: ", model.replica) : "", what));
}

bool all_finite(std::span<const double> values) {
    return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

}  // namespace whorl
