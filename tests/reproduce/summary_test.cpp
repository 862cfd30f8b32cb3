// What a table shows of a piece: every choice by validation data, every number of the test split.
#include <algorithm>
#include <cmath>

#include "app/reproduce/piece_table.hpp"
#include "app/run/setup.hpp"
#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"

using namespace whorl;
using Catch::Matchers::ContainsSubstring;

namespace {

// Validated at 160 and 256, tested at 256 and 40; chance is a half.
ReplicaResult replica(double rate, std::int64_t seed, double validation, std::optional<double> loss, double test) {
    return {{rate, 0, {}}, seed, 100, 5000, StopReason::none, {0.5, validation}, {test, 1.0}, {0.7, loss}};
}

PieceRecord record_of(std::vector<ReplicaResult> replicas) {
    PieceRecord record;
    record.table = "state-tracking", record.column = "parity", record.row = "gdn";
    record.test_size = 256, record.chance = 0.5;
    record.validation_sizes = {160, 256}, record.test_sizes = {256, 40};
    record.replicas = std::move(replicas);
    record.recipe = {Table{}};
    return record;
}

std::vector<double> ranked_rates(const PopulationResult& population) {
    std::vector<double> rates;
    for (const ReplicaSetting& setting : ranked_settings(population)) rates.push_back(setting.learning_rate);
    return rates;
}

}  // namespace

TEST_CASE("rates and replicas are ranked by validation at the largest size and then by loss", "[reproduce]") {
    PieceRecord record = record_of({replica(1e-4, 0, 0.9, 0.3, 0.5), replica(1e-3, 0, 1.0, 0.2, 0.6),
                                    replica(1e-2, 0, 1.0, 0.1, 0.7), replica(1e-1, 0, 1.0, std::nullopt, 1.0)});
    CHECK(best_replica(record) == 2);
    CHECK(ranked_rates(record) == std::vector<double>{1e-2, 1e-3, 1e-1, 1e-4});
    // The smaller size decides nothing, nor does the order in which sizes are listed.
    record.replicas[0].validation = {1.0, 0.9};
    CHECK(ranked_rates(record).back() == 1e-4);
    std::swap(record.validation_sizes[0], record.validation_sizes[1]);
    CHECK(ranked_rates(record).front() == 1e-4);
}

TEST_CASE("a piece shows the best by validation and the spread over the seeds of one rate", "[reproduce]") {
    PieceRecord record =
        record_of({replica(1e-3, 0, 1.0, 0.1, 0.80), replica(1e-2, 0, 0.9, 0.1, 1.00), replica(1e-1, 0, 0.5, 0.1, 0.50),
                   replica(1e-3, 1, 0.6, 0.1, 0.60), replica(1e-3, 2, 0.6, 0.1, 0.70), replica(1e-2, 1, 0.9, 0.1, 0.96),
                   replica(1e-2, 2, 0.8, 0.1, 0.97)});
    record.replicas[4].stopped = StopReason::solved;
    record.replicas[2].stopped = StopReason::not_finite;
    const Summary s = summarize(record, 256);
    CHECK(s.best_replica == 0);  // by validation: a better one on test data is no argument
    CHECK(s.read().best == Approx(0.6));
    CHECK(s.sizes[0].best == scaled_accuracy(0.8, 0.5));
    CHECK(s.sizes[1].best == 1.0);
    CHECK(s.chosen.learning_rate == 1e-2);  // the mean of three seeds: the luck of one has gone
    CHECK(s.seeds == 3);
    CHECK(s.read().min == Approx(0.92));
    CHECK(s.read().median == Approx(0.94));
    CHECK(s.read().max == Approx(1.0));
    CHECK(s.read().passed == 3);
    CHECK(s.read().median_all == Approx(0.6));
    CHECK(s.read().passed_all == 3);
    CHECK(s.replicas == 7);
    CHECK(s.solved_early == 1);
    CHECK(s.failed == 1);
    CHECK_THAT(message_of<UserError>([&] { summarize(record, 80); }), ContainsSubstring("test.sizes lack 80"));
}

TEST_CASE("replicas of one rate with another decay or dt range are another setting", "[reproduce]") {
    PieceRecord record =
        record_of({replica(1e-3, 0, 0.8, 0.1, 0.8), replica(1e-3, 0, 0.9, 0.1, 0.9), replica(1e-3, 0, 0.7, 0.1, 0.7)});
    record.replicas[1].setting.weight_decay = 0.1;
    record.replicas[2].setting.dt = {0.5, 2};
    const Summary s = summarize(record, 256);
    CHECK(s.seeds == 1);
    CHECK(s.chosen.weight_decay == 0.1);
    CHECK(s.read().median == s.read().best);
}

