// Models without a run around them: `whorl models --weights constructed`, `eval --task`, `decode`.
#include <algorithm>

#include "app/run/shipped_models.hpp"
#include "core/config/value.hpp"
#include "core/model/constructed/constructed.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"

using Catch::Matchers::ContainsSubstring;

namespace {

/// accuracy[i] of the first model.
std::vector<double> accuracies(const Outcome& outcome) {
    std::vector<double> result;
    const whorl::Document json = whorl::parse_json(outcome.out, "eval");
    for (const whorl::Value& row : std::get<whorl::Array>(whorl::find(json.root, "accuracy")->data)) {
        const auto& number = std::get<whorl::Array>(row.data).front().data;
        const auto* whole = std::get_if<std::int64_t>(&number);
        result.push_back(whole ? static_cast<double>(*whole) : std::get<double>(number));
    }
    return result;
}

}  // namespace

TEST_CASE("a constructed model is listed, written, evaluated and decoded by command", "[cli][constructed]") {
    const TemporaryFolder folder;
    const Outcome list = run_whorl("models --weights constructed");
    CHECK(list.status == 0);
    CHECK_THAT(run_whorl("models --weights constructed --describe parity-gdn").out, ContainsSubstring("k_conv1d"));
    for (const whorl::ConstructedModel& model : whorl::constructed_models()) {
        CHECK_THAT(list.out, ContainsSubstring(model.name));
        const std::string file = folder / (model.name + ".safetensors");
        REQUIRE(run_whorl("models --weights constructed --name " + model.name + " --out " + file).status == 0);
        const Outcome evaluated =
            run_whorl("eval " + file + " --task " + model.task + " --lengths 64,4096 --count 32 --threads 1 --json");
        INFO(evaluated.err);
        REQUIRE(evaluated.status == 0);
        CHECK(accuracies(evaluated) == std::vector<double>{1, 1});
    }
    const Outcome text = run_whorl("eval " + (folder / "parity-gdn.safetensors") + " --task parity --lengths 8");
    CHECK_THAT(text.out, ContainsSubstring("1.0000"));
    // 1 + 4 + 3 = 3 mod 5: token 4.
    const Outcome decoded =
        run_whorl("decode " + (folder / "modular-sum-mamba3.safetensors") + " --tokens \"2 5 4\" --count 0");
    CHECK_THAT(decoded.out, ContainsSubstring("4        4"));
}

TEST_CASE("a trained model that ships is listed and described and written by command", "[cli][shipped]") {
    const TemporaryFolder folder;
    const Outcome list = run_whorl("models --weights trained");
    CHECK(list.status == 0);
    for (const whorl::ShippedModel& model : whorl::shipped_models()) {
        CHECK_THAT(list.out, ContainsSubstring(model.name));
        CHECK_THAT(run_whorl("models --weights trained --json").out, ContainsSubstring(model.chosen));
    }
    CHECK_THAT(run_whorl("models --weights trained --describe needle-gdn").out,
               ContainsSubstring("whorl train needle-quick --set replicas.learning_rates=[8e-3]"));
    const std::string file = folder / "needle.safetensors";
    const Outcome written = run_whorl("models --weights trained --name needle-gdn --out " + file);
    REQUIRE(written.status == 0);
    // What it proposes works.
    const std::string try_this = "try: whorl ";
    const auto at = written.out.find(try_this);
    REQUIRE(at != std::string::npos);
    const std::string proposal =
        written.out.substr(at + try_this.size(), written.out.find('\n', at) - at - try_this.size());
    const Outcome evaluated = run_whorl(proposal + " --count 32 --threads 1 --json");
    INFO(proposal << evaluated.err);
    REQUIRE(evaluated.status == 0);
    CHECK(accuracies(evaluated).front() == 1);
}

