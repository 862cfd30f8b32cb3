// whorl sample: a task's examples, to be checked by eye, or in a file for programs.
#include <fmt/format.h>

#include <limits>

#include "app/cli/examples.hpp"
#include "app/cli/options.hpp"
#include "app/cli/outputs.hpp"
#include "app/interchange/example_file.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/training/metrics.hpp"

namespace whorl::cli {
namespace {

constexpr std::int64_t kMostSamples = 1'000'000, kLastStep = std::int64_t{1} << 47;

void print_json(const Example& example) {
    Array tokens, targets;
    for (const std::int32_t token : example.tokens) tokens.emplace_back(std::int64_t{token});
    for (const std::int32_t target : example.targets) targets.emplace_back(std::int64_t{target});
    fmt::print("{}\n", write_json({Table{{"tokens", {std::move(tokens)}}, {"targets", {std::move(targets)}}}}));
}

std::int64_t in_range(const char* flag, std::int64_t value, std::int64_t most) {
    if (value < 0 || value > most) throw UserError(fmt::format("{}: {} is not in 0..{}", flag, value, most));
    return value;
}

SizeRange sizes_from(const Parsed& parsed, const Task& task, const DataSource& data) {
    if (parsed.has("size")) {
        const std::int64_t size = check_size(task, parsed.number("size"), "--size");
        return {size, size};
    }
    if (!parsed.has("max-size")) return shown_sizes(data);
    return {data.min_size(), check_size(task, parsed.number("max-size"), "--max-size")};
}

/// Ranges of sizes for a file: single ones by --lengths or --size (those of eval without either), or one --max-size.
std::vector<SizeRange> file_sizes(const Parsed& parsed, const Task& task, const DataSource& data) {
    if (parsed.has("size") || parsed.has("max-size")) return {sizes_from(parsed, task, data)};
    std::vector<SizeRange> sizes;
    for (const std::int64_t size : number_list(parsed.text("lengths"), "--lengths", 1, kLargestTaskSize))
        sizes.push_back({check_size(task, size, "--lengths"), size});
    return sizes;
}

int write_file(const Parsed& parsed, const Task& task, const DataSource& data, std::int64_t count, Split split) {
    const std::string out = parsed.text("out");
    for (const char* other : {"ids", "json"})
        if (parsed.flag(other)) throw UserError(fmt::format("--out and --{} exclude each other", other));
    require_safetensors_name(out);
    if (count < 1) throw UserError("--count: a file needs one example at least");
    const std::int64_t step = split == Split::train ? in_range("--step", parsed.number("step"), kLastStep) : 0;
    const std::int64_t seed = in_range("--seed", parsed.number("seed"), std::numeric_limits<std::int64_t>::max());
    const ExampleRequest request{task, split, seed, step, count, file_sizes(parsed, task, data)};
    const std::int64_t length = write_examples(out, request);
    fmt::print("{}: {} examples of {} (version {}), {} split, {} positions, vocabulary {}\n", one_line(out),
               count * static_cast<std::int64_t>(request.sizes.size()), data.name(), data.version(), split_name(split),
               length, data.vocabulary());
    return 0;
}

Syntax syntax() {
    Syntax syntax(
        "sample",
        "TASK [--count N] [--size N | --max-size N] [--set key=value]… [--ids | --json | --out FILE [--lengths N,N]]",
        "Prints examples of a task: expressions with their value, or else the input tokens and below each the "
        "answer that is\n"
        "asked for there (a dot: none). With --json one object a line; a target of -1 means that nothing is "
        "asked for.\nWith --out a safetensors file for programs: tokens and targets, filled up with 0 and -1, and the "
        "sizes. Of the test split\nthey are the examples that `whorl eval --task` asks for at those --lengths; `whorl "
        "score` reads the answers.",
        {"whorl sample parity --count 5", "whorl sample modular_arithmetic --size 9",
         "whorl sample group_word --set group=S3xZ2 --size 8",
         "whorl sample needle --set keys=2 --set queries=2 --set haystack=needles --size 40",
         "whorl sample parity --split test --json",
         "whorl sample mqar --split test --lengths 64,256 --count 256 --out mqar.safetensors"});
    syntax.positionals = {{"TASK"}};
    add_set_option(syntax.options);
    syntax.options.add_options()("count", po::value<std::int64_t>()->default_value(5), "how many")(
        "size", po::value<std::int64_t>(), "the size of each")("max-size", po::value<std::int64_t>(),
                                                               "the largest size (default 16, or the task's smallest)")(
        "seed", po::value<std::int64_t>()->default_value(0), "the data's seed")(
        "step", po::value<std::int64_t>()->default_value(0), "the training step (other splits take the size instead)")(
        "split", po::value<std::string>()->default_value("train"), "train, validation or test")(
        "out", po::value<std::string>(), "a .safetensors file to write, instead of printing")(
        "lengths", po::value<std::string>()->default_value("64,256"), "sizes in the file, --count examples of each")(
        "ids", po::bool_switch(), "numbers instead of the tokens' texts")("json", po::bool_switch(), "for programs");
    return syntax;
}

}  // namespace

int run_sample(const Arguments& arguments) {
    const auto parsed = parse(syntax(), arguments);
    if (!parsed) return 0;
    const Task task = find_task(parsed->first("TASK"), parsed->all("set"));
    const auto data = make_data_source(task);
    const std::int64_t count = in_range("--count", parsed->number("count"), kMostSamples);
    const Split split = split_named(parsed->text("split"), "--split");
    if (parsed->has("out")) return write_file(*parsed, task, *data, count, split);
    if (parsed->has("lengths")) throw UserError("--lengths: names the sizes in a file; add --out, or give --size");
    const SizeRange sizes = sizes_from(*parsed, task, *data);
    const std::int64_t step = split == Split::train ? in_range("--step", parsed->number("step"), kLastStep) : sizes.max;
    for (std::int64_t i = 0; i < count; ++i) {
        const SampleKey key{static_cast<std::uint64_t>(parsed->number("seed")), split, static_cast<std::uint64_t>(step),
                            static_cast<std::uint64_t>(i), sizes};
        const Example example = make_example(*data, key);
        if (parsed->flag("json"))
            print_json(example);
        else if (parsed->flag("ids"))
            fmt::print("{}", paired_text(example, [](std::int32_t token) { return std::to_string(token); }));
        else
            fmt::print("{}", readable_text(task, example));
    }
    return 0;
}

}  // namespace whorl::cli
