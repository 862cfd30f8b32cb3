#include "app/cli/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/numerics/activations.hpp"
#include "core/training/statistics.hpp"

namespace whorl::cli {
namespace {

void print_header(const Evaluation& evaluation, double chance) {
    fmt::print("{} examples a size, {} split, chance {:g}\n", evaluation.count, split_name(evaluation.split), chance);
}

/// Bits and what they mean: the perplexity, and how much above the best possible predictor they are.
std::string bits_header(const Evaluation& evaluation) {
    if (evaluation.bits.empty()) return "";
    return fmt::format(" {:>8} {:>10}{}", "bits", "perplexity",
                       evaluation.ideal_bits.empty() ? "" : "    ideal    above");
}

std::string bits_text(const Evaluation& evaluation, std::size_t size, double bits) {
    if (evaluation.bits.empty()) return "";
    std::string text = fmt::format(" {:>8.4f} {:>10.4g}", bits, numerics::exp(bits * numerics::log(2.0)));
    if (!evaluation.ideal_bits.empty())
        text += fmt::format(" {:>8.4f} {:>8.4f}", evaluation.ideal_bits[size], bits - evaluation.ideal_bits[size]);
    return text;
}

void print_column(const Evaluation& evaluation, std::size_t column, double chance) {
    const bool found = !evaluation.found.empty();
    fmt::print("{:>6}  {:>8} {:>8}{}{}\n", "size", "accuracy", "scaled", found ? "    found" : "",
               bits_header(evaluation));
    for (std::size_t i = 0; i < evaluation.sizes.size(); ++i) {
        const double accuracy = evaluation.accuracy[i][column];
        fmt::print("{:>6}  {:>8.4f} {:>8.3f}", evaluation.sizes[i], accuracy, scaled_accuracy(accuracy, chance));
        if (found) fmt::print(" {:>8.4f}", evaluation.found[i][column]);
        if (!evaluation.bits.empty()) fmt::print("{}", bits_text(evaluation, i, evaluation.bits[i][column]));
        fmt::print("\n");
    }
}

}  // namespace

std::string replica_text(const ReplicaHyper& replica, std::size_t index) {
    std::string text = fmt::format("replica {}: learning rate {:g}, weight decay {:g}, seed {}", index,
                                   replica.learning_rate, replica.weight_decay, replica.init_seed);
    if (replica.dt.max > 0) text += fmt::format(", dt {:g}..{:g}", replica.dt.min, replica.dt.max);
    return text;
}

void show_table(const ResultTable& table, const std::string& folder) {
    write_tables(table, folder);
    fmt::print("{}\nWritten to {}/table.md, table.json and table.csv\n", to_text(table), folder);
}

void print_population(const Evaluation& evaluation, const RunSetup& setup, std::size_t best) {
    const double chance = setup.data->chance();
    print_header(evaluation, chance);
    const bool found = !evaluation.found.empty();
    fmt::print("best by validation: replica {}\n{:>6}  {:>8} {:>8} {:>8} {:>8}   scaled: {:>7} {:>7}{}\n", best, "size",
               "best", "median", "min", "max", "best", "median", found ? "   found:    best  median" : "");
    for (std::size_t i = 0; i < evaluation.sizes.size(); ++i) {
        const std::vector<double>& accuracy = evaluation.accuracy[i];
        const auto [min, max] = std::minmax_element(accuracy.begin(), accuracy.end());
        const double middle = median(accuracy);
        fmt::print("{:>6}  {:>8.4f} {:>8.4f} {:>8.4f} {:>8.4f}           {:>7.3f} {:>7.3f}", evaluation.sizes[i],
                   accuracy[best], middle, *min, *max, scaled_accuracy(accuracy[best], chance),
                   scaled_accuracy(middle, chance));
        if (found) fmt::print("          {:>7.3f} {:>7.3f}", evaluation.found[i][best], median(evaluation.found[i]));
        fmt::print("\n");
    }
    if (evaluation.bits.empty()) return;
    fmt::print("replica {}\n{:>6} {}\n", best, "size", bits_header(evaluation));
    for (std::size_t i = 0; i < evaluation.sizes.size(); ++i)
        fmt::print("{:>6} {}\n", evaluation.sizes[i], bits_text(evaluation, i, evaluation.bits[i][best]));
}

void print_replicas(const Evaluation& evaluation, const RunSetup& setup, double chance,
                    const std::vector<std::size_t>& replicas) {
    print_header(evaluation, chance);
    const std::vector<ReplicaHyper> hypers = replicas_of(setup.config.replicas);
    for (std::size_t column = 0; column < replicas.size(); ++column) {
        fmt::print("{}\n", replica_text(hypers[replicas[column]], replicas[column]));
        print_column(evaluation, column, chance);
    }
}

void print_models(const Evaluation& evaluation, double chance, const std::vector<std::size_t>& replicas) {
    print_header(evaluation, chance);
    for (std::size_t column = 0; column < replicas.size(); ++column) {
        if (replicas.size() > 1) fmt::print("replica {}\n", replicas[column]);
        print_column(evaluation, column, chance);
    }
}

}  // namespace whorl::cli
