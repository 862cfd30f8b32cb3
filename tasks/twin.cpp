#include "tasks/question.hpp"

namespace whorl {
namespace {

using Tokens = std::vector<std::int32_t>;

/// Tokens first … first+count-1 may stand for one another.
struct Kind {
    std::int32_t first = 0, count = 0;
};

Kind changeable(const Parity&) {
    return {Parity::kZero, 2};
}
Kind changeable(const ModularSum& task) {
    return {ModularSum::kZero, task.modulus};
}
Kind changeable(const ModularArithmetic& task) {
    return {kDigit, task.modulus};
}
Kind changeable(const ModularArithmeticBrackets& task) {
    return {kDigit, task.modulus};
}
Kind changeable(const CycleNavigation&) {
    return {CycleNavigation::kStay, 3};
}
Kind changeable(const EvenPairs&) {
    return {EvenPairs::kA, 2};
}
Kind changeable(const GroupWord& task) {
    return {GroupWord::kElement, task.group.order()};
}
Kind changeable(const Needle& task) {
    return {task.first_value(), task.value_symbols};
}
Kind changeable(const Mqar& task) {
    return {task.first_value(), task.symbols - task.first_value()};
}
Kind changeable(const Induction& task) {
    return {Induction::kFirst, task.symbols};
}
Kind changeable(const FlipFlop&) {
    return {FlipFlop::kZero, 2};
}

// The next of its kind changes the answer wherever any other does: a value of an expression is linear in each digit, a
// group's element can be divided out. But on a cycle of two, one ahead and one back are the same: hence two tries.
constexpr std::int32_t kTries = 2;

}  // namespace

std::optional<Tokens> twin(const Task& task, const Tokens& tokens, const Asking& asking) {
    const auto asked = question(task, tokens, asking);
    if (!asked) return std::nullopt;
    const Kind kind = std::visit(
        [](const auto& one) {
            if constexpr (requires { changeable(one); })
                return changeable(one);
            else
                return Kind{};
        },
        task);
    Tokens other = tokens;
    for (std::size_t t = 0; t < tokens.size(); ++t) {
        const std::int32_t old = tokens[t] - kind.first;
        if (old < 0 || old >= kind.count) continue;
        for (std::int32_t next = 1; next <= kTries && next < kind.count; ++next) {
            other[t] = kind.first + (old + next) % kind.count;
            const auto changed = question(task, other, asking);
            if (changed && changed->append == asked->append && changed->answer != asked->answer) return other;
        }
        other[t] = tokens[t];
    }
    return std::nullopt;
}

}  // namespace whorl
