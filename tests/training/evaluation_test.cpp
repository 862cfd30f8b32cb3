// Scores beside accuracy: answers found, accuracy by position, effective length.
#include "core/training/evaluation.hpp"

#include "core/backend/factories.hpp"
#include "core/training/score.hpp"
#include "core/training/trained_models.hpp"
#include "tasks/example.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_population.hpp"

using namespace small;

namespace {

// Two tokens an answer and two symbols: guessing between them finds a quarter of the answers.
Needle needle() {
    Needle task;
    task.keys = task.queries = 3;
    task.value_tokens = 2;
    task.key_symbols = 5, task.value_symbols = 2, task.filler_symbols = 3;
    return task;
}

ModelConfig model_for(const DataSource& data, const char* preset = "mamba3") {
    ModelConfig config = small::model(preset);
    config.vocab_size = data.vocabulary();
    return config;
}

std::vector<float> untrained(const ModelConfig& config, Backend& backend) {
    return Population(ParameterLayout(config), replicas(), backend).values().parameters;
}

// Long enough to answer with value tokens at all, far too short to find needles.
std::vector<float> trained_briefly(const ModelConfig& config, const DataSource& data, Backend& backend) {
    TrainingConfig training = small::training(60, 8);
    training.curriculum = {CurriculumShape::fixed, 29, 29, 1.0, {}, 0};
    Trainer trainer(training, config, data, replicas(), backend);
    trainer.step(60);
    return trainer.snapshot().values.parameters;
}

constexpr std::int64_t kCount = 37;  // no multiple of the batches below
const EvaluationConfig kOn{{29, 40}, kCount, 3};

// The scores of one model, one example at a time, from logits at every position: shares no code with evaluate().
struct Naive {
    std::vector<double> positions;
    double found = 0, accuracy = 0;
};

Naive naive(const ModelConfig& config, const std::vector<float>& slice, const DataSource& data, std::int64_t size,
            std::size_t answer) {
    const auto backend = make_cpu_backend(1);
    LanguageModel model(config, *backend, DType::f32);
    Buffer memory = backend->allocate(static_cast<std::int64_t>(slice.size() * sizeof(float)));
    const Tensor parameters = activation_at(memory.data(), {1, 1, 1, model.layout().slice()}, DType::f32, Device::cpu);
    std::copy(slice.begin(), slice.end(), parameters.at<float>());
    Naive sums;
    double answers = 0, tokens = 0;
    for (std::uint64_t i = 0; i < kCount; ++i) {
        const Example example = make_example(data, {3, Split::test, static_cast<std::uint64_t>(size), i, {size, size}});
        const auto length = static_cast<std::int64_t>(example.tokens.size());
        model.bind({1, 1, length, length, false});
        std::copy(example.tokens.begin(), example.tokens.end(), model.tokens().at<std::int32_t>());
        for (std::int64_t t = 0; t < length; ++t)
            model.supervision().row_of.at<std::int32_t>()[t] = static_cast<std::int32_t>(t);
        model.forward(parameters);
        std::vector<bool> right;
        for (std::int64_t t = 0; t < length; ++t) {
            const std::int32_t target = example.targets[static_cast<std::size_t>(t)];
            if (target < 0) continue;
            const float* logits = model.logits().at<float>(0, 0, t);
            bool most = true;
            for (std::int32_t v = 0; v < config.vocab_size; ++v)
                most = most && (v == target || logits[v] < logits[target]);
            right.push_back(most);
        }
        sums.positions.resize(right.size(), 0.0);
        for (std::size_t k = 0; k < right.size(); ++k) sums.positions[k] += right[k] ? 1 : 0;
        for (std::size_t first = 0; first < right.size(); first += answer, answers += 1)
            sums.found +=
                std::all_of(right.begin() + static_cast<std::ptrdiff_t>(first),
                            right.begin() + static_cast<std::ptrdiff_t>(first + answer), [](bool one) { return one; })
                    ? 1
                    : 0;
        tokens += static_cast<double>(right.size());
    }
    for (double& position : sums.positions) sums.accuracy += position / tokens, position /= kCount;
    sums.found /= answers;
    return sums;
}

}  // namespace

