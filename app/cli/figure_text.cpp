#include "app/cli/figure_text.hpp"

#include <algorithm>

#include "app/cli/sequence.hpp"
#include "core/base/error.hpp"

namespace whorl::cli {
namespace {

constexpr std::int64_t kMostTokens = std::int64_t{1} << 16;

/// The example's inputs up to where a needle's first question begins.
std::vector<std::int32_t> before_questions(const Task& task, std::vector<std::int32_t> tokens) {
    if (std::holds_alternative<Needle>(task))
        tokens.erase(std::find(tokens.begin(), tokens.end(), Needle::kQuery), tokens.end());
    return tokens;
}

/// The task with other parameters (--set), whose tokens the model still knows.
Task changed(const Task& task, const std::vector<std::string>& assignments) {
    Document document{to_value(task), "--set"};
    for (const std::string& assignment : assignments) apply_override(document, assignment);
    return read_task(document.root, Place{&document.source, ""});
}

std::vector<std::int32_t> example_text_of(const Parsed& parsed, const Task& task, std::int64_t size) {
    check_size(task, size, "--size");
    const auto data = make_data_source(task);
    const SampleKey key{static_cast<std::uint64_t>(parsed.number("seed")),
                        Split::test,
                        static_cast<std::uint64_t>(size),
                        static_cast<std::uint64_t>(parsed.number("index")),
                        {size, size}};
    return before_questions(task, make_example(*data, key).tokens);
}

}  // namespace

std::vector<std::int32_t> figure_text(const Parsed& parsed, const viz::Exhibit& exhibit, std::int64_t size) {
    if (parsed.has("text") || parsed.has("tokens")) {
        for (const char* flag : {"size", "seed", "index", "set"})
            if (parsed.has(flag))
                throw UserError(std::string("--") + flag + " chooses an example; --text or --tokens is one");
        return sequence_of(parsed, exhibit.task, exhibit.config.vocab_size);
    }
    if (!exhibit.task)
        throw UserError("give --text or --tokens, or --task for an example: " + exhibit.name +
                        " does not say what task it answers");
    const std::int64_t least = make_data_source(*exhibit.task)->min_size();
    const std::int64_t asked = parsed.has("size") ? parsed.number("size") : std::max(size, least);
    if (asked > kMostTokens)
        throw UserError("--size " + std::to_string(asked) + ": at most " + std::to_string(kMostTokens));
    return example_text_of(parsed, changed(*exhibit.task, parsed.all("set")), asked);
}

}  // namespace whorl::cli
