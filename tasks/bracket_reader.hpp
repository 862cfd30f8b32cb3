// Reads expressions of modular_arithmetic_brackets token by token, as a parser does: it knows after each of them what
// may follow, which brackets are open, and the value once the expression is complete.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tasks/modular_arithmetic_brackets.hpp"

namespace whorl {

constexpr bool is_digit(std::int32_t token, std::int32_t modulus) {
    return token >= kDigit && token < kDigit + modulus;
}
constexpr bool is_operator(std::int32_t token) {
    return token >= kPlus && token <= kTimes;
}

/// Without recursion: what is open lies on a stack.
class BracketReader {
public:
    explicit BracketReader(const ModularArithmeticBrackets& task) : task_(task) {}

    /// False: no expression goes on with this token.
    bool read(std::int32_t token) {
        if (is_digit(token, task_.modulus)) return take_digit(token - kDigit);
        if (token == task_.close()) return take_close();
        const bool operand = awaits_operand();
        if (token == task_.open()) return operand && !minus_ && (pairs_.emplace_back(), true);
        if (!operand) return is_operator(token) && take_operator(token);
        const bool minus = token == kMinus && !minus_;
        minus_ = true;
        return minus;
    }
    bool complete() const { return complete_; }
    std::int32_t value() const { return value_; }
    std::size_t open() const { return pairs_.size(); }

private:
    /// A pair of brackets that is not closed yet.
    struct Pair {
        std::optional<std::int32_t> left{}, right{};
        std::int32_t operation = 0;  // 0: none yet
        bool bare = false;           // left is d or -d: it may stand alone
    };

    bool awaits_operand() const {
        if (pairs_.empty()) return !complete_;
        const Pair& pair = pairs_.back();
        return !pair.left || (pair.operation != 0 && !pair.right);
    }
    bool take_digit(std::int32_t digit) {
        if (!awaits_operand()) return false;
        const std::int32_t value = minus_ ? modulo(-digit, task_.modulus) : digit;
        minus_ = false;
        return take_operand(value, true);
    }
    bool take_operand(std::int32_t value, bool bare) {
        if (pairs_.empty()) return value_ = value, complete_ = true;
        Pair& pair = pairs_.back();
        if (pair.left) return pair.right = value, true;
        pair.left = value, pair.bare = bare;
        return true;
    }
    bool take_operator(std::int32_t token) {
        if (pairs_.empty() || pairs_.back().operation != 0) return false;
        pairs_.back().operation = token;
        return true;
    }
    bool take_close() {
        if (pairs_.empty()) return false;
        const Pair pair = pairs_.back();
        if (!pair.right && !(pair.left && pair.bare && pair.operation == 0)) return false;
        pairs_.pop_back();
        return take_operand(pair.right ? joined(pair) : *pair.left, false);
    }
    std::int32_t joined(const Pair& pair) const {
        if (pair.operation == kTimes) return *pair.left * *pair.right % task_.modulus;
        return modulo(pair.operation == kPlus ? *pair.left + *pair.right : *pair.left - *pair.right, task_.modulus);
    }

    const ModularArithmeticBrackets& task_;
    std::vector<Pair> pairs_;
    bool complete_ = false;
    std::int32_t value_ = 0;  // of the whole, once complete
    bool minus_ = false;      // before the digit to come
};

}  // namespace whorl
