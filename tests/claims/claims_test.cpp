// whorl claims over results on disk, made up by the tables' own recipes and rules.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "app/claims/claim_results.hpp"
#include "app/claims/rule_book.hpp"
#include "app/reproduce/measurement.hpp"
#include "app/reproduce/piece_record.hpp"
#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/run_program.hpp"

using namespace whorl;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

void write(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << text;
}

const ClaimRule& rule_named(const std::string& name) {
    for (const ClaimRule& rule : claim_rules())
        if (rule.name == name) return rule;
    throw std::logic_error(name);
}

/// A piece of the table hybrid whose twelve fresh seeds found about `found` of the answers, and whose first stage,
/// which must count for nothing, the opposite.
PieceRecord piece_of(const std::string& column, const std::string& row, double found, Profile profile = Profile::full) {
    const PublishedTable& table = published_table("hybrid");
    const Piece piece{&table, &column_of(table, column, "test"), &row_of(table, row, "test"),
                      table.widths_at(profile).back(), profile};
    const RunSetup setup = rates_setup(piece, {});
    PieceRecord record = empty_record(piece, setup, rules_of_table("hybrid"));
    record.more_seeds = true;
    const auto add = [&](std::int64_t seed, double value) {
        ReplicaResult replica;
        replica.setting.learning_rate = setup.config.replicas.learning_rates.front(), replica.seed = seed;
        replica.validation.assign(record.validation_sizes.size(), 0.5);
        replica.validation_loss.assign(record.validation_sizes.size(), 1.0);
        replica.test.assign(record.test_sizes.size(), value);
        replica.found.assign(record.test_sizes.size(), value);
        record.replicas.push_back(replica);
    };
    const std::int64_t first = setup.config.replicas.seeds;
    for (std::int64_t seed = 0; seed < first; ++seed) add(seed, 1 - found);
    for (std::int64_t seed = first; seed < first + table.fresh_seeds; ++seed)
        add(seed, found + 0.001 * static_cast<double>(seed));
    return record;
}

void store(const std::string& folder, const PieceRecord& record) {
    write(folder + "/cells/" + record.column + "-" + record.row + ".json", to_json(record));
}

void store_all(const std::string& folder, double norm, double plain, double mamba3) {
    for (const char* column : {"distractors", "mqar"}) {
        store(folder, piece_of(column, "norm", norm));
        store(folder, piece_of(column, "hybrid", plain));
        store(folder, piece_of(column, "mamba3", mamba3));
    }
}

std::string verdict_in(const std::string& json, std::size_t claim = 0) {
    const Document document = parse_json(json, "claims");
    return std::get<std::string>(find(std::get<Array>(find(document.root, "claims")->data).at(claim), "verdict")->data);
}

std::string verdict_of(const std::string& folder, const std::string& claim, int status = 0) {
    const Outcome outcome = run_whorl("claims " + folder + " --claim " + claim + " --json");
    INFO(outcome.err);
    CHECK(outcome.status == status);
    return verdict_in(outcome.out);
}

}  // namespace

TEST_CASE("the rules are those of the ten claims and fit their tables", "[claims]") {
    REQUIRE(claim_rules().size() == 10);
    for (std::size_t i = 0; i < claim_rules().size(); ++i) {
        CHECK(claim_rules()[i].number == static_cast<std::int64_t>(i + 1));
        CHECK_NOTHROW(check_rule(claim_rules()[i]));
    }
    ClaimRule wrong = rule_named("hybrid");
    wrong.comparisons[0].arm = "mamba4";
    CHECK_THAT(message_of<UserError>([&] { check_rule(wrong); }), ContainsSubstring("did you mean 'mamba"));
}

TEST_CASE("results are judged by their fresh seeds", "[claims][cli]") {
    const TemporaryFolder folder;
    CHECK(verdict_of((folder / "."), "hybrid") == "no results yet");
    store_all(folder / "a", 0.95, 0.8, 0.3);
    CHECK(verdict_of(folder / "a", "hybrid") == "shown");
    store_all(folder / "b", 0.3, 0.3, 0.95);
    CHECK(verdict_of(folder / "b", "hybrid") == "contradicted");
    store_all(folder / "c", 0.8, 0.95, 0.3);
    CHECK(verdict_of(folder / "c", "hybrid") == "partly");
    store_all(folder / "d", 0.3, 0.3, 0.3);
    CHECK(verdict_of(folder / "d", "hybrid") == "not at this scale");
    const Outcome text = run_whorl("claims " + (folder / "a") + " --details");
    CHECK(text.status == 0);
    for (const char* part : {"norm 0.9", "3 of 3 hold", "shown", "no results yet", "the other way 1"})
        CHECK_THAT(text.out, ContainsSubstring(part));
    CHECK_THAT(run_whorl("claims " + (folder / "a") + " --markdown").out, ContainsSubstring("| shown |"));
}

TEST_CASE("a rule that is newer than its results does not judge them", "[claims][cli]") {
    const TemporaryFolder folder;
    store_all(folder / "a", 0.95, 0.8, 0.3);
    PieceRecord record = piece_of("distractors", "mamba3", 0.3);
    for (StoredRule& rule : record.rules) rule.checksum[0] = rule.checksum[0] == '0' ? '1' : '0';
    store(folder / "a", record);
    CHECK(verdict_of(folder / "a", "hybrid", 1) == "rule is newer");
    CHECK_THAT(run_whorl("claims " + (folder / "a")).out, ContainsSubstring("was made by another rule"));
    record.rules.clear();
    store(folder / "a", record);
    CHECK_THAT(run_whorl("claims " + (folder / "a")).out, ContainsSubstring("was made without the rule"));
    // Nor does a result that was trained by another recipe than the table's.
    record = piece_of("distractors", "mamba3", 0.3);
    RunConfig config = recipe_of(record, "test");
    config.training.steps += 1;
    record.recipe = to_value(config);
    store(folder / "a", record);
    CHECK(verdict_of(folder / "a", "hybrid", 1) == "rule is newer");
    CHECK_THAT(run_whorl("claims " + (folder / "a")).out, ContainsSubstring("is of another recipe (steps"));
}

