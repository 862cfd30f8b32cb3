#include "viz/views/ask_now_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.hpp"
#include "viz/data/ask_now.hpp"

namespace whorl::viz {
namespace {

AskedModel asked(const Exhibit& exhibit, const AskedText& text) {
    AskedModel model{exhibit.name, exhibit.about, role_of(exhibit.config), {}, {}, text.distance};
    for (const auto& answer : text.answers) {
        model.probability.push_back(answer ? answer->probability : std::numeric_limits<double>::quiet_NaN());
        model.right.push_back(answer && answer->is_right());
    }
    return model;
}

/// Where the value of a needle ends, from 1: the first position at which its question can be asked.
std::optional<std::size_t> needle_of(const Task& task, const AskedText& text) {
    if (!std::holds_alternative<Needle>(task)) return std::nullopt;
    const auto first =
        std::find_if(text.answers.begin(), text.answers.end(), [](const auto& one) { return one.has_value(); });
    if (first == text.answers.end()) return std::nullopt;
    return static_cast<std::size_t>(first - text.answers.begin()) + 1;
}

double chance_of(const Task& task) {
    const double chance = make_data_source(task)->chance();
    const auto* needle = std::get_if<Needle>(&task);
    return needle == nullptr ? chance : std::pow(chance, static_cast<double>(needle->answer_tokens()));
}

std::string question_text(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens, const Asking& asking) {
    const auto asked = question(*exhibit.task, tokens, asking);
    std::string text;
    if (asked)
        for (const std::int32_t token : asked->append) text += (text.empty() ? "" : " ") + text_of(exhibit, token);
    return text.empty() ? "what is " + name_of_task(*exhibit.task) + "'s answer so far" : text;
}

/// What the twin says in place of the first token that differs.
std::string twin_text(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens, const Asking& asking) {
    const auto other = twin(*exhibit.task, tokens, asking);
    if (!other) return "";
    for (std::size_t t = 0; t < tokens.size(); ++t)
        if (tokens[t] != (*other)[t])
            return fmt::format("{} instead of {} at token {}", text_of(exhibit, (*other)[t]),
                               text_of(exhibit, tokens[t]), t + 1);
    return "";
}

}  // namespace

AskNowData make_ask_now(const std::vector<Exhibit>& exhibits, const std::vector<std::int32_t>& tokens,
                        const Asking& asking, const std::function<void(std::int64_t)>& progress) {
    const Exhibit& first = exhibits.at(0);
    if (!first.task) throw UserError("ask-now: " + first.name + " does not say which task it answers; give --task");
    AskNowData data;
    data.chance = chance_of(*first.task);
    data.question = question_text(first, tokens, asking);
    data.twin = twin_text(first, tokens, asking);
    for (const Exhibit& exhibit : exhibits) {
        Exhibit same = exhibit;
        same.task = first.task;
        const AskedText text = ask_now(same, tokens, {asking, !data.twin.empty(), progress});
        if (std::none_of(text.answers.begin(), text.answers.end(), [](const auto& one) { return one.has_value(); }))
            throw UserError("ask-now: nothing can be asked about this text by " + name_of_task(*first.task));
        data.needle = needle_of(*first.task, text);
        data.models.push_back(asked(exhibit, text));
    }
    return data;
}

}  // namespace whorl::viz