TEST_CASE("found answers and accuracy by position are those of one example at a time", "[training]") {
    const auto backend = make_cpu_backend(2);
    const auto data = make_data_source(needle());
    for (const char* preset : {"mamba3", "gdn"}) {
        const ModelConfig config = model_for(*data, preset);
        const std::vector<float> parameters = trained_briefly(config, *data, *backend);
        const Evaluation evaluation =
            TrainedModels(config, parameters, *backend).evaluate(*data, Split::test, kOn, {200}, true);
        double found = 0;
        for (std::size_t r = 0; r < 3; ++r)
            for (std::size_t i = 0; i < kOn.sizes.size(); ++i) {
                INFO(preset << ", replica " << r << ", size " << kOn.sizes[i]);
                const Naive expected = naive(config, slice_of(parameters, r, 3), *data, kOn.sizes[i], 2);
                CHECK(evaluation.accuracy[i][r] == Approx(expected.accuracy));
                CHECK(evaluation.found[i][r] == Approx(expected.found));
                REQUIRE(evaluation.per_position[i][r].size() == 6);
                for (std::size_t k = 0; k < 6; ++k)
                    CHECK(evaluation.per_position[i][r][k] == Approx(expected.positions[k]));
                found += evaluation.found[i][r];
            }
        CHECK(found > 0);  // else all of this compares zeros
    }
}

TEST_CASE("examples read in pieces score as those read whole", "[training]") {
    const auto backend = make_cpu_backend(2);
    Parity all;
    all.supervise = Supervise::all;
    for (const Task& task : {Task{needle()}, Task{all}})
        for (const char* preset : {"mamba3", "mamba3-mimo", "mamba2", "gdn", "hybrid"}) {
            const auto data = make_data_source(task);
            const ModelConfig config = model_for(*data, preset);
            TrainedModels models(config, untrained(config, *backend), *backend);
            const EvaluationConfig on{{29, 203}, 11, 3};
            const Evaluation whole = models.evaluate(*data, Split::test, on, {500, 1000}, true);
            for (const std::int64_t piece : {1, 17, 64, 150}) {
                INFO(data->name() << ", " << preset << ", piece " << piece);
                const Evaluation pieces = models.evaluate(*data, Split::test, on, {500, piece}, true);
                CHECK(pieces.accuracy == whole.accuracy);
                CHECK(pieces.found == whole.found);
                CHECK(pieces.per_position == whole.per_position);
                for (std::size_t i = 0; i < 2; ++i)
                    for (std::size_t r = 0; r < 3; ++r)
                        CHECK(pieces.loss[i][r] == Approx(whole.loss[i][r]).epsilon(2e-5));
            }
        }
}

TEST_CASE("models that do not fit together are evaluated one after the other", "[training]") {
    const auto backend = make_cpu_backend(1);
    const auto data = make_data_source(needle());
    const ModelConfig config = model_for(*data);
    const std::vector<float> parameters = untrained(config, *backend);
    TrainedModels models(config, parameters, *backend), tight(config, parameters, *backend, 1);
    const Evaluation expected = models.evaluate(*data, Split::test, kOn, {200}, true);
    std::vector<EvaluationProgress> heard;
    EvaluationPace pace{200};
    pace.progress = [&](const EvaluationProgress& progress) { heard.push_back(progress); };
    const Evaluation alone = tight.evaluate(*data, Split::test, kOn, pace, true);
    CHECK(alone.accuracy == expected.accuracy);
    CHECK(alone.loss == expected.loss);
    CHECK(alone.found == expected.found);
    CHECK(alone.per_position == expected.per_position);
    REQUIRE(heard.size() > 3);
    CHECK(heard.front().share == 0);
    CHECK(heard.back().share == Approx(1));
    CHECK(heard.back().done == heard.back().total);
    for (std::size_t i = 1; i < heard.size(); ++i) CHECK(heard[i].share >= heard[i - 1].share);
}

TEST_CASE("a trainer reports found answers and its parameters alone score the same", "[training]") {
    const auto backend = make_cpu_backend(1);
    const auto data = make_data_source(needle());
    TrainingConfig config = training(4, 4);
    config.curriculum = {CurriculumShape::fixed, 30, 30, 1.0, {}, 0};
    Trainer trainer(config, model_for(*data), *data, replicas(), *backend);
    trainer.step(4);
    const Evaluation inside = trainer.evaluate(Split::test, kOn);
    const Evaluation outside = TrainedModels(trainer.model().config(), trainer.snapshot().values.parameters, *backend)
                                   .evaluate(*data, Split::test, kOn, {evaluation_positions(config, *data)});
    CHECK(inside.step == 4);
    CHECK(inside.found.size() == 2);
    CHECK(inside.per_position.empty());
    CHECK(inside.accuracy == outside.accuracy);
    CHECK(inside.found == outside.found);
    CHECK(inside.loss == outside.loss);
}

