// Models that are asked: weights that are no numbers, prompts of any length, the coldest temperature.
#include <algorithm>
#include <filesystem>

#include "app/inference/finite.hpp"
#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "core/config/value.hpp"
#include "core/io/safetensors.hpp"
#include "core/training/trained_models.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/small_population.hpp"

using namespace whorl;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

void make_model(const std::string& path) {
    REQUIRE(run_whorl("models --weights constructed --name parity-gdn --out " + path).status == 0);
}

}  // namespace

TEST_CASE("weights that are no numbers answer nothing", "[cli][inference]") {
    const TemporaryFolder folder;
    const std::string model = folder / "m.safetensors", bad = folder / "bad.safetensors", out = folder / "out.csv",
                      logits = folder / "out.safetensors";
    make_model(model);
    spill(folder / "t.txt", "1 2 1\n");
    struct Case {
        std::string bytes, word;
    };
    const Case cases[] = {{std::string("\x00\x00\xc0\x7f", 4), "holds nan"},
                          {std::string("\x00\x00\x80\xff", 4), "-inf"}};
    for (const Case& one : cases) {
        std::string content = slurp(model);
        content.replace(content.size() - 4, 4, one.bytes);  // the last element of the last tensor
        spill(bad, content);
        for (const std::string& line :
             {"eval " + bad + " --task parity --lengths 8 --count 4",
              "eval " + bad + " --task parity --lengths 8 --count 4 --json", "decode " + bad + " --tokens \"1 2\"",
              "trace " + bad + " --tokens 1 --out " + out,
              "logits " + bad + " --tokens " + (folder / "t.txt") + " --out " + logits}) {
            const Outcome outcome = run_whorl(line);
            INFO(line << "\n" << outcome.err);
            CHECK(outcome.status == 1);
            CHECK(outcome.out.empty());
            CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
            CHECK_THAT(outcome.err, ContainsSubstring(one.word) && ContainsSubstring("such weights answer nothing"));
        }
    }
    CHECK_FALSE(fs::exists(out));
    CHECK_FALSE(fs::exists(logits));
    CHECK(all_finite(std::vector<double>{1, -2}));
}

TEST_CASE("the coldest temperature takes the most likely token", "[cli][inference]") {
    const TemporaryFolder folder;
    make_model(folder / "m.safetensors");
    const std::string line = "decode " + (folder / "m.safetensors") + " --tokens \"1 2 2\" --count 4 --json";
    const auto answers = [&](const std::string& more) {
        const Outcome outcome = run_whorl(line + more);
        REQUIRE(outcome.status == 0);
        CHECK(outcome.out.find("nan") == std::string::npos);
        const Document json = parse_json(outcome.out, "decode");
        std::vector<std::int64_t> result;
        for (const Value& row : std::get<Array>(find(json.root, "tokens")->data)) {
            result.push_back(std::get<std::int64_t>(find(row, "answer")->data));
            CHECK_FALSE(std::holds_alternative<std::monostate>(find(row, "probability")->data));
        }
        return result;
    };
    for (const char* temperature : {"1e-320", "5e-324", "1e-30"})
        CHECK(answers(std::string(" --temperature ") + temperature) == answers(""));
}

TEST_CASE("sequences of different lengths are answered as each alone", "[cli][inference]") {
    const TemporaryFolder folder;
    const std::string model = folder / "m.safetensors", all = folder / "all.safetensors",
                      one = folder / "one.safetensors";
    make_model(model);
    spill(folder / "all.txt", "1 2 1 2 2\n2 2\n\n1\n");
    spill(folder / "one.txt", "2 2\n");
    for (const char* name : {"all", "one"})
        REQUIRE(run_whorl("logits " + model + " --tokens " + (folder / name) + ".txt --out " + (folder / name) +
                          ".safetensors")
                    .status == 0);
    const SafetensorsFile file = SafetensorsFile::open(all), alone = SafetensorsFile::open(one);
    CHECK(file.read_as<std::int32_t>("lengths") == std::vector<std::int32_t>{5, 2, 1});
    CHECK(file.read_as<std::int32_t>("tokens") ==
          std::vector<std::int32_t>{1, 2, 1, 2, 2, 2, 2, -1, -1, -1, 1, -1, -1, -1, -1});
    CHECK_FALSE(alone.contains("lengths"));
    const std::vector<float> logits = file.read_as<float>("logits"), expected = alone.read_as<float>("logits");
    const auto vocabulary = static_cast<std::ptrdiff_t>(file.at("logits").shape[2]);
    const auto row = logits.begin() + 5 * vocabulary;
    CHECK(std::equal(expected.begin(), expected.end(), row));
    CHECK(std::all_of(row + 2 * vocabulary, row + 5 * vocabulary, [](float value) { return value == 0; }));
}

TEST_CASE("an evaluation takes the memory that it is said to take", "[training][inference]") {
    const auto data = make_data_source(Parity{});
    const auto backend = make_cpu_backend(1);
    for (const char* preset : {"mamba3", "gdn", "transformer"}) {
        INFO(preset);
        LanguageModel model(small::model(preset), *backend, DType::f32);
        const Population population(model.layout(), small::replicas(), *backend);
        constexpr std::int64_t kPositions = 100, kSize = 300, kCount = 2;  // one example at a time
        evaluate({model, population.parameters(), *backend, kPositions}, *data, Split::test, {{kSize}, kCount, 0});
        const std::int64_t said = evaluation_bytes(model, 3, kPositions, *data, kSize, kCount);
        CHECK(said >= model.arena_size());
        CHECK(said < model.arena_size() + model.arena_size() / 10);
    }
    const TrainedModels models(small::model(),
                               std::vector<float>(static_cast<std::size_t>(ParameterLayout(small::model()).slice())),
                               *backend);
    CHECK_NOTHROW(models.check_memory(*data, {{16}, 4, 0}, 64, "--lengths"));
    CHECK_THAT(message_of<UserError>([&] {
                   models.check_memory(*data, {{16, std::int64_t{1} << 40}, 4, 0}, 64, "--lengths");
               }),
               ContainsSubstring("--lengths: size 1099511627776 needs") && ContainsSubstring("may be used"));
}
