#include "tests/support/mixer_operations.hpp"

#include <limits>

namespace whorl::test {
namespace {

/// Collects an operation's inputs together with the member of Tensors that each one becomes.
template <class Tensors>
class Inputs {
public:
    void activation(const std::string& name, Tensor Tensors::*member, const Shape& shape, double low = -1,
                    double high = 1) {
        list.push_back({name, shape, low, high});
        list.back().before = 3;  // a slice of the projection
        members_.push_back(member);
    }
    void parameter(const std::string& name, Tensor Tensors::*member, const Shape& shape, double low = -1,
                   double high = 1) {
        list.push_back({name, shape, low, high, true});
        members_.push_back(member);
    }
    Tensors assemble(const std::vector<Tensor>& tensors) const {
        Tensors all{};
        for (std::size_t i = 0; i < members_.size(); ++i) all.*members_[i] = tensors[i];
        return all;
    }
    std::vector<Input> list;

private:
    std::vector<Tensor Tensors::*> members_;
};

std::string described(const FormChoice& form) {
    const std::string chunk = std::to_string(form.chunk);
    return form.form == Form::automatic   ? ""
           : form.form == Form::recurrent ? ", recurrent " + chunk
                                          : ", chunks of " + chunk;
}

std::string described(const Mamba3Config& c) {
    static const char *rotations[] = {"", ", standard rotation", ", no rotation"},
                      *weights[] = {"", ", lambda one half", ", euler"};
    static const char *biases[] = {"", ", bias b", ", bias c", ", no bias"},
                      *norms[] = {"", ", pre_gate", ", post_gate"};
    return "mamba3 P" + std::to_string(c.headdim) + " N" + std::to_string(c.d_state) +
           (c.mimo ? " rank " + std::to_string(c.rank()) : "") +
           (c.pairing() == RotaryPairing::halves ? " halves" : "") + rotations[static_cast<int>(c.rotation)] +
           weights[static_cast<int>(c.discretization)] + biases[static_cast<int>(c.bc_bias)] +
           (c.bc_norm ? "" : ", no norm") + norms[static_cast<int>(c.outproj_norm)] +
           (c.a_activation == AActivation::heavy_tail ? ", heavy tail" : "") +
           (c.a_source == ASource::per_head ? ", A per head" : "");
}

Inputs<Mamba3Tensors> mamba3_inputs(const Mamba3Config& c, const MixerShape& s, const DecayRange& range) {
    using M = Mamba3Tensors;
    Inputs<M> inputs;
    const std::int64_t inner = s.heads * c.headdim, rank = c.rank();
    const auto row = [&](std::int64_t features) { return Shape{1, s.batch, s.length, features}; };
    inputs.activation("z", &M::z, row(inner), -2, 2);
    inputs.activation("xbc", &M::xbc, row(inner + 2 * rank * c.ngroups * c.d_state));
    inputs.activation("ddt", &M::ddt, row(s.heads), range.ddt_low, range.ddt_high);
    inputs.activation("da", &M::da, row(s.heads), range.a_low, range.a_high);
    inputs.activation("u", &M::u, row(s.heads), -2, 2);
    inputs.activation("angle", &M::angle, row(c.angles()), -1.5, 1.5);
    inputs.parameter("dt_bias", &M::dt_bias, {1, 1, 1, s.heads}, -0.5, 0.5);
    inputs.parameter("d", &M::d, {1, 1, 1, s.heads}, 0.5, 1.5);
    if (c.a_source == ASource::per_head)
        inputs.parameter("a_log", &M::a_log, {1, 1, 1, s.heads}, range.a_low, range.a_high);
    if (c.b_bias()) inputs.parameter("b_bias", &M::b_bias, {1, s.heads, rank, c.d_state}, 0, 1.5);
    if (c.c_bias()) inputs.parameter("c_bias", &M::c_bias, {1, s.heads, rank, c.d_state}, 0, 1.5);
    if (c.bc_norm) {
        inputs.parameter("b_norm", &M::b_norm, {1, 1, 1, c.d_state}, 0.5, 1.5);
        inputs.parameter("c_norm", &M::c_norm, {1, 1, 1, c.d_state}, 0.5, 1.5);
    }
    if (c.mimo)
        for (const auto& [name, member] :
             {std::pair{"mimo_x", &M::mimo_x}, {"mimo_z", &M::mimo_z}, {"mimo_o", &M::mimo_o}})
            inputs.parameter(name, member, {1, s.heads, rank, c.headdim}, -0.5, 1.5);
    if (c.outproj_norm != OutprojNorm::none) inputs.parameter("norm", &M::norm, {1, 1, 1, inner}, 0.5, 1.5);
    return inputs;
}

}  // namespace

Operation mamba3(const Mamba3Config& config, const MixerShape& shape, FormChoice form, const DecayRange& range) {
    const Inputs<Mamba3Tensors> inputs = mamba3_inputs(config, shape, range);
    Operation operation;
    operation.name = described(config) + described(form);
    operation.inputs = inputs.list;
    operation.output = {1, shape.batch, shape.length, shape.heads * config.headdim};
    operation.state = {1, shape.batch, 1, mamba3_state_size(config, shape.heads)};
    const auto tensors = [inputs](const std::vector<Tensor>& list) {
        Mamba3Tensors all = inputs.assemble(list);
        all.epsilon = kMixerEpsilon;
        return all;
    };
    operation.memory = [=](Backend& b, const Call& c) { return b.mamba3_memory(config, c.y, form); };
    operation.forward = [=](Backend& b, const Call& c) {
        b.mamba3_forward(config, tensors(c.in), c.y, c.state, c.position, c.saved, c.scratch, form);
    };
    operation.backward = [=](Backend& b, const Call& c) {
        b.mamba3_backward(config, tensors(c.in), c.d_y, tensors(c.gradient), c.saved, c.scratch, form);
    };
    return operation;
}

Operation mamba2(const Mamba2Config& config, const MixerShape& shape, FormChoice form, const DecayRange& range) {
    using M = Mamba2Tensors;
    Inputs<M> inputs;
    const std::int64_t inner = shape.heads * config.headdim;
    inputs.activation("xbc", &M::xbc, {1, shape.batch, shape.length, inner + 2 * config.ngroups * config.d_state});
    inputs.activation("ddt", &M::ddt, {1, shape.batch, shape.length, shape.heads}, range.ddt_low, range.ddt_high);
    inputs.parameter("dt_bias", &M::dt_bias, {1, 1, 1, shape.heads}, -0.5, 0.5);
    inputs.parameter("d", &M::d, {1, 1, 1, shape.heads}, 0.5, 1.5);
    inputs.parameter("a_log", &M::a_log, {1, 1, 1, shape.heads}, range.a_low, range.a_high);
    Operation operation;
    operation.name = "mamba2" + described(form);
    operation.inputs = inputs.list;
    operation.output = {1, shape.batch, shape.length, inner};
    operation.state = {1, shape.batch, 1, mamba2_state_size(config, shape.heads)};
    operation.memory = [=](Backend& b, const Call& c) { return b.mamba2_memory(config, c.y, form); };
    operation.forward = [=](Backend& b, const Call& c) {
        b.mamba2_forward(config, inputs.assemble(c.in), c.y, c.state, c.saved, c.scratch, form);
    };
    operation.backward = [=](Backend& b, const Call& c) {
        b.mamba2_backward(config, inputs.assemble(c.in), c.d_y, inputs.assemble(c.gradient), c.saved, c.scratch, form);
    };
    return operation;
}

Operation gated_delta(const GatedDeltaNetConfig& config, const MixerShape& shape, FormChoice form,
                      const DecayRange& range) {
    using M = GatedDeltaTensors;
    Inputs<M> inputs;
    const std::int64_t keys = config.num_heads * config.head_dim, value_heads = config.v_heads();
    const auto row = [&](std::int64_t features) { return Shape{1, shape.batch, shape.length, features}; };
    inputs.activation("q", &M::q, row(keys));
    inputs.activation("k", &M::k, row(keys));
    inputs.activation("v", &M::v, row(value_heads * config.head_v_dim()));
    inputs.activation("a", &M::a, row(value_heads), range.ddt_low, range.ddt_high);
    inputs.activation("b", &M::b, row(value_heads), -2, 2);
    inputs.parameter("dt_bias", &M::dt_bias, {1, 1, 1, value_heads}, -0.5, 0.5);
    inputs.parameter("a_log", &M::a_log, {1, 1, 1, value_heads}, range.a_low, range.a_high);
    Operation operation;
    operation.name = (config.allow_neg_eigval ? "gated_delta_rule" : "gated_delta_rule, positive") + described(form);
    operation.inputs = inputs.list;
    operation.output = row(value_heads * config.head_v_dim());
    operation.state = {1, shape.batch, 1, gated_delta_state_size(config)};
    operation.memory = [=](Backend& b, const Call& c) { return b.gated_delta_memory(config, c.y, form); };
    operation.forward = [=](Backend& b, const Call& c) {
        b.gated_delta_forward(config, inputs.assemble(c.in), c.y, c.state, c.saved, c.scratch, form);
    };
    operation.backward = [=](Backend& b, const Call& c) {
        b.gated_delta_backward(config, inputs.assemble(c.in), c.d_y, inputs.assemble(c.gradient), c.saved, c.scratch,
                               form);
    };
    return operation;
}

Operation attention(const AttentionConfig& config, const MixerShape& shape, std::int64_t capacity) {
    const std::int64_t width = config.num_heads * config.head_dim;
    if (capacity == 0) capacity = shape.length;
    Operation operation;
    operation.name = config.positions == Positions::rope ? "attention with rope" : "attention";
    operation.inputs = {{"qkv", {1, shape.batch, shape.length, 3 * width}, -2, 2}};
    operation.output = {1, shape.batch, shape.length, width};
    operation.state = {1, shape.batch, capacity, 2 * width};
    operation.fresh_state = std::numeric_limits<double>::quiet_NaN();  // a row that is not filled must not be read
    operation.memory = [=](Backend& b, const Call& c) {
        return b.attention_memory(config, c.in[0], c.state ? capacity : 0);
    };
    operation.forward = [=](Backend& b, const Call& c) {
        b.attention_forward(config, c.in[0], c.y, c.state, c.position, c.saved, c.scratch);
    };
    operation.backward = [=](Backend& b, const Call& c) {
        b.attention_backward(config, c.in[0], c.y, c.d_y, c.gradient[0], c.saved, c.scratch);
    };
    return operation;
}

Mamba3Config mamba3_config(std::int64_t headdim, std::int64_t d_state, std::int64_t ngroups, std::int64_t mimo_rank) {
    Mamba3Config config;
    config.headdim = headdim;
    config.d_state = d_state;
    config.ngroups = ngroups;
    config.mimo = mimo_rank > 0;
    config.mimo_rank = mimo_rank > 0 ? mimo_rank : 1;
    return config;
}

}  // namespace whorl::test
