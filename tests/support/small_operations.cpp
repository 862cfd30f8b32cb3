#include "tests/support/small_operations.hpp"

namespace whorl::test {
namespace {

OpMemory nothing(Backend&, const Call&) {
    return {};
}

Operation named(const std::string& name, const Shape& output) {
    Operation operation;
    operation.name = name;
    operation.output = output;
    operation.memory = nothing;
    return operation;
}

Input activation(const std::string& name, const Shape& shape, double range = 1) {
    return {name, shape, -range, range};
}

/// Where the model hands over a slice of a projection, so do the tests: one that starts at 16 bytes where its features
/// could be moved so many at a time.
Input slice(const std::string& name, const Shape& shape, double range = 1) {
    Input input = activation(name, shape, range);
    input.before = shape[3] % 4 == 0 ? 4 : 3;
    return input;
}

Input stream(const std::string& name, const Shape& shape, double range = 1) {
    Input input = activation(name, shape, range);
    input.stream = true;
    return input;
}

Input parameter(const std::string& name, const Shape& shape, double low = -1, double high = 1) {
    return {name, shape, low, high, true};
}

}  // namespace

Operation embed(std::int64_t batch, std::int64_t length, std::int64_t vocabulary, std::int64_t features) {
    Operation operation = named("embed", {1, batch, length, features});
    operation.stream_output = true;
    operation.inputs = {parameter("weight", {1, 1, vocabulary, features})};
    operation.indices = {{"tokens", {1, batch, 1, length}, 0, static_cast<std::int32_t>(vocabulary - 1)}};
    operation.forward = [](Backend& b, const Call& c) { b.embed_forward(c.indices[0], c.in[0], c.y); };
    operation.memory = [](Backend& b, const Call& c) { return b.embed_memory(c.indices[0], c.in[0]); };
    operation.backward = [](Backend& b, const Call& c) {
        b.embed_backward(c.indices[0], c.d_y, c.gradient[0], c.scratch);
    };
    return operation;
}

Operation linear(std::int64_t batch, std::int64_t length, std::int64_t in, std::int64_t out, bool to_stream) {
    Operation operation = named("linear " + std::to_string(in) + " to " + std::to_string(out), {1, batch, length, out});
    operation.stream_output = to_stream;
    operation.inputs = {activation("x", {1, batch, length, in}), parameter("weight", {1, 1, out, in})};
    operation.memory = [](Backend& b, const Call& c) { return b.linear_memory(c.in[0], c.in[1]); };
    operation.forward = [](Backend& b, const Call& c) { b.linear_forward(c.in[0], c.in[1], c.y); };
    operation.backward = [](Backend& b, const Call& c) {
        b.linear_backward(c.in[0], c.in[1], c.d_y, c.gradient[0], c.gradient[1], c.scratch);
    };
    return operation;
}

Operation rms_norm(std::int64_t batch, std::int64_t length, std::int64_t features, bool residual, double epsilon) {
    const Shape shape{1, batch, length, features};
    Operation operation = named(residual ? "rms_norm with residual" : "rms_norm", shape);
    operation.inputs = {stream("x", shape), parameter("weight", {1, 1, 1, features}, 0.5, 1.5)};
    operation.inputs[0].gradient_adds = true;  // the residual stream's gradient is there already
    if (residual) {
        operation.inputs.push_back(stream("residual", shape));
        operation.inputs.back().differentiable = false;  // its gradient is x's
    }
    operation.kept = {shape, {1, batch, length, 1}};
    operation.memory = [](Backend& b, const Call& c) { return b.rms_norm_memory(c.in[0]); };
    operation.forward = [residual, epsilon](Backend& b, const Call& c) {
        b.rms_norm_forward(c.in[0], residual ? c.in[2] : Tensor{}, residual ? c.kept[0] : Tensor{}, c.in[1], c.y,
                           c.kept[1], epsilon);
    };
    operation.backward = [residual](Backend& b, const Call& c) {
        b.rms_norm_backward(residual ? c.kept[0] : c.in[0], c.in[1], c.kept[1], c.d_y, c.gradient[0], c.gradient[1],
                            c.scratch);
    };
    return operation;
}

Operation chosen_rms_norm(std::int64_t batch, std::int64_t length, std::int64_t slots, std::int64_t features,
                          bool residual, double epsilon) {
    const Shape shape{1, batch, length, features};
    Operation operation = named("chosen_rms_norm", {1, 1, slots, features});
    operation.inputs = {stream("x", shape), parameter("weight", {1, 1, 1, features}, 0.5, 1.5)};
    if (residual) {
        operation.inputs.push_back(stream("residual", shape));
        operation.inputs.back().differentiable = false;  // its gradient is x's
    }
    operation.indices = {{"row_of", {1, 1, 1, slots}, -1, static_cast<std::int32_t>(batch * length - 1), true},
                         {"slot_of", {1, 1, 1, batch * length}, -1000, 1000}};  // what is there before says nothing
    operation.kept = {{1, 1, slots, features}, {1, 1, slots, 1}};
    operation.memory = [](Backend& b, const Call& c) { return b.chosen_rms_norm_memory(c.in[0], c.indices[0]); };
    operation.forward = [residual, epsilon](Backend& b, const Call& c) {
        b.chosen_rms_norm_forward(c.in[0], residual ? c.in[2] : Tensor{}, {c.indices[0], c.indices[1]}, c.kept[0],
                                  c.in[1], c.y, c.kept[1], epsilon);
    };
    operation.backward = [](Backend& b, const Call& c) {
        b.chosen_rms_norm_backward(c.kept[0], c.in[1], c.kept[1], {c.indices[0], c.indices[1]}, c.d_y, c.gradient[0],
                                   c.gradient[1], c.scratch);
    };
    return operation;
}

Operation gated_rms_norm(std::int64_t batch, std::int64_t length, std::int64_t features, const GatedNormShape& shape) {
    Operation operation = named(std::string("gated_rms_norm, ") + (shape.norm_first ? "norm first" : "gate first") +
                                    (shape.shared_weight ? ", shared weight" : ""),
                                {1, batch, length, features});
    const std::int64_t weights = shape.shared_weight ? shape.group : features;
    operation.inputs = {activation("x", operation.output), slice("z", operation.output, 2),
                        parameter("weight", {1, 1, 1, weights}, 0.5, 1.5)};
    operation.memory = [shape](Backend& b, const Call& c) { return b.gated_rms_norm_memory(c.in[0], shape); };
    operation.forward = [shape](Backend& b, const Call& c) {
        b.gated_rms_norm_forward(shape, c.in[0], c.in[1], c.in[2], c.y);
    };
    operation.backward = [shape](Backend& b, const Call& c) {
        b.gated_rms_norm_backward(shape, c.in[0], c.in[1], c.in[2], c.d_y, c.gradient[0], c.gradient[1], c.gradient[2],
                                  c.scratch);
    };
    return operation;
}

Operation short_conv(std::int64_t batch, std::int64_t length, std::int64_t features, std::int64_t width, bool bias) {
    Operation operation =
        named("short_conv of width " + std::to_string(width) + (bias ? ", bias" : ""), {1, batch, length, features});
    operation.inputs = {slice("x", operation.output, 2), parameter("weight", {1, features, 1, width})};
    if (bias) operation.inputs.push_back(parameter("bias", {1, 1, 1, features}));
    operation.state = {1, batch, width - 1, features};
    operation.memory = [](Backend& b, const Call& c) { return b.short_conv_memory(c.in[0], c.in[1]); };
    operation.forward = [bias](Backend& b, const Call& c) {
        b.short_conv_forward(c.in[0], c.in[1], bias ? c.in[2] : Tensor{}, c.state, c.y, c.scratch);
    };
    operation.backward = [bias](Backend& b, const Call& c) {
        b.short_conv_backward(c.in[0], c.in[1], bias ? c.in[2] : Tensor{}, c.d_y, c.gradient[0], c.gradient[1],
                              bias ? c.gradient[2] : Tensor{}, c.scratch);
    };
    return operation;
}

Operation silu(std::int64_t batch, std::int64_t length, std::int64_t features) {
    Operation operation = named("silu", {1, batch, length, features});
    operation.inputs = {slice("x", operation.output, 3)};
    operation.forward = [](Backend& b, const Call& c) { b.silu_forward(c.in[0], c.y); };
    operation.backward = [](Backend& b, const Call& c) { b.silu_backward(c.in[0], c.d_y, c.gradient[0]); };
    return operation;
}

Operation swiglu(std::int64_t batch, std::int64_t length, std::int64_t features) {
    Operation operation = named("swiglu", {1, batch, length, features});
    operation.inputs = {activation("x", {1, batch, length, 2 * features}, 3)};
    operation.forward = [](Backend& b, const Call& c) { b.swiglu_forward(c.in[0], c.y); };
    operation.backward = [](Backend& b, const Call& c) { b.swiglu_backward(c.in[0], c.d_y, c.gradient[0]); };
    return operation;
}

Operation cross_entropy(std::int64_t slots, std::int64_t vocabulary, double label_smoothing) {
    Operation operation = named("cross_entropy", {1, 1, 1, 1});
    operation.stream_output = true;
    operation.inputs = {stream("logits", {1, 1, slots, vocabulary}, 3)};
    operation.indices = {{"row_of", {1, 1, 1, slots}, -1, 5},
                         {"target", {1, 1, 1, slots}, 0, static_cast<std::int32_t>(vocabulary - 1)}};
    operation.kept = {{1, 1, 1, 1}, {1, 1, 1, 1}};
    operation.forward = [vocabulary, label_smoothing](Backend& b, const Call& c) {
        b.cross_entropy(c.in[0], {c.indices[0], c.indices[1], label_smoothing}, vocabulary, c.y, c.kept[0], c.kept[1],
                        {});
    };
    operation.backward = [vocabulary, label_smoothing](Backend& b, const Call& c) {
        b.cross_entropy(c.in[0], {c.indices[0], c.indices[1], label_smoothing}, vocabulary, c.y, c.kept[0], c.kept[1],
                        c.gradient[0]);
    };
    return operation;
}

}  // namespace whorl::test