TEST_CASE("a run's replica answers the same with --task, from the run and from its file", "[cli]") {
    const TemporaryFolder folder;
    const std::string run = folder / "run", file = folder / "one.safetensors";
    REQUIRE(run_whorl("train parity-quick --threads 1 --set steps=6 --set batch=4 --set replicas.seeds=2 --set "
                      "replicas.learning_rates=[0.001] --set model.d_model=16 --set model.headdim=8 --set "
                      "model.d_state=8 --set curriculum.start=6 --set curriculum.end=12 --set validation.sizes=[9] "
                      "--set test.sizes=[9] --set test.count=32 --set validation.count=32 --out " +
                      run)
                .status == 0);
    REQUIRE(run_whorl("export " + run + " --replica 1 --out " + file).status == 0);
    const std::string asked = " --lengths 9,14 --count 32 --json --threads 1";
    const Outcome own = run_whorl("eval " + run + " --replica 1" + asked),
                  named = run_whorl("eval " + run + " --task parity --replica 1" + asked),
                  exported = run_whorl("eval " + file + " --task parity" + asked),
                  all = run_whorl("eval " + run + " --task parity --replica all" + asked);
    INFO(named.err << exported.err << all.err);
    REQUIRE(own.status == 0);
    REQUIRE(exported.status == 0);
    REQUIRE(all.status == 0);
    CHECK(accuracies(named) == accuracies(own));
    CHECK(accuracies(exported) == accuracies(own));
    CHECK_THAT(all.out, ContainsSubstring("\"replicas\":[0,1]"));
    CHECK_THAT(all.out, ContainsSubstring("\"step\":6"));
    // With modulus 2 the sum is parity; every prefix is another question.
    CHECK(accuracies(run_whorl("eval " + run + " --task modular_sum --set modulus=2 --replica 1" + asked)) ==
          accuracies(own));
    CHECK(accuracies(run_whorl("eval " + run + " --task parity --set supervise=all --replica 1" + asked)) !=
          accuracies(own));
    CHECK_THAT(run_whorl("eval " + run + " --set supervise=all").err, ContainsSubstring("there is no --task"));
}

TEST_CASE("bad requests for model files get one line and status 2", "[cli][constructed]") {
    struct Case {
        const char *arguments, *expected;
    };
    const TemporaryFolder folder;
    REQUIRE(run_whorl("models --weights constructed --name parity-gdn --out " + (folder / "m.safetensors")).status ==
            0);
    const Case cases[] = {
        {"models --weights construct", "did you mean 'constructed'?"},
        {"models --weights trained --name parity-mamba3 --out FOLDER/x.safetensors", "did you mean 'parity-mamba3"},
        {"models --weights trained --describe needle-gnd", "did you mean 'needle-gdn'?"},
        {"models --weights constructed --name parity-gnd --out FOLDER/x.safetensors", "did you mean 'parity-gdn'?"},
        {"models --weights constructed --name parity-gdn", "needs --out"},
        {"models --weights constructed --out FOLDER/x.safetensors", "needs --name"},
        {"models --weights constructed --describe gdn", "parity-gdn"},
        {"models --weights constructed --describe parity-gdn --d-model 8", "--d-model belongs to presets"},
        {"models --weights constructed --describe parity-gdn --name parity-gdn --out FOLDER/x.safetensors", "either"},
        {"models --name parity-gdn --out FOLDER/x.safetensors", "needs --weights constructed"},
        {"models --weights constructed --name parity-gdn --out FOLDER/none/x.safetensors", "none"},
        {"eval FOLDER/m.safetensors", "--task"},
        {"eval FOLDER/m.safetensors --task parity --grid", "--grid and --task exclude each other"},
        {"eval FOLDER/m.safetensors --task partiy", "did you mean 'parity'?"},
        {"eval FOLDER/m.safetensors --task parity --set supervise=al", "did you mean 'all'?"},
        {"eval FOLDER/m.safetensors --task modular_sum", "needs 6"},
        {"eval FOLDER/m.safetensors --task parity --lengths 2", "the nearest is 3"},
        {"eval FOLDER/m.safetensors --task parity --replica 1", "0..0"},
        {"eval FOLDER/none.safetensors --task parity", "none.safetensors"},
    };
    for (const Case& one : cases) {
        std::string arguments = one.arguments;
        for (auto at = arguments.find("FOLDER"); at != std::string::npos; at = arguments.find("FOLDER"))
            arguments.replace(at, 6, folder.path());
        const Outcome outcome = run_whorl(arguments);
        INFO(arguments << "\n" << outcome.err);
        CHECK(outcome.status == 2);
        CHECK(outcome.out.empty());
        CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
        CHECK_THAT(outcome.err, ContainsSubstring(one.expected));
    }
    CHECK(folder.entries() == 1);
}
