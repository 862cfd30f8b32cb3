// A table of results as text, Markdown and JSON.
#include <fmt/format.h>

#include "experiments/reproduce/table.hpp"

namespace whorl {
namespace {

double percent(double scaled) {
    return 100 * scaled;
}

std::string paper_text(const TableRow& row) {
    return row.paper ? fmt::format("{:.2f}", *row.paper) : "-";
}

double total_seconds(const TableResult& result) {
    double seconds = 0;
    for (const RowResult& row : result.rows) seconds += row.seconds;
    return seconds;
}

// Each cell of one row, in the order of kHeads.
std::vector<std::string> cells(const RowResult& row, const TableResult& result) {
    std::vector<std::string> texts = {row.row->label,
                                      fmt::format("{:.1f}", percent(row.best)),
                                      fmt::format("{:.1f}", percent(row.median)),
                                      fmt::format("{}/{}", row.passed, row.seeds),
                                      fmt::format("{}/{}", row.passed_all, row.replicas),
                                      fmt::format("{:g}", row.best_rate),
                                      paper_text(*row.row),
                                      fmt::format("{:.0f}", row.seconds)};
    for (std::size_t i = 0; i < result.config.test.sizes.size(); ++i)
        texts.push_back(fmt::format("{:.0f}", percent(row.curve[i])));
    return texts;
}

std::vector<std::string> heads(const TableResult& result) {
    std::vector<std::string> texts = {"row", "best", "median", "pass", "pass all", "rate", "paper", "s"};
    for (const std::int64_t size : result.config.test.sizes) texts.push_back(fmt::format("@{}", size));
    return texts;
}

std::string text_line(const std::vector<std::string>& texts) {
    std::string line = fmt::format("{:<24}", texts[0]);
    for (std::size_t i = 1; i < texts.size(); ++i) line += fmt::format(" {:>{}}", texts[i], i < 5 ? 8 : 7);
    return line + "\n";
}

std::string markdown_line(const std::vector<std::string>& texts) {
    std::string line = "|";
    for (const std::string& text : texts) line += " " + text + " |";
    return line + "\n";
}

std::string list_text(const std::vector<double>& values) {
    std::string text;
    for (const double value : values) text += fmt::format("{}{:g}", text.empty() ? "" : ", ", value);
    return text;
}

std::string legend(const TableResult& result) {
    return fmt::format(
        "Scaled accuracy in percent (guessing = 0, chance accuracy {:g}), test split at size {}. best: the replica "
        "with the highest\n"
        "validation accuracy (@N: the same one at size N); median, pass: over the seeds at the learning rate with the "
        "highest mean\n"
        "validation accuracy; pass: at least {:.0f}; pass all: in the whole population; s: seconds of training and "
        "evaluation.\n",
        result.chance, result.profile->test_size, percent(kPass));
}

Value numbers(const std::vector<double>& values) {
    Array items;
    for (const double value : values) items.emplace_back(value);
    return {std::move(items)};
}

Value row_value(const RowResult& row) {
    return {Table{{"key", {std::string(row.row->key)}},
                  {"label", {std::string(row.row->label)}},
                  {"best", {row.best}},
                  {"best_replica", {static_cast<std::int64_t>(row.best_replica)}},
                  {"curve", numbers(row.curve)},
                  {"best_rate", {row.best_rate}},
                  {"median", {row.median}},
                  {"passed", {row.passed}},
                  {"seeds", {row.seeds}},
                  {"passed_all", {row.passed_all}},
                  {"replicas", {row.replicas}},
                  {"paper_percent", row.row->paper ? Value{*row.row->paper} : Value{}},
                  {"seconds", {row.seconds}}}};
}

}  // namespace

std::string protocol_text(const TableResult& result) {
    const RunConfig& config = result.config;
    const TrainingConfig& training = config.training;
    const Curriculum& curriculum = training.curriculum;
    const std::string growth =
        curriculum.shape == CurriculumShape::linear
            ? fmt::format(" (growing from {} over {:.0f} % of the steps)", curriculum.start, percent(curriculum.growth))
            : "";
    return fmt::format(
        "trained at sizes <= {}{}, tested at {}; {} steps of {} sequences; {} replicas a row: learning rates {} x {} "
        "seeds; "
        "AdamW ({:g}, {:g}), decay {}, clip {:g}; d_model {}, {} layer(s); {} test examples a size; {:.0f} s in all on "
        "{}; "
        "determinism same_replica",
        curriculum.largest(), growth, result.profile->test_size, training.steps, training.batch,
        config.replicas.count(), list_text(config.replicas.learning_rates), config.replicas.seeds,
        training.optimizer.beta1, training.optimizer.beta2, list_text(config.replicas.weight_decays),
        training.optimizer.clip, config.model.config->d_model, config.model.config->n_layer, config.test.count,
        total_seconds(result), result.device);
}

std::string to_text(const TableResult& result) {
    std::string text = fmt::format("{}\n\n{}", result.table->title, text_line(heads(result)));
    for (const RowResult& row : result.rows) text += text_line(cells(row, result));
    return text +
           fmt::format("\n{}\nOurs: {}.\nPaper: {}\n", legend(result), protocol_text(result), result.table->source);
}

std::string to_markdown(const TableResult& result) {
    const std::vector<std::string> names = heads(result);
    std::string text = fmt::format("# {}\n\n{}", result.table->title, markdown_line(names));
    text += markdown_line(std::vector<std::string>(names.size(), "---"));
    for (const RowResult& row : result.rows) text += markdown_line(cells(row, result));
    return text +
           fmt::format("\n{}\nOurs: {}.\n\nPaper: {}\n", legend(result), protocol_text(result), result.table->source);
}

std::string to_json(const TableResult& result) {
    Array rows;
    for (const RowResult& row : result.rows) rows.push_back(row_value(row));
    Array sizes;
    for (const std::int64_t size : result.config.test.sizes) sizes.emplace_back(size);
    return write_json({Table{{"table", {std::string(result.table->name)}},
                             {"recipe", {std::string(result.profile->recipe)}},
                             {"test_size", {result.profile->test_size}},
                             {"test_sizes", {std::move(sizes)}},
                             {"chance", {result.chance}},
                             {"protocol", {protocol_text(result)}},
                             {"rows", {std::move(rows)}}}},
                      2) +
           "\n";
}

}  // namespace whorl
