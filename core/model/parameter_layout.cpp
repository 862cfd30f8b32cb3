#include "core/model/parameter_layout.hpp"

#include <cmath>
#include <numeric>
#include <stdexcept>

#include "core/base/error.hpp"
#include "core/base/philox.hpp"
#include "core/numerics/activations.hpp"

namespace whorl {
namespace {

// Far above any machine's memory; below it no size or byte count can overflow. validate() bounds each factor.
constexpr std::int64_t kMostElements = std::int64_t{1} << 40;

Initializer constant(double value) {
    return {InitKind::constant, value};
}
Initializer normal(double deviation) {
    return {InitKind::normal, deviation};
}
Initializer step_size(const StepSizeInit& dt) {
    return {InitKind::step_size, dt.min, dt.max, dt.floor};
}
Initializer log_uniform(double low, double high) {
    return {InitKind::log_uniform, low, high};
}

/// U(±1/sqrt(fan_in)), the default of every projection and convolution.
Initializer uniform(std::int64_t fan_in, double scale = 1) {
    return {InitKind::uniform, 1 / std::sqrt(static_cast<double>(fan_in)), 0, 0, scale};
}

double draw(const Initializer& init, Random random) {
    switch (init.kind) {
        case InitKind::constant:
            return init.a;
        case InitKind::normal:
            return init.a * random.normal();
        case InitKind::uniform:
            return init.scale * init.a * (2 * random.uniform() - 1);
        case InitKind::step_size: {
            const double low = numerics::log(init.a), high = numerics::log(init.b);
            const double dt = numerics::exp(low + random.uniform() * (high - low));
            return numerics::softplus_inverse(std::max(dt, init.floor));
        }
        case InitKind::log_uniform:
            return numerics::log(std::max(init.a + random.uniform() * (init.b - init.a), 1e-6));
    }
    return 0;
}

}  // namespace

ParameterLayout::ParameterLayout(const ModelConfig& config) {
    add("backbone.embedding.weight", {config.vocab_size, config.d_model}, normal(config.initializer_range), true);
    for (std::size_t i = 0; i < config.layers.size(); ++i) {
        const std::string layer = "backbone.layers." + std::to_string(i) + ".";
        add(layer + "norm.weight", {config.d_model}, constant(1), false);
        std::visit([&](const auto& mixer) { add_mixer(layer + "mixer.", config, mixer); }, config.layers[i]);
        if (config.d_intermediate == 0) continue;
        add(layer + "norm2.weight", {config.d_model}, constant(1), false);
        add_projection(layer + "mlp.fc1.weight", config, 2 * config.d_intermediate, config.d_model);
        add_projection(layer + "mlp.fc2.weight", config, config.d_model, config.d_intermediate, true);
    }
    add("backbone.norm_f.weight", {config.d_model}, constant(1), false);
    if (!config.tie_embeddings) add_projection("lm_head.weight", config, config.vocab_size, config.d_model);
}

void ParameterLayout::add(const std::string& name, std::vector<std::int64_t> shape, Initializer init, bool decay,
                          bool trainable, Place place) {
    const std::int64_t count = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    if (count > kMostElements - end_) throw UserError(name + ": makes the model larger than 2^40 parameters");
    const std::int64_t offset = place == Place::joined ? end_ : padded(end_, DType::bf16);
    parameters_.push_back({name, std::move(shape), offset, count, init, decay, trainable});
    end_ = offset + count;
    slice_ = padded(end_, DType::bf16);
}

void ParameterLayout::add_projection(const std::string& name, const ModelConfig& config, std::int64_t out,
                                     std::int64_t in, bool closes_block, Place place) {
    const double scale = closes_block ? 1 / std::sqrt(static_cast<double>(config.n_layer)) : 1;
    add(name, {out, in}, config.init == Initialization::fla ? normal(config.initializer_range) : uniform(in, scale),
        true, true, place);
}

void ParameterLayout::add_conv(const std::string& prefix, const ModelConfig& config, std::int64_t channels,
                               std::int64_t width, bool bias, Place place) {
    const bool fla = config.init == Initialization::fla;
    add(prefix + ".weight", {channels, 1, width}, fla ? normal(config.initializer_range) : uniform(width), true, true,
        place);
    if (bias) add(prefix + ".bias", {channels}, uniform(width), false);
}

void ParameterLayout::add_mixer(const std::string& prefix, const ModelConfig& config, const Mamba3Config& mixer) {
    const std::int64_t heads = mixer.heads(config.d_model), inner = heads * mixer.headdim, rank = mixer.rank();
    const std::int64_t bc = rank * mixer.ngroups * mixer.d_state;
    add_projection(prefix + "in_proj.weight", config, 2 * inner + 2 * bc + 3 * heads + mixer.angles(), config.d_model);
    if (mixer.short_conv > 0) add_conv(prefix + "conv1d", config, inner + 2 * bc, mixer.short_conv, true);
    add(prefix + "dt_bias", {heads}, step_size(mixer.dt_init), false);
    if (mixer.a_source == ASource::per_head) add(prefix + "A_log", {heads}, log_uniform(1, 16), false);
    const Initializer bias = constant(mixer.bc_bias_init);
    if (mixer.b_bias()) add(prefix + "B_bias", {heads, rank, mixer.d_state}, bias, false, mixer.bc_bias_trainable);
    if (mixer.c_bias()) add(prefix + "C_bias", {heads, rank, mixer.d_state}, bias, false, mixer.bc_bias_trainable);
    if (mixer.bc_norm) {
        add(prefix + "B_norm.weight", {mixer.d_state}, constant(1), false);
        add(prefix + "C_norm.weight", {mixer.d_state}, constant(1), false);
    }
    add(prefix + "D", {heads}, constant(1), false);
    if (mixer.mimo) {
        const double share = 1 / static_cast<double>(rank);
        add(prefix + "mimo_x", {heads, rank, mixer.headdim}, constant(share), true);
        add(prefix + "mimo_z", {heads, rank, mixer.headdim}, constant(1), true);
        add(prefix + "mimo_o", {heads, rank, mixer.headdim}, constant(share), true);
    }
    if (mixer.outproj_norm != OutprojNorm::none) add(prefix + "norm.weight", {inner}, constant(1), false);
    add_projection(prefix + "out_proj.weight", config, config.d_model, inner, true);
}

void ParameterLayout::add_mixer(const std::string& prefix, const ModelConfig& config, const Mamba2Config& mixer) {
    const std::int64_t heads = mixer.heads(config.d_model), inner = heads * mixer.headdim;
    const std::int64_t bc = mixer.ngroups * mixer.d_state;
    add_projection(prefix + "in_proj.weight", config, 2 * inner + 2 * bc + heads, config.d_model);
    if (mixer.short_conv > 0) add_conv(prefix + "conv1d", config, inner + 2 * bc, mixer.short_conv, true);
    add(prefix + "dt_bias", {heads}, step_size(mixer.dt_init), false);
    add(prefix + "A_log", {heads}, log_uniform(1, 16), false);
    add(prefix + "D", {heads}, constant(1), false);
    add(prefix + "norm.weight", {inner}, constant(1), false);
    add_projection(prefix + "out_proj.weight", config, config.d_model, inner, true);
}

void ParameterLayout::add_mixer(const std::string& prefix, const ModelConfig& config,
                                const GatedDeltaNetConfig& mixer) {
    const std::int64_t qk = mixer.num_heads * mixer.head_dim, v = mixer.v_heads() * mixer.head_v_dim();
    // Joined: the mixer reads the six projections as one matrix and the three convolutions as one.
    add_projection(prefix + "q_proj.weight", config, qk, config.d_model);
    add_projection(prefix + "k_proj.weight", config, qk, config.d_model, false, Place::joined);
    add_projection(prefix + "v_proj.weight", config, v, config.d_model, false, Place::joined);
    add_projection(prefix + "g_proj.weight", config, v, config.d_model, false, Place::joined);
    add_projection(prefix + "a_proj.weight", config, mixer.v_heads(), config.d_model, false, Place::joined);
    add_projection(prefix + "b_proj.weight", config, mixer.v_heads(), config.d_model, false, Place::joined);
    if (mixer.short_conv > 0) {
        add_conv(prefix + "q_conv1d", config, qk, mixer.short_conv, false);
        add_conv(prefix + "k_conv1d", config, qk, mixer.short_conv, false, Place::joined);
        add_conv(prefix + "v_conv1d", config, v, mixer.short_conv, false, Place::joined);
    }
    add(prefix + "A_log", {mixer.v_heads()}, log_uniform(0, 16), false);
    add(prefix + "dt_bias", {mixer.v_heads()}, step_size(mixer.dt_init), false);
    add(prefix + "o_norm.weight", {mixer.head_v_dim()}, constant(1), false);
    add_projection(prefix + "o_proj.weight", config, config.d_model, v, true);
}

void ParameterLayout::add_mixer(const std::string& prefix, const ModelConfig& config, const AttentionConfig& mixer) {
    const std::int64_t width = mixer.num_heads * mixer.head_dim;
    add_projection(prefix + "in_proj.weight", config, 3 * width, config.d_model);
    add_projection(prefix + "out_proj.weight", config, config.d_model, width, true);
}

std::int64_t ParameterLayout::count() const {
    std::int64_t total = 0;
    for (const ParameterInfo& parameter : parameters_) total += parameter.count;
    return total;
}

int ParameterLayout::find(const std::string& name) const {
    for (std::size_t i = 0; i < parameters_.size(); ++i)
        if (parameters_[i].name == name) return static_cast<int>(i);
    return -1;
}

int ParameterLayout::index(const std::string& name) const {
    const int found = find(name);
    if (found < 0) throw std::logic_error("the model has no parameter " + name);
    return found;
}

Tensor ParameterLayout::view(const Tensor& buffer, int index) const {
    if (index < 0) return {};
    const ParameterInfo& parameter = parameters_[static_cast<std::size_t>(index)];
    Tensor tensor = buffer;
    if (tensor.data) tensor.data += parameter.offset * static_cast<std::int64_t>(size_of(buffer.dtype));
    tensor.shape = {buffer.shape[0], 1, 1, 1};
    const std::size_t rank = parameter.shape.size();
    for (std::size_t i = 0; i < rank; ++i) tensor.shape[4 - rank + i] = parameter.shape[i];
    tensor.stride = {buffer.stride[0], tensor.shape[2] * tensor.shape[3], tensor.shape[3], 1};
    return tensor;
}

void initialize(const ParameterLayout& layout, const ReplicaInit& replica, double* slice) {
    const auto& parameters = layout.parameters();
    std::fill(slice, slice + layout.slice(), 0.0);
    for (std::size_t p = 0; p < parameters.size(); ++p) {
        Initializer init = parameters[p].init;
        if (init.kind == InitKind::step_size && replica.dt_max > 0) {
            init.a = replica.dt_min;
            init.b = replica.dt_max;
        }
        for (std::int64_t i = 0; i < parameters[p].count; ++i) {
            const Random random(replica.seed, Purpose::parameter_init, p, static_cast<std::uint64_t>(i));
            slice[parameters[p].offset + i] = draw(init, random);
        }
    }
}

}  // namespace whorl
