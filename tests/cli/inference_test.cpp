// Models that are asked: weights that are no numbers, prompts of any length, the coldest temperature.
#include <algorithm>
#include <filesystem>

#include "app/inference/finite.hpp"
#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "core/config/value.hpp"
#include "core/io/checkpoint_file.hpp"
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

namespace {

// 500 tokens of parity, 0 and 1 as tokens 1 and 2.
std::string bits_text() {
    std::string text;
    for (int t = 0; t < 500; ++t) text += t * t % 7 % 2 == 0 ? "1 " : "2 ";
    return text;
}

const Array& rows_of(const Document& json) {
    return std::get<Array>(find(json.root, "tokens")->data);
}

double number(const Value& row, const char* key) {
    const Value* value = find(row, key);
    REQUIRE(value != nullptr);
    return std::holds_alternative<double>(value->data) ? std::get<double>(value->data)
                                                       : static_cast<double>(std::get<std::int64_t>(value->data));
}

}  // namespace

TEST_CASE("a prompt is answered alike in pieces of any length", "[cli][inference]") {
    const TemporaryFolder folder;
    make_model(folder / "m.safetensors");
    spill(folder / "p.txt", bits_text());
    const std::string line =
        "decode " + (folder / "m.safetensors") + " --tokens " + (folder / "p.txt") + " --count 3 --json";
    const auto decoded = [&](const std::string& more) {
        const Outcome outcome = run_whorl(line + more);
        INFO(outcome.err);
        REQUIRE(outcome.status == 0);
        return parse_json(outcome.out, "decode");
    };
    const Document whole = decoded("");
    REQUIRE(rows_of(whole).size() == 503);
    for (const char* piece : {" --piece 1", " --piece 7", " --piece 499", " --piece 500"}) {
        const Document json = decoded(piece);
        REQUIRE(rows_of(json).size() == 503);
        for (std::size_t i = 0; i < 503; ++i) {
            CHECK(number(rows_of(json)[i], "answer") == number(rows_of(whole)[i], "answer"));
            CHECK(number(rows_of(json)[i], "probability") ==
                  Approx(number(rows_of(whole)[i], "probability")).margin(1e-4));
        }
    }
    // The last row of a prompt, whose time is no token's, and those that follow.
    const Document last = decoded(" --answers last --piece 64");
    REQUIRE(rows_of(last).size() == 4);
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(number(rows_of(last)[i], "position") == static_cast<double>(499 + i));
        CHECK(number(rows_of(last)[i], "answer") == number(rows_of(whole)[499 + i], "answer"));
        CHECK(std::holds_alternative<std::monostate>(find(rows_of(last)[i], "us")->data) == (i == 0));
    }
    CHECK(number(last.root, "prompt_tokens") == 500);
    CHECK(number(last.root, "token_us_median") > 0);
}

TEST_CASE("a long prompt's last answer is shown and all when asked for", "[cli][inference]") {
    const TemporaryFolder folder;
    make_model(folder / "m.safetensors");
    std::string text;
    for (int i = 0; i < 9; ++i) text += bits_text();
    spill(folder / "p.txt", text);
    const std::string line = "decode " + (folder / "m.safetensors") + " --tokens " + (folder / "p.txt") + " --count 0";
    const auto lines = [](const Outcome& outcome) { return std::count(outcome.out.begin(), outcome.out.end(), '\n'); };
    CHECK(lines(run_whorl(line)) == 3);  // a head, the answer, the time
    CHECK(lines(run_whorl(line + " --answers all")) == 4502);
    CHECK_THAT(run_whorl(line).out, ContainsSubstring("prompt: 4500 tokens in "));
}

