#include "tasks/question.hpp"

#include <algorithm>

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

}  // namespace

std::optional<Question> question(const Task& task, const std::vector<std::int32_t>& prefix, const Asking& asking) {
    return std::visit([&](const auto& one) { return ask(one, prefix, asking); }, task);
}

std::optional<std::int32_t> asked_key(const Task& task, const std::vector<std::int32_t>& tokens) {
    if (!std::holds_alternative<Needle>(task)) return std::nullopt;
    const auto query = std::find(tokens.begin(), tokens.end(), Needle::kQuery);
    if (query == tokens.end() || query + 1 == tokens.end()) return std::nullopt;
    return *(query + 1);
}

}  // namespace whorl
