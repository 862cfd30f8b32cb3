// The list of a model's parameters: one flat slice a replica, walked by checkpoints, optimizer, importer and viewer
// alike.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/backend/tensor.hpp"
#include "core/config/model_config.hpp"

namespace whorl {

enum class InitKind { constant, normal, uniform, step_size, log_uniform };

/// How a parameter starts. constant: a. normal: standard deviation a. uniform: ±a, all times `scale`.
/// step_size: softplus⁻¹ of exp(U(log a, log b)), floored. log_uniform: log U(a, b), a = 0 guarded.
struct Initializer {
    InitKind kind = InitKind::constant;
    double a = 0, b = 0, floor = 0, scale = 1;
};

struct ParameterInfo {
    std::string name;  // as in released checkpoints
    std::vector<std::int64_t> shape;
    std::int64_t offset = 0;  // elements from the start of the slice
    std::int64_t count = 0;
    Initializer init;
    bool decay = false;
    bool trainable = true;
};

class ParameterLayout {
public:
    ParameterLayout() = default;
    /// `config` must be valid. Throws UserError for more than 2^40 parameters.
    explicit ParameterLayout(const ModelConfig& config);

    const std::vector<ParameterInfo>& parameters() const { return parameters_; }
    /// Elements of one replica's slice, padded so that slices keep 64-byte alignment in every dtype.
    std::int64_t slice() const { return slice_; }
    std::int64_t count() const;  // parameters of one replica, without padding
    /// Index of `name`, or -1.
    int find(const std::string& name) const;
    /// Index of `name`; throws std::logic_error when the model lacks it.
    int index(const std::string& name) const;
    /// View [R, d0, d1, d2] of parameter `index` in `buffer` [R,1,1,slice]; an empty tensor for index -1.
    Tensor view(const Tensor& buffer, int index) const;
    Tensor view(const Tensor& buffer, const std::string& name) const { return view(buffer, find(name)); }

private:
    /// Where a parameter starts: on a 64-byte boundary, or right behind the one before it, so that both are one matrix.
    enum class Place { aligned, joined };
    void add(const std::string& name, std::vector<std::int64_t> shape, Initializer init, bool decay,
             bool trainable = true, Place place = Place::aligned);
    void add_mixer(const std::string& prefix, const ModelConfig& config, const Mamba3Config& mixer);
    void add_mixer(const std::string& prefix, const ModelConfig& config, const Mamba2Config& mixer);
    void add_mixer(const std::string& prefix, const ModelConfig& config, const GatedDeltaNetConfig& mixer);
    void add_mixer(const std::string& prefix, const ModelConfig& config, const AttentionConfig& mixer);
    void add_projection(const std::string& name, const ModelConfig& config, std::int64_t out, std::int64_t in,
                        bool closes_block = false, Place place = Place::aligned);
    void add_conv(const std::string& prefix, const ModelConfig& config, std::int64_t channels, std::int64_t width,
                  bool bias, Place place = Place::aligned);

    std::vector<ParameterInfo> parameters_;
    std::int64_t end_ = 0, slice_ = 0;
};

/// Per-replica choices of initialisation.
struct ReplicaInit {
    std::uint64_t seed = 0;
    double dt_min = 0, dt_max = 0;  // both 0: as the config says
};

/// Draws every parameter of one replica into `slice` (double, layout.slice() elements). Keyed by (seed, parameter,
/// element).
void initialize(const ParameterLayout& layout, const ReplicaInit& replica, double* slice);

}  // namespace whorl
