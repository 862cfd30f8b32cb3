// What a command writes never takes the place of what it reads, under whatever name; and has the name of its kind.
#include <algorithm>
#include <filesystem>

#include "tests/support/catch.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/run_program.hpp"

using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

/// The command is refused in one line, and leaves `input` as it was.
void check_refused(const std::string& arguments, const std::string& input) {
    const std::string before = slurp(input);
    REQUIRE_FALSE(before.empty());
    const Outcome outcome = run_whorl(arguments);
    INFO(arguments << "\n" << outcome.err);
    CHECK(outcome.status == 2);
    CHECK(outcome.out.empty());
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK_THAT(outcome.err, ContainsSubstring("would replace") && ContainsSubstring("which this command reads"));
    CHECK(slurp(input) == before);
}

void make_model(const std::string& path) {
    REQUIRE(run_whorl("models --weights constructed --name parity-gdn --out " + path).status == 0);
}

}  // namespace

TEST_CASE("a model is not replaced by what is made of it", "[cli][outputs]") {
    const TemporaryFolder folder;
    const std::string model = folder / "m.safetensors", tokens = folder / "t.txt", link = folder / "link.safetensors",
                      twin = folder / "twin.safetensors", logits = folder / "logits.safetensors";
    make_model(model);
    spill(tokens, "1 2 1\n");
    fs::create_symlink("m.safetensors", link);
    fs::create_hard_link(model, twin);
    REQUIRE(run_whorl("logits " + model + " --tokens " + tokens + " --out " + logits).status == 0);
    for (const std::string& out : {model, link, twin, folder.path() + "/./m.safetensors"}) {
        check_refused("logits " + model + " --tokens " + tokens + " --out " + out, model);
        check_refused("trace " + model + " --tokens \"1 2\" --out " + out, model);
        check_refused("export " + link + " --out " + out, model);
        CHECK(run_whorl("import " + model + " --config " + tokens + " --out " + out).status == 2);
    }
    CHECK(fs::is_symlink(link));
    check_refused("logits " + model + " --tokens " + logits + " --out " + logits, logits);
    spill(folder / "prompt.csv", "1 2 1\n");
    check_refused("trace " + model + " --tokens " + (folder / "prompt.csv") + " --out " + (folder / "prompt.csv"),
                  folder / "prompt.csv");
    // A folder with a model is left alone, too; a new name in it is not.
    fs::create_directory(folder / "dir");
    fs::copy_file(model, folder / "dir/model.safetensors");
    check_refused("export " + (folder / "dir") + " --out " + (folder / "dir"), folder / "dir/model.safetensors");
    for (int again = 0; again < 2; ++again)
        CHECK(run_whorl("logits " + (folder / "dir") + " --tokens " + tokens + " --out " +
                        (folder / "dir/logits.safetensors"))
                  .status == 0);
}

TEST_CASE("a run is not damaged by what is made of it", "[cli][outputs]") {
    const TemporaryFolder folder;
    const std::string run = folder / "run", tokens = folder / "t.txt";
    spill(tokens, "1 2 1\n");
    REQUIRE(run_whorl("train parity-quick --threads 1 --set steps=2 --set batch=2 --set replicas.seeds=1 --set "
                      "replicas.learning_rate=0.001 --set model.d_model=16 --set model.headdim=8 --set "
                      "model.d_state=8 --set curriculum.start=6 --set curriculum.end=12 --set validation.sizes=[9] "
                      "--set test.sizes=[9] --set test.count=4 --set validation.count=4 --out " +
                      run)
                .status == 0);
    std::string checkpoint;
    for (const auto& entry : fs::directory_iterator(run + "/checkpoints")) checkpoint = entry.path().string();
    fs::create_symlink(checkpoint + "/state.json", folder / "link.safetensors");
    for (const std::string& of : {run, checkpoint, checkpoint + "/model.safetensors"}) {
        for (const char* name : {"/model.safetensors", "/optimizer.safetensors"}) {
            check_refused("export " + of + " --out " + checkpoint + name, checkpoint + name);
            check_refused("logits " + of + " --tokens " + tokens + " --out " + checkpoint + name, checkpoint + name);
            check_refused("trace " + of + " --tokens \"1 2\" --out " + checkpoint + name, checkpoint + name);
        }
        check_refused("export " + of + " --out " + checkpoint, checkpoint + "/model.safetensors");
        check_refused("trace " + of + " --tokens \"1 2\" --out " + (folder / "link.safetensors"),
                      checkpoint + "/state.json");
    }
    CHECK(run_whorl("eval " + run + " --replica 0 --count 4").status == 0);
    CHECK(run_whorl("trace " + run + " --tokens \"1 2\" --out " + run + "/trace.csv").status == 0);
}

