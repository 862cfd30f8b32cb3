// Tables as files, and the sizes of their rows.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "app/reproduce/cost.hpp"
#include "app/reproduce/measurement.hpp"
#include "app/reproduce/parameter_match.hpp"
#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "core/io/atomic_file.hpp"
#include "core/training/evaluation.hpp"
#include "tasks/example.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/run_program.hpp"

using namespace whorl;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string kHead = "name = \"t\"\ntitle = \"T\"\nsource = \"s\"\n";
const std::string kColumn =
    "[[columns]]\nkey = \"parity\"\nlabel = \"p\"\nquick = { recipe = \"parity-quick\", test_size = 80 }\nfull = { "
    "recipe "
    "= \"parity-full\", test_size = 256 }\n";
const std::string kRow = "[[rows]]\nkey = \"mamba3\"\nlabel = \"Mamba-3\"\npreset = \"mamba3\"\n";

std::string message(const std::string& text) {
    return message_of<UserError>([&] { read_table(parse_toml(kHead + text, "t.toml")); });
}

}  // namespace

TEST_CASE("a table is read from its file", "[reproduce]") {
    const PublishedTable table =
        read_table(parse_toml(kHead + kColumn + kRow + "[published.parity]\nmamba3 = 99.5\n", "t.toml"));
    CHECK(table.protocol == TableProtocol::sweep);
    CHECK(table.second_stage().settings == 2);
    CHECK(table.figure("parity", "mamba3") == 99.5);
    CHECK(table.columns.at(0).at(Profile::full).test_size == 256);
    CHECK_THAT(message(kColumn), ContainsSubstring("rows: required key is missing"));
    CHECK_THAT(message("[[columns]]\nkey = \"parity\"\nlabel = \"p\"\n" + kRow),
               ContainsSubstring("neither this nor 'quick'"));
    CHECK_THAT(message(kColumn + kRow + kRow), ContainsSubstring("the key 'mamba3' is there twice"));
    CHECK_THAT(message(kColumn + kRow + "[published.parity]\nmamba = 1.0\n"),
               ContainsSubstring("did you mean 'mamba3'"));
    CHECK_THAT(message(kColumn + kRow + "[published.sparity]\nmamba3 = 1.0\n"), ContainsSubstring("no column"));
    CHECK_THAT(message("match = { row = \"mamba2\" }\n" + kColumn + kRow), ContainsSubstring("match.row"));
    CHECK_THAT(message("protocol = \"verdicts\"\n" + kColumn + kRow), ContainsSubstring("verdict"));
}

TEST_CASE("rows of a table of verdicts have equal layers and matched parameters", "[reproduce]") {
    for (const std::string& name : published_table_names()) {
        const PublishedTable& table = published_table(name);
        if (table.protocol != TableProtocol::verdict) continue;
        REQUIRE(table.match.has_value());
        CHECK(table.fresh_seeds >= 12);
        for (const Profile profile : {Profile::quick, Profile::full})
            for (const TableColumn& column : table.columns) {
                if (column.at(profile).recipe.empty()) continue;
                const auto setup_of = [&](const TableRow& row) {
                    return rates_setup({&table, &column, &row, table.widths_at(profile).back(), profile}, {});
                };
                const RunSetup reference = setup_of(row_of(table, table.match->row, "test"));
                const auto wanted = static_cast<double>(parameter_count(reference.model));
                for (const TableRow& row : table.rows) {
                    if (!column.has(row.key, profile)) continue;
                    INFO(name << ", " << column.key << ", " << row.key);
                    const RunSetup setup = setup_of(row);
                    const auto count = static_cast<double>(parameter_count(setup.model));
                    CHECK(std::fabs(count - wanted) <= table.match->within * wanted);
                    CHECK(setup.model.n_layer == reference.model.n_layer);
                    CHECK(setup.model.d_intermediate > 0);
                    // Equal tuning: the same rates and seeds, and two ranges of Δ where there is a Δ.
                    const ReplicaGrid& grid = setup.config.replicas;
                    CHECK(grid.learning_rates == reference.config.replicas.learning_rates);
                    CHECK(grid.learning_rates.size() == 4);
                    CHECK(grid.seeds == 3);
                    CHECK(grid.dt_ranges.size() == (row.preset == "transformer" ? 1 : 2));
                }
            }
    }
}

