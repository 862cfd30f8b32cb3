// Any result table as dots: every replica one, so that the spread is seen that a digit hides.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "viz/plot/figure.hpp"

namespace whorl::viz {

/// What the numbers of a column are.
enum class DotsMeasure {
    accuracy,  // scaled: 0 guessing, 1 perfect, below 0 wrong by rule
    found,     // share of answers all of whose tokens are right
    bits,      // a token, above the best possible predictor's where that is known: the fewest are best
};

/// One population.
struct DotsRow {
    std::string label;
    std::string model{};  // the label without what variants of one model differ in; "": the label
    plot::Role role = plot::Role::mamba3;
    std::vector<double> replicas{};     // of each what the column measures
    std::optional<double> chosen{};     // what the table says of them: the median over the seeds of its chosen setting
    std::optional<double> published{};  // by the paper
    std::string status{};               // where there are no replicas: why
};

/// One task.
struct DotsColumn {
    std::string key, label;
    std::string read_at;  // "size 256"
    std::vector<DotsRow> rows;
    DotsMeasure measure = DotsMeasure::accuracy;
};

struct ResultDots {
    std::string title{}, about{};
    std::string chosen_is = "median over seeds at the chosen rate";  // what DotsRow::chosen is
    std::string rows_are = "by";  // "by" models, "at" sizes: how a sentence names them
    std::vector<DotsColumn> columns{};
    double pass = 0.9;  // that counts as solved; bits do not
};

/// A panel for each column, beside one another; rows keep their order. Throws UserError for a table without any
/// replica.
plot::Figure table_figure(const ResultDots& table);

}  // namespace whorl::viz
