// Tables on paper: what each format shows of the same results.
#include "app/tables/table.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace whorl;
using Catch::Matchers::ContainsSubstring;

namespace {

ReplicaResult replica(double rate, std::int64_t seed, double validation, double test) {
    return {{rate, 0.1, {}}, seed, 10, 1500000, StopReason::none, {validation}, {1.0, test}, {0.5}};
}

TableLine line(const std::string& label, std::optional<double> published) {
    TableLine line;
    line.name = label, line.labels = {label}, line.keys = {{"row", {label}}};
    line.published = published, line.status = "–", line.protocol = "ten steps";
    return line;
}

// Two rows, one of them trained: two rates with two seeds, tested at 8 and 16.
ResultTable small_table() {
    ResultTable table;
    table.kind = "table", table.name = "small", table.title = "A small table", table.source = "a paper";
    table.sections.push_back(
        {"parity", "Parity, \"plain\"", {"row"}, 16, 0.01, {line("Δ, long", 98.5), line("b", {})}});
    const PopulationResult population{0.5,
                                      90,
                                      {16},
                                      {8, 16},
                                      {replica(1e-3, 0, 0.9, 0.75), replica(1e-3, 1, 0.9, 1.0),
                                       replica(1e-2, 0, 1.0, 0.5), replica(1e-2, 1, 0.5, 1.0)}};
    table.sections[0].lines[0].summary = summarize(population, 16);
    table.sections[0].lines[0].origin = "this machine";
    return table;
}

}  // namespace

TEST_CASE("a table is drawn as text and Markdown", "[tables]") {
    const ResultTable table = small_table();
    const std::string text = to_text(table), markdown = to_markdown(table);
    // Best by validation: the third replica, of which the test thinks little. Seeds: those of 1e-3.
    CHECK_THAT(markdown, ContainsSubstring("# A small table\n"));
    CHECK_THAT(markdown, ContainsSubstring("| row | best | median | min | max | pass | median all | pass all | rate | "
                                           "paper | @8 | @16 | early | Mtokens | s |\n|---|---:|"));
    CHECK_THAT(markdown, ContainsSubstring("| Δ, long | 0.0 | 75.0 | 50.0 | 100.0 | 1/2 | 75.0 | 2/4 | 0.001 | 98.50 | "
                                           "100 | 75 | 0 | 6 | 90 |\n| b | – |"));
    CHECK_THAT(text, ContainsSubstring("\nΔ, long   0.0"));  // the character of two bytes takes one place
    CHECK_THAT(text, ContainsSubstring("\nb           –\n"));
    for (const char* words : {"Protocol: ten steps.", "Made by: this machine.", "Paper: a paper", "@N: at size N"})
        CHECK_THAT(text, ContainsSubstring(words));
}

TEST_CASE("an overview puts sections beside one another", "[tables]") {
    ResultTable table = small_table();
    table.overview = true;
    CHECK_THAT(to_markdown(table), ContainsSubstring("| row | Parity, \"plain\" | paper |"));
    CHECK_THAT(to_markdown(table), ContainsSubstring("| Δ, long | 75.0 / 0.0 | 98.50 |\n| b | – | – |"));
    table.of_best = true;
    CHECK_THAT(to_markdown(table), ContainsSubstring("| Δ, long | 0.0 (2/4) | 98.50 |"));
    CHECK_THAT(to_markdown(table), ContainsSubstring("98.50 | 100 | 0 |"));  // the curve, too, is of the best
}

TEST_CASE("an overview has every row that one of its sections has", "[tables]") {
    ResultTable table = small_table();
    table.overview = true;
    table.sections.push_back({"sum", "Sums", {"row"}, 16, {}, {line("c", {}), line("b", 12.5)}});
    const std::string markdown = to_markdown(table);
    CHECK_THAT(markdown, ContainsSubstring("| row | Parity, \"plain\" | paper | Sums | paper |"));
    CHECK_THAT(markdown, ContainsSubstring("| Δ, long | 75.0 / 0.0 | 98.50 | – | – |\n"
                                           "| b | – | – | – | 12.50 |\n| c | – | – | – | – |\n"));
}

TEST_CASE("bytes that are carried stand beside the numbers where they are known", "[tables]") {
    ResultTable table = small_table();
    table.sections[0].lines[0].carried = 9472;
    CHECK_THAT(to_markdown(table), ContainsSubstring("| row | bytes | best |") &&
                                       ContainsSubstring("| Δ, long | 9472 | 0.0 |") &&
                                       ContainsSubstring("bytes: carried from token to token."));
    const Document json = parse_json(to_json(table), "table");
    const Array& cells = std::get<Array>(find(std::get<Array>(find(json.root, "columns")->data).at(0), "cells")->data);
    CHECK(std::get<std::int64_t>(find(cells[0], "bytes_carried")->data) == 9472);
}

TEST_CASE("a table is written for programs as JSON and CSV", "[tables]") {
    const ResultTable table = small_table();
    const Document json = parse_json(to_json(table), "table");
    const Value& column = std::get<Array>(find(json.root, "columns")->data).at(0);
    const Array& cells = std::get<Array>(find(column, "cells")->data);
    REQUIRE(cells.size() == 1);
    CHECK(std::get<double>(find(cells[0], "median")->data) == Approx(0.75));
    CHECK(std::get<std::int64_t>(find(cells[0], "best_replica")->data) == 2);
    CHECK(std::get<double>(find(cells[0], "paper_percent")->data) == 98.5);
    CHECK(std::get<Array>(find(column, "missing")->data).size() == 1);
    CHECK(to_csv(table) ==
          "column,row,size,best,median,min,max,passed,seeds,median_all,passed_all,replicas,best_replica,learning_rate,"
          "weight_decay,chance\n"
          "parity,\"Δ, long\",8,1,1,1,1,2,2,1,4,4,2,0.001,0.1,0.5\n"
          "parity,\"Δ, long\",16,0,0.75,0.5,1,1,2,0.75,2,4,2,0.001,0.1,0.5\n");
}

TEST_CASE("what a table took changes no byte that programs read", "[tables]") {
    ResultTable slow = small_table();
    slow.sections[0].lines[0].summary->seconds = 1e6;
    CHECK(to_json(slow) == to_json(small_table()));
    CHECK(to_csv(slow) == to_csv(small_table()));
    CHECK(to_text(slow) != to_text(small_table()));
    const TemporaryFolder folder;
    write_tables(slow, folder.path());
    CHECK(slurp(folder / "table.csv") == to_csv(slow));
    CHECK(slurp(folder / "table.md") == to_markdown(slow));
}
