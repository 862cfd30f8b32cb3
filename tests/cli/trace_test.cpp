// `whorl trace` as a user types it.
#include <algorithm>

#include "core/config/value.hpp"
#include "core/io/safetensors.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/run_program.hpp"

using Catch::Matchers::ContainsSubstring;

namespace {

std::string constructed(const TemporaryFolder& folder, const std::string& name) {
    const std::string file = folder / (name + ".safetensors");
    REQUIRE(run_whorl("models --weights constructed --name " + name + " --out " + file).status == 0);
    return file;
}

std::vector<std::int64_t> numbers(const whorl::Value& table, const char* key) {
    std::vector<std::int64_t> result;
    for (const whorl::Value& item : std::get<whorl::Array>(whorl::find(table, key)->data))
        result.push_back(std::get<std::int64_t>(item.data));
    return result;
}

}  // namespace

TEST_CASE("a constructed model is traced from text and from tokens, into either file", "[cli][trace]") {
    const TemporaryFolder folder;
    const std::string model = constructed(folder, "parity-mamba3");
    const std::string csv = folder / "t.csv", tensors = folder / "t.safetensors";
    const Outcome text = run_whorl("trace " + model + " --task parity --text \"0110 1\" --out " + csv + " --json");
    INFO(text.err);
    REQUIRE(text.status == 0);
    const whorl::Document summary = whorl::parse_json(text.out, "trace");
    CHECK(numbers(summary.root, "tokens") == std::vector<std::int64_t>{1, 2, 2, 1, 2});
    CHECK(numbers(summary.root, "answers") == std::vector<std::int64_t>{1, 2, 1, 1, 2});
    CHECK_THAT(slurp(csv), ContainsSubstring("layer,head,position,quantity,index,value\n"));

    const Outcome plain = run_whorl("trace " + model + " --tokens \"1 2 2 1 2\" --out " + tensors);
    REQUIRE(plain.status == 0);
    CHECK_THAT(plain.out, ContainsSubstring("5 position × 2 head × 2 state × 5 channel"));
    const auto file = whorl::SafetensorsFile::open(tensors);
    CHECK(file.at("layers.0.still_state").shape == std::vector<std::int64_t>{5, 2, 2, 5});

    const std::string small = folder / "small.safetensors";
    REQUIRE(run_whorl("trace " + model + " --tokens \"1 2\" --layer 0 --head 1 --state none --out " + small).status ==
            0);
    CHECK(!whorl::SafetensorsFile::open(small).contains("layers.0.state"));
    CHECK(whorl::SafetensorsFile::open(small).at("layers.0.dt").shape == std::vector<std::int64_t>{2, 1});
}

TEST_CASE("a run's replica is traced in the words of its task", "[cli][trace]") {
    const TemporaryFolder folder;
    const std::string run = folder / "run", out = folder / "t.csv";
    REQUIRE(run_whorl("train parity-quick --threads 1 --set steps=4 --set batch=4 --set replicas.seeds=2 --set "
                      "replicas.learning_rates=[0.001] --set model.d_model=16 --set model.headdim=8 --set "
                      "model.d_state=8 --set curriculum.start=6 --set curriculum.end=12 --set validation.sizes=[9] "
                      "--set test.sizes=[9] --set test.count=8 --set validation.count=8 --out " +
                      run)
                .status == 0);
    const Outcome best = run_whorl("trace " + run + " --replica best --text 011 --state 0,3 --out " + out + " --json");
    INFO(best.err);
    REQUIRE(best.status == 0);
    CHECK(numbers(whorl::parse_json(best.out, "trace").root, "tokens") == std::vector<std::int64_t>{1, 2, 2});
    CHECK(run_whorl("trace " + run + "/checkpoints/step-4 --replica 1 --text 011 --out " + out).status == 0);
    CHECK_THAT(run_whorl("trace " + run + " --text 011 --out " + out).err, ContainsSubstring("--replica best"));
}

TEST_CASE("a model's file says whose text it reads, another must be told", "[cli][trace]") {
    const TemporaryFolder folder;
    const std::string known = constructed(folder, "parity-gdn"), out = folder / "t.csv";
    CHECK(run_whorl("trace " + known + " --text 0110 --out " + out).status == 0);
    const std::string strange = test_data("golden/gated-delta-net-neg.safetensors");
    const Outcome refused = run_whorl("trace " + strange + " --text 01 --out " + out);
    CHECK(refused.status == 2);
    CHECK_THAT(refused.err, ContainsSubstring("--text needs --task"));
}

TEST_CASE("bad requests for a trace get one line and status 2", "[cli][trace]") {
    struct Case {
        const char *arguments, *expected;
    };
    const TemporaryFolder folder;
    constructed(folder, "parity-gdn");
    std::string many;
    for (int i = 0; i < 8'000'000; ++i) many += "1 ";
    spill(folder / "many.txt", many);
    const std::string start = "trace FOLDER/parity-gdn.safetensors ";
    const Case cases[] = {
        {"--tokens \"1 2\"", "--out"},
        {"--tokens \"1 2\" --out FOLDER/t.json", ".safetensors or .csv"},
        {"--out FOLDER/t.csv", "either --tokens or --text"},
        {"--tokens \"1\" --text 1 --out FOLDER/t.csv", "either --tokens or --text"},
        {"--tokens \"1 3\" --out FOLDER/t.csv", "token 3 is not in 0..2"},
        {"--tokens \"1 -1\" --out FOLDER/t.csv", "token -1 is not in 0..2"},
        {"--tokens \"\" --out FOLDER/t.csv", "at least one token"},
        {"--tokens FOLDER/none --out FOLDER/t.csv", "none"},
        {"--text 01 --task partiy --out FOLDER/t.csv", "did you mean 'parity'?"},
        {"--text 012 --task parity --out FOLDER/t.csv", "'2' (character 3)"},
        {"--text \"\" --task parity --out FOLDER/t.csv", "at least one token"},
        {"--tokens 1 --layer 1 --out FOLDER/t.csv", "--layer 1: the model has layers 0..0"},
        {"--tokens 1 --layer x --out FOLDER/t.csv", "--layer: 'x'"},
        {"--tokens 1 --head 7 --out FOLDER/t.csv", "--head 7: layer 0 (gated_delta_net) has heads 0..0"},
        {"--tokens 1 --state 1 --out FOLDER/t.csv",
         "--state 1: layer 0 (gated_delta_net) has pairs of state channels 0..0"},
        {"--tokens 1 --state al --out FOLDER/t.csv", "did you mean 'all'?"},
        {"--tokens 1 --replica 2 --out FOLDER/t.csv", "0..0"},
        {"--tokens 1 --out FOLDER/none/t.csv", "none"},
        {"--tokens FOLDER/many.txt --out FOLDER/t.csv", "choose fewer with --layer, --head or --state"},
    };
    for (const Case& one : cases) {
        std::string arguments = start + one.arguments;
        for (auto at = arguments.find("FOLDER"); at != std::string::npos; at = arguments.find("FOLDER"))
            arguments.replace(at, 6, folder.path());
        const Outcome outcome = run_whorl(arguments);
        INFO(arguments << "\n" << outcome.err);
        CHECK(outcome.status == 2);
        CHECK(outcome.out.empty());
        CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
        CHECK_THAT(outcome.err, ContainsSubstring(one.expected));
    }
    CHECK(folder.entries() == 2);
}
