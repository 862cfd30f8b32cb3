// whorl tasks: what can be trained on.
#include <fmt/format.h>

#include "experiments/cli/options.hpp"
#include "tasks/registry.hpp"

namespace whorl::cli {
namespace {

void describe_task(const Task& task) {
    const auto data = make_data_source(task);
    fmt::print("{} (version {})\n\n{}\n\n", data->name(), data->version(), about_task(task));
    fmt::print("tokens: {}, of which 0 is padding:", data->vocabulary());
    for (std::int64_t token = 0; token < data->vocabulary(); ++token)
        fmt::print(" {} = '{}'", token, token_text(task, static_cast<int>(token)));
    fmt::print("\naccuracy of guessing: {:g}\n\nParameters, with their defaults:\n\n[task]\n{}", data->chance(),
               write_toml(to_value(task)));
}

}  // namespace

int run_tasks(const Arguments& arguments) {
    Syntax syntax("tasks", "[--describe NAME]", "Lists the tasks, or explains one with its tokens and parameters.",
                  {"whorl tasks", "whorl tasks --describe parity"});
    syntax.options.add_options()("describe", po::value<std::string>(), "the task to explain");
    const auto parsed = parse(syntax, arguments);
    if (!parsed) return 0;
    if (parsed->has("describe")) {
        describe_task(find_task(parsed->text("describe")));
        return 0;
    }
    for (const Task& task : all_tasks()) fmt::print("{:<12} {}\n", name_of_task(task), about_task(task));
    return 0;
}

}  // namespace whorl::cli
