// `whorl bench`: numbers that another program can read, and that a later run can be compared with.
#include <algorithm>

#include "app/bench/compare.hpp"
#include "core/config/value.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"

using namespace whorl;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string kSmall = " --device cpu --threads 1 --seconds 0.01";
const std::string kLayer = " --batch 2 --heads 2 --headdim 8 --d-state 8";

BenchReport report_of(const std::string& arguments, const TemporaryFolder& folder) {
    const std::string file = folder / "report.json";
    const Outcome outcome = run_whorl("bench " + arguments + kSmall + " --json > " + file);
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    return load_report(file);
}

}  // namespace

TEST_CASE("every benchmark measures, and its JSON reads back", "[cli][bench]") {
    struct Case {
        std::string arguments;
        std::size_t rows;
    };
    const TemporaryFolder folder;
    for (const Case& c : {Case{"train --batch 2 --length 8 --d-model 16 --headdim 8 --d-state 8", 4},
                          {"decode --d-model 16 --headdim 8 --d-state 8 --batch 2", 4},
                          {"read --length 50 --piece 16 --d-model 16 --headdim 8 --d-state 8", 4},
                          {"sequence --length 8" + kLayer, 10},
                          {"update --rank 2" + kLayer, 4},
                          {"rule --model gdn --length 8" + kLayer, 4},
                          {"gemm --model gdn --batch 2 --length 8 --d-model 16 --headdim 8", 4},
                          {"limits", 0}}) {
        INFO(c.arguments);
        const BenchReport report = report_of(c.arguments, folder);
        CHECK(report.rows.size() == c.rows);
        CHECK(report.limits.float32_gflops > 0);
        CHECK(report.limits.copy_gbytes > 0);
        for (const BenchRow& row : report.rows) {
            INFO(row.name);
            CHECK(row.ms_fastest <= row.ms);
            CHECK(row.ms <= row.ms_slowest);
            CHECK(row.gflops > 0);
            CHECK(row.share_of_matrix > 0);
        }
    }
}

TEST_CASE("a benchmark's work is that of its definition", "[cli][bench]") {
    // One token through a state of H·P·N numbers: decay, write and read are three multiply-adds a number, and the state
    // (h, phases, last k and v) goes both ways.
    const TemporaryFolder folder;
    const BenchReport report = report_of("update --model mamba3" + kLayer, folder);
    REQUIRE(report.rows.size() == 1);
    const BenchRow& row = report.rows[0];
    const double seconds = 1e-3 * row.ms, state = 2 * 8 * 8, carried = state + 2 * (4 + 8 + 8);
    CHECK(row.tokens_per_second * seconds == Approx(2));
    CHECK(row.gflops * 1e9 * seconds == Approx(2 * 2 * 3 * state));
    CHECK(row.gbytes * 1e9 * seconds == Approx(2 * 2 * 4 * carried));
}

TEST_CASE("a benchmark scales over a size", "[cli][bench]") {
    const TemporaryFolder folder;
    const BenchReport report = report_of("sequence --model mamba2 --scale length --values 4,8,16" + kLayer, folder);
    REQUIRE(report.rows.size() == 6);
    for (std::size_t i = 0; i < 6; ++i) {
        const Value* length = find(report.rows[i].sizes, "length");
        REQUIRE(length != nullptr);
        CHECK(std::get<std::int64_t>(length->data) == (i < 2 ? 4 : i < 4 ? 8 : 16));
    }
}

TEST_CASE("a later run is compared with an earlier one row by row", "[cli][bench]") {
    const TemporaryFolder folder;
    const std::string file = folder / "before.json",
                      command = "update --model mamba2 --scale batch --values 1,2" + kLayer;
    BenchReport before = report_of(command, folder);
    for (BenchRow& row : before.rows) row.ms = 1e9;  // nothing is slower than this
    const std::string call = "bench " + command + kSmall + " --compare " + file;
    spill(file, to_json(before));
    const Outcome faster = run_whorl(call);
    CHECK(faster.status == 0);
    CHECK_THAT(faster.out, ContainsSubstring("2 rows compared, 0 slower"));
    before.rows[1].ms = 1e-9;  // anything is slower than this
    before.rows[0].name = "mamba4";
    before.device = "an abacus";
    spill(file, to_json(before));
    const Outcome slower = run_whorl(call);
    CHECK(slower.status == 1);
    CHECK_THAT(slower.out, ContainsSubstring("1 rows compared, 1 slower"));
    CHECK_THAT(slower.out, ContainsSubstring("SLOWER"));
    CHECK_THAT(slower.out, ContainsSubstring("device differs: an abacus then"));
    CHECK_THAT(slower.out, ContainsSubstring("not in the earlier run"));
    CHECK_THAT(slower.out, ContainsSubstring("only in the earlier run"));
}

TEST_CASE("the tolerance decides what counts as slower", "[bench]") {
    BenchReport now, earlier;
    BenchRow row;
    row.name = "row";
    row.ms = 1;
    earlier.rows = {row};
    row.ms = 1.08;
    now.rows = {row};
    CHECK(compare_reports(now, earlier, 0.1).slower == 0);
    CHECK(compare_reports(now, earlier, 0.05).slower == 1);
    CHECK(compare_reports(earlier, now, 0.0).slower == 0);
}

TEST_CASE("bad benchmark arguments get one line and status 2", "[cli][bench]") {
    struct Case {
        std::string arguments, expected;
    };
    const TemporaryFolder folder;
    spill(folder / "no_name.json", R"({"bench": "train", "device": "x", "rows": [{"sizes": {}, "ms": 1}]})");
    spill(folder / "bad_ms.json",
          R"({"bench": "train", "device": "x", "rows": [{"name": "a", "sizes": {}, "ms": "1"}]})");
    spill(folder / "bad_sizes.json",
          R"({"bench": "train", "device": "x", "rows": [{"name": "a", "sizes": 3, "ms": 1}]})");
    for (const Case& c : {Case{"trian", "did you mean 'train'?"},
                          {"train --heads 3", "--heads: whorl bench train has no such size"},
                          {"train --batch 0", "--batch: expected a number in 1.."},
                          {"train --model mamba4", "mamba4"},
                          {"train --scale lenght", "did you mean 'length'?"},
                          {"train --scale length --values 1,x", "'x' is not a whole number"},
                          {"train --values 1,2", "--values: needs --scale"},
                          {"train --tolerance -1 --compare x", "--tolerance"},
                          {"train --storage bf16", "give --matmul bf16"},
                          {"update --storage bf16 --matmul bf16", "--storage bf16 is for training"},
                          {"train --compare " + folder / "missing.json", "missing.json"},
                          {"train --compare " + folder / "no_name.json", "rows[0].name"},
                          {"train --compare " + folder / "bad_ms.json", "rows[0].ms"},
                          {"train --compare " + folder / "bad_sizes.json", "rows[0].sizes"}}) {
        INFO(c.arguments);
        const Outcome outcome = run_whorl("bench " + c.arguments + kSmall);
        CHECK(outcome.status == 2);
        CHECK_THAT(outcome.err, ContainsSubstring(c.expected));
        CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    }
}
