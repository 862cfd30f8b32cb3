// A run as data: what a recipe says, and what config.toml in a run's folder holds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config/model_config_io.hpp"
#include "core/config/precision.hpp"
#include "core/model/registry.hpp"
#include "core/training/replica.hpp"
#include "core/training/schedule.hpp"

namespace whorl {

/// AdamW and the clipping of each replica's gradient to a norm.
struct OptimizerConfig {
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    double clip = 1.0;  // largest gradient norm; 0: no clipping
};

/// Smoothed targets keep a gradient on what already answers right: the loss is least where all logits are equally far
/// apart, whatever the length (docs/parity.md).
struct LossConfig {
    double label_smoothing = 0;  // ε: the target's distribution is (1-ε) one-hot + ε/V
};

/// A replica whose validation accuracy is at least `accuracy` at every size, `validations` times in a row, stops there:
/// what it computed stays. 0: none stops.
struct EarlyStop {
    double accuracy = 0;
    std::int64_t validations = 3;

    bool on() const { return accuracy > 0; }
};

/// What the trainer itself needs.
struct TrainingConfig {
    std::int64_t steps = 1000;
    std::int64_t batch = 64;  // sequences a replica and step
    /// GPUs that share each batch, for a model too large for one to be quick with: the gradient is the sum of theirs,
    /// equal to one device's within rounding. It is part of the config because it changes bits; over how many devices
    /// whole replicas are spread does not, and is not. 1: each replica is computed on one device.
    std::int64_t data_parallel = 1;
    LossConfig loss;
    OptimizerConfig optimizer;
    Schedule schedule;
    Curriculum curriculum;
    EarlyStop early_stop;
};

/// Which sizes are evaluated, on how many examples each.
struct EvaluationConfig {
    std::vector<std::int64_t> sizes;
    std::int64_t count = 256;
    std::int64_t seed = 0;  // the same examples for every replica
};

/// What a run promises: the same bits for the same setup (build, machine kind, population), or also for each replica
/// whatever population it is in.
enum class Determinism { same_setup, same_replica };
constexpr auto enum_names(Determinism) {
    return std::to_array<EnumName<Determinism>>(
        {{Determinism::same_setup, "same_setup"}, {Determinism::same_replica, "same_replica"}});
}

constexpr auto enum_names(Matmul) {
    return std::to_array<EnumName<Matmul>>(
        {{Matmul::float32, "float32"}, {Matmul::tf32, "tf32"}, {Matmul::bf16, "bf16"}});
}
constexpr auto enum_names(Storage) {
    return std::to_array<EnumName<Storage>>({{Storage::float32, "float32"}, {Storage::bf16, "bf16"}});
}

/// The most that a training can promise.
Determinism determinism_of(const TrainingConfig& config);

struct ValidationConfig {
    std::int64_t every = 0;  // steps; 0: at the end only
    EvaluationConfig on;
};

struct CheckpointConfig {
    std::int64_t every = 0;  // steps; 0: at the end only
    std::int64_t keep = 2;
    std::int64_t snapshots = 0;  // moments at which the parameters alone are kept (snapshots.hpp)
};

/// A preset with its sizes, or a config in full. The vocabulary of a preset is the task's.
struct ModelChoice {
    std::optional<std::string> preset;
    std::optional<std::int64_t> d_model, n_layer, d_state, headdim, d_intermediate;
    std::optional<ModelConfig> config;

