#include "tasks/question.hpp"

#include <algorithm>
#include <map>

#include "tasks/bracket_reader.hpp"
#include "tasks/needle_reader.hpp"

namespace whorl {
namespace {

using Tokens = std::vector<std::int32_t>;
using Answer = std::optional<Question>;

/// What stands behind the token that begins a sequence; empty when it is not as it should be.
template <class T>
std::optional<Tokens> content(const T& task, const Tokens& prefix, std::int32_t begin) {
    const std::size_t skip = task.bos ? 1 : 0;
    if (prefix.size() < skip || (task.bos && prefix.front() != begin)) return std::nullopt;
    return Tokens(prefix.begin() + static_cast<std::ptrdiff_t>(skip), prefix.end());
}

// --- streams of symbols ----------------------------------------------------------------------------------------------

template <class T, class Track>
Answer ask_stream(const T& task, const Tokens& prefix, const StreamSymbols& symbols, Track track) {
    const auto read = content(task, prefix, symbols.begin);
    if (!read || read->empty()) return std::nullopt;
    std::int32_t answer = 0;
    for (const std::int32_t token : *read) {
        if (token < symbols.first || token >= symbols.first + symbols.count) return std::nullopt;
        answer = track.read(token - symbols.first);
    }
    return Question{{}, {answer}};
}

Answer ask(const Parity& task, const Tokens& prefix, const Asking&) {
    return ask_stream(task, prefix, {Parity::kZero, 2, Parity::kBegin}, ParityTrack{});
}
Answer ask(const ModularSum& task, const Tokens& prefix, const Asking&) {
    const std::int32_t begin = ModularSum::kZero + task.modulus;
    return ask_stream(task, prefix, {ModularSum::kZero, task.modulus, begin}, ModularSumTrack{task.modulus});
}
Answer ask(const CycleNavigation& task, const Tokens& prefix, const Asking&) {
    const std::int32_t begin = CycleNavigation::kPosition + task.cycle;
    return ask_stream(task, prefix, {CycleNavigation::kStay, 3, begin}, CycleTrack{task.cycle});
}
Answer ask(const EvenPairs& task, const Tokens& prefix, const Asking&) {
    return ask_stream(task, prefix, {EvenPairs::kA, 2, EvenPairs::kBegin}, EvenPairsTrack{});
}
Answer ask(const GroupWord& task, const Tokens& prefix, const Asking&) {
    const std::int32_t order = task.group.order();
    return ask_stream(task, prefix, {GroupWord::kElement, order, GroupWord::kElement + order}, GroupTrack{task.group});
}

// --- expressions -----------------------------------------------------------------------------------------------------

/// Takes an = at the end away: true when there was one. More than one, or one elsewhere, is no digit nor operator.
bool take_equals(Tokens& read) {
    if (read.empty() || read.back() != kEquals) return false;
    read.pop_back();
    return true;
}

/// What ends a question about an expression: = unless it is there, or not needed.
template <class T>
void add_equals(Tokens& append, const T& task, bool asked) {
    if (!asked && task.supervise == Supervise::last) append.push_back(kEquals);
}

Answer ask(const ModularArithmetic& task, const Tokens& prefix, const Asking&) {
    auto read = content(task, prefix, kDigit + task.modulus);
    if (!read) return std::nullopt;
    const bool asked = take_equals(*read);
    if (read->size() % 2 == 0) return std::nullopt;
    ExpressionTrack track{task.modulus};
    std::int32_t operation = kPlus, value = 0;
    for (std::size_t t = 0; t < read->size(); ++t) {
        const std::int32_t token = (*read)[t];
        if (!(t % 2 == 0 ? is_digit(token, task.modulus) : is_operator(token))) return std::nullopt;
        if (t % 2 == 0)
            value = track.read(operation, token - kDigit);
        else
            operation = token;
    }
    Question question{{}, {kDigit + value}};
    add_equals(question.append, task, asked);
    return question;
}

Answer ask(const ModularArithmeticBrackets& task, const Tokens& prefix, const Asking&) {
    auto read = content(task, prefix, task.begin_token());
    if (!read) return std::nullopt;
    const bool asked = take_equals(*read);
    BracketReader reader(task);
    for (const std::int32_t token : *read)
        if (!reader.read(token)) return std::nullopt;
    Question question;
    if (!asked) question.append.assign(reader.open(), task.close());
    for (const std::int32_t token : question.append)
        if (!reader.read(token)) return std::nullopt;
    if (!reader.complete()) return std::nullopt;
    add_equals(question.append, task, asked);
    question.answer = {kDigit + reader.value()};
    return question;
}

// --- needles ---------------------------------------------------------------------------------------------------------

Answer ask(const Needle& task, const Tokens& prefix, const Asking& asking) {
    NeedleReader reader(task);
    for (const std::int32_t token : prefix)
        if (!reader.read(token)) return std::nullopt;
    return reader.ask(asking);
}

// --- other recall ----------------------------------------------------------------------------------------------------

/// Pairs are a key at an even position and the value behind it, the first time that the key is there.
Answer ask(const Mqar& task, const Tokens& prefix, const Asking& asking) {
    std::map<std::int32_t, std::int32_t> value_of;
    auto key = asking.key;
    for (std::size_t t = 0; t < prefix.size(); t += 2) {
        const std::int32_t token = prefix[t], next = t + 1 < prefix.size() ? prefix[t + 1] : Mqar::kBlank;
        if (token < 0 || token >= task.symbols || next < 0 || next >= task.symbols) return std::nullopt;
        if (!task.is_key(token) || !task.is_value(next)) continue;
        value_of.try_emplace(token, next);
        if (!key) key = token;
    }
    Tokens append;
    if (prefix.size() % 2 == 0)
        append = {key.value_or(Mqar::kBlank)};
    else if (task.is_key(prefix.back()))
        key = prefix.back();
    else
        append = {Mqar::kBlank, key.value_or(Mqar::kBlank)};
    const auto found = value_of.find(key.value_or(Mqar::kBlank));
    if (found == value_of.end()) return std::nullopt;
    return Question{append, {found->second}};
}

Answer ask(const Induction& task, const Tokens& prefix, const Asking&) {
    const auto first = std::find(prefix.begin(), prefix.end(), task.special());
    const auto symbol = [&](std::int32_t token) { return token >= Induction::kFirst && token < task.special(); };
    const bool asked = first != prefix.end() && first + 1 != prefix.end() && prefix.back() == task.special();
    const auto end = prefix.end() - (asked ? 1 : 0);
    if (first == prefix.end() || end - first < 2 || !std::all_of(prefix.begin(), first, symbol) ||
        !std::all_of(first + 1, end, symbol))
        return std::nullopt;
    return Question{asked ? Tokens{} : Tokens{task.special()}, {*(first + 1)}};
}

Answer ask(const FlipFlop&, const Tokens& prefix, const Asking&) {
    std::int32_t written = kPad;
    for (std::size_t t = 0; t < prefix.size(); ++t) {
        const bool bit = prefix[t] == FlipFlop::kZero || prefix[t] == FlipFlop::kZero + 1;
        if (t % 2 == 0 ? prefix[t] < FlipFlop::kWrite || prefix[t] > FlipFlop::kIgnore : !bit) return std::nullopt;
        if (t % 2 == 1 && prefix[t - 1] == FlipFlop::kWrite) written = prefix[t];
    }
    const bool asked = prefix.size() % 2 == 1;
    if (written == kPad || (asked && prefix.back() != FlipFlop::kRead)) return std::nullopt;
    return Question{asked ? Tokens{} : Tokens{FlipFlop::kRead}, {written}};
}

}  // namespace

bool has_questions(const Task& task) {
    return std::visit(
        [](const auto& one) {
            return requires {
                ask(one, Tokens{}, Asking{});
            };
        },
        task);
}

std::optional<Question> question(const Task& task, const std::vector<std::int32_t>& prefix, const Asking& asking) {
    return std::visit(
        [&](const auto& one) -> Answer {
            if constexpr (requires { ask(one, prefix, asking); })
                return ask(one, prefix, asking);
            else
                return std::nullopt;
        },
        task);
}

std::optional<std::int32_t> asked_key(const Task& task, const std::vector<std::int32_t>& tokens) {
    if (!std::holds_alternative<Needle>(task)) return std::nullopt;
    const auto query = std::find(tokens.begin(), tokens.end(), Needle::kQuery);
    if (query == tokens.end() || query + 1 == tokens.end()) return std::nullopt;
    return *(query + 1);
}

}  // namespace whorl
