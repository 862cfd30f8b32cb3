// whorl sample --out and whorl score: a model from elsewhere is measured by the examples and the scores of eval.
#include <algorithm>

#include "core/config/value.hpp"
#include "core/io/safetensors.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"

using namespace whorl;
using Catch::Matchers::ContainsSubstring;

namespace {

Outcome done(const std::string& arguments) {
    const Outcome outcome = run_whorl(arguments);
    INFO(arguments << ": " << outcome.err);
    REQUIRE(outcome.status == 0);
    return outcome;
}

/// What is printed behind the title, but for the line that names a run's replica.
std::string scores_of(std::string text) {
    text.erase(0, text.find('\n') + 1);
    const std::size_t replica = text.find("replica 0: learning rate");
    if (replica != std::string::npos) text.erase(replica, text.find('\n', replica) + 1 - replica);
    return text;
}

/// A file with one tensor.
template <class T>
void write_answers(const std::string& path, const char* name, const std::vector<std::int64_t>& shape,
                   const std::vector<T>& values) {
    const TensorView tensor = tensor_view<T>(name, shape, values);
    write_safetensors(path, std::span(&tensor, 1));
}

/// A model of the preset for the task's tokens, not trained.
std::string model_for(const TemporaryFolder& folder, const std::string& task, const std::string& set) {
    const std::string run = folder / ("run-" + task);
    spill(folder / (task + ".toml"),
          "steps = 1\nbatch = 2\n[model]\npreset = \"mamba3\"\nd_model = 16\nd_state = 8\n"
          "n_layer = 1\nheaddim = 8\n[task]\ntype = \"" +
              task + "\"\n" + set +
              "\n[replicas]\nlearning_rate = [1e-3]\n[curriculum]\nshape = \"fixed\"\nend = 24\n"
              "[validation]\nsizes = [24]\ncount = 4\n[test]\nsizes = [24]\ncount = 4\n");
    done("train " + (folder / (task + ".toml")) + " --threads 1 --out " + run);
    return run;
}

/// `tokens` of the examples alone, as `whorl logits` reads them.
void write_tokens(const std::string& examples, const std::string& path) {
    const SafetensorsFile file = SafetensorsFile::open(examples);
    write_answers(path, "tokens", file.at("tokens").shape, file.read_as<std::int32_t>("tokens"));
}

void check_same(const std::string& task, const std::string& recipe, const std::string& set) {
    const TemporaryFolder folder;
    const std::string run = model_for(folder, task, recipe), examples = folder / "examples.safetensors",
                      tokens = folder / "tokens.safetensors", logits = folder / "logits.safetensors",
                      sizes = " --lengths 24,40 --count 20 ";
    done("sample " + task + set + sizes + "--split test --out " + examples);
    write_tokens(examples, tokens);
    done("logits " + run + " --threads 1 --tokens " + tokens + " --out " + logits);
    const std::string eval = "eval " + run + " --threads 1 --task " + task + set + sizes + "--per-position",
                      score = "score " + examples + " --per-position --logits " + logits;
    const std::string own = done(eval).out, other = done(score).out;
    INFO(task);
    CHECK(scores_of(own) == scores_of(other));
    CHECK_THAT(own, ContainsSubstring("20 examples a size, test split"));
    const Document a = parse_json(done(eval + " --json").out, "eval"),
                   b = parse_json(done(score + " --json").out, "score");
    for (const char* key : {"accuracy", "sizes", "found", "per_position", "ideal_bits", "chance", "effective_length"}) {
        const Value *ours = find(a.root, key), *theirs = find(b.root, key);
        REQUIRE((ours == nullptr) == (theirs == nullptr));
        if (ours) CHECK(write_json(*ours) == write_json(*theirs));
    }
}

}  // namespace

TEST_CASE("logits of a model score what eval says of the model", "[cli][score]") {
    check_same("mqar", "symbols = 16\nslices = [[24, 4]]", " --set symbols=16 --set 'slices=[[24, 4]]'");
    check_same("markov", "distances = 4", " --set distances=4");
    check_same("selective_copy", "data = 4", " --set data=4");
    check_same("parity", "bos = true", " --set bos=true");
}

