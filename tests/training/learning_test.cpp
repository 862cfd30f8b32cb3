// Tiny trainings with a known outcome: what can learn does, what cannot does not.
#include "core/backend/factories.hpp"
#include "core/training/trained_models.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_population.hpp"

using namespace small;

namespace {

double best_accuracy(const char* preset, std::int64_t size, std::int64_t test_size) {
    TrainingConfig config = training(400, 32);
    config.curriculum = {CurriculumShape::linear, 4, size, 0.6, {}, 0};
    std::vector<ReplicaHyper> population;
    for (std::uint64_t seed = 0; seed < 4; ++seed) population.push_back({6e-3, 0.1, seed, seed, {0.1, 1.0}, true});
    Lab lab(population, 1, config, preset);
    lab.trainer.step(config.steps);
    const Evaluation validation = lab.trainer.evaluate(Split::validation, {{size}, 256, 0});
    return lab.trainer.evaluate(Split::test, {{test_size}, 256, 0}).accuracy[0][best_replica(validation)];
}

}  // namespace

TEST_CASE("Mamba-3 and Gated DeltaNet with negative eigenvalues learn parity", "[training][learning]") {
    CHECK(best_accuracy("mamba3", 16, 16) > 0.97);
    CHECK(best_accuracy("gdn", 16, 16) > 0.97);
}

TEST_CASE("without rotation or negative eigenvalues parity stays a guess at lengths not seen", "[training][learning]") {
    // 256 examples: the deviation of guessing is 0.031. A short training length can be learnt by heart, a longer one
    // not.
    CHECK(best_accuracy("mamba3-no-rope", 16, 40) < 0.66);
    CHECK(best_accuracy("mamba2", 16, 40) < 0.66);
}

TEST_CASE("Gated DeltaNet finds needles at every depth of the haystacks it was trained on", "[training][learning]") {
    Needle task;
    task.value_tokens = 2;
    task.key_symbols = task.value_symbols = 8, task.filler_symbols = 4;
    TrainingConfig config = training(400, 16);
    config.curriculum = {CurriculumShape::fixed, 24, 24, 1.0, {}, 0};
    ModelConfig two_layers = model("gdn");
    two_layers.layers.push_back(two_layers.layers.front());
    two_layers.n_layer = 2;
    two_layers.vocab_size = task.vocabulary();
    const auto data = make_data_source(task);
    const auto backend = make_cpu_backend(1);
    Trainer trainer(config, two_layers, *data, {{1e-2, 0.1, 0, 0, {0, 0}, true}}, *backend);
    trainer.step(config.steps);
    TrainedModels models(two_layers, trainer.snapshot().values.parameters, *backend);
    for (const double depth : {0.0, 0.5, 1.0}) {
        task.depth = depth;
        const Evaluation test = models.evaluate(*make_data_source(task), Split::test, {{24}, 128, 0}, {512});
        INFO("depth " << depth);
        CHECK(test.found[0][0] > 0.95);
    }
}