TEST_CASE("the MLP's width is found or refused", "[reproduce]") {
    ModelConfig model = model_preset("mamba3").make({});
    model.d_intermediate = 4;
    const std::int64_t least = parameter_count(model);
    model.d_intermediate = 100;
    const std::int64_t wanted = parameter_count(model);
    CHECK(matched_mlp(model, wanted, 0.001, "row") == 100);
    model.d_intermediate = 8;
    CHECK(matched_mlp(model, wanted, 0.001, "row") == 100);
    CHECK_THAT(message_of<UserError>([&] { matched_mlp(model, least / 2, 0.03, "row"); }),
               ContainsSubstring("row: has") && ContainsSubstring("further than 3 %"));
}

TEST_CASE("a dry run adds up what the pieces then train", "[reproduce][cli]") {
    const TemporaryFolder folder;
    const std::string arguments =
        "reproduce hybrid --quick --column noise --row mamba3 --threads 1 --set steps=6 --set batch=2 --set "
        "validation.every=3 --set validation.count=8 --set test.count=8 --set replicas.learning_rates=[1e-3,1e-2] "
        "--set replicas.seeds=2 --out " +
        (folder / "out");
    const Outcome dry = run_whorl(arguments + " --dry-run");
    INFO(dry.err);
    REQUIRE(dry.status == 0);
    CHECK_FALSE(std::filesystem::exists(folder / "out"));
    const Outcome trained = run_whorl(arguments);
    INFO(trained.err);
    REQUIRE(trained.status == 0);
    const PieceRecord record = load_piece_record(folder / "out/cells/noise-mamba3-d32.json");
    // Two rates, two ranges, two seeds; then twelve fresh seeds of the one setting that validation prefers.
    REQUIRE(record.replicas.size() == 8 + 12);
    CHECK_THAT(dry.out, ContainsSubstring("20  "));
    const std::vector<ReplicaResult> fresh = fresh_replicas(record);
    REQUIRE(fresh.size() == 12);
    const ReplicaSetting chosen = ranked_settings([&] {
                                      PopulationResult first = record;
                                      first.replicas.resize(8);
                                      return first;
                                  }())
                                      .front();
    for (std::size_t i = 0; i < fresh.size(); ++i) {
        CHECK(fresh[i].setting == chosen);
        CHECK(fresh[i].seed == static_cast<std::int64_t>(2 + i));
        CHECK(fresh[i].found.size() == record.test_sizes.size());
        CHECK(fresh[i].tokens == record.replicas[0].tokens);
    }
    const PublishedTable& table = published_table("hybrid");
    const Piece piece{&table, &column_of(table, "noise", "test"), &row_of(table, "mamba3", "test"), 32, Profile::quick};
    PieceJob job = make_job(piece, {"steps=6", "batch=2"}, folder / "out");
    CHECK(cost_of(job, true).tokens_per_replica == record.replicas[0].tokens);
    CHECK(cost_of(job, true).replicas == 4 * 2 * 3 + 12);
    CHECK(record.profile == Profile::quick);
    CHECK(record.parameters > 0);
    CHECK(record.state_bytes > 0);
    REQUIRE(record.rules.size() == 1);
    CHECK(record.rules[0].claim == "hybrid");
    CHECK(cost_of(job, true).evaluated_per_replica > 0);
    CHECK_THAT(slurp(folder / "out/table.md"),
               ContainsSubstring("Share of answers") && ContainsSubstring("bytes carried at 128") &&
                   ContainsSubstring("| row | d | bytes | best |") && ContainsSubstring("12"));
    // What is done is not trained again.
    CHECK(run_whorl(arguments + " --status").status == 0);
    CHECK(run_whorl(arguments).err.empty());
}

TEST_CASE("a row that a column has not is refused by name and left out otherwise", "[reproduce][cli]") {
    const std::string rows = kColumn.substr(0, kColumn.size() - 3) + ", rows = [\"mamba3\"] }\n";
    const std::string other = "[[rows]]\nkey = \"gdn\"\nlabel = \"G\"\npreset = \"gdn\"\n";
    const PublishedTable table = read_table(parse_toml(kHead + rows + kRow + other, "t.toml"));
    CHECK(table.columns.at(0).has("gdn", Profile::quick));
    CHECK(table.columns.at(0).has("mamba3", Profile::full));
    CHECK_FALSE(table.columns.at(0).has("gdn", Profile::full));
    const std::string wrong = kColumn.substr(0, kColumn.size() - 3) + ", rows = [\"mamba\"] }\n";
    CHECK_THAT(message(wrong + kRow), ContainsSubstring("columns: parity: rows") && ContainsSubstring("'mamba3'"));

    const Outcome refused = run_whorl("reproduce hybrid --quick --row ratio-1 --status");
    CHECK(refused.status == 2);
    CHECK_THAT(refused.err, ContainsSubstring("--row: 'ratio-1' is not in the quick profile"));
    const TemporaryFolder folder;
    const std::string full = run_whorl("reproduce hybrid --full --status --out " + (folder / "out")).out;
    CHECK_THAT(full, ContainsSubstring("distractors-ratio-1-d64") && ContainsSubstring("mqar-ratio-1-d64") &&
                         !ContainsSubstring("noise-ratio-1-d64"));
}

