// Released checkpoints made by hand, tensor by tensor, without the code under test; and the models that they hold.
#pragma once

#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/backend/backend.hpp"
#include "core/backend/factories.hpp"
#include "core/io/parameter_file.hpp"
#include "core/io/safetensors.hpp"
#include "core/model/language_model.hpp"
#include "tests/support/temporary_folder.hpp"

namespace whorl::interchange_test {

/// A model with every parameter away from its initial value, in numbers that bfloat16 holds exactly.
struct TinyModel {
    ModelConfig config;
    ParameterLayout layout;
    std::vector<double> slice;

    explicit TinyModel(const ModelConfig& model)
        : config(model), layout(model), slice(static_cast<std::size_t>(layout.slice())) {
        initialize(layout, {7}, slice.data());
        for (const ParameterInfo& p : layout.parameters())
            for (std::int64_t i = 0; i < p.count; ++i) {
                double& value = slice[static_cast<std::size_t>(p.offset + i)];
                // Eighths and up have few enough bits; small values keep seven of theirs.
                value += 0.125 * static_cast<double>((i * 5 + p.offset) % 7 - 3);
                int exponent = 0;
                const double fraction = std::frexp(value, &exponent);
                value = std::ldexp(std::round(fraction * 128) / 128, exponent);
            }
    }
    std::vector<float> values(const std::string& parameter) const {
        const ParameterInfo& p = layout.parameters()[static_cast<std::size_t>(layout.index(parameter))];
        return {slice.begin() + p.offset, slice.begin() + p.offset + p.count};
    }
    const std::vector<std::int64_t>& shape(const std::string& parameter) const {
        return layout.parameters()[static_cast<std::size_t>(layout.index(parameter))].shape;
    }
};

/// A tensor of a release, kept in float32 until it is written.
struct ReleasedTensor {
    std::vector<std::int64_t> shape;
    std::vector<float> values;
    StoredType type = StoredType::f32;
};
using ReleasedTensors = std::map<std::string, ReleasedTensor>;

inline std::vector<std::byte> stored_bytes(const ReleasedTensor& tensor) {
    std::vector<std::byte> bytes(tensor.values.size() * byte_size(tensor.type));
    for (std::size_t i = 0; i < tensor.values.size(); ++i) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, &tensor.values[i], 4);
        const auto upper = static_cast<std::uint16_t>(bits >> 16);
        if (tensor.type == StoredType::bf16)
            std::memcpy(&bytes[2 * i], &upper, 2);
        else
            std::memcpy(&bytes[4 * i], &bits, 4);
    }
    return bytes;
}

inline void write_tensors(const std::string& path, const ReleasedTensors& tensors) {
    std::vector<std::vector<std::byte>> memory;
    std::vector<TensorView> views;
    for (const auto& [name, tensor] : tensors) {
        memory.push_back(stored_bytes(tensor));
        views.push_back({name, tensor.type, tensor.shape, memory.back()});
    }
    write_safetensors(path, views, {{"format", "pt"}});
}

/// A folder with config.json and model.safetensors.
inline std::string write_release(const TemporaryFolder& folder, const std::string& config,
                                 const ReleasedTensors& tensors) {
    const std::string path = folder / "release";
    std::filesystem::create_directories(path);
    spill(path + "/config.json", config);
    write_tensors(path + "/model.safetensors", tensors);
    return path;
}

/// `rows` rows of `value` behind the tensor's own.
inline void append_rows(ReleasedTensor& tensor, std::int64_t rows, float value) {
    tensor.values.resize(tensor.values.size() + static_cast<std::size_t>(rows * tensor.shape[1]), value);
    tensor.shape[0] += rows;
}

/// In the Mamba release: the parameters under their own names.
inline ReleasedTensors mamba_release(const TinyModel& model) {
    ReleasedTensors tensors;
    for (const ParameterInfo& p : model.layout.parameters()) tensors[p.name] = {p.shape, model.values(p.name)};
    return tensors;
}

/// Logits [L,V] of one sequence, in double.
inline std::vector<double> logits(const ModelConfig& config, const std::vector<double>& slice,
                                  const std::vector<std::int32_t>& tokens) {
    const auto backend = make_cpu_backend(1);
    LanguageModel model(config, *backend, DType::f64);
    const auto length = static_cast<std::int64_t>(tokens.size());
    Buffer memory = backend->allocate(model.layout().slice() * 8);
    const Tensor parameters =
        activation_at(memory.data(), {1, 1, 1, model.layout().slice()}, DType::f64, backend->device());
    upload_slice(*backend, slice, parameters);
    model.bind({1, 1, length, length, false, 0});
    std::vector<std::int32_t> rows(tokens.size());
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int32_t>(i);
    backend->upload(model.tokens(), tokens.data(), length * 4);
    backend->upload(model.supervision().row_of, rows.data(), length * 4);
    backend->upload(model.supervision().target, rows.data(), length * 4);
    model.forward(parameters);
    std::vector<double> result;
    for (std::int64_t t = 0; t < length; ++t) {
        const double* row = model.logits().at<double>(0, 0, t);
        result.insert(result.end(), row, row + config.vocab_size);
    }
    return result;
}

}  // namespace whorl::interchange_test