TEST_CASE("full results come before quick ones, and stage one alone is none", "[claims][cli]") {
    const TemporaryFolder folder;
    // The quick profile has another column, and its verdict is of that one.
    for (const auto& [row, found] : {std::pair("norm", 0.95), {"hybrid", 0.8}, {"mamba3", 0.3}})
        store(folder / "a/quick", piece_of("noise", row, found, Profile::quick));
    for (const char* column : {"distractors", "mqar"})
        for (const char* row : {"norm", "hybrid", "mamba3"})
            store(folder / "a/full", piece_of(column, row, 0.5, Profile::full));
    CHECK(verdict_of(folder / "a", "hybrid") == "not at this scale");
    CHECK(verdict_in(run_whorl("claims " + (folder / "a") + " --claim 10 --profile quick --json").out) == "shown");
    PieceRecord half = piece_of("distractors", "mamba3", 0.3);
    half.more_seeds = false, half.replicas.resize(3);
    store(folder / "b", half);
    store(folder / "b", piece_of("distractors", "norm", 0.9));
    CHECK(verdict_of(folder / "b", "hybrid") == "no results yet");
    // Full results that do not suffice for any comparison stand back behind quick ones that do.
    for (const auto& [row, found] : {std::pair("norm", 0.95), {"hybrid", 0.8}, {"mamba3", 0.3}})
        store(folder / "b/quick", piece_of("noise", row, found, Profile::quick));
    CHECK(verdict_of(folder / "b", "hybrid") == "shown");
}

TEST_CASE("measured orders decide about the order", "[claims]") {
    const TemporaryFolder folder;
    const PublishedTable& table = published_table("discretization");
    const auto processor = make_cpu_backend(1);
    for (const TableMeasurement& measurement : table.measurements)
        for (const MeasurementRecord& record :
             measure(table, measurement, rules_of_table("discretization"), *processor)) {
            write(measurement_path(folder / "a", measurement.key, record.row), to_json(record));
            CHECK(to_json(*measurement_record(parse_json(to_json(record), "a.json"))) == to_json(record));
            // Known orders of the classical rules where A is constant; sampled at the steps' ends every one has one.
            const bool second = record.row == "bilinear" || record.row == "exponential-trapezoid";
            for (const double order : record.values)
                CHECK(order == Approx(second && measurement.key == "order" ? 2 : 1).margin(0.1));
        }
    const JudgedClaim judged = judge_claim(rule_named("order"), {folder / "a"});
    CHECK(judged.result.verdict == Verdict::partly);
    CHECK(judged.result.count(Finding::holds) == 3);
    CHECK(judged.result.comparisons[3].outcome == Finding::reversed);
}

TEST_CASE("an update's times are measured in turn, a name that no layer has is refused", "[claims]") {
    const auto processor = make_cpu_backend(1);
    TableMeasurement measurement{"update-1", MeasurementKind::update_time, 1, {"rank-1", "rank-32"}};
    const auto records = measure_update_times(measurement, *processor);
    REQUIRE(records.size() == 2);
    for (const MeasurementRecord& record : records) {
        CHECK(record.unit == "seconds");
        CHECK(record.values.size() == 12);
        CHECK(*std::min_element(record.values.begin(), record.values.end()) > 0);
    }
    // Thirty-two times the products on a state of the same size: on a processor that takes longer.
    CHECK(*std::min_element(records[1].values.begin(), records[1].values.end()) >
          *std::min_element(records[0].values.begin(), records[0].values.end()));
    measurement.rows = {"rank-5"};
    CHECK_THAT(message_of<UserError>([&] { measure_update_times(measurement, *processor); }),
               ContainsSubstring("no layer to time is named 'rank-5'"));
    measurement = {"order", MeasurementKind::order, 1, {"trapezoid"}};
    CHECK_THAT(message_of<UserError>([&] { measure_orders(measurement); }),
               ContainsSubstring("no discretization rule is named 'trapezoid'"));
}

TEST_CASE("the stored verdicts are those of the stored results", "[claims][cli]") {
    const Outcome outcome = run_whorl("claims " + source_file("experiments/results") + " --markdown");
    CHECK(outcome.status == 0);  // no rule is newer than what it judges
    CHECK(outcome.out == slurp(source_file("experiments/results/claims/claims.md")));
}

TEST_CASE("claims that cannot be asked for get one line", "[claims][cli]") {
    const auto refused = [&](const std::string& arguments, const std::string& text) {
        const Outcome outcome = run_whorl("claims " + arguments);
        CHECK(outcome.status == 2);
        CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
        CHECK_THAT(outcome.err, ContainsSubstring(text));
    };
    const TemporaryFolder folder;
    const std::string here = folder / ".";
    refused(here + " --claim hybird", "did you mean 'hybrid'");
    refused(here + " --profile fast", "unknown profile 'fast'");
    refused(here + " --json --markdown", "exclude each other");
    refused((folder / "nowhere"), "there is no such file or folder");
}
