#include "core/io/golden.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "core/config/model_config_io.hpp"
#include "core/io/parameter_file.hpp"
#include "core/io/safetensors.hpp"
#include "core/model/language_model.hpp"

namespace whorl {
namespace {

struct Comparison {
    double difference = 0, norm = 0;
};

template <class Found>
Comparison compare(const Found& found, const std::vector<double>& expected) {
    Comparison result;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double gap = found(i) - expected[i];
        result.difference += gap * gap;
        result.norm += expected[i] * expected[i];
    }
    return {std::sqrt(result.difference), std::sqrt(result.norm)};
}

std::string model_summary(const ModelConfig& config) {
    std::string text;
    for (std::size_t i = 0, run = 1; i < config.layers.size(); i += run, run = 1) {
        const std::string type = mixer_type(config.layers[i]);
        while (i + run < config.layers.size() && mixer_type(config.layers[i + run]) == type) ++run;
        text += (text.empty() ? "" : " + ") + type + (run > 1 ? " ×" + std::to_string(run) : "");
    }
    return text;
}

/// A golden file with the model built from it.
class GoldenCheck {
public:
    GoldenCheck(const std::string& path, Backend& backend, DType dtype, FormChoice form)
        : file_(SafetensorsFile::open(path)),
          config_(model_config_of(file_)),
          backend_(backend),
          dtype_(dtype),
          model_(config_, backend, dtype, form) {}

    GoldenReport run() {
        read_inputs();
        const std::int64_t slice = model_.layout().slice();
        const Tensor shape_only = activation_at(nullptr, {1, 1, 1, slice}, dtype_, backend_.device());
        Buffer values = backend_.allocate(activation_bytes(shape_only.shape, dtype_));
        Buffer slopes = backend_.allocate(activation_bytes(shape_only.shape, dtype_));
        const Tensor parameters = activation_at(values.data(), shape_only.shape, dtype_, backend_.device());
        const Tensor gradient = activation_at(slopes.data(), shape_only.shape, dtype_, backend_.device());
        upload_slice(backend_, read_parameters(file_, model_.layout(), "param."), parameters);
        model_.bind({1, batch_, length_, batch_ * length_});
        upload_inputs();
        model_.forward(parameters);
        compare_logits();
        model_.loss_and_gradient(parameters, gradient);
        compare_loss();
        compare_gradients(download_slice(backend_, gradient));
        return report_;
    }

private:
    void read_inputs() {
        const StoredTensor& tokens = file_.at("tokens");
        if (tokens.shape.size() != 2 || file_.at("targets").shape != tokens.shape)
            throw UserError(file_.path() + ": tokens and targets must have one shape [batch, length]");
        batch_ = tokens.shape[0];
        length_ = tokens.shape[1];
        if (batch_ < 1 || length_ < 1) throw UserError(file_.path() + ": tokens: batch and length must be at least 1");
        tokens_ = file_.read_as<std::int32_t>("tokens");
        targets_ = file_.read_as<std::int32_t>("targets");
        check_range("tokens", tokens_, 0);
        check_range("targets", targets_, -1);
        require_shape("logits", {batch_, length_, config_.vocab_size});
        require_shape("loss", {1});
        if (std::all_of(targets_.begin(), targets_.end(), [](std::int32_t t) { return t < 0; }))
            throw UserError(file_.path() + ": targets: no position is supervised");
        report_ = {file_.path(), model_summary(config_), batch_, length_, {}};
    }
    void check_range(const std::string& name, const std::vector<std::int32_t>& values, std::int32_t lowest) const {
        for (const std::int32_t value : values)
            if (value < lowest || value >= config_.vocab_size)
                throw UserError(file_.path() + ": " + name + ": " + std::to_string(value) + " is not in " +
                                std::to_string(lowest) + ".." + std::to_string(config_.vocab_size - 1));
    }
    void require_shape(const std::string& name, const std::vector<std::int64_t>& shape) const {
        if (file_.at(name).shape != shape)
            throw UserError(file_.path() + ": " + name + ": has another shape than the config says");
    }