TEST_CASE("a table's recipes validate last where the table is read", "[reproduce]") {
    for (const std::string& name : published_table_names()) {
        const PublishedTable& table = published_table(name);
        for (const TableColumn& column : table.columns)
            for (const Profile profile : {Profile::quick, Profile::full}) {
                if (column.at(profile).recipe.empty()) continue;
                const RunConfig config = rates_setup({&table, &column, &table.rows.front(), 32, profile}, {}).config;
                INFO(name << ", " << column.key << ", " << name_of(profile));
                const auto& sizes = config.validation.on.sizes;
                CHECK(*std::max_element(sizes.begin(), sizes.end()) == column.at(profile).test_size);
            }
    }
}

TEST_CASE("published figures are found by the names of column and row", "[reproduce]") {
    const PublishedTable& table = published_table("state-tracking");
    CHECK(table.figure("arithmetic", "mamba2") == 47.81);
    CHECK(table.figure("brackets", "gdn") == 93.50);
    CHECK(published_table("parity").figure("parity", "mamba3") == 100.0);
    CHECK_FALSE(table.figure("parity", "transformer").has_value());
    // Each names a column and a row that the table has, and no two the same ones.
    for (const PublishedFigure& figure : table.figures) {
        const auto has = [](const auto& items, const std::string& key) {
            return std::count_if(items.begin(), items.end(), [&](const auto& item) { return key == item.key; });
        };
        INFO(figure.column << ", " << figure.row);
        CHECK(has(table.columns, figure.column) == 1);
        CHECK(has(table.rows, figure.row) == 1);
        CHECK(table.figure(figure.column, figure.row) == figure.percent);
    }
}

TEST_CASE("a table shows what it measures: shares found as they are, bits above the ideal", "[reproduce]") {
    PieceRecord record = record_of({replica(1e-3, 0, 0.9, 0.3, 0.5), replica(1e-2, 0, 0.5, 0.2, 0.5)});
    record.replicas[0].found = {0.25, 1.0}, record.replicas[1].found = {0.75, 1.0};
    record.replicas[0].test_loss = {std::log(8.0), 0.0}, record.replicas[1].test_loss = {std::nullopt, 0.0};
    record.metric = Metric::found;
    CHECK(summarize(record, 256).read().best == 0.25);  // chosen by accuracy on validation data
    record.metric = Metric::bits;
    CHECK(ranked_rates(record).front() == 1e-2);  // the lower loss, whatever the accuracy
    record.ideal_bits = {2.5, 0.0};
    CHECK(score_of(record, record.replicas[0], 0) == Approx(0.5));
    CHECK(score_of(record, record.replicas[1], 0) == Approx(-1.5));  // one that failed counts as guessing: 1 bit
    CHECK(summarize(record, 256).read().passed_all == 0);
    const PieceRecord back = piece_record(parse_json(to_json(record), "a.json")).value();
    CHECK(to_json(back) == to_json(record));
    record.ideal_bits = {2.5};
    CHECK_THAT(message_of<UserError>([&] { piece_record(parse_json(to_json(record), "b.json")); }),
               ContainsSubstring("b.json: ideal_bits"));
    record.replicas[0].found.clear();
    record.metric = Metric::found;
    CHECK_THAT(message_of<UserError>([&] { summarize(record, 256); }), ContainsSubstring("no share of answers found"));
}

TEST_CASE("a rate with one seed is not preferred to one with several", "[reproduce]") {
    const PieceRecord record = record_of({replica(1e-3, 0, 0.9, 0.1, 0.9), replica(1e-2, 0, 1.0, 0.1, 1.0),
                                          replica(1e-3, 1, 0.8, 0.1, 0.8), replica(1e-3, 2, 0.8, 0.1, 0.7)});
    CHECK(summarize(record, 256).chosen.learning_rate == 1e-3);
    CHECK(summarize(record, 256).best_replica == 1);
}

TEST_CASE("a record survives its file and a damaged one is named", "[reproduce]") {
    const PieceRecord record = record_of({replica(1e-3, 0, 0.9, std::nullopt, 0.9)});
    const std::string text = to_json(record);
    const PieceRecord back = piece_record(parse_json(text, "a.json")).value();
    CHECK(to_json(back) == text);
    CHECK_FALSE(back.replicas[0].validation_loss[1].has_value());
    CHECK_FALSE(piece_record(parse_json("{\"bench\": \"train\"}", "b.json")).has_value());
    const auto message = [&](const std::string& from, const std::string& to) {
        std::string damaged = text;
        damaged.replace(damaged.find(from), from.size(), to);
        return message_of<UserError>([&] { piece_record(parse_json(damaged, "c.json")); });
    };
    CHECK_THAT(message("\"format\": 2", "\"format\": 3"), ContainsSubstring("c.json: format 3 is of a newer version"));
    CHECK_THAT(message("\"row\"", "\"rwo\""), ContainsSubstring("c.json: row: required key is missing"));
    CHECK_THAT(message("\"test_size\": 256", "\"test_size\": 255"), ContainsSubstring("where the table is read"));
    CHECK_THAT(message("\"width\": 64", "\"width\": -1"), ContainsSubstring("c.json: width"));
}
