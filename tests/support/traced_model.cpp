#include "tests/support/traced_model.hpp"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <stdexcept>

#include "core/backend/factories.hpp"
#include "core/io/checkpoint_file.hpp"
#include "core/io/parameter_file.hpp"
#include "core/io/safetensors.hpp"
#include "tests/support/model_run.hpp"
#include "tests/support/paths.hpp"

namespace whorl::test {

WholeRun::WholeRun(const ModelConfig& config, const std::vector<double>& slice, const std::vector<std::int32_t>& tokens)
    : backend_(make_cpu_backend(1)), model_(config, *backend_, DType::f64) {
    const std::array<std::int64_t, 4> shape{1, 1, 1, model_.layout().slice()};
    memory_ = backend_->allocate(activation_bytes(shape, DType::f64));
    parameters_ = activation_at(memory_.data(), shape, DType::f64, Device::cpu);
    upload_slice(*backend_, slice, parameters_);
    const auto length = static_cast<std::int64_t>(tokens.size());
    model_.bind({1, 1, length, length, false, 0, false, true});
    std::copy(tokens.begin(), tokens.end(), model_.tokens().at<std::int32_t>());
    std::iota(model_.supervision().row_of.at<std::int32_t>(), model_.supervision().row_of.at<std::int32_t>() + length,
              0);
    model_.forward(parameters_);
}

std::vector<double> WholeRun::logits() const {
    std::vector<double> all;
    for (std::int64_t t = 0; t < model_.shape().length; ++t) {
        const double* row = model_.logits().at<double>(0, 0, t);
        all.insert(all.end(), row, row + model_.config().vocab_size);
    }
    return all;
}

std::vector<Subject> golden_subjects() {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(test_data("golden")))
        if (entry.path().extension() == ".safetensors") files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    std::vector<Subject> subjects;
    for (const std::string& path : files) {
        const LoadedModel model = load_model(path);
        const SafetensorsFile file = SafetensorsFile::open(path);
        const std::int64_t length = file.at("tokens").shape[1];
        auto tokens = file.read_as<std::int32_t>("tokens");
        auto logits = file.read_as<double>("logits");
        tokens.resize(static_cast<std::size_t>(length));
        logits.resize(static_cast<std::size_t>(length * model.config.vocab_size));
        subjects.push_back({path, model.config, model.slice, tokens, logits});
    }
    return subjects;
}

std::vector<Subject> preset_subjects() {
    std::vector<Subject> subjects;
    for (const ModelPreset& preset : model_presets()) {
        const ModelConfig config = small_preset(preset.name);
        const auto backend = make_cpu_backend(1);
        const ModelRun run(config, *backend, DType::f64, {1, 1, 1, 1});
        subjects.push_back(
            {preset.name, config, run.slice_of(run.parameters, 0), random_tokens(7, 13, config.vocab_size), {}});
    }
    return subjects;
}

}  // namespace whorl::test
