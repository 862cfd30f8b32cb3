// whorl check as a user types it: a bound that holds, one that does not, and bad baselines.
#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"

using Catch::Matchers::ContainsSubstring;

namespace {

/// Two steps of training: nothing is learned, so that only an upper bound can hold.
std::string baseline(const std::string& gate) {
    return "recipe = \"parity-quick\"\n[[gates]]\nname = \"untrained\"\n"
           "set = [\"steps=2\", \"batch=2\", \"replicas.learning_rates=[1e-3]\", \"replicas.seeds=12\", "
           "\"validation.count=8\", \"test.count=64\", \"test.sizes=[40, 80]\"]\n" +
           gate + "\n";
}

Outcome check(const TemporaryFolder& folder, const std::string& gate, const std::string& more = "") {
    spill(folder / "b.toml", baseline(gate));
    return run_whorl("check " + (folder / "b.toml") + " --threads 1 " + more);
}

}  // namespace

TEST_CASE("check holds or fails by the bounds of the pass rate", "[check]") {
    const TemporaryFolder folder;
    const Outcome holds = check(folder, "size = 40\nmax_pass_rate = 0.3");
    INFO(holds.err);
    CHECK(holds.status == 0);
    CHECK_THAT(holds.out, ContainsSubstring("holds") && ContainsSubstring("0/12"));
    // 0 of 12 does not show with 95 % confidence that the rate is below 0.1 (upper bound 0.22).
    CHECK(check(folder, "size = 40\nmax_pass_rate = 0.1").status == 1);
    const Outcome fails = check(folder, "size = 80\nmin_pass_rate = 0.2", "--json");
    CHECK(fails.status == 1);
    CHECK_THAT(fails.out, ContainsSubstring("\"holds\": false"));
    CHECK(folder.entries() == 1);  // the runs are gone
}

TEST_CASE("check names what is wrong with a baseline", "[check]") {
    const TemporaryFolder folder;
    const Outcome size = check(folder, "size = 48\nmax_pass_rate = 0.3");
    CHECK(size.status == 2);
    CHECK_THAT(size.err, ContainsSubstring("48") && ContainsSubstring("40, 80"));
    const Outcome bound = check(folder, "size = 40");
    CHECK(bound.status == 2);
    CHECK_THAT(bound.err, ContainsSubstring("b.toml") && ContainsSubstring("min_pass_rate"));
    const Outcome key = check(folder, "size = 40\nmax_pas_rate = 0.3");
    CHECK(key.status == 2);
    CHECK_THAT(key.err, ContainsSubstring("max_pass_rate"));
    CHECK(run_whorl("check " + (folder / "none.toml")).status == 2);
    const std::string twice = "size = 40\nmax_pass_rate = 0.3\n[[gates]]\nname = \"untrained\"\n";
    CHECK_THAT(check(folder, twice + "size = 40\nmax_pass_rate = 0.3").err, ContainsSubstring("same name"));
    CHECK_THAT(
        check(folder, "size = 40\nmax_pass_rate = 0.3\n[[gates]]\nname = \"../x\"\nsize = 40\nmax_pass_rate = 1").err,
        ContainsSubstring("folder"));
}
