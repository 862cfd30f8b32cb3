// Pieces of a table as a user trains them: interrupted, resumed, looked at, merged.
#include "app/reproduce/piece.hpp"

#include <algorithm>
#include <filesystem>

#include "app/reproduce/piece_record.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"

using namespace whorl;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

// A second at most: three rates, twelve steps.
const std::string kTiny =
    " --width 16 --threads 1 --set steps=12 --set batch=2 --set model.d_state=8 --set validation.count=16 --set "
    "test.count=16 --set validation.every=4 --set log_every=4 --set checkpoint.every=5 --set curriculum.start=8 --set "
    "curriculum.end=16 --set replicas.learning_rates=[1e-4,1e-3,1e-2] --out ";

std::string tiny(const std::string& arguments, const std::string& out) {
    return "reproduce state-tracking " + arguments + kTiny + out;
}

// Without what two runs of the same bits may differ in.
std::string bits_of(const std::string& path) {
    PieceRecord record = load_piece_record(path);
    record.seconds = 0;
    return to_json(record);
}

}  // namespace

TEST_CASE("a piece is every rate and then two more seeds at the best two", "[reproduce][cli]") {
    const TemporaryFolder folder;
    const std::string out = folder / "out";
    const Outcome outcome = run_whorl(tiny("--full --column parity --row gdn", out));
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    const PieceRecord record = load_piece_record(out + "/cells/parity-gdn-d16.json");
    CHECK(record.more_seeds);
    REQUIRE(record.replicas.size() == 7);
    // The best two by the validation of the first three, which the table's largest validated size decides.
    const auto at = [&](std::size_t r) { return record.replicas[r].validation.back(); };
    std::vector<std::size_t> order = {0, 1, 2};
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return at(a) != at(b) ? at(a) > at(b)
                              : *record.replicas[a].validation_loss.back() < *record.replicas[b].validation_loss.back();
    });
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(record.replicas[3 + i].setting.learning_rate == record.replicas[order[i / 2]].setting.learning_rate);
        CHECK(record.replicas[3 + i].seed == static_cast<std::int64_t>(1 + i % 2));
    }
    CHECK(record.replicas[0].steps == 12);
    CHECK(record.replicas[0].tokens == 2 * (3 * 8 + 9 * 16));  // two sequences, padded to eights
    CHECK(record.tokens() == 7 * record.replicas[0].tokens);
    CHECK(recipe_of(record, "record").training.steps == 12);
    CHECK(record.origin.device == "CPU");
    for (const char* text : {"100.00", "–", "median all", "Made by", "d 16"})
        CHECK_THAT(outcome.out, ContainsSubstring(text));
    CHECK_THAT(slurp(out + "/table.md"), ContainsSubstring("| Gated DeltaNet [-1,1] | 16 |"));
    CHECK_THAT(slurp(out + "/table.json"), ContainsSubstring("\"weight_decay\": 0.1"));  // the recipe's

    // What remains is small; the best replica is a model that other commands read.
    CHECK_FALSE(fs::exists(out + "/runs/parity-gdn-d16/rates/checkpoints"));
    const Outcome eval = run_whorl("eval " + out + "/best/parity-gdn-d16.safetensors --task parity --lengths 8");
    CHECK(eval.status == 0);

    // Nothing is trained again; another recipe is refused.
    const Outcome again = run_whorl(tiny("--full --column parity --row gdn", out));
    CHECK(again.status == 0);
    CHECK(again.err.empty());
    const Outcome other = run_whorl(tiny("--full --column parity --row gdn", out) + " --set steps=13");
    CHECK(other.status == 2);
    CHECK_THAT(other.err, ContainsSubstring("steps: 12 there, 13 here"));
}

TEST_CASE("with brackets Gated DeltaNet has Mamba-3's heads, elsewhere its own", "[reproduce]") {
    const PublishedTable& table = published_table("state-tracking");
    for (const TableRow& row : table.rows) {
        if (std::string(row.preset).rfind("gdn", 0) != 0) continue;
        for (const TableColumn& column : table.columns) {
            const RunSetup setup = rates_setup({&table, &column, &row, 64}, {});
            const auto& layer = std::get<GatedDeltaNetConfig>(setup.model.layers.front());
            const bool brackets = std::string(column.key) == "brackets";
            INFO(row.key << ", " << column.key);
            CHECK(layer.num_heads == (brackets ? 8 : 4));
            CHECK(layer.head_dim == (brackets ? 32 : 16));
            CHECK(layer.expand_v == (brackets ? 0.5 : 2.0));
            CHECK(layer.allow_neg_eigval == (std::string(row.key) == "gdn"));
            CHECK(preset_of(row, column.quick) == row.preset);
        }
    }
}