TEST_CASE("the status counts what is measured without training", "[reproduce][cli]") {
    const TemporaryFolder folder;
    const std::string out = folder / "out";
    const std::string status = "reproduce discretization --quick --status --out " + out;
    CHECK_THAT(run_whorl(status).out,
               ContainsSubstring("not measured") && ContainsSubstring("0 of 8 pieces done, 0 of 2 measurements"));
    const std::vector<TableMeasurement>& all = published_table("discretization").measurements;
    const auto processor = make_cpu_backend(1);
    std::filesystem::create_directories(out + "/cells");
    for (const MeasurementRecord& record : measure(published_table("discretization"), all[0], {}, *processor))
        write_file(measurement_path(out, record.measurement, record.row), to_json(record));
    const Outcome one = run_whorl(status);
    CHECK(one.status == 1);
    CHECK_THAT(one.out, ContainsSubstring("0 of 8 pieces done, 1 of 2 measurements"));
    // One row's file is missing: the measurement is not done.
    std::filesystem::remove(measurement_path(out, all[0].key, all[0].rows.back()));
    CHECK_THAT(run_whorl(status).out, ContainsSubstring("0 of 2 measurements"));
}

TEST_CASE("a piece of a language keeps the bits of the best possible predictor", "[reproduce][cli]") {
    const TemporaryFolder folder;
    const Outcome trained = run_whorl(
        "reproduce convolution --quick --column markov --row mamba3 --threads 1 --set steps=4 --set batch=2 --set "
        "validation.count=8 --set test.count=16 --set replicas.learning_rates=[1e-3,1e-2] --set replicas.seeds=1 "
        "--out " +
        (folder / "out"));
    INFO(trained.err);
    REQUIRE(trained.status == 0);
    const PieceRecord record = load_piece_record(folder / "out/cells/markov-mamba3-d32.json");
    REQUIRE(record.metric == Metric::bits);
    REQUIRE(record.ideal_bits.size() == record.test_sizes.size());
    // The filter run here on the same examples says the same.
    const RunSetup setup = set_up({record.recipe, "record"});
    for (std::size_t i = 0; i < record.test_sizes.size(); ++i) {
        double nats = 0;
        std::int64_t asked = 0;
        const std::int64_t size = record.test_sizes[i];
        for (std::int64_t e = 0; e < setup.config.test.count; ++e) {
            const Example example = make_example(*setup.data, evaluation_key(setup.config.test, Split::test, size, e));
            nats += *setup.data->ideal_loss(example.tokens, example.targets);
            asked += std::count_if(example.targets.begin(), example.targets.end(),
                                   [](std::int32_t target) { return target != kUnsupervised; });
        }
        const double ideal = nats / static_cast<double>(asked) / std::log(2.0);
        CHECK(record.ideal_bits[i] == Approx(ideal));
        CHECK(record.ideal_bits[i] > 1);
        for (const ReplicaResult& replica : record.replicas)
            CHECK(score_of(record, replica, i) == Approx(*replica.test_loss[i] / std::log(2.0) - ideal));
    }
}

TEST_CASE("a column of another profile is refused by name and left out otherwise", "[reproduce][cli]") {
    const Outcome refused = run_whorl("reproduce rotation --quick --column arithmetic --status");
    CHECK(refused.status == 2);
    CHECK_THAT(refused.err, ContainsSubstring("--column: 'arithmetic' is not in the quick profile"));
    const TemporaryFolder folder;
    const std::string out = " --status --out " + (folder / "out");
    const std::string quick = run_whorl("reproduce rotation --quick" + out).out;
    CHECK_THAT(quick, ContainsSubstring("parity-mamba3-d32") && !ContainsSubstring("arithmetic"));
    CHECK_THAT(run_whorl("reproduce rotation --full" + out).out, ContainsSubstring("arithmetic-mamba3-d64"));
}
