#include "viz/app/zoom.hpp"

#include <algorithm>
#include <iterator>

#include "viz/app/imgui_compat.hpp"

namespace whorl::view {
namespace {

constexpr double kScales[] = {0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4};  // as in browsers

}  // namespace

double zoomed(double scale, int steps) {
    if (steps == 0) return 1;
    if (steps > 0) {
        const double* above = std::upper_bound(std::begin(kScales), std::end(kScales), scale);
        return above == std::end(kScales) ? scale : *above;
    }
    const double* at = std::lower_bound(std::begin(kScales), std::end(kScales), scale);
    return at == std::begin(kScales) ? scale : *(at - 1);
}

double zoom_by_keys(double scale) {
    if (!ImGui::GetIO().KeyCtrl) return scale;
    if (is_pressed(Key::equal, true) || is_pressed(Key::keypad_add, true)) return zoomed(scale, 1);
    if (is_pressed(Key::minus, true) || is_pressed(Key::keypad_subtract, true)) return zoomed(scale, -1);
    if (is_pressed(Key::digit_0) || is_pressed(Key::keypad_0)) return zoomed(scale, 0);
    return scale;
}

}  // namespace whorl::view
