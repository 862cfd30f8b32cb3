#include "tasks/flip_flop.hpp"

#include "tasks/registry.hpp"
#include "tests/support/task_support.hpp"

using namespace tasktest;

TEST_CASE("flip_flop reads what was written last", "[tasks][flip_flop]") {
    for (const double ignore : {0.8, 0.1, 0.98}) {
        const auto data = make_data_source(find_task("flip_flop", {"ignore=" + std::to_string(ignore)}));
        std::vector<std::int64_t> instructions(4), bits(2);
        std::int64_t inner = 0;
        for (std::uint64_t i = 0; i < 500; ++i) {
            const Example example = make(*data, key(i, 64, 65));
            REQUIRE(example.tokens.size() == 63);
            REQUIRE(example.tokens.front() == 1);
            REQUIRE(example.tokens.back() == 2);
            std::int32_t memory = -1;
            for (std::size_t t = 0; t < 63; t += 2) {
                const std::int32_t instruction = example.tokens[t], bit = t + 1 < 63 ? example.tokens[t + 1] : memory;
                REQUIRE((bit == 4 || bit == 5));
                if (instruction == 1) memory = bit;
                if (instruction == 2) REQUIRE(bit == memory);
                if (instruction != 2) ++bits[static_cast<std::size_t>(bit - 4)];
                REQUIRE(example.targets[t] == (instruction == 2 ? memory : -1));
                if (t + 1 < 63) REQUIRE(example.targets[t + 1] == -1);
                if (t == 0 || t == 62) continue;
                ++inner, ++instructions[static_cast<std::size_t>(instruction)];
            }
        }
        INFO("ignore " << ignore);
        CHECK(plausible(instructions[3], ignore, inner));
        CHECK(plausible(instructions[1], (1 - ignore) / 2, inner));
        CHECK(plausible(instructions[2], (1 - ignore) / 2, inner));
        CHECK(uniform(bits, 0, 2));
    }
}