TEST_CASE("pieces and answers that cannot be are refused in one line", "[cli][inference]") {
    const TemporaryFolder folder;
    const std::string model = folder / "m.safetensors";
    make_model(model);
    spill(folder / "t.txt", "1 2 1\n");
    const std::string decode = "decode " + model + " --tokens \"1 2\"", eval = "eval " + model + " --task parity",
                      logits = "logits " + model + " --tokens " + (folder / "t.txt") + " --out " +
                               (folder / "l.safetensors");
    for (const std::string& command : {decode, eval, logits})
        for (const char* piece : {" --piece 0", " --piece -3", " --piece 1e3", " --piece 99999999999", " --piece"}) {
            const Outcome outcome = run_whorl(command + piece);
            INFO(command << piece << ": " << outcome.err);
            CHECK(outcome.status == 2);
            CHECK(outcome.out.empty());
            CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
            CHECK_THAT(outcome.err, ContainsSubstring("--piece"));
        }
    const Outcome answers = run_whorl(decode + " --answers none");
    CHECK(answers.status == 2);
    CHECK_THAT(answers.err, ContainsSubstring("--answers: unknown value 'none'; choose one of all, last"));
}

TEST_CASE("what the memory does not hold is refused before it is begun", "[cli][inference]") {
    const TemporaryFolder folder;
    PresetSize size;
    size.n_layer = 256;
    size.vocab_size = 3;
    const ModelConfig config = model_preset("transformer").make(size);
    const std::vector<double> zeros(static_cast<std::size_t>(ParameterLayout(config).slice()));
    save_model(folder / "m.safetensors", config, zeros);
    // 256 layers keep 512 bytes a token: 128 GiB.
    const Outcome outcome = run_whorl("decode " + (folder / "m.safetensors") + " --tokens 1 --count 1048576");
    INFO(outcome.err);
    CHECK(outcome.status == 2);
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK_THAT(
        outcome.err,
        ContainsSubstring("--tokens: 128.0 GiB are needed for a prompt of 1 and an answer of 1048576 tokens, and ") &&
            ContainsSubstring(" may be used"));
    const Outcome longest = run_whorl("eval " + (folder / "m.safetensors") + " --task parity --lengths 1048576");
    CHECK(longest.status == 2);
    CHECK_THAT(longest.err, ContainsSubstring("--lengths: size 1048576 needs 128"));
}

TEST_CASE("an evaluation takes the memory that it is said to take", "[training][inference]") {
    const auto data = make_data_source(Parity{});
    const auto backend = make_cpu_backend(1);
    for (const char* preset : {"mamba3", "gdn", "transformer"}) {
        INFO(preset);
        LanguageModel model(small::model(preset), *backend, DType::f32);
        const Population population(model.layout(), small::replicas(), *backend);
        constexpr std::int64_t kSize = 300, kCount = 2;
        for (const std::int64_t piece : {90, 400}) {  // one example at a time, in pieces and whole
            const EvaluationPace pace{100, piece};
            evaluate({model, population.parameters(), *backend, pace}, *data, Split::test, {{kSize}, kCount, 0});
            const ReadShape shape = evaluation_shape(model, Device::cpu, 3, pace, *data, kSize, kCount);
            CHECK(shape.batch == 1);
            CHECK(shape.whole() == (piece == 400));
            const std::int64_t said = evaluation_bytes(model, shape);
            const std::int64_t state = shape.whole() ? 0 : model.state_bytes(3, 1, shape.length);
            const std::int64_t taken = model.arena_size() + state;
            CHECK(said >= taken);
            CHECK(said < taken + taken / 10);
        }
    }
    const TrainedModels models(small::model(),
                               std::vector<float>(static_cast<std::size_t>(ParameterLayout(small::model()).slice())),
                               *backend);
    CHECK_NOTHROW(models.check_memory(*data, {{16}, 4, 0}, {64}, "--lengths"));
    CHECK_THAT(message_of<UserError>([&] {
                   models.check_memory(*data, {{16, std::int64_t{1} << 40}, 4, 0}, {64}, "--lengths");
               }),
               ContainsSubstring("--lengths: size 1099511627776 needs") && ContainsSubstring("may be used"));
}
