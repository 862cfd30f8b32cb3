#include "tests/support/model_run.hpp"

#include "core/base/philox.hpp"
#include "core/io/parameter_file.hpp"
#include "core/training/run_config.hpp"

namespace whorl::test {

ModelConfig small_preset(const std::string& name, std::int64_t n_layer) {
    PresetSize size;
    size.d_model = 20;
    size.n_layer = n_layer;
    size.vocab_size = 7;
    size.d_state = 6;
    size.headdim = 10;
    size.d_intermediate = 9;
    return model_preset(name).make(size);
}

ModelConfig one_layer(const MixerConfig& mixer) {
    ModelConfig config;
    config.d_model = 12;
    config.n_layer = 1;
    config.vocab_size = 7;
    config.layers = {mixer};
    return config;
}

ModelRun::ModelRun(const ModelConfig& config, Backend& backend, DType dtype, const ModelShape& shape, FormChoice form,
                   std::uint64_t first_seed)
    : model(config, backend, dtype, form), backend_(backend), shape_(shape), numbers_(backend, shape.replicas) {
    const std::int64_t slice = model.layout().slice();
    parameters = slices(memory_[0], shape.replicas, dtype, slice);
    gradients = slices(memory_[1], shape.replicas, dtype, slice);
    first_moment = slices(memory_[2], shape.replicas, dtype, slice);
    second_moment = slices(memory_[3], shape.replicas, dtype, slice);
    mask = slices(memory_[4], 1, dtype, slice);
    scratch_ = slices(memory_[5], 1, DType::f64, backend.gradient_norm_memory(gradients).scratch / 8 + 1);
    fill(first_seed);
    model.bind(shape);
    fill_data(first_seed);
}

Tensor ModelRun::slices(Buffer& memory, std::int64_t replicas, DType dtype, std::int64_t width) {
    const std::array<std::int64_t, 4> shape{replicas, 1, 1, width};
    memory = backend_.allocate(activation_bytes(shape, dtype));
    return activation_at(memory.data(), shape, dtype, backend_.device());
}

namespace {

/// Row r of [R,1,1,F] as a tensor of its own.
Tensor row(const Tensor& tensor, std::int64_t replica) {
    Tensor own = tensor;
    own.data += replica * tensor.stride[0] * static_cast<std::int64_t>(size_of(tensor.dtype));
    own.shape[0] = 1;
    return own;
}

}  // namespace

void ModelRun::fill(std::uint64_t first_seed) {
    const ParameterLayout& layout = model.layout();
    std::vector<double> flags(static_cast<std::size_t>(layout.slice()));
    for (const ParameterInfo& p : layout.parameters())
        for (std::int64_t i = 0; i < p.count; ++i)
            flags[static_cast<std::size_t>(p.offset + i)] = !p.trainable ? 0 : p.decay ? 2 : 1;
    upload_slice(backend_, flags, mask);
    for (std::int64_t r = 0; r < shape_.replicas; ++r) {
        std::vector<double> slice(static_cast<std::size_t>(layout.slice()));
        initialize(layout, {first_seed + static_cast<std::uint64_t>(r)}, slice.data());
        // Off the initial ones and zeros, so that no term hides behind them.
        for (const ParameterInfo& p : layout.parameters())
            for (std::int64_t i = 0; i < p.count; ++i)
                slice[static_cast<std::size_t>(p.offset + i)] +=
                    0.3 * Random(first_seed + static_cast<std::uint64_t>(r), Purpose::test_fixture,
                                 static_cast<std::uint64_t>(p.offset), static_cast<std::uint64_t>(i))
                              .uniform(-1, 1);
        upload_parameters(r, slice);
        numbers_.replicas[static_cast<std::size_t>(r)] = {0, 1e-2, 0.1};
    }
}

void ModelRun::fill_data(std::uint64_t first_seed) {
    const std::int64_t rows = shape_.batch * shape_.length, vocabulary = model.config().vocab_size;
    for (std::int64_t r = 0; r < shape_.replicas; ++r) {
        const std::uint64_t seed = 1000 + first_seed + static_cast<std::uint64_t>(r);
        const auto tokens = random_tokens(seed, rows, vocabulary),
                   targets = random_tokens(seed + 5000, shape_.slots, vocabulary);
        for (std::int64_t b = 0; b < shape_.batch; ++b) {
            Tensor to = model.tokens();
            to.data = reinterpret_cast<std::byte*>(to.at<std::int32_t>(r, b));
            backend_.upload(to, tokens.data() + b * shape_.length, shape_.length * 4);
        }
        std::vector<std::int32_t> row_of;
        for (std::int64_t m = 0; m < shape_.slots; ++m)
            row_of.push_back(static_cast<std::int32_t>((m * rows + rows - 1) / shape_.slots % rows));
        backend_.upload(row(model.supervision().row_of, r), row_of.data(), shape_.slots * 4);
        backend_.upload(row(model.supervision().target, r), targets.data(), shape_.slots * 4);
    }
}

void ModelRun::gradient() {
    backend_.zero(gradients, activation_bytes(gradients.shape, gradients.dtype));
    model.forward(parameters);
    model.loss_and_gradient(parameters, gradients);
}

void ModelRun::train_step() {
    gradient();
    OptimizerConfig config;
    config.clip = 0;
    ++steps_;
    numbers_.steps[0] = {0, 0, 1, bias_correction(config.beta1, steps_), bias_correction(config.beta2, steps_)};
    numbers_.upload(1, shape_.replicas);
    OptimizerStep step = numbers_.step(config, {0, shape_.replicas});
    step.loss = model.losses().loss;
    step.correct = model.losses().correct;
    step.used = model.losses().used;
    backend_.gradient_norm(step, gradients, scratch_);
    backend_.adamw(step, gradients, mask, parameters, first_moment, second_moment);
}

std::vector<double> ModelRun::logits() const {
    std::vector<double> all;
    const Tensor& tensor = model.logits();
    for (std::int64_t r = 0; r < tensor.shape[0]; ++r)
        for (std::int64_t m = 0; m < tensor.shape[2]; ++m) {
            Tensor one = row(tensor, r);
            one.data += m * tensor.row_stride() * static_cast<std::int64_t>(size_of(tensor.dtype));
            const auto values = download_slice(backend_, one);
            all.insert(all.end(), values.begin(), values.end());
        }
    return all;
}

std::vector<double> ModelRun::slice_of(const Tensor& buffer, std::int64_t replica) const {
    return download_slice(backend_, row(buffer, replica));
}

std::vector<double> ModelRun::parameter_part(const Tensor& buffer, const std::string& name) const {
    const std::vector<double> slice = slice_of(buffer, 0);
    const ParameterInfo& p = model.layout().parameters()[static_cast<std::size_t>(model.layout().index(name))];
    return {slice.begin() + p.offset, slice.begin() + p.offset + p.count};
}

double ModelRun::loss(std::int64_t replica) const {
    double value = 0;
    backend_.download(&value, row(model.losses().loss, replica), 8);
    return value;
}

void ModelRun::upload_parameters(std::int64_t replica, const std::vector<double>& slice) {
    upload_slice(backend_, slice, row(parameters, replica));
}

std::vector<std::int32_t> random_tokens(std::uint64_t seed, std::int64_t count, std::int64_t vocabulary) {
    std::vector<std::int32_t> tokens;
    for (std::int64_t i = 0; i < count; ++i)
        tokens.push_back(static_cast<std::int32_t>(Random(seed, Purpose::test_fixture, 0, static_cast<std::uint64_t>(i))
                                                       .below(static_cast<std::uint32_t>(vocabulary))));
    return tokens;
}

double ModelRun::gradient_norm(std::int64_t replica) {
    numbers_.fetch(1);
    return numbers_.metrics(0, replica).norm;
}

}  // namespace whorl::test
