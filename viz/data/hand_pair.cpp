#include "viz/data/hand_pair.hpp"

#include <algorithm>
#include <cmath>

#include "core/numerics/discretization.hpp"
#include "core/numerics/rotation.hpp"

namespace whorl::viz {
namespace {

using trace::PlaneMap;
using trace::PlanePoint;
using trace::StepPieces;

constexpr double kRadians = numerics::pi<double> / 180;

PlanePoint operator*(double by, PlanePoint u) {
    return {by * u.x, by * u.y};
}
double inner(PlanePoint a, PlanePoint b) {
    return a.x * b.x + a.y * b.y;
}
/// The unit vector at an angle in degrees.
PlanePoint unit(double degrees) {
    return trace::turned({1, 0}, degrees * kRadians);
}
PlaneMap scaled_turn(double size, double angle) {
    const auto turn = numerics::sincos(angle);
    return {size * turn.cos, -size * turn.sin, size * turn.sin, size * turn.cos};
}

/// `last`: the step in front, null at the first.
StepPieces turn_of(const BitStep& bit, const BitStep* last) {
    const auto rule = numerics::exp_trapezoid(bit.dt, -bit.decay, bit.lambda);
    StepPieces step;
    step.turn = -bit.dt * bit.turn * kRadians;
    step.retention = step.eigenvalue = rule.alpha;
    step.linear = scaled_turn(rule.alpha, step.turn);
    if (last != nullptr) step.before = (rule.beta * last->in) * trace::turned(unit(last->key), step.turn);
    step.now = (rule.gamma * bit.in) * unit(bit.key);
    return step;
}

StepPieces slide_of(const BitStep& bit) {
    BitStep straight = bit;
    straight.turn = 0;
    straight.lambda = 1;
    return turn_of(straight, nullptr);
}

/// (I - β k kᵀ)
PlaneMap flip_along(PlanePoint k, double beta) {
    return {1 - beta * k.x * k.x, -beta * k.x * k.y, -beta * k.x * k.y, 1 - beta * k.y * k.y};
}

StepPieces flip_of(const BitStep& bit) {
    StepPieces step;
    step.key = unit(bit.key);
    step.retention = numerics::exp(-bit.decay);
    step.eigenvalue = step.retention * (1 - bit.beta);
    step.linear = flip_along(step.key, bit.beta);
    for (double& entry : step.linear) entry *= step.retention;
    step.now = (bit.beta * bit.in) * step.key;
    return step;
}

StepPieces two_flips_of(const BitStep& bit) {
    const PlanePoint first = unit(bit.key), second = unit(bit.key + bit.apart);
    StepPieces step;
    step.turn = 2 * bit.apart * kRadians;
    step.retention = step.eigenvalue = numerics::exp(-bit.decay);
    step.linear = scaled_turn(step.retention, step.turn);
    step.now = flip_along(second, 2) * ((2 * bit.in) * first) + (2 * bit.in) * second;
    return step;
}

StepPieces step_of(PairKind kind, const BitStep& bit, const BitStep* last) {
    switch (kind) {
        case PairKind::slide:
            return slide_of(bit);
        case PairKind::flip:
            return flip_of(bit);
        case PairKind::two_flips:
            return two_flips_of(bit);
        case PairKind::turn:
            break;
    }
    return turn_of(bit, last);
}

struct NamedNumber {
    const char* name;
    double BitStep::*member;
};
constexpr NamedNumber kNumbers[] = {{"dt", &BitStep::dt},     {"turn", &BitStep::turn},  {"decay", &BitStep::decay},
                                    {"in", &BitStep::in},     {"key", &BitStep::key},    {"lambda", &BitStep::lambda},
                                    {"beta", &BitStep::beta}, {"apart", &BitStep::apart}};

}  // namespace

double* number_named(HandPair& pair, const std::string& name) {
    if (name == "read") return &pair.read;
    if (name.empty()) return nullptr;
    const bool digit = name.back() == '0' || name.back() == '1';
    const std::string number = digit ? name.substr(0, name.size() - 1) : name;
    for (const NamedNumber& one : kNumbers) {
        // λ of a 1 has the step lab's name.
        const bool named = number == one.name && (digit || number == "lambda");
        if (named) return &(pair.at[digit && name.back() == '0' ? 0 : 1].*one.member);
    }
    return nullptr;
}

bool uses(PairKind kind, const std::string& number) {
    const auto among = [&](std::initializer_list<const char*> names) {
        return std::find(names.begin(), names.end(), number) != names.end();
    };
    if (among({"decay", "in", "key", "read"})) return true;
    switch (kind) {
        case PairKind::turn:
            return among({"dt", "turn", "lambda"});
        case PairKind::slide:
            return among({"dt"});
        case PairKind::flip:
            return among({"beta"});
        case PairKind::two_flips:
            break;
    }
    return among({"apart"});
}

trace::Steps steps_of(const HandPair& pair, const std::vector<int>& bits) {
    trace::Steps result;
    result.channel = {1};
    result.first = {1, 0};
    result.second = {0, 1};
    PlanePoint u;
    const BitStep* last = nullptr;
    for (const int bit : bits) {
        const BitStep& now = pair.at.at(static_cast<std::size_t>(bit));
        StepPieces step = step_of(pair.kind, now, last);
        step.kept = step.linear * u;
        step.u = u = step.kept + step.before + step.now;
        step.fixed_point = trace::fixed_point_of(step);
        step.read = unit(pair.read);
        result.steps.push_back(step);
        last = &now;
    }
    return result;
}

std::vector<double> readouts_of(const trace::Steps& steps) {
    std::vector<double> y;
    for (const StepPieces& step : steps.steps) y.push_back(inner(step.read, step.u));
    return y;
}

}  // namespace whorl::viz
