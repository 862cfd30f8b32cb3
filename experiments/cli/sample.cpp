// whorl sample: a task's examples, to be checked by eye.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/io/text.hpp"
#include "core/training/metrics.hpp"
#include "experiments/cli/options.hpp"
#include "tasks/registry.hpp"

namespace whorl::cli {
namespace {

constexpr std::int64_t kMostSamples = 1'000'000, kLargestShownSize = 1 << 20;

Split split_from(const std::string& name) {
    for (const Split split : {Split::train, Split::validation, Split::test})
        if (name == split_name(split)) return split;
    throw UserError("--split: unknown split " + in_quotes(name) + suggestion(name, {"train", "validation", "test"}));
}

// The defaults of the task with --set key=value applied to its parameters.
Task task_from(const Parsed& parsed) {
    Document document{to_value(find_task(parsed.first("TASK"))), "--set"};
    for (const std::string& assignment : parsed.all("set")) apply_override(document, assignment);
    return read_task(document.root, Place{&document.source, ""});
}

struct Example {
    std::vector<std::int32_t> tokens, targets;
};

Example make_example(const DataSource& data, const SampleKey& key) {
    Example example;
    const auto capacity = static_cast<std::size_t>(data.positions(key.sizes.max));
    example.tokens.resize(capacity);
    example.targets.resize(capacity);
    const std::int64_t used =
        data.generate(key, {example.tokens.data(), example.targets.data(), static_cast<std::int64_t>(capacity)});
    example.tokens.resize(static_cast<std::size_t>(used));
    example.targets.resize(static_cast<std::size_t>(used));
    return example;
}

// Tokens on one line, what is asked for below them, dots where nothing is.
void print_text(const Task& task, const Example& example) {
    std::string above, below;
    for (std::size_t t = 0; t < example.tokens.size(); ++t) {
        const std::string token = token_text(task, example.tokens[t]);
        const std::string target = example.targets[t] < 0 ? "." : token_text(task, example.targets[t]);
        const std::size_t width = std::max(token.size(), target.size());
        above += fmt::format(" {:>{}}", token, width);
        below += fmt::format(" {:>{}}", target, width);
    }
    fmt::print("input {}\ntarget{}\n\n", above, below);
}

void print_json(const Example& example) {
    Array tokens, targets;
    for (const std::int32_t token : example.tokens) tokens.emplace_back(std::int64_t{token});
    for (const std::int32_t target : example.targets) targets.emplace_back(std::int64_t{target});
    fmt::print("{}\n", write_json({Table{{"tokens", {std::move(tokens)}}, {"targets", {std::move(targets)}}}}));
}

}  // namespace

int run_sample(const Arguments& arguments) {
    Syntax syntax("sample", "TASK [--count N] [--size N | --max-size N] [--set key=value]… [--json]",
                  "Prints examples of a task: the input tokens, and below each the answer that is asked for there (a "
                  "dot: none).\n"
                  "With --json one object a line; a target of -1 means that nothing is asked for.",
                  {"whorl sample parity --count 5", "whorl sample parity --set supervise=all --size 12",
                   "whorl sample parity --split test --json"});
    syntax.positionals = {{"TASK"}};
    add_set_option(syntax.options);
    syntax.options.add_options()("count", po::value<std::int64_t>()->default_value(5), "how many")(
        "size", po::value<std::int64_t>(), "the size of each")("max-size", po::value<std::int64_t>()->default_value(16),
                                                               "the largest size")(
        "seed", po::value<std::int64_t>()->default_value(0), "the data's seed")(
        "step", po::value<std::int64_t>()->default_value(0), "the training step (other splits take the size instead)")(
        "split", po::value<std::string>()->default_value("train"), "train, validation or test")(
        "json", po::bool_switch(), "for programs");
    const auto parsed = parse(syntax, arguments);
    if (!parsed) return 0;
    const Task task = task_from(*parsed);
    const auto data = make_data_source(task);
    const auto in_range = [](const char* flag, std::int64_t value, std::int64_t least, std::int64_t most) {
        if (value < least || value > most)
            throw UserError(fmt::format("{}: {} is not in {}..{}", flag, value, least, most));
        return value;
    };
    const std::int64_t count = in_range("--count", parsed->number("count"), 0, kMostSamples);
    const bool fixed = parsed->has("size");
    const std::int64_t largest = in_range(fixed ? "--size" : "--max-size", parsed->number(fixed ? "size" : "max-size"),
                                          data->min_size(), kLargestShownSize);
    const Split split = split_from(parsed->text("split"));
    const auto step = static_cast<std::uint64_t>(
        split == Split::train ? in_range("--step", parsed->number("step"), 0, std::int64_t{1} << 47) : largest);
    for (std::int64_t i = 0; i < count; ++i) {
        const SampleKey key{static_cast<std::uint64_t>(parsed->number("seed")),
                            split,
                            step,
                            static_cast<std::uint64_t>(i),
                            {fixed ? largest : data->min_size(), largest}};
        const Example example = make_example(*data, key);
        parsed->flag("json") ? print_json(example) : print_text(task, example);
    }
    return 0;
}

}  // namespace whorl::cli
