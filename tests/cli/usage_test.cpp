// Help for everything, and one clear line for everything that is wrong.
#include <algorithm>

#include "app/cli/command.hpp"
#include "core/backend/backend.hpp"
#include "core/backend/factories.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/run_program.hpp"

using Catch::Matchers::ContainsSubstring;

TEST_CASE("every command has help with examples", "[cli]") {
    const Outcome overview = run_whorl("--help");
    CHECK(overview.status == 0);
    for (const auto& command : whorl::cli::commands()) {
        INFO(command.name);
        CHECK_THAT(overview.out, ContainsSubstring(command.name));
        const Outcome help = run_whorl(std::string(command.name) + " --help");
        CHECK(help.status == 0);
        CHECK(help.err.empty());
        CHECK_THAT(help.out, ContainsSubstring(std::string("Usage: whorl ") + command.name));
        CHECK_THAT(help.out, ContainsSubstring("Examples:"));
        for (const char* tail : {"00000000000", "99999999999"})  // 0.90000000000000002, 0.29999999999999999
            CHECK_THAT(help.out, !ContainsSubstring(tail));
    }
}

TEST_CASE("without a command the overview is shown as an error", "[cli]") {
    CHECK(run_whorl("").status == 2);
}

TEST_CASE("the version is printed", "[cli]") {
    CHECK(run_whorl("--version").status == 0);
    CHECK(run_whorl("--version").out.rfind("whorl ", 0) == 0);
}

TEST_CASE("without a GPU the processor is used, and asking for a GPU says why there is none", "[cli]") {
    const std::string missing = whorl::why_no_cuda();
    if (missing.empty()) return;  // then the tests of the backend run on it
    const std::string verify = "verify " + test_data("golden/mamba3-len1.safetensors") + " --device ";
    CHECK(run_whorl(verify + "auto").status == 0);
    const Outcome asked = run_whorl(verify + "cuda");
    CHECK(asked.status == 2);
    CHECK_THAT(asked.err, ContainsSubstring("--device cuda: " + missing));
    CHECK(std::count(asked.err.begin(), asked.err.end(), '\n') == 1);
}

TEST_CASE("GPUs that are not there are named with those that are", "[cli][devices]") {
    const int count = whorl::cuda_device_count(), beyond = count + 1;
    const Outcome outcome = run_whorl("train parity-quick --devices 0," + std::to_string(beyond) + " --dry-run");
    CHECK(outcome.status == 2);
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK_THAT(outcome.err,
               ContainsSubstring(count == 0 ? "--devices: " + whorl::why_no_cuda()
                                            : "there is no GPU " + std::to_string(beyond) + "; this machine has 0"));
}