    /// All positions give logits; those with a target carry the loss.
    void upload_inputs() {
        const std::int64_t rows = batch_ * length_;
        std::vector<std::int32_t> row_of(static_cast<std::size_t>(rows)), used(row_of), target(row_of);
        for (std::size_t i = 0; i < row_of.size(); ++i) {
            row_of[i] = static_cast<std::int32_t>(i);
            target[i] = std::max(targets_[i], 0);
        }
        for (std::int64_t b = 0; b < batch_; ++b) {
            Tensor row = model_.tokens();
            row.data = reinterpret_cast<std::byte*>(row.at<std::int32_t>(0, b));
            backend_.upload(row, tokens_.data() + b * length_, length_ * 4);
        }
        backend_.upload(model_.supervision().row_of, row_of.data(), rows * 4);
        backend_.upload(model_.supervision().target, target.data(), rows * 4);
    }

    void compare_logits() {
        const Tensor& logits = model_.logits();
        const std::int64_t stride = logits.row_stride(), rows = batch_ * length_;
        std::vector<std::byte> bytes(static_cast<std::size_t>(rows * stride) * size_of(dtype_));
        backend_.download(bytes.data(), logits, static_cast<std::int64_t>(bytes.size()));
        const auto found = [&](std::size_t i) {
            const std::size_t at = i / static_cast<std::size_t>(config_.vocab_size) * static_cast<std::size_t>(stride) +
                                   i % static_cast<std::size_t>(config_.vocab_size);
            return dtype_ == DType::f64 ? reinterpret_cast<const double*>(bytes.data())[at]
                                        : static_cast<double>(reinterpret_cast<const float*>(bytes.data())[at]);
        };
        const Comparison c = compare(found, file_.read_as<double>("logits"));
        add("logits", c.difference / c.norm, 2e-5);
        // From here on only supervised positions count; the logits of the others stay without gradient.
        std::vector<std::int32_t> row_of(static_cast<std::size_t>(rows));
        for (std::size_t i = 0; i < row_of.size(); ++i) row_of[i] = targets_[i] < 0 ? -1 : static_cast<std::int32_t>(i);
        backend_.upload(model_.supervision().row_of, row_of.data(), rows * 4);
    }

    void compare_loss() {
        double loss = 0;
        backend_.download(&loss, model_.losses().loss, sizeof loss);
        const double expected = file_.read_as<double>("loss")[0];
        add("loss", std::abs(loss - expected) / std::abs(expected), 2e-5);
    }

    void compare_gradients(const std::vector<double>& gradient) {
        const auto& parameters = model_.layout().parameters();
        std::vector<Comparison> comparisons;
        double largest = 0;
        for (const ParameterInfo& p : parameters) {
            const std::string name = "grad." + p.name;
            if (file_.at(name).shape != p.shape)
                throw UserError(file_.path() + ": " + name + ": has another shape than its parameter");
            const double* first = gradient.data() + p.offset;
            comparisons.push_back(compare([&](std::size_t i) { return first[i]; }, file_.read_as<double>(name)));
            largest = std::max(largest, comparisons.back().norm);
        }
        for (std::size_t i = 0; i < parameters.size(); ++i)
            add("grad." + parameters[i].name, comparisons[i].difference / std::max(comparisons[i].norm, 1e-3 * largest),
                1e-4);
    }

    void add(const std::string& name, double error, double float_limit) {
        const double growth = std::max(1.0, static_cast<double>(length_) / 256);
        report_.errors.push_back({name, error, dtype_ == DType::f64 ? 1e-10 : float_limit * growth});
    }

    SafetensorsFile file_;
    ModelConfig config_;
    Backend& backend_;
    DType dtype_;
    LanguageModel model_;
    std::int64_t batch_ = 0, length_ = 0;
    std::vector<std::int32_t> tokens_, targets_;
    GoldenReport report_;
};

}  // namespace

bool GoldenReport::passed() const {
    return std::all_of(errors.begin(), errors.end(), [](const GoldenError& e) { return e.passed(); });
}

const GoldenError& GoldenReport::worst() const {
    const auto share = [](const GoldenError& e) { return std::isnan(e.error) ? INFINITY : e.error / e.limit; };
    return *std::max_element(errors.begin(), errors.end(),
                             [&](const auto& a, const auto& b) { return share(a) < share(b); });
}

GoldenReport check_golden(const std::string& path, Backend& backend, DType dtype, FormChoice form) {
    return GoldenCheck(path, backend, dtype, form).run();
}

}  // namespace whorl
