#include "app/cli/sequence.hpp"

#include <algorithm>

#include "app/inference/tokens.hpp"
#include "core/base/error.hpp"

namespace whorl::cli {

std::optional<Task> task_of(const Parsed& parsed, const LoadedModel& model, const std::string& path) {
    if (parsed.has("task")) return find_task(parsed.text("task"));
    return task_of_model(model, path);
}

std::vector<std::int32_t> sequence_of(const Parsed& parsed, const LoadedModel& model) {
    std::optional<Task> task;
    if (parsed.has("text")) task = task_of(parsed, model, parsed.first("CHECKPOINT|RUN"));
    return sequence_of(parsed, task, model.config.vocab_size);
}

std::vector<std::int32_t> sequence_of(const Parsed& parsed, const std::optional<Task>& task, std::int64_t vocabulary) {
    if (parsed.has("text") == parsed.has("tokens")) throw UserError("give the sequence with either --tokens or --text");
    if (parsed.has("tokens")) return one_sequence(parsed.text("tokens"), vocabulary);
    if (!task) throw UserError("--text needs --task: the model does not say which task's text it reads");
    const std::int64_t known = std::min(make_data_source(*task)->vocabulary(), vocabulary);
    std::vector<std::string> texts;
    for (std::int64_t v = 0; v < known; ++v) texts.push_back(token_text(*task, static_cast<std::int32_t>(v)));
    return tokens_of_text(parsed.text("text"), texts);
}

}  // namespace whorl::cli
