#include "app/tables/table.hpp"

#include <algorithm>

#include "app/run/manifest.hpp"
#include "core/io/atomic_file.hpp"

namespace whorl {
namespace {

std::string origin_text(const RunDirectory& run, const RunStatus& status) {
    const auto origin = stored_origin(run);
    std::string text = origin ? origin->text() : "";
    for (const std::string& earlier : status.earlier) text += "; begun by " + earlier;
    return text;
}

}  // namespace

void fill(TableLine& line, const RunDirectory& run, const RunSetup& setup, std::optional<std::int64_t> size,
          double pass) {
    const RunStatus status = load_status(run);
    const auto population = read_population_result(run, setup);
    line.status = status.status;
    if (status.status != kNotBegun) line.status += ", step " + std::to_string(status.step);
    if (!population) {
        std::vector<std::string> damaged;
        run.newest_valid_checkpoint(&damaged);
        if (!damaged.empty()) line.status += ", damaged: " + damaged.front();
        return;
    }
    const std::vector<std::int64_t>& sizes = population->test_sizes;
    line.summary = summarize(*population, size.value_or(*std::max_element(sizes.begin(), sizes.end())), pass);
    line.origin = origin_text(run, status);
}

void write_tables(const ResultTable& table, const std::string& folder) {
    write_file(folder + "/table.md", to_markdown(table));
    write_file(folder + "/table.json", to_json(table));
    write_file(folder + "/table.csv", to_csv(table));
}

void add_shared(NamedTexts& texts, const std::string& name, const std::string& text) {
    if (text.empty()) return;
    const auto known = std::find_if(texts.begin(), texts.end(), [&](const auto& one) { return one.second == text; });
    if (known == texts.end())
        texts.emplace_back(name, text);
    else
        known->first += ", " + name;
}

}  // namespace whorl
