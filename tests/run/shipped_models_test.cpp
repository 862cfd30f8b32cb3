#include "app/run/shipped_models.hpp"

#include <cstring>
#include <set>

#include "app/run/manifest.hpp"
#include "app/run/model_task.hpp"
#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "core/config/model_config_io.hpp"
#include "core/io/atomic_file.hpp"
#include "core/model/constructed/constructed.hpp"
#include "core/trace/session.hpp"
#include "core/training/trained_models.hpp"
#include "core/training/trainer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace whorl;

namespace {

// docs/parity.md: random.seed(3), 160 choices.
const std::string kBits =
    "001100110011100010000101111110100010111111101010100110011010100111000111001000001110011101111011011111011010011111"
    "1000111110101111100010101010011010010110000101";

/// Where a model's answers after each bit are wrong, counted from 1.
std::vector<std::size_t> wrong_answers(const NamedModel& model, const std::string& bits) {
    trace::Session reading(model.config, model.slice, static_cast<std::int64_t>(bits.size()));
    std::vector<std::size_t> wrong;
    std::size_t ones = 0;
    for (std::size_t t = 0; t < bits.size(); ++t) {
        ones += bits[t] == '1' ? 1 : 0;
        const std::vector<double>& logits = reading.feed(bits[t] == '1' ? Parity::kOne : Parity::kZero);
        const auto answer = std::max_element(logits.begin(), logits.end()) - logits.begin();
        if (answer != static_cast<std::ptrdiff_t>(1 + ones % 2)) wrong.push_back(t + 1);
    }
    return wrong;
}

}  // namespace

TEST_CASE("shipped models are what their recipes make and small", "[shipped]") {
    std::set<std::string> names;
    for (const ShippedModel& model : shipped_models()) {
        INFO(model.name);
        const RunSetup setup = setup_of(model);
        const LoadedModel loaded = load(model);
        CHECK(to_toml(loaded.config) == to_toml(setup.model));
        CHECK(setup.config.replicas.count() == 1);
        CHECK(loaded.task == stored_task(setup.task));
        CHECK(model.accuracy.size() == model.sizes.size());
        CHECK((model.found.empty() || model.found.size() == model.sizes.size()));
        CHECK(model.bytes.size() < 100000);
        names.insert(model.name);
    }
    CHECK(names.size() == shipped_models().size());
    CHECK(shipped_files().size() == names.size());
    CHECK(named_models().size() == names.size() + constructed_models().size());
    for (const std::string& name : named_models()) CHECK(named_model(name).name == name);
    CHECK_THAT(message_of<UserError>([] { named_model("needle-gnd"); }),
               Catch::Matchers::ContainsSubstring("did you mean 'needle-gdn'?"));
}

TEST_CASE("a shipped model is made again bit by bit", "[shipped]") {
    if (!why_own_bits(build_info()).empty()) SKIP(why_own_bits(build_info()));
    const ShippedModel& model = shipped_model("parity-mamba3-plain");
    const RunSetup setup = setup_of(model);
    const auto processor = make_cpu_backend(1);
    Trainer trainer(setup.config.training, setup.model, *setup.data, replicas_of(setup.config.replicas), *processor);
    trainer.step(setup.config.training.steps);
    const std::vector<float> slice = trainer.parameters(0);
    const TemporaryFolder folder;
    const std::string file = folder / "again.safetensors";
    save_model(file, setup.model, {slice.begin(), slice.end()}, stored_task(setup.task));
    const bool same = read_text_file(file, 1 << 20) == model.bytes;
    CHECK(same);
}

TEST_CASE("shipped models score what their list says", "[shipped]") {
    if (!why_own_bits(build_info()).empty()) SKIP(why_own_bits(build_info()));
    const auto processor = make_cpu_backend(1);
    for (const ShippedModel& model : shipped_models()) {
        const LoadedModel loaded = load(model);
        const RunSetup setup = setup_of(model);
        TrainedModels models(loaded.config, {loaded.slice.begin(), loaded.slice.end()}, *processor);
        EvaluationConfig on = setup.config.test;
        CHECK(on.sizes == model.sizes);
        on.sizes = {model.sizes[2]};  // where they differ
        const Evaluation evaluation = models.evaluate(*setup.data, Split::test, on, {});
        INFO(model.name);
        CHECK(evaluation.accuracy[0][0] == model.accuracy[2]);
        if (!model.found.empty()) CHECK(evaluation.found[0][0] == model.found[2]);
    }
}

TEST_CASE("of the parity models the plain one alone fails within 160 bits", "[shipped]") {
    REQUIRE(kBits.size() == 160);
    const auto plain = wrong_answers(named_model("parity-mamba3-plain"), kBits);
    REQUIRE_FALSE(plain.empty());
    CHECK(plain.front() > 80);  // long after the size that it was trained at
    for (const char* name : {"parity-mamba3-smoothed", "parity-gdn-smoothed", "parity-mamba3", "parity-gdn"})
        CHECK(wrong_answers(named_model(name), kBits).empty());
}
