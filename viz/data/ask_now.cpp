#include "viz/data/ask_now.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/trace/keeper.hpp"

namespace whorl::viz {
namespace {

/// log P(token) under the softmax of the logits.
double log_probability(const std::vector<double>& logits, std::int32_t token) {
    const double highest = *std::max_element(logits.begin(), logits.end());
    double total = 0;
    for (const double logit : logits) total += std::exp(logit - highest);
    return logits[static_cast<std::size_t>(token)] - highest - std::log(total);
}

/// Puts the question to a reading that may be spoilt.
Answer answer_of(trace::Session& asked, const Question& question) {
    for (const std::int32_t token : question.append) asked.feed(token);
    Answer answer{question.answer, {}, 0, std::numeric_limits<double>::infinity()};
    double log_sum = 0;
    for (std::size_t i = 0; i < question.answer.size(); ++i) {
        if (i > 0) asked.feed(question.answer[i - 1]);
        const std::int32_t right = question.answer[i];
        answer.said.push_back(trace::most_likely(asked.logits()));
        answer.margin = std::min(answer.margin, trace::margin_of(asked.logits(), right));
        log_sum += log_probability(asked.logits(), right);
    }
    answer.probability = std::exp(log_sum);
    return answer;
}

std::int64_t longest_question(const std::vector<std::optional<Question>>& questions) {
    std::size_t longest = 0;
    for (const auto& one : questions)
        if (one) longest = std::max(longest, one->append.size() + one->answer.size());
    return static_cast<std::int64_t>(longest);
}

std::vector<std::optional<Question>> questions_of(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens,
                                                  const Asking& asking) {
    std::vector<std::optional<Question>> questions;
    for (std::size_t t = 1; t <= tokens.size(); ++t) {
        questions.push_back(
            question(*exhibit.task, {tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(t)}, asking));
        if (!questions.back()) continue;
        check_known(exhibit, questions.back()->append);
        check_known(exhibit, questions.back()->answer);
    }
    return questions;
}

}  // namespace

AskedText ask_now(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens, const AskNow& how) {
    const Task& task = exhibit.task.value();
    check_known(exhibit, tokens);
    const auto questions = questions_of(exhibit, tokens, how.asking);
    const auto length = static_cast<std::int64_t>(tokens.size());
    trace::Session reading(exhibit.config, exhibit.slice, length + longest_question(questions));
    trace::Session asked = reading.fork(), other = reading.fork();
    const auto twins = how.twin ? twin(task, tokens, how.asking) : std::nullopt;
    if (twins) check_known(exhibit, *twins);
    AskedText result{tokens, {}, {}};
    for (std::size_t t = 0; t < tokens.size(); ++t) {
        if (how.before) how.before(reading, tokens[t]);
        reading.feed(tokens[t]);
        if (twins) {
            other.feed((*twins)[t]);
            result.distance.push_back(reading.distance(other));
        }
        result.answers.emplace_back();
        if (questions[t]) {
            asked.become(reading);
            result.answers.back() = answer_of(asked, *questions[t]);
        }
        if (how.progress) how.progress(reading.position());
    }
    return result;
}

}  // namespace whorl::viz
