#include "viz/desk/reading.hpp"

#include <algorithm>
#include <cstdlib>

#include "app/inference/tokens.hpp"
#include "core/base/error.hpp"
#include "tasks/registry.hpp"
#include "viz/desk/desk_views.hpp"
#include "viz/desk/needles.hpp"

namespace whorl::viz {
namespace {

constexpr std::int64_t kMostReadTokens = 4096;

std::vector<std::string> token_texts(const Task& task) {
    std::vector<std::string> texts;
    for (std::int64_t v = 0; v < make_data_source(task)->vocabulary(); ++v)
        texts.push_back(token_text(task, static_cast<std::int32_t>(v)));
    return texts;
}

std::vector<std::int32_t> example_of(const Task& task, std::int64_t size) {
    if (size > kMostReadTokens) throw UserError("text: at most size:" + std::to_string(kMostReadTokens));
    check_size(task, size, "text");
    std::vector<std::int32_t> tokens =
        make_example(*make_data_source(task), {0, Split::test, static_cast<std::uint64_t>(size), 0, {size, size}})
            .tokens;
    if (std::holds_alternative<Needle>(task))
        tokens.erase(std::find(tokens.begin(), tokens.end(), Needle::kQuery), tokens.end());
    return tokens;
}

/// A state's own text, or the view's where the state has the start screen's.
std::string text_named(const ViewState& state) {
    const std::string text = desk_view(state.view).text;
    if (state.text != ViewState{}.text) return state.text;
    // What suits the view's own models may be no text of others.
    return state.models.empty() || text.compare(0, 5, "size:") == 0 ? text : "size:16";
}

}  // namespace

std::vector<std::int32_t> tokens_of(const ViewState& state, const Exhibit& exhibit) {
    const auto* needle = std::get_if<Needle>(&*exhibit.task);
    if (state.view == "needle" && needle != nullptr && state.text == ViewState{}.text)
        return needle_text(*needle, state);
    const std::string text = text_named(state), sized = "size:";
    if (text.compare(0, sized.size(), sized) == 0)
        return example_of(*exhibit.task,
                          std::max<std::int64_t>(std::atoll(text.c_str() + sized.size()),
                                                 text == state.text ? 0 : make_data_source(*exhibit.task)->min_size()));
    const auto tokens = tokens_of_text(text, token_texts(*exhibit.task));
    if (static_cast<std::int64_t>(tokens.size()) > kMostReadTokens)
        throw UserError("text: at most " + std::to_string(kMostReadTokens) + " tokens");
    return tokens;
}

std::int64_t cursor_of(const ViewState& state, std::size_t count) {
    const auto length = static_cast<std::int64_t>(count);
    return state.cursor < 0 ? length : std::clamp<std::int64_t>(state.cursor, 1, length);
}

std::vector<std::int32_t> read_tokens_of(const ViewState& state, const Exhibit& exhibit) {
    std::vector<std::int32_t> tokens = tokens_of(state, exhibit);
    tokens.resize(static_cast<std::size_t>(cursor_of(state, tokens.size())));
    return tokens;
}

}  // namespace whorl::viz