    bool has_sizes() const { return d_model || n_layer || d_state || headdim || d_intermediate; }
};

/// The model that `choice` means (mamba3 when it names none), for a task with `vocabulary` tokens. `where` begins error
/// messages. Throws UserError for an unknown preset, a vocabulary that is too small, or a shape that no layer can have.
ModelConfig model_of(const ModelChoice& choice, std::int64_t vocabulary, const std::string& where);

struct RunConfig {
    std::string name = "run";
    TrainingConfig training;
    ModelChoice model;
    Value task;  // read by the task registry, which lies above this layer
    ReplicaGrid replicas;
    ValidationConfig validation;
    EvaluationConfig test;
    CheckpointConfig checkpoint;
    Precision precision;
    std::int64_t log_every = 100;
    std::optional<Determinism> determinism;  // absent: the most that is possible; set in a resolved config
};

template <class V>
void describe(V& v, OptimizerConfig& c) {
    v.field("beta1", c.beta1, at_least(0).below(1));
    v.field("beta2", c.beta2, at_least(0).below(1));
    v.field("epsilon", c.epsilon, above(0));
    v.field("clip", c.clip, at_least(0));
}

template <class V>
void describe(V& v, LossConfig& c) {
    v.field("label_smoothing", c.label_smoothing, at_least(0).below(1));
}

template <class V>
void describe(V& v, EarlyStop& c) {
    v.field("accuracy", c.accuracy, range(0, 1));
    v.field("validations", c.validations, range(1, 1e6));
}

inline constexpr double kMostExamples = 1 << 24;
inline constexpr double kMostDevices = 64;

template <class V>
void describe_evaluation(V& v, EvaluationConfig& c) {
    v.field("sizes", c.sizes, range(2, kLargestSize));
    v.field("count", c.count, range(1, kMostExamples));
    v.field("seed", c.seed, at_least(0));
}

template <class V>
void describe(V& v, EvaluationConfig& c) {
    describe_evaluation(v, c);
}

template <class V>
void describe(V& v, ValidationConfig& c) {
    v.field("every", c.every, at_least(0));
    describe_evaluation(v, c.on);
}

template <class V>
void describe(V& v, CheckpointConfig& c) {
    v.field("every", c.every, at_least(0));
    v.field("keep", c.keep, range(1, 1e6));
    v.field("snapshots", c.snapshots, range(0, 1e4));
}

template <class V>
void describe(V& v, Precision& c) {
    v.field("matmul", c.matmul);
    v.field("storage", c.storage);
    v.require(c.storage == Storage::float32 || c.matmul == Matmul::bf16, "storage",
              "bf16 goes with products in bf16: set matmul = \"bf16\" as well");
}

template <class V>
void describe(V& v, ModelChoice& c) {
    v.field("preset", c.preset);
    v.field("d_model", c.d_model, range(1, 65536));
    v.field("n_layer", c.n_layer, range(1, 256));
    v.field("d_state", c.d_state, range(1, 65536));
    v.field("headdim", c.headdim, range(1, 65536));
    v.field("d_intermediate", c.d_intermediate, range(0, 1 << 20));
    v.field("config", c.config);
    v.require(!c.config || !c.preset, "preset", "give either a preset or a config");
    v.require(!c.config || !c.has_sizes(), "config", "has its own sizes: those beside it belong to a preset");
}

/// Whether a folder of that name, made inside another one, lies in it and is not hidden.
inline bool names_a_folder(const std::string& name) {
    return !name.empty() && name.front() != '.' && name.find_first_of(std::string("/\0", 2)) == std::string::npos;
}
inline constexpr const char* kFolderNameRule = "names a folder: it must not be empty, begin with '.' or contain '/'";

template <class V>
void describe(V& v, RunConfig& c) {
    v.field("name", c.name);
    v.require(names_a_folder(c.name), "name", kFolderNameRule);
    v.field("steps", c.training.steps, range(1, 1e9));
    v.field("batch", c.training.batch, range(1, kMostExamples));
    v.field("data_parallel", c.training.data_parallel, range(1, kMostDevices));
    v.field("log_every", c.log_every, at_least(1));
    v.field("determinism", c.determinism);
    v.field("model", c.model);
    v.field("task", c.task, required());
    v.field("replicas", c.replicas);
    v.field("loss", c.training.loss);
    v.field("optimizer", c.training.optimizer);
    v.field("schedule", c.training.schedule);
    v.field("curriculum", c.training.curriculum);
    v.field("early_stop", c.training.early_stop);
    v.field("validation", c.validation);
    v.field("test", c.test);
    v.field("checkpoint", c.checkpoint);
    v.field("precision", c.precision);
    v.require(!c.training.early_stop.on() || c.validation.every > 0, "early_stop",
              "is decided by validations: give validation.every, the steps between them");
    v.require(!c.training.curriculum.reacts() || c.validation.every > 0, "curriculum",
              "advance_at is decided at validations: give validation.every, the steps between them");
    v.require(c.determinism != Determinism::same_replica || determinism_of(c.training) == Determinism::same_replica,
              "determinism",
              "same_replica cannot be had with curriculum.advance_at, which reacts to the whole population, nor with "
              "data_parallel, whose sums depend on it; choose same_setup");
    v.require(c.training.batch % c.training.data_parallel == 0, "data_parallel",
              "must divide batch: every GPU takes as many of its sequences");
}

}  // namespace whorl
