#include "experiments/bench/train_bench.hpp"

#include "core/base/philox.hpp"
#include "core/training/training_step.hpp"
#include "tasks/registry.hpp"

namespace whorl {
namespace {

double recurrence_macs(const Mamba3Config& c, const ModelConfig& model, std::int64_t) {
    const double state = static_cast<double>(c.heads(model.d_model) * c.headdim * c.d_state);
    return state * (1 + 2 * static_cast<double>(c.rank()));
}
double recurrence_macs(const Mamba2Config& c, const ModelConfig& model, std::int64_t) {
    return 3.0 * static_cast<double>(c.heads(model.d_model) * c.headdim * c.d_state);
}
double recurrence_macs(const GatedDeltaNetConfig& c, const ModelConfig&, std::int64_t) {
    return 4.0 * static_cast<double>(gated_delta_state_size(c));  // decay, Sᵀk, write, read
}
double recurrence_macs(const AttentionConfig& c, const ModelConfig&, std::int64_t length) {
    return static_cast<double>(c.num_heads * c.head_dim * (length + 1));  // scores and values at mean context
}

std::vector<ReplicaHyper> seeds(std::int64_t replicas) {
    std::vector<ReplicaHyper> list(static_cast<std::size_t>(replicas));
    for (std::size_t r = 0; r < list.size(); ++r) list[r].init_seed = r;
    return list;
}

/// Examples that fill `length` positions with as many symbols as the model knows, each of them supervised.
ModularSum full_batches(const ModelConfig& config, std::int64_t length) {
    ModularSum task;
    task.modulus = static_cast<std::int32_t>(config.vocab_size) - 1;
    task.supervise = Supervise::all;
    task.smallest = length + 1;
    return task;
}

/// Random tokens and targets of a bound LanguageModel; every position is supervised when there are as many slots as
/// positions.
void upload_random(const LanguageModel& bound, const ModelConfig& config, Backend& backend) {
    const ModelShape& shape = bound.shape();
    const auto vocabulary = static_cast<std::uint32_t>(config.vocab_size);
    std::vector<std::int32_t> row(static_cast<std::size_t>(std::max(shape.length, shape.slots)));
    for (std::int64_t r = 0; r < shape.replicas; ++r) {
        for (std::int64_t b = 0; b < shape.batch; ++b) {
            Random random(1, Purpose::sampling, static_cast<std::uint64_t>(r), static_cast<std::uint64_t>(b));
            for (std::int64_t t = 0; t < shape.length; ++t)
                row[static_cast<std::size_t>(t)] = static_cast<std::int32_t>(random.below(vocabulary));
            Tensor to = bound.tokens();
            to.data = reinterpret_cast<std::byte*>(to.at<std::int32_t>(r, b));
            backend.upload(to, row.data(), shape.length * 4);
        }
        Random random(2, Purpose::sampling, static_cast<std::uint64_t>(r), 0);
        for (Tensor slots : {bound.supervision().row_of, bound.supervision().target}) {
            const bool rows = slots.data == bound.supervision().row_of.data;
            for (std::int64_t m = 0; m < shape.slots; ++m)
                row[static_cast<std::size_t>(m)] = static_cast<std::int32_t>(rows ? m : random.below(vocabulary));
            slots.data = reinterpret_cast<std::byte*>(slots.at<std::int32_t>(r));
            backend.upload(slots, row.data(), shape.slots * 4);
        }
    }
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

}  // namespace

double model_flops_per_token(const ModelConfig& config, std::int64_t length) {
    double macs = static_cast<double>(config.vocab_size * config.d_model);
    const ParameterLayout layout(config);
    for (const ParameterInfo& p : layout.parameters())
        if (p.shape.size() >= 2 && p.name.rfind("backbone.embedding", 0) != 0 && p.name != "lm_head.weight" &&
            p.name.find("_bias") == std::string::npos)
            macs += static_cast<double>(p.count);
    for (const MixerConfig& layer : config.layers)
        macs += std::visit([&](const auto& mixer) { return recurrence_macs(mixer, config, length); }, layer);
    return 3 * 2 * macs;
}

TrainBenchResult bench_train(const ModelConfig& config, const TrainBenchShape& shape, Backend& backend,
                             double seconds) {
    LanguageModel model(config, backend, DType::f32, shape.form);
    Population population(model.layout(), seeds(shape.replicas), backend);
    const auto pass = make_training_pass(model, backend);
    const ModelShape bound{shape.replicas, shape.batch, shape.length, shape.batch * shape.length};
    pass->bind(bound);
    const auto data = make_data_source(full_batches(config, shape.length));
    TrainingConfig training;
    training.batch = shape.batch;
    TrainingStep step(training, *data, *pass, bound, population, backend);
    Steps steps(step, shape.replicas, shape.length + 1);

    TrainBenchResult result;
    for (int i = 0; i < 2; ++i) steps.take();  // whatever happens only the first time; then the recording
    result.nodes = step.nodes();
    backend.synchronize();
    result.step = time_calls(seconds, [&] {
        steps.take();
        backend.synchronize();
    });
    result.tokens_per_second = static_cast<double>(shape.replicas * shape.batch * shape.length) / result.step.median;
    result.flops_per_token = model_flops_per_token(config, shape.length);
    result.arena_bytes = pass->memory_size();
    return result;
}

DecodeBenchResult bench_decode(const ModelConfig& config, std::int64_t context, Backend& backend, double seconds) {
    constexpr std::int64_t kTokensPerCall = 200;
    LanguageModel model(config, backend, DType::f32);
    const Population population(model.layout(), seeds(1), backend);
    bool attends = false;
    for (const MixerConfig& layer : config.layers) attends |= std::holds_alternative<AttentionConfig>(layer);
    const std::int64_t capacity = attends ? context + kTokensPerCall : 1;
    model.bind({1, 1, 1, 1, false, capacity});
    upload_random(model, config, backend);
    State state = model.make_state(1, 1, capacity);
    for (std::int64_t t = 0; t < context; ++t) model.forward(population.parameters(), &state);
    Timing timing = time_calls(seconds, [&] {
        state.position = context;  // the same span again: attention's cache is bounded, the other states do not care
        for (std::int64_t t = 0; t < kTokensPerCall; ++t) model.forward(population.parameters(), &state);
        backend.synchronize();
    });
    for (double* value : {&timing.median, &timing.fastest, &timing.slowest}) *value /= kTokensPerCall;
    return {timing};
}

}  // namespace whorl
