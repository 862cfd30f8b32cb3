#include "core/training/grid.hpp"

#include "core/base/error.hpp"
#include "core/training/replica.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"

using namespace whorl;

namespace {

ReplicaGrid grid_of(const std::string& text) {
    return read_config<ReplicaGrid>(parse_toml(text, "recipe.toml"));
}

}  // namespace

TEST_CASE("a grid is a number or a list or evenly spaced", "[training][grid]") {
    CHECK(grid_of("learning_rate = 0.01").learning_rates == std::vector<double>{0.01});
    CHECK(grid_of("learning_rate = [1e-3, 1]").learning_rates == std::vector<double>{1e-3, 1.0});
    CHECK(grid_of("learning_rate = { log = [1e-4, 1e-2], count = 5 }").learning_rates ==
          std::vector<double>{1e-4, 3.16228e-4, 1e-3, 3.16228e-3, 1e-2});
    CHECK(grid_of("weight_decay = { linear = [0, 0.3], count = 4 }").weight_decays ==
          std::vector<double>{0, 0.1, 0.2, 0.3});
    CHECK(grid_of("learning_rate = { log = [1e-4, 1e-2], count = 1 }").learning_rates == std::vector<double>{1e-3});
    CHECK(grid_of("seeds = 4").count() == 4);
}

TEST_CASE("ranges of step sizes are listed or spanned by grids of their ends", "[training][grid]") {
    CHECK(grid_of("dt_range = { min = 0.1, max = 1 }").dt_ranges.size() == 1);
    const ReplicaGrid grid = grid_of("dt_range = [{}, { min = [0.1, 0.2], max = { log = [0.2, 2], count = 2 } }]");
    REQUIRE(grid.dt_ranges.size() == 5);
    CHECK((grid.dt_ranges[0].min == 0 && grid.dt_ranges[0].max == 0));
    CHECK((grid.dt_ranges[2].min == 0.1 && grid.dt_ranges[2].max == 2));
    CHECK((grid.dt_ranges[3].min == 0.2 && grid.dt_ranges[3].max == 0.2));
    CHECK(grid.count() == 5);
}

TEST_CASE("a resolved grid reads back to the same grid", "[training][grid]") {
    const ReplicaGrid grid = grid_of(
        "learning_rate = { log = [1e-4, 1e-2], count = 7 }\nweight_decay = { linear = [0, 1], count = 4 }\n"
        "dt_range = { min = 0.1, max = { log = [0.3, 3], count = 3 } }\nseeds = 3\nfirst_seed = 9");
    const std::string text = to_toml(grid);
    const ReplicaGrid again = grid_of(text);
    CHECK(again.learning_rates == grid.learning_rates);
    CHECK(again.weight_decays == grid.weight_decays);
    REQUIRE(again.dt_ranges.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) CHECK(again.dt_ranges[i].max == grid.dt_ranges[i].max);
    CHECK(again.count() == 7 * 4 * 3 * 3);
    CHECK(to_toml(again) == text);
}

TEST_CASE("the earlier spelling is read and the command line overrules it", "[training][grid]") {
    const std::string earlier =
        "learning_rates = [1e-3, 2e-3]\nweight_decays = [0.5]\ndt_ranges = [{min = 1, max = 2}]";
    CHECK(grid_of(earlier).learning_rates.size() == 2);
    CHECK(to_toml(grid_of(earlier)).find("learning_rates") == std::string::npos);
    Document document = parse_toml(earlier, "recipe.toml");
    apply_override(document, "learning_rate=5e-3");
    CHECK(read_config<ReplicaGrid>(document).learning_rates == std::vector<double>{5e-3});
    Document newer = parse_toml("learning_rate = 1e-3", "recipe.toml");
    apply_override(newer, "learning_rates=[5e-3]");
    CHECK(read_config<ReplicaGrid>(newer).learning_rates == std::vector<double>{5e-3});
}

TEST_CASE("a grid that is none gets one line with its place", "[training][grid]") {
    struct Case {
        const char *text, *expected;
    };
    const Case cases[] = {
        {"learning_rate = []", "recipe.toml:1: learning_rate: a grid of no values"},
        {"\nweight_decay = { log = [0.1, 1], count = 0 }", "recipe.toml:2: weight_decay.count: must be at least 1"},
        {"dt_range = []", "dt_range: a grid of no values"},
        {"dt_range = { min = [], max = 1 }", "dt_range.min: a grid of no values"},
        {"seeds = 0", "seeds: must be at least 1: a population of no replicas"},
        {"seeds = -2", "seeds: must be at least 1"},
        {"learning_rate = { log = [1e-4, 1e-2] }", "count: required key is missing"},
        {"learning_rate = { count = 3 }", "either log"},
        {"learning_rate = { log = [1e-4, 1e-2], linear = [1, 2], count = 3 }", "either log"},
        {"learning_rate = { log = [1e-2, 1e-4], count = 3 }", "must not exceed the last"},
        {"learning_rate = { log = [1e-4, 1e-3, 1e-2], count = 3 }", "two ends"},
        {"learning_rate = { log = [0, 1e-2], count = 3 }", "learning_rate.log[0]: 0 is out of range"},
        {"weight_decay = { log = [0, 1e-2], count = 3 }", "both ends must be above 0"},
        {"learning_rate = { logarithmic = [1e-4, 1e-2], count = 3 }", "learning_rate"},
        {"learning_rate = \"fast\"", "expected a number, found a string"},
        {"learning_rates = [1e-3]\nlearning_rate = 1e-3", "earlier spelling of 'learning_rate'"},
        {"dt_range = { min = 2, max = 1 }", "0 < min"},
        {"learning_rate = { log = [1e-4, 1e-2], count = 65536 }\nweight_decay = { linear = [0, 1], count = 65536 }\n"
         "dt_range = { min = 1, max = { log = [1, 3], count = 65536 } }\nseeds = 65536",
         "more than 65536 replicas"},
        {"learning_rate = [1e-3, 3e-3, 1e-3]",
         "recipe.toml:1: learning_rate: holds a value several times: 0.001 (2 times)"},
        {"learning_rate = { log = [1e-3, 1e-3], count = 8 }", "learning_rate: holds a value several times: 0.001 (8"},
        {"weight_decay = { linear = [0.1, 0.10000001], count = 3 }", "weight_decay: holds a value several times: 0.1"},
        {"weight_decay = [0, -0.0]", "weight_decay: holds a value several times: 0"},
        {"learning_rate = [0.001, 0.00100000000001]", "0.001 and 0.00100000000001, which are one in float32"},
        {"dt_range = [{ min = 0.1, max = 1 }, {}, { min = 0.1, max = 1 }]", "{ min = 0.1, max = 1 } (2 times)"},
        {"dt_range = [{}, {}]", "{ min = 0, max = 0 } (2 times)"},
        {"dt_range = { min = [0.1, 0.1], max = 1 }", "dt_range.min: holds a value several times: 0.1 (2 times)"},
        {"dt_range = { min = { log = [1, 3], count = 65536 }, max = { log = [3, 4], count = 65536 } }", "65536 ranges"},
    };
    for (const Case& one : cases) {
        INFO(one.text);
        const std::string message = message_of<UserError>([&] { grid_of(one.text); });
        CHECK_THAT(message, Catch::Matchers::ContainsSubstring(one.expected));
        CHECK(message.find('\n') == std::string::npos);
    }
}