TEST_CASE("recipes and sweeps and baselines and pieces are not replaced by their results", "[cli][outputs]") {
    const TemporaryFolder folder;
    spill(folder / "runs.toml", "recipe = \"parity-quick\"\n[axes]\nbatch = [1]\n");
    check_refused("sweep " + (folder / "runs.toml") + " --out " + folder.path(), folder / "runs.toml");
    spill(folder / "table.md", "recipe = \"parity-quick\"\n[axes]\nbatch = [1]\n");
    check_refused("sweep " + (folder / "table.md") + " --out " + folder.path(), folder / "table.md");
    spill(folder / "r.toml", slurp(source_file("experiments/recipes/parity-quick.toml")));
    check_refused("train " + (folder / "r.toml") + " --out " + (folder / "r.toml"), folder / "r.toml");
    spill(folder / "b.toml", slurp(source_file("experiments/baselines/parity.toml")));
    check_refused("check " + (folder / "b.toml") + " --out " + (folder / "b.toml"), folder / "b.toml");
    const std::string piece = "experiments/results/state-tracking/full/cells/parity-gdn-d64.json";
    spill(folder / "table.json", slurp(source_file(piece)));
    check_refused("reproduce state-tracking --from " + folder.path() + " --out " + folder.path(),
                  folder / "table.json");
}

TEST_CASE("a release is not replaced by its import", "[cli][outputs][interchange]") {
    const TemporaryFolder folder;
    const std::string model = folder / "m.safetensors", release = folder / "release";
    make_model(model);
    REQUIRE(run_whorl("export " + model + " --format fla --out " + release).status == 0);
    fs::create_symlink(release + "/config.json", folder / "config.safetensors");
    check_refused("import " + release + " --out " + release + "/model.safetensors", release + "/model.safetensors");
    check_refused("import " + release + " --out " + (folder / "config.safetensors"), release + "/config.json");
    // In shards: one of any name.
    fs::create_directory(folder / "shards");
    fs::copy_file(release + "/config.json", folder / "shards/config.json");
    fs::copy_file(release + "/model.safetensors", folder / "shards/one.safetensors");
    spill(folder / "shards/model.safetensors.index.json",
          "{\"weight_map\": {\"model.norm.weight\": \"one.safetensors\"}}");
    check_refused("import " + (folder / "shards") + " --out " + (folder / "shards/one.safetensors"),
                  folder / "shards/one.safetensors");
    for (int again = 0; again < 2; ++again)
        CHECK(run_whorl("import " + release + " --out " + release + "/whorl.safetensors").status == 0);
}

TEST_CASE("a file of tensors is not given the name of another format", "[cli][outputs]") {
    const TemporaryFolder folder;
    const std::string model = folder / "m.safetensors";
    make_model(model);
    spill(folder / "t.txt", "1 2 1\n");
    for (const std::string& line :
         {"logits " + model + " --tokens " + (folder / "t.txt"),
          std::string("models --weights constructed --name parity-gdn"), "import " + folder.path()}) {
        const Outcome outcome = run_whorl(line + " --out " + (folder / "x.npy"));
        CHECK(outcome.status == 2);
        CHECK_THAT(outcome.err, ContainsSubstring("x.npy': the name must end in .safetensors"));
    }
    CHECK_FALSE(fs::exists(folder / "x.npy"));
}