TEST_CASE("bad usage gets one line and status 2", "[cli]") {
    struct Case {
        const char *arguments, *expected;
    };
    const TemporaryFolder folder;
    spill(folder / "unknown_key.toml", "name = \"x\"\nstepps = 3\n[task]\ntype = \"parity\"\n");
    spill(folder / "no_task.toml", "steps = 3\n");
    spill(folder / "bad_task.toml", "[task]\ntype = \"parity\"\nmin_sise = 4\n");
    spill(folder / "broken.toml", "steps = \n");
    spill(folder / "tiny_vocabulary.toml",
          "[task]\ntype = \"parity\"\n[model.config]\nd_model = 8\nn_layer = 1\nvocab_size = "
          "2\n[[model.config.layers]]\ntype = \"mamba2\"\nheaddim = 8\n");
    spill(folder / "good_sweep.toml", "recipe = \"parity-quick\"\n[axes]\nbatch = [1]\n");
    spill(folder / "bad_value.toml", "recipe = \"parity-quick\"\n[axes]\nmodel.preset = [\"mamba4\"]\n");
    spill(folder / "no_values.toml", "recipe = \"parity-quick\"\n[axes]\nbatch = []\n");
    spill(folder / "deep_axis.toml", "recipe = \"parity-quick\"\n[axes]\nmodel.config.d_model = [1]\n");
    spill(folder / "bad_key.toml", "recipe = \"parity-quick\"\n[axis]\nbatch = [1]\n");
    spill(folder / "copies.toml",
          "recipe = \"parity-gate\"\n[[gates]]\nname = \"g\"\nset = [\"replicas.learning_rate=[4e-3, 4e-3]\"]\nsize = "
          "64\nmin_pass_rate = 0.5\n");
    spill(folder / "bad_size.toml", "recipe = \"parity-quick\"\nsize = 65\n[axes]\nbatch = [1]\n");
    const Case cases[] = {
        {"trian", "did you mean 'train'?"},
        {"train", "RECIPE is missing"},
        {"train parity-quick --resum", "did you mean '--resume'?"},
        {"train parity-quik", "did you mean 'parity-quick'?"},
        {"train a b", "too many arguments"},
        {"train parity-quick --threads many", "threads"},
        {"train parity-quick --threads -1", "--threads: -1"},
        {"train parity-quick --device gpu", "--device"},
        {"train parity-quick --devices 0 --device cpu", "--devices names GPUs"},
        {"train parity-quick --devices 0,0", "--devices: 0 is named twice"},
        {"train parity-quick --devices 0,one", "--devices: 'one' is not a whole number"},
        {"train parity-quick --devices 0,1000", "--devices: "},  // no GPU, or none of that number
        {"train parity-quick --device cpu --set data_parallel=2", "over 2 GPUs; name as many with --devices"},
        {"train parity-quick --device cpu --set data_parallel=7", "must divide batch"},
        {"train parity-quick --set stepps=3", "did you mean 'steps'?"},
        {"train parity-quick --set steps", "expected key.path=value"},
        {"train parity-quick --set steps=none", "steps"},
        {"train parity-quick --set batch=0", "batch"},
        {"train parity-quick --set model.preset=mamba4", "did you mean 'mamba3'?"},
        {"train parity-quick --set model.headdim=7", "headdim"},
        {"train parity-quick --set curriculum.start=2 --dry-run", "smallest is 3"},
        {"train parity-quick --set test.sizes=[2]", "test.sizes: 2 is no size of parity; the nearest is 3"},
        {"train parity-quick --set curriculum.start=50", "must not exceed 'end'"},
        {"train parity-quick --replicas 0", "seeds"},
        {"train parity-quick --set replicas.learning_rate=[]", "a population of no replicas"},
        {"train parity-quick --set replicas.learning_rate=[1e-3,1e-3]",
         "learning_rate: holds a value several times: 0.001"},
        {"train parity-quick --set replicas.learning_rate=1e-3,1e-4", "a list stands in brackets: '[1e-3,1e-4]'"},
        {"reproduce parity --quick --set replicas.learning_rate={log=[1e-3,1e-3],count=8}", "0.001 (8 times)"},
        {"reproduce parity --full --status --width 32 --width 64,32", "--width: 32 is named twice"},
        {"check FOLDER/copies.toml", "learning_rate: holds a value several times: 0.004"},
        {"train parity-quick --set replicas.weight_decay={log=[0.1,1],count=0}", "replicas.weight_decay.count"},
        {"train --resume", "--resume needs --out"},
        {"train --resume --out FOLDER/none", "holds no run"},
        {"train FOLDER/unknown_key.toml", "unknown_key.toml:2"},
        {"train FOLDER/no_task.toml", "task"},
        {"train FOLDER/bad_task.toml", "bad_task.toml:3"},
        {"train FOLDER/broken.toml", "broken.toml:1"},
        {"train FOLDER/tiny_vocabulary.toml", "vocab_size"},
        {"train parity-quick --out FOLDER", "not an empty folder"},
        {"eval", "RUN|CHECKPOINT is missing"},
        {"eval FOLDER/none", "no such folder"},
        {"eval FOLDER", "step-N"},
        {"report FOLDER", "holds no run"},
        {"report FOLDER --format cvs", "did you mean 'csv'?"},
        {"sweep", "SWEEP is missing"},
        {"sweep FOLDER/none.toml", "none.toml"},
        {"sweep FOLDER/good_sweep.toml --launcher slurm", "choose one of local"},
        {"sweep FOLDER/good_sweep.toml --out FOLDER", "not an empty folder"},
        {"sweep FOLDER/bad_value.toml",
         "the run with model.preset = mamba4: parity-quick.toml (built in): model.preset: unknown"},
        {"sweep FOLDER/no_values.toml", "no_values.toml:3: axes.batch: an axis of no values"},
        {"sweep FOLDER/deep_axis.toml", "a deeper key stands in quotes"},
        {"sweep FOLDER/bad_key.toml", "did you mean 'axes'?"},
        {"sweep FOLDER/bad_size.toml", "size: 65 is not among its test.sizes"},
        {"reproduce partiy", "did you mean 'parity'?"},
        {"reproduce parity --quick --full", "exclude each other"},
        {"reproduce parity --quick --device cpu --set data_parallel=2 --out FOLDER/table", "over 2 GPUs"},
        {"reproduce state-tracking --medium --device cpu --set data_parallel=2 --out FOLDER/table", "over 2 GPUs"},
        {"bench train --seconds 0", "--seconds: expected a number above 0 and at most 3600"},
        {"sample partiy", "did you mean 'parity'?"},
        {"sample parity --size 2", "--size: 2"},
        {"sample parity --count -1", "--count: -1"},
        {"sample parity --split tset", "did you mean 'test'?"},
        {"sample parity --set supervise=lst", "did you mean 'last'?"},
        {"sample parity --set suprevise=last", "did you mean 'supervise'?"},
        {"tasks --describe partiy", "did you mean 'parity'?"},
    };
    for (const Case& one : cases) {
        std::string arguments = one.arguments;
        for (std::size_t at; (at = arguments.find("FOLDER")) != std::string::npos;)
            arguments.replace(at, 6, folder.path());
        const Outcome outcome = run_whorl(arguments);
        INFO(arguments << "\n" << outcome.err);
        CHECK(outcome.status == 2);
        CHECK(outcome.out.empty());
        CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
        CHECK_THAT(outcome.err, ContainsSubstring(one.expected));
    }
    CHECK(folder.entries() == 12);  // nothing was left behind
}

TEST_CASE("what cannot be written is no success", "[cli]") {
    const Outcome outcome = run_whorl("--help >/dev/full");
    CHECK(outcome.status == 3);
}

TEST_CASE("samples are the documented ones as text and as JSON", "[cli]") {
    CHECK(run_whorl("sample parity --count 3").out == run_whorl("sample parity --count 3").out);
    const Outcome text = run_whorl("sample parity --count 1 --size 5"),
                  json = run_whorl("sample parity --count 2 --size 5 --json");
    CHECK(text.status == 0);
    CHECK(std::count(json.out.begin(), json.out.end(), '\n') == 2);
    CHECK_THAT(json.out, ContainsSubstring("\"targets\":[-1,-1,-1,"));
    CHECK(run_whorl("sample parity --split test").out != run_whorl("sample parity --split validation").out);
    CHECK_THAT(run_whorl("tasks").out, ContainsSubstring("parity"));
    CHECK_THAT(run_whorl("tasks --describe parity").out, ContainsSubstring("min_size = 3"));
}
