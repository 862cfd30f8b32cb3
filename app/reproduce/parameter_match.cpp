#include "app/reproduce/parameter_match.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "core/model/parameter_layout.hpp"

namespace whorl {
namespace {

// What loads of four numbers at a time are quickest with.
constexpr std::int64_t kStep = 4;

std::int64_t count_with(ModelConfig& model, std::int64_t width) {
    model.d_intermediate = width;
    return parameter_count(model);
}

}  // namespace

std::int64_t parameter_count(const ModelConfig& model) {
    return ParameterLayout(model).count();
}

std::int64_t matched_mlp(ModelConfig model, std::int64_t wanted, double within, const std::string& name) {
    // Each channel of an MLP has as many parameters as the next.
    const std::int64_t least = count_with(model, kStep);
    const std::int64_t step = count_with(model, 2 * kStep) - least;
    const auto steps = std::llround(static_cast<double>(wanted - least) / static_cast<double>(step));
    const std::int64_t width = kStep * (1 + std::max<std::int64_t>(0, steps));
    const std::int64_t count = count_with(model, width);
    if (std::fabs(static_cast<double>(count - wanted)) > within * static_cast<double>(wanted))
        throw UserError(
            fmt::format("{}: has {} parameters with an MLP of {}, further than {:g} % from the {} that it is matched "
                        "with; give that row a wider MLP",
                        name, count, width, 100 * within, wanted));
    return width;
}

}  // namespace whorl