TEST_CASE("a piece that is stopped again and again has the same bits", "[reproduce][cli]") {
    const TemporaryFolder folder;
    const std::string straight = folder / "straight", bits = folder / "bits";
    const std::string command = "--full --column parity --row mamba3";
    REQUIRE(run_whorl(tiny(command, straight)).status == 0);
    const Outcome begun = run_whorl(tiny(command + " --minutes 1e-6", bits));
    CHECK(begun.status == 0);
    CHECK_THAT(begun.err, ContainsSubstring("0 of 1 pieces done; the same command goes on"));
    CHECK_FALSE(fs::exists(bits + "/cells"));
    CHECK(run_whorl(tiny(command + " --minutes 1e-6", bits)).status == 0);
    const Outcome status = run_whorl(tiny(command + " --status", bits));
    CHECK(status.status == 1);
    CHECK_THAT(status.out, ContainsSubstring("rates: step") && ContainsSubstring("of 12"));

    // Through --medium, which ends with the first stage, and a stop within the second.
    REQUIRE(run_whorl(tiny("--medium --column parity --row mamba3", bits)).status == 0);
    CHECK_FALSE(load_piece_record(bits + "/cells/parity-mamba3-d16.json").more_seeds);
    CHECK_THAT(run_whorl(tiny(command + " --status", bits)).out, ContainsSubstring("rates done"));
    CHECK(run_whorl(tiny("--medium --column parity --row mamba3 --status", bits)).status == 0);
    CHECK(run_whorl(tiny(command + " --minutes 1e-6", bits)).status == 0);
    CHECK_THAT(run_whorl(tiny(command + " --status", bits)).out, ContainsSubstring("rates done, seeds: step 1 of 12"));
    REQUIRE(run_whorl(tiny(command, bits)).status == 0);
    CHECK(run_whorl(tiny(command + " --status", bits)).status == 0);
    const std::string cell = "/cells/parity-mamba3-d16.json", best = "/best/parity-mamba3-d16.safetensors";
    CHECK(bits_of(bits + cell) == bits_of(straight + cell));
    CHECK(slurp(bits + best) == slurp(straight + best));
    for (const char* file : {"/table.json", "/table.csv"}) CHECK(slurp(bits + file) == slurp(straight + file));
}

TEST_CASE("pieces of several folders make one table", "[reproduce][cli]") {
    const TemporaryFolder folder;
    const std::string a = folder / "a", b = folder / "b", c = folder / "c";
    REQUIRE(run_whorl(tiny("--medium --column parity --row mamba2 --keep-checkpoints", a)).status == 0);
    REQUIRE(run_whorl(tiny("--medium --column brackets --row mamba3", b)).status == 0);
    CHECK(fs::exists(a + "/runs/parity-mamba2-d16/rates/checkpoints"));
    const Outcome merged = run_whorl("reproduce state-tracking --from " + a + " " + b + " --out " + c);
    INFO(merged.err);
    REQUIRE(merged.status == 0);
    const Document json = parse_json(slurp(c + "/table.json"), "table.json");
    const Array& columns = std::get<Array>(find(json.root, "columns")->data);
    const auto count = [&](std::size_t column, const char* key) {
        return std::get<Array>(find(columns.at(column), key)->data).size();
    };
    CHECK(count(0, "cells") == 1);
    CHECK(count(1, "cells") == 0);
    CHECK(count(2, "cells") == 1);
    CHECK(count(2, "missing") == 6);
    CHECK_THAT(slurp(c + "/table.md"), ContainsSubstring("87.75"));

    // The same piece twice: a copy counts once, two results do not.
    CHECK(run_whorl("reproduce state-tracking --from " + a + " " + a + "/cells " + b).status == 0);
    REQUIRE(run_whorl(tiny("--medium --column parity --row mamba2 --set test.seed=3", folder / "d")).status == 0);
    const Outcome twice = run_whorl("reproduce state-tracking --from " + a + " " + (folder / "d"));
    CHECK(twice.status == 2);
    CHECK_THAT(twice.err, ContainsSubstring("another result of the same piece is in"));
    // The parity table has one of these columns.
    CHECK(run_whorl("reproduce parity --from " + a).status == 0);
    const Outcome none = run_whorl("reproduce parity --from " + b);
    CHECK(none.status == 2);
    CHECK_THAT(none.err, ContainsSubstring("holds no piece"));
}

TEST_CASE("a piece that cannot be asked for gets one line", "[reproduce][cli]") {
    const TemporaryFolder folder;
    const std::string out = " --out " + (folder / "out");
    const auto refused = [&](const std::string& arguments, const std::string& text) {
        const Outcome outcome = run_whorl("reproduce state-tracking " + arguments + out);
        INFO(arguments << ": " << outcome.err);
        CHECK(outcome.status == 2);
        CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
        CHECK_THAT(outcome.err, ContainsSubstring(text));
        CHECK_FALSE(fs::exists(folder / "out"));
    };
    refused("--medium --full", "exclude each other");
    refused("--width 32", "--width: is for the pieces of --full and --medium");
    refused("--quick --minutes 3", "--minutes: is for the pieces");
    refused("--status", "--status: is for the pieces");
    refused("--full --width 3x", "--width: '3x' is not a whole number");
    refused("--full --minutes 0", "--minutes: expected a number of minutes above 0");
    refused("--full --set model.d_model=16", "chosen with --width");
    refused("--full --row mamba4", "did you mean 'mamba3'");
    refused("--full --set replicas.weight_decays=[0,0.1]", "sweeps the learning rate alone");
    refused("--full --set test.sizes=[40]", "test.sizes lack 256");
    refused("--from " + (folder / "nowhere"), "there is no such file or folder");
}
