// Examples of tasks as people read them.
#pragma once

#include <algorithm>
#include <string>

#include "tasks/registry.hpp"

namespace whorl::cli {

/// Tokens on one line, what is asked for below them, dots where nothing is; `text` writes a token.
template <class Text>
std::string paired_text(const Example& example, const Text& text) {
    std::string above = "input ", below = "target";
    const auto append = [](std::string& line, const std::string& word, std::size_t width) {
        line += ' ' + std::string(width - word.size(), ' ') + word;
    };
    for (std::size_t t = 0; t < example.tokens.size(); ++t) {
        const std::string token = text(example.tokens[t]);
        const std::string target = example.targets[t] < 0 ? "." : text(example.targets[t]);
        const std::size_t width = std::max(token.size(), target.size());
        append(above, token, width);
        append(below, target, width);
    }
    return above + "\n" + below + "\n\n";
}

/// An expression with its value where the task has one, else the two lines of paired_text.
inline std::string readable_text(const Task& task, const Example& example) {
    const std::string line = example_text(task, example);
    return line.empty() ? paired_text(example, [&](std::int32_t token) { return token_text(task, token); })
                        : line + "\n";
}

/// Sizes of examples that fit a terminal's line: from the task's smallest on.
inline SizeRange shown_sizes(const DataSource& data) {
    constexpr std::int64_t kShown = 16;
    return {data.min_size(), std::max(data.min_size(), kShown)};
}

}  // namespace whorl::cli
