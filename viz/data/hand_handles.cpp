#include "viz/data/hand_handles.hpp"

#include <algorithm>
#include <cmath>

#include "core/numerics/rotation.hpp"

namespace whorl::viz {
namespace {

using trace::PlanePoint;
using trace::StepPieces;

constexpr double kOneDegree = numerics::pi<double> / 180;         // in radians
constexpr double kOnKept = 0.4, kOnBefore = 0.5, kOnAdded = 0.7;  // shares of the way, so that handles do not meet
constexpr double kLeastInput = 0.05;                              // below, it has no direction to speak of
constexpr double kMoved = 1e-6;
constexpr double kTooClose = 0.04;  // of the distance from the origin, or of 1

PlanePoint scaled(double by, PlanePoint u) {
    return {by * u.x, by * u.y};
}
PlanePoint at_angle(double size, double degrees) {
    return scaled(size, trace::turned({1, 0}, degrees * kOneDegree));
}

std::string without_digit(const std::string& name) {
    return name.back() == '0' || name.back() == '1' ? name.substr(0, name.size() - 1) : name;
}
int bit_of(const std::string& name) {
    return name.back() == '0' ? 0 : 1;
}

/// A number that moves a point of the dial.
struct Moving {
    const char *number, *label;
};
constexpr Moving kMoving[] = {{"turn", "θ"}, {"beta", "β"}, {"decay", "−A"}, {"dt", "Δ"}, {"lambda", "λ"}};

/// "turn1"; λ of a 1 has the step lab's name.
std::string name_of(const std::string& number, int bit) {
    return number == "lambda" && bit == 1 ? number : number + std::to_string(bit);
}

/// Whether a little more or less of it moves its handle.
bool moves(HandPair pair, const std::vector<int>& bits, const std::string& name) {
    const PlanePoint here = *handle_place(pair, bits, name);
    double& number = *number_named(pair, name);
    const double now = number;
    for (const double by : {-0.01, 0.01}) {
        number = now + by;
        if (trace::length(*handle_place(pair, bits, name) - here) > kMoved) return true;
    }
    return false;
}

bool on_another(const std::vector<PairHandle>& handles, PlanePoint at) {
    return std::any_of(handles.begin(), handles.end(), [&](const PairHandle& other) {
        return trace::length(other.at - at) < kTooClose * std::max(1.0, trace::length(at));
    });
}

}  // namespace

std::size_t step_of_bit(const std::vector<int>& bits, int bit) {
    const auto last = std::find(bits.rbegin(), bits.rend(), bit);
    return last == bits.rend() ? bits.size() - 1 : static_cast<std::size_t>(bits.rend() - last) - 1;
}

std::optional<PlanePoint> handle_place(const HandPair& pair, const std::vector<int>& bits, const std::string& name) {
    const std::size_t t = step_of_bit(bits, bit_of(name));
    const std::vector<int> read(bits.begin(), bits.begin() + static_cast<std::ptrdiff_t>(t) + 1);
    const StepPieces step = steps_of(pair, read).steps.back();
    const std::string number = without_digit(name);
    if (number == "turn" || number == "beta") return step.u;
    if (number == "decay") return pair.kind == PairKind::slide ? step.u : scaled(kOnKept, step.kept);
    if (number == "dt") return step.kept + step.before + scaled(kOnAdded, step.now);
    if (number == "lambda") return step.kept + scaled(kOnBefore, step.before);
    return std::nullopt;
}

std::vector<PairHandle> handles_of(const HandPair& pair, const std::vector<int>& bits, int bit, double rim) {
    std::vector<PairHandle> handles;
    const auto add = [&](const std::string& fields, const char* label, PlanePoint at) {
        if (!on_another(handles, at)) handles.push_back({fields, label, at});
    };
    const BitStep& step = pair.at[bit == 0 ? 0 : 1];
    const std::string digit = std::to_string(bit);
    const bool read = bits[step_of_bit(bits, bit)] == bit;
    for (const Moving& one : kMoving) {
        const std::string name = name_of(one.number, bit);
        if (read && uses(pair.kind, one.number) && moves(pair, bits, name))
            add(name, one.label, *handle_place(pair, bits, name));
    }
    if (std::fabs(step.in) >= kLeastInput) {
        add("in" + digit + "+key" + digit, uses(pair.kind, "dt") ? "B x" : "k v", at_angle(step.in, step.key));
        if (uses(pair.kind, "apart")) add("apart" + digit, "second k", at_angle(step.in, step.key + step.apart));
    }
    add("read", "C", at_angle(rim, pair.read));
    return handles;
}

}  // namespace whorl::viz
