// whorl tasks: what can be trained on.
#include <fmt/format.h>

#include <algorithm>

#include "app/cli/examples.hpp"
#include "app/cli/options.hpp"
#include "core/base/error.hpp"
#include "tasks/baseline.hpp"

namespace whorl::cli {
namespace {

constexpr std::int64_t kTokensShown = 128;  // all of most tasks
constexpr std::uint64_t kExamplesShown = 3;
constexpr std::int64_t kBaselineExamples = 1 << 14;

void print_tokens(const Task& task, const DataSource& data) {
    fmt::print("tokens: {}, of which 0 is padding:", data.vocabulary());
    const std::int64_t shown = std::min(data.vocabulary(), kTokensShown);
    for (std::int64_t token = 0; token < shown; ++token)
        fmt::print(" {} = '{}'", token, token_text(task, static_cast<std::int32_t>(token)));
    fmt::print("{}\n", shown < data.vocabulary() ? " …" : "");
}

// At the smallest size, at the longest that is usually trained on, and at the published test size.
void print_baselines(const DataSource& data) {
    fmt::print(
        "accuracy of guessing: {:g}\naccuracy of always giving the most frequent answer (measured on {} examples a "
        "size):\n",
        data.chance(), kBaselineExamples);
    for (const std::int64_t beyond : {0, 40, 256}) {
        const std::int64_t size = std::max<std::int64_t>(data.min_size(), beyond);
        const double accuracy = majority_baseline(data, size, kBaselineExamples);
        fmt::print("  size {:>4}: {:.3f}, scaled {:.3f}\n", size, accuracy, scaled_accuracy(accuracy, data.chance()));
    }
}

// The first ones of training with seed 0: `whorl sample` shows more.
void print_examples(const Task& task, const DataSource& data) {
    fmt::print("\nexamples, as `whorl sample` prints them:\n\n");
    for (std::uint64_t i = 0; i < kExamplesShown; ++i)
        fmt::print("{}", readable_text(task, make_example(data, {0, Split::train, 0, i, shown_sizes(data)})));
}

void describe_task(const Task& task) {
    const auto data = make_data_source(task);
    fmt::print("{} (version {})\n\n{}\n\n", data->name(), data->version(), about_task(task));
    print_tokens(task, *data);
    print_baselines(*data);
    print_examples(task, *data);
    fmt::print("\nParameters:\n\n[task]\n{}", write_toml(to_value(task)));
}

void list_tasks() {
    std::size_t width = 0;
    for (const Task& task : all_tasks()) width = std::max(width, name_of_task(task).size());
    for (const Task& task : all_tasks()) {
        const std::string about = about_task(task);
        fmt::print("{:<{}}  {}\n", name_of_task(task), width, about.substr(0, about.find(". ")));
    }
}

}  // namespace

int run_tasks(const Arguments& arguments) {
    Syntax syntax(
        "tasks", "[--describe NAME [--set key=value]…]",
        "Lists the tasks, or explains one: its tokens, its parameters, examples, and what accuracy is worth nothing.",
        {"whorl tasks", "whorl tasks --describe parity",
         "whorl tasks --describe modular_arithmetic_brackets --set mult=true"});
    syntax.options.add_options()("describe", po::value<std::string>(), "the task to explain");
    add_set_option(syntax.options);
    const auto parsed = parse(syntax, arguments);
    if (!parsed) return 0;
    if (parsed->has("set") && !parsed->has("describe"))
        throw UserError("--set needs --describe NAME, a task to set it for");
    if (parsed->has("describe"))
        describe_task(find_task(parsed->text("describe"), parsed->all("set")));
    else
        list_tasks();
    return 0;
}

}  // namespace whorl::cli
