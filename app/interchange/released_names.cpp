#include "app/interchange/released_names.hpp"

#include <utility>

namespace whorl::interchange {
namespace {

bool ends_with(const std::string& text, const std::string& end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

TensorPart mamba_part(const ParameterInfo& p, const ModelConfig& model, const MambaPadding& stored) {
    if (p.name == kEmbedding || p.name == kHead)
        return first_rows(p.name, 1, stored.vocabulary, model.vocab_size, model.d_model);
    if (ends_with(p.name, ".mlp.fc1.weight"))
        return first_rows(p.name, 2, stored.d_intermediate, model.d_intermediate, model.d_model);
    if (ends_with(p.name, ".mlp.fc2.weight"))
        return first_columns(p.name, model.d_model, stored.d_intermediate, model.d_intermediate);
    return whole(p.name, p.shape);
}

/// What follows "backbone.layers.{i}." → the release's word for it.
std::string fla_rest(const std::string& rest, bool norm_first) {
    if (rest == "norm.weight") return norm_first ? "attn.norm.weight" : "attn_norm.weight";
    if (rest == "norm2.weight") return norm_first ? "mlp.norm.weight" : "mlp_norm.weight";
    if (rest == "mlp.fc2.weight") return "mlp.down_proj.weight";
    if (rest == "mixer.out_proj.weight") return "attn.o_proj.weight";  // softmax attention's
    return "attn." + rest.substr(std::string("mixer.").size());
}

std::vector<TensorPart> fla_parts(const ParameterInfo& p, const ModelConfig& model, const FlaStorage& storage) {
    static const std::string prefix = "backbone.layers.";
    if (p.name == kEmbedding) return {whole(kFlaEmbedding, p.shape)};
    if (p.name == "backbone.norm_f.weight") return {whole("model.norm.weight", p.shape)};
    if (p.name == kHead) return {whole(kHead, p.shape)};
    const std::size_t dot = p.name.find('.', prefix.size());
    const std::int64_t layer = std::stoll(p.name.substr(prefix.size(), dot - prefix.size()));
    const std::string to = fla_layer(layer), rest = p.name.substr(dot + 1);
    if (rest == "mlp.fc1.weight") {
        const std::int64_t width = model.d_intermediate;
        const std::string joined = to + "mlp.gate_proj.weight";
        if (storage.joined_mlp)
            return {some_rows(joined, 2 * width, width, width, model.d_model),
                    some_rows(joined, 2 * width, 0, width, model.d_model)};
        const std::vector<std::int64_t> half = {width, model.d_model};
        return {whole(to + "mlp.up_proj.weight", half), whole(to + "mlp.gate_proj.weight", half)};
    }
    if (rest == "mixer.in_proj.weight") {
        const std::vector<std::int64_t> third = {p.shape[0] / 3, p.shape[1]};
        return {whole(to + "attn.q_proj.weight", third), whole(to + "attn.k_proj.weight", third),
                whole(to + "attn.v_proj.weight", third)};
    }
    return {whole(to + fla_rest(rest, storage.norm_first), p.shape)};
}

}  // namespace

std::string fla_layer(std::int64_t layer) {
    return "model.layers." + std::to_string(layer) + ".";
}

std::vector<Assembly> mamba_assemblies(const ModelConfig& model, const MambaPadding& stored) {
    const ParameterLayout layout(model);
    std::vector<Assembly> assemblies;
    for (const ParameterInfo& p : layout.parameters()) assemblies.push_back({p.name, {mamba_part(p, model, stored)}});
    return assemblies;
}

std::vector<Assembly> fla_assemblies(const ModelConfig& model, const FlaStorage& storage) {
    const ParameterLayout layout(model);
    std::vector<Assembly> assemblies;
    for (const ParameterInfo& p : layout.parameters()) assemblies.push_back({p.name, fla_parts(p, model, storage)});
    return assemblies;
}

std::vector<TensorPart> fla_mlp(std::int64_t layer, std::int64_t d_model, std::int64_t intermediate) {
    const std::string to = fla_layer(layer);
    return {whole(to + "mlp_norm.weight", {d_model}), whole(to + "mlp.gate_proj.weight", {intermediate, d_model}),
            whole(to + "mlp.up_proj.weight", {intermediate, d_model}),
            whole(to + "mlp.down_proj.weight", {d_model, intermediate})};
}

}  // namespace whorl::interchange