TEST_CASE("scores that say nothing new are left out", "[training]") {
    const auto backend = make_cpu_backend(1);
    Parity all;
    all.supervise = Supervise::all;
    Needle single = needle();
    single.keys = single.queries = single.value_tokens = 1;
    for (const Task& task : {Task{Parity{}}, Task{all}, Task{single}}) {
        const auto data = make_data_source(task);
        const ModelConfig config = model_for(*data);
        TrainedModels models(config, untrained(config, *backend), *backend);
        const Evaluation evaluation = models.evaluate(*data, Split::test, {{9, 17}, 8, 0}, {100}, true);
        INFO(data->name());
        CHECK(evaluation.found.empty());
        CHECK(find(to_table(evaluation), "found") == nullptr);
        CHECK(evaluation.per_position[1][0].size() == (data->answers() == 0 ? 16 : 1));
    }
}

TEST_CASE("an evaluation with found answers survives a trip through JSON", "[training]") {
    const Evaluation evaluation{
        Split::test, 7, {8, 16}, 10, {{0.5, 1.0}, {0.25, 0.75}}, {{0.1, 0.2}, {0.3, 0.4}}, {{0.125, 1.0}, {0, 0.5}},
        {}};
    const Document row = parse_json(write_json(to_table(evaluation)), "metrics.jsonl");
    CHECK(evaluation_from(row.root, row.source).found == evaluation.found);
}

TEST_CASE("bits are the loss in bits, beside those of the best predictor on the same examples", "[training]") {
    const auto backend = make_cpu_backend(1);
    Markov language;
    language.distances = 4;
    for (const Task& task : {Task{language}, Task{ByteText{}}, Task{Parity{}}}) {
        const auto data = make_data_source(task);
        const ModelConfig config = model_for(*data);
        TrainedModels models(config, untrained(config, *backend), *backend);
        const EvaluationConfig on{{9, 40}, 8, 5};
        const Evaluation evaluation = models.evaluate(*data, Split::test, on, {100});
        INFO(data->name());
        REQUIRE(evaluation.bits.size() == (data->in_bits() ? 2 : 0));
        REQUIRE(evaluation.ideal_bits.size() == (data->name() == "markov" ? 2 : 0));
        for (std::size_t i = 0; i < evaluation.bits.size(); ++i)
            for (std::size_t r = 0; r < 3; ++r)
                CHECK(evaluation.bits[i][r] == Approx(evaluation.loss[i][r] / std::log(2.0)));
        const Document row = parse_json(write_json(to_table(evaluation)), "metrics.jsonl");
        const Evaluation read = evaluation_from(row.root, row.source);
        CHECK(read.bits == evaluation.bits);
        CHECK(read.ideal_bits == evaluation.ideal_bits);
        if (evaluation.ideal_bits.empty()) continue;
        double nats = 0;
        for (std::uint64_t i = 0; i < 8; ++i) {
            const Example example = make_example(*data, {5, Split::test, 40, i, {40, 40}});
            nats += *data->ideal_loss(example.tokens, example.targets);
        }
        CHECK(evaluation.ideal_bits[1] == Approx(nats / (8 * 39) / std::log(2.0)));
        CHECK(evaluation.ideal_bits[1] < evaluation.bits[1][0]);  // of models that were not trained
    }
}

TEST_CASE("of language the lower loss is the better one", "[training]") {
    Evaluation evaluation{Split::validation, 1, {8}, 10, {{0.5, 0.4}}, {{2.0, 1.0}}};
    CHECK(best_replica(evaluation) == 0);
    evaluation.bits = {{2.9, 1.4}};
    CHECK(best_replica(evaluation) == 1);
}

TEST_CASE("the effective length is the longest at which accuracy suffices", "[training]") {
    const Evaluation evaluation{
        Split::test, 1, {40, 10, 20}, 10, {{0.9, 0.2, 0.89}, {1.0, 0.89, 0.9}, {0.5, 0.6, 0.95}}, {}};
    CHECK(effective_lengths(evaluation, 0.9) == std::vector<std::int64_t>{40, 0, 20});
    CHECK(effective_lengths(evaluation, 0.6) == std::vector<std::int64_t>{40, 20, 40});
    CHECK(effective_lengths({}, 0.9).empty());
}
