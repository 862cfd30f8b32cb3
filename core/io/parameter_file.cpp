#include "core/io/parameter_file.hpp"

#include "core/base/error.hpp"
#include "core/config/model_config_io.hpp"

namespace whorl {

std::string shape_text(const std::vector<std::int64_t>& shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? "," : "") + std::to_string(shape[i]);
    return text + "]";
}

ModelConfig model_config_of(const SafetensorsFile& file) {
    const auto config = read_config<ModelConfig>(parse_json(file.metadata_at("config"), file.path()));
    validate(config, file.path());
    return config;
}

std::vector<double> read_parameters(const SafetensorsFile& file, const ParameterLayout& layout,
                                    const std::string& prefix, std::int64_t replica) {
    for (const StoredTensor& tensor : file.tensors())
        if (tensor.name.rfind(prefix, 0) == 0 && layout.find(tensor.name.substr(prefix.size())) < 0 && !prefix.empty())
            throw UserError(file.path() + ": " + tensor.name + ": the model of the config has no such parameter");
    std::vector<double> slice(static_cast<std::size_t>(layout.slice()));
    for (const ParameterInfo& p : layout.parameters()) {
        const StoredTensor& stored = file.at(prefix + p.name);
        std::vector<std::int64_t> wanted = p.shape, found = stored.shape;
        std::int64_t skip = 0;
        if (replica >= 0 && !found.empty()) {
            if (replica >= found.front())
                throw UserError(file.path() + ": replica " + std::to_string(replica) + " of " +
                                std::to_string(found.front()));
            skip = replica * p.count;
            found.erase(found.begin());
        }
        if (found != wanted)
            throw UserError(file.path() + ": " + stored.name + ": shape " + shape_text(found) +
                            ", but the config needs " + shape_text(wanted));
        const std::vector<double> values = file.read_as<double>(stored.name);
        std::copy_n(values.begin() + skip, p.count, slice.begin() + p.offset);
    }
    return slice;
}

void upload_slice(Backend& backend, const std::vector<double>& slice, const Tensor& to) {
    const auto count = static_cast<std::int64_t>(slice.size());
    if (to.dtype == DType::f64) return backend.upload(to, slice.data(), count * 8);
    const std::vector<float> rounded(slice.begin(), slice.end());
    backend.upload(to, rounded.data(), count * 4);
}

std::vector<double> download_slice(Backend& backend, const Tensor& from) {
    const std::int64_t count = from.features();
    std::vector<double> slice(static_cast<std::size_t>(count));
    if (from.dtype == DType::f64) {
        backend.download(slice.data(), from, count * 8);
        return slice;
    }
    std::vector<float> stored(static_cast<std::size_t>(count));
    backend.download(stored.data(), from, count * 4);
    slice.assign(stored.begin(), stored.end());
    return slice;
}

}  // namespace whorl
