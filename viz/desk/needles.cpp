#include "viz/desk/needles.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "app/inference/needle_grid.hpp"
#include "core/backend/factories.hpp"
#include "tasks/question.hpp"
#include "viz/state/controls.hpp"
#include "viz/views/needle_map_view.hpp"

namespace whorl::viz {
namespace {

constexpr std::int64_t kTexts = 16;            // a cell
constexpr std::int64_t kUnknownTraining = 32;  // tokens, where nobody says how long its texts were

/// The number in a tick, whatever else it says: "1 024", "30 %".
std::int64_t number_in(const std::string& text) {
    std::string digits;
    for (const char c : text)
        if (c >= '0' && c <= '9') digits += c;
    return std::atoll(digits.c_str());
}

/// That of the tick nearest to `at`.
std::int64_t tick_at(const plot::Axis& axis, double at) {
    const auto nearest = std::min_element(
        axis.ticks.begin(), axis.ticks.end(),
        [&](const plot::Tick& a, const plot::Tick& b) { return std::abs(a.at - at) < std::abs(b.at - at); });
    return nearest == axis.ticks.end() ? 0 : number_in(nearest->text);
}

}  // namespace

std::vector<std::int32_t> needle_text(const Needle& task, const ViewState& state) {
    Needle placed = task;
    placed.depth = value_of(state, "depth");
    const auto size = static_cast<std::int64_t>(value_of(state, "length"));
    const auto index = static_cast<std::uint64_t>(value_of(state, "example"));
    check_size(placed, size, "needle");
    const Example example = make_example(*make_data_source(placed),
                                         {0, Split::test, static_cast<std::uint64_t>(size), index, {size, size}});
    std::vector<std::int32_t> tokens;
    for (const std::int32_t token : example.tokens)
        if (token != kPad) tokens.push_back(token);
    tokens.erase(std::find(tokens.begin(), tokens.end(), Needle::kQuery), tokens.end());
    if (value_of(state, "swap") > 0)
        if (auto other = twin(placed, tokens)) return *other;
    return tokens;
}

NeedleMap needle_map_of(const ShownModel& model) {
    NeedleSearch search;
    search.lengths = grid_sizes(model.trained_size > 0 ? model.trained_size : kUnknownTraining);
    search.count = kTexts;
    search.trained = model.trained_size;
    const auto processor = make_cpu_backend(1);
    return make_needle_map(model.exhibit, search, *processor);
}

ViewState text_of_cell(const ViewState& map, const plot::Panel& panel, plot::Point data) {
    ViewState text = map;
    text.view = "needle";
    text = with_value(std::move(text), "length", static_cast<double>(tick_at(panel.x, data.x)));
    return with_value(std::move(text), "depth", static_cast<double>(tick_at(panel.y, data.y)) / 100);
}

}  // namespace whorl::viz
