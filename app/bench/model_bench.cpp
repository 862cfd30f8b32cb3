// Whole models on random tokens: the training step, and decoding.
#include "app/bench/random_inputs.hpp"
#include "app/bench/request.hpp"
#include "app/bench/work.hpp"
#include "core/base/philox.hpp"
#include "core/model/piece_reader.hpp"
#include "core/model/registry.hpp"
#include "core/training/training_step.hpp"
#include "tasks/registry.hpp"

namespace whorl {
namespace {

ModelConfig model_of(const std::string& preset, const BenchSizes& s) {
    PresetSize size;
    size.d_model = s.d_model;
    size.headdim = s.headdim;
    size.d_state = s.d_state;
    size.n_layer = s.n_layer;
    size.vocab_size = s.vocab_size;
    const ModelConfig config = model_preset(preset).make(size);
    validate(config, "whorl bench");
    return config;
}

/// Examples that fill `length` positions with as many symbols as the model knows, each of them supervised.
ModularSum full_batches(const ModelConfig& config, std::int64_t length) {
    ModularSum task;
    task.modulus = static_cast<std::int32_t>(config.vocab_size) - 1;
    task.supervise = Supervise::all;
    task.smallest = length + 1;
    return task;
}

/// Step after step, as training asks for them.
class Steps {
public:
    Steps(TrainingStep& step, std::int64_t replicas, std::int64_t size) : step_(step), replicas_(replicas) {
        StepQueue& queue = step.queue();
        for (std::size_t r = 0; r < queue.replicas.size(); ++r) queue.replicas[r] = {r, 1e-4, 0.1};
        for (StepNumbers& numbers : queue.steps) numbers.size = size;
    }
    void take() {
        StepQueue& queue = step_.queue();
        const std::int64_t at = taken_++ % queue.capacity();
        if (at == 0) queue.upload(queue.capacity(), replicas_);
        step_.ask(at, {0, replicas_});
    }

private:
    TrainingStep& step_;
    std::int64_t replicas_, taken_ = 0;
};

BenchRow train_row(const std::string& name, const BenchRequest& request) {
    const BenchSizes& s = request.sizes;
    Backend& backend = request.backend;
    const ModelConfig config = model_of(name, s);
    LanguageModel model(config, backend, DType::f32, request.form);
    Population population(model.layout(), replica_seeds(s.replicas), backend);
    const auto pass = make_training_pass(model, backend);
    const ModelShape bound{s.replicas, s.batch, s.length, s.batch * s.length};
    pass->bind(bound);
    const auto data = make_data_source(full_batches(config, s.length));
    TrainingConfig training;
    training.batch = s.batch;
    TrainingStep step(training, *data, *pass, bound, population, backend);
    Steps steps(step, s.replicas, s.length + 1);
    steps.take();  // whatever happens only the first time; the next one is recorded
    const Timing timing = time_calls_under_way(backend, request.seconds, [&] { steps.take(); });
    const double tokens = static_cast<double>(s.replicas * s.batch * s.length);
    BenchRow row =
        make_row(name, s, {timing, step.nodes()}, {tokens, 3 * tokens * forward_flops_per_token(config, s.length), 0});
    row.memory_bytes = pass->memory_size();
    return row;
}

BenchRow decode_row(const std::string& name, const BenchRequest& request) {
    constexpr std::int64_t kTokens = 32;  // a recording
    const BenchSizes& s = request.sizes;
    Backend& backend = request.backend;
    const ModelConfig config = model_of(name, s);
    LanguageModel model(config, backend, DType::f32);
    const Population population(model.layout(), replica_seeds(s.replicas), backend);
    bool attends = false;
    for (const MixerConfig& layer : config.layers) attends |= std::holds_alternative<AttentionConfig>(layer);
    const std::int64_t capacity = attends ? s.length + kTokens : 1;
    model.bind({s.replicas, s.batch, 1, s.batch, false, capacity});
    upload_random_tokens(model, config.vocab_size, backend);
    State state = model.make_state(s.replicas, s.batch, capacity);
    for (std::int64_t t = 0; t < s.length; ++t) model.forward(population.parameters(), &state);
    const RecordedTiming timing = time_recorded(backend, request.seconds, kTokens, [&](std::int64_t t) {
        state.position = s.length + t;  // the same span again: attention's cache is bounded, other states do not care
        model.forward(population.parameters(), &state);
    });
    const double tokens = static_cast<double>(s.replicas * s.batch);
    return make_row(name, s, timing, {tokens, tokens * forward_flops_per_token(config, s.length), 0});
}

BenchRow read_row(const std::string& name, const BenchRequest& request) {
    const BenchSizes& s = request.sizes;
    Backend& backend = request.backend;
    const ModelConfig config = model_of(name, s);
    LanguageModel model(config, backend, DType::f32, request.form);
    const Population population(model.layout(), replica_seeds(s.replicas), backend);
    const ReadShape shape{s.replicas, s.batch, s.length, s.batch, s.piece};
    std::vector<std::int32_t> tokens(static_cast<std::size_t>(s.batch * s.length)), last;
    Random random(1, Purpose::sampling, 0, 0);
    for (std::int32_t& token : tokens)
        token = static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(config.vocab_size)));
    for (std::int64_t b = 0; b < s.batch; ++b) last.push_back(static_cast<std::int32_t>((b + 1) * s.length - 1));
    PieceReader reader(model, backend, population.parameters(), shape);
    const Timing timing = time_calls(request.seconds, [&] {
        reader.start({tokens.data(), s.length, last.data()});
        while (reader.next()) {
        }
        backend.synchronize();
    });
    const double read = static_cast<double>(s.replicas * s.batch * s.length);
    const double head = 2 * static_cast<double>(config.vocab_size * config.d_model);  // of the last position alone
    BenchRow row = make_row(name, s, {timing, 0}, {read, read * (forward_flops_per_token(config, s.length) - head), 0});
    row.memory_bytes = reading_bytes(model, shape);
    return row;
}

}  // namespace

void bench_train(const BenchRequest& request, BenchReport& report) {
    for (const std::string& model : request.models) add_row(report, train_row(model, request));
}

void bench_decode(const BenchRequest& request, BenchReport& report) {
    for (const std::string& model : request.models) add_row(report, decode_row(model, request));
}

void bench_read(const BenchRequest& request, BenchReport& report) {
    for (const std::string& model : request.models) add_row(report, read_row(model, request));
}

}  // namespace whorl
