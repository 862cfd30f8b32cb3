#include "viz/lessons/answer.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

namespace whorl::viz {
namespace {

constexpr char kBetween = '~';  // as links leave it alone

std::string words_of(const LessonQuestion& question, double value) {
    if (question.kind == QuestionKind::choice) return question.choices.at(static_cast<std::size_t>(value) - 1);
    return number_answer(value) + question.unit;
}

}  // namespace

std::vector<std::string> answers_of(const ViewState& state) {
    std::vector<std::string> answers;
    for (std::size_t begin = 0; begin < state.answer.size();) {
        const std::size_t end = std::min(state.answer.find(kBetween, begin), state.answer.size());
        answers.push_back(state.answer.substr(begin, end - begin));
        begin = end + 1;
    }
    return answers;
}

ViewState with_answer(ViewState state, const std::string& answer) {
    if (!state.answer.empty()) state.answer += kBetween;
    state.answer += answer;
    return state;
}

std::string choice_answer(std::size_t rank) {
    return std::string(1, static_cast<char>('a' + rank));
}

std::string number_answer(double value) {
    return fmt::format("{:.6g}", value);
}

std::optional<double> answer_value(const LessonQuestion& question, const std::string& answer) {
    if (question.kind == QuestionKind::choice) {
        const std::size_t rank =
            answer.size() == 1 ? static_cast<std::size_t>(answer[0] - 'a') : question.choices.size();
        return rank < question.choices.size() ? std::optional(static_cast<double>(rank + 1)) : std::nullopt;
    }
    char* end = nullptr;
    const double value = std::strtod(answer.c_str(), &end);
    if (answer.empty() || *end != '\0' || !std::isfinite(value)) return {};
    if (question.kind == QuestionKind::position && (value < 1 || value != std::floor(value))) return {};
    return value;
}

std::optional<bool> is_right(const LessonQuestion& question, const std::string& answer) {
    const std::optional<double> value = answer_value(question, answer);
    if (!question.right) return {};
    if (!value) return false;
    const double off = *value - *question.right;
    return std::fabs(question.period > 0 ? std::remainder(off, question.period) : off) <= question.within;
}

std::string answer_words(const LessonQuestion& question, const std::string& answer) {
    const std::optional<double> value = answer_value(question, answer);
    return value ? words_of(question, *value) : "–";
}

std::string right_words(const LessonQuestion& question) {
    if (!question.right) return "";
    const std::string words = words_of(question, *question.right);
    if (question.within == 0) return words;
    return fmt::format("{}, or up to {}{} off", words, number_answer(question.within), question.unit);
}

}  // namespace whorl::viz