TEST_CASE("predictions are scored at every position or at the targets alone", "[cli][score]") {
    const TemporaryFolder folder;
    const std::string examples = folder / "examples.safetensors", answers = folder / "answers.safetensors";
    CHECK_THAT(done("sample mqar --lengths 64,128 --count 3 --split test --out " + examples).out,
               ContainsSubstring("6 examples of mqar (version 1), test split, 127 positions, vocabulary 8192"));
    const SafetensorsFile file = SafetensorsFile::open(examples);
    CHECK(file.read_as<std::int32_t>("sizes") == std::vector<std::int32_t>{64, 64, 64, 128, 128, 128});
    const std::vector<std::int32_t> targets = file.read_as<std::int32_t>("targets");
    std::vector<std::int64_t> alone;
    for (const std::int32_t target : targets)
        if (target >= 0) alone.push_back(target);
    REQUIRE(alone.size() == 3 * 4 + 3 * 8);
    write_answers(answers, "predictions", {6, 127}, targets);
    const std::string score = "score " + examples + " --predictions " + answers;
    CHECK_THAT(done(score).out, ContainsSubstring("   128    1.0000    1.000\n"));
    alone[0] = 1;  // one of twelve answers at size 64 is wrong
    write_answers(answers, "predictions", {36}, alone);
    CHECK_THAT(done(score).out, ContainsSubstring("    64    0.9167    0.889\n   128    1.0000    1.000\n"));
    CHECK_THAT(done(score).out, ContainsSubstring("effective length (accuracy ≥ 0.9): replica 0: 128"));
}

TEST_CASE("what is no measure is refused in one line", "[cli][score]") {
    const TemporaryFolder folder;
    const std::string examples = folder / "e.safetensors", answers = folder / "a.safetensors";
    done("sample parity --lengths 8 --count 4 --split test --out " + examples);
    const auto refused = [&](const std::string& arguments, const std::string& why) {
        const Outcome outcome = run_whorl(arguments);
        INFO(arguments << ": " << outcome.err);
        CHECK(outcome.status == 2);
        CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
        CHECK_THAT(outcome.err, ContainsSubstring(why));
    };
    const std::string score = "score " + examples;
    refused(score, "give either --logits FILE or --predictions FILE");
    write_answers<float>(answers, "logits", {4, 7, 2}, std::vector<float>(56));
    refused(score + " --logits " + answers, "the task has 3 tokens, so the last axis must not be shorter");
    refused(score + " --predictions " + answers, "no tensor 'predictions'");
    write_answers<float>(answers, "logits", {4, 8, 3}, std::vector<float>(96));
    refused(score + " --logits " + answers, "expected [4, 7, vocabulary], or [4, vocabulary] for the targets alone");
    write_answers<float>(answers, "predictions", {4}, std::vector<float>(4));
    refused(score + " --predictions " + answers, "predictions is of type F32; expected whole numbers");
    write_answers<float>(answers, "logits", {4, 3}, std::vector<float>(12));
    refused("score " + answers + " --logits " + answers, "examples");
    // Examples that were changed, and those of training.
    const SafetensorsFile file = SafetensorsFile::open(examples);
    std::vector<std::int32_t> tokens = file.read_as<std::int32_t>("tokens"),
                              targets = file.read_as<std::int32_t>("targets");
    targets[6] = 3 - targets[6];
    const std::string changed = folder / "c.safetensors";
    const TensorView tensors[] = {tensor_view<std::int32_t>("tokens", {4, 7}, tokens),
                                  tensor_view<std::int32_t>("targets", {4, 7}, targets)};
    write_safetensors(changed, tensors, file.metadata());
    refused("score " + changed + " --logits " + answers, "it was changed");
    done("sample parity --max-size 9 --count 4 --out " + examples);
    refused(score + " --logits " + answers, "holds training examples");
    refused("sample parity --lengths 8", "add --out");
    refused("sample parity --out x.txt", ".safetensors");
    refused("sample parity --lengths 2 --out " + examples, "--lengths: 2 is no size of parity; the nearest is 3");
    refused("sample parity --lengths 262144 --count 1000000 --out " + examples, "too many for one file");
    refused("sample text --set file=" + (folder / "none"), "file: ");
}

TEST_CASE("training examples of mixed sizes say the size of each", "[cli][score]") {
    const TemporaryFolder folder;
    const std::string examples = folder / "e.safetensors";
    done("sample mqar --max-size 256 --count 60 --step 3 --out " + examples);
    const SafetensorsFile file = SafetensorsFile::open(examples);
    const std::vector<std::int32_t> sizes = file.read_as<std::int32_t>("sizes");
    for (const std::int32_t size : {64, 128, 256}) CHECK(std::count(sizes.begin(), sizes.end(), size) > 5);
    CHECK(file.at("tokens").shape == std::vector<std::int64_t>{60, 255});
}
