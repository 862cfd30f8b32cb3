#include "app/interchange/import_model.hpp"

#include <algorithm>
#include <cmath>

#include "app/interchange/fla_config.hpp"
#include "app/interchange/mamba_config.hpp"
#include "app/interchange/released_names.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl::interchange {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
    throw UserError(one_line(path + ": " + what));
}

std::string text(std::int64_t number) {
    return std::to_string(number);
}

/// The rows of a matrix; throws when the tensor is none.
std::int64_t rows_of(const ForeignCheckpoint& source, const std::string& name) {
    const StoredTensor& stored = source.at(name);
    if (stored.shape.size() != 2)
        fail(source.file_of(name),
             name + ": has " + text(static_cast<std::int64_t>(stored.shape.size())) + " axes, expected 2");
    return stored.shape[0];
}

/// The tensor that holds the embedding: `usual`, or the head where a tied model stores that alone.
std::string embedding_of(const ForeignCheckpoint& source, bool tied, const char* usual,
                         std::vector<std::string>& notes) {
    if (!tied || source.contains(usual) || !source.contains(kHead)) return usual;
    notes.push_back(std::string(kHead) + ": is the embedding, too (the model is tied)");
    return kHead;
}

/// The embedding taken from the tensor `stored`.
std::vector<Assembly> with_embedding(std::vector<Assembly> assemblies, const std::string& stored) {
    for (Assembly& assembly : assemblies)
        if (assembly.parameter == kEmbedding) assembly.parts.at(0).name = stored;
    return assemblies;
}

/// A tied model may store its head again; it must then be the embedding, or one of the two would be lost.
std::vector<std::string> check_tied_head(const ForeignCheckpoint& source, bool tied, const std::string& embedding,
                                         const std::string& key, std::vector<std::string>& notes) {
    if (!tied || !source.contains(kHead) || embedding == kHead) return {};
    const bool equal =
        source.at(kHead).shape == source.at(embedding).shape && source.read(kHead) == source.read(embedding);
    if (!equal)
        fail(source.file_of(kHead), std::string(kHead) + ": differs from " + embedding + " although " +
                                        source.config().source + " says " + key +
                                        " = true; if the model is not tied, say so in a config given by --config");
    notes.push_back(std::string(kHead) + ": equals the embedding (the model is tied), stored once");
    return {kHead};
}

/// Checks the shapes before anything is allocated for what the config claims, then reads.
void read_parameters(const ForeignCheckpoint& source, const std::vector<Assembly>& assemblies,
                     const std::vector<std::string>& allowed, ImportedModel& model) {
    check_parts(source, assemblies, allowed);
    const ParameterLayout layout(model.config);
    model.slice = gather(source, assemblies, layout);
    note_rounding(model.slice, model.notes);
    for (const ParameterInfo& p : layout.parameters()) {
        const auto first = model.slice.begin() + p.offset;
        if (!std::all_of(first, first + p.count, [](double value) { return std::isfinite(value); }))
            model.notes.push_back(p.name + ": holds values that are not finite");
    }
}

// --- Mamba -----------------------------------------------------------------------------------------------------------

/// Decides how many of the stored rows of the vocabulary the model gets; returns the rows stored.
std::int64_t settle_vocabulary(const ForeignCheckpoint& source, const std::string& embedding, const MambaConfig& config,
                               VocabularyPadding padding, ImportedModel& model) {
    const std::int64_t stored = rows_of(source, embedding), padded = config.padded_vocabulary();
    if (stored == config.vocab_size) return stored;
    if (stored != padded)
        fail(source.file_of(embedding),
             embedding + ": has " + text(stored) + " rows; expected vocab_size = " + text(config.vocab_size) + ", or " +
                 text(padded) +
                 ", the next multiple of pad_vocab_size_multiple = " + text(config.pad_vocab_size_multiple));
    const std::string found = "vocabulary: " + text(stored) + " rows stored for " + text(config.vocab_size) +
                              " tokens (padded to a multiple of " + text(config.pad_vocab_size_multiple) + "); ";
    if (padding == VocabularyPadding::keep) model.config.vocab_size = stored;
    model.notes.push_back(found + (padding == VocabularyPadding::keep
                                       ? "all rows kept"
                                       : "padding rows left out (--vocab keep keeps them)"));
    return stored;
}

/// The MLP's stored width: d_intermediate, or that rounded up as the release does. Padding of zeros, as Whorl's export
/// writes, is left out; otherwise it was trained and is part of the model.
std::int64_t settle_intermediate(const ForeignCheckpoint& source, const MambaConfig& config, std::int64_t vocabulary,
                                 ImportedModel& model) {
    if (config.d_intermediate == 0) return 0;
    const std::string name = "backbone.layers.0.mlp.fc1.weight";
    const std::int64_t rows = rows_of(source, name), stored = rows / 2, padded = config.padded_intermediate();
    if (rows % 2 != 0 || (stored != config.d_intermediate && stored != padded))
        fail(source.file_of(name), name + ": has " + text(rows) + " rows; expected 2·d_intermediate = " +
                                       text(2 * config.d_intermediate) + ", or " + text(2 * padded) +
                                       " with d_intermediate rounded up to a multiple of " + text(kMambaMlpMultiple));
    if (stored == config.d_intermediate) return stored;
    const std::vector<Assembly> cropped = mamba_assemblies(model.config, {vocabulary, stored});
    const auto in_mlp = [](const Assembly& a) { return a.parameter.find(".mlp.") != std::string::npos; };
    std::vector<Assembly> mlps;
    std::copy_if(cropped.begin(), cropped.end(), std::back_inserter(mlps), in_mlp);
    const std::string found =
        "MLP: " + text(stored) + " units stored for d_intermediate = " + text(config.d_intermediate) + "; ";
    const bool unused = padding_is_zero(source, mlps);
    if (!unused) model.config.d_intermediate = stored;
    model.notes.push_back(found + (unused ? "the others are zero and left out" : "all kept, for they hold weights"));
    return stored;
}

ImportedModel import_mamba(const ForeignCheckpoint& source, const ImportOptions& options) {
    const MambaConfig config = read_mamba_config(source.config());
    ImportedModel model;
    model.config = model_of(config, source.config().source, options.a_activation);
    MambaPadding stored;
    const std::string embedding = embedding_of(source, config.tie_embeddings, kEmbedding, model.notes);
    stored.vocabulary = settle_vocabulary(source, embedding, config, options.vocabulary, model);
    stored.d_intermediate = settle_intermediate(source, config, stored.vocabulary, model);
    const auto allowed = check_tied_head(source, config.tie_embeddings, embedding, "tie_embeddings", model.notes);
    read_parameters(source, with_embedding(mamba_assemblies(model.config, stored), embedding), allowed, model);
    return model;
}

// --- Gated DeltaNet --------------------------------------------------------------------------------------------------

/// The MLPs of zeros that an exported model without MLPs carries; returns their names.
std::vector<std::string> check_zero_mlps(const ForeignCheckpoint& source, const FlaConfig& config) {
    std::vector<std::string> names;
    for (std::int64_t i = 0; i < config.num_hidden_layers; ++i)
        for (const TensorPart& part : fla_mlp(i, config.hidden_size, config.intermediate())) {
            names.push_back(part.name);
            if (part.name.find(".mlp.") == std::string::npos) continue;  // of zeros, whatever the norm before them
            const std::vector<double> values = source.read(part.name);
            if (std::any_of(values.begin(), values.end(), [](double value) { return value != 0; }))
                fail(source.file_of(part.name),
                     part.name + ": is not zero although " + source.config().source + " says whorl_no_mlp = true");
        }
    return names;
}

/// One for each head and layer, which the release's code held but never used, until March 2025.
std::vector<std::string> unused_skips(const ForeignCheckpoint& source, const ModelConfig& config,
                                      std::vector<std::string>& notes) {
    std::vector<std::string> names;
    for (std::int64_t i = 0; i < config.n_layer; ++i)
        if (const std::string name = fla_layer(i) + "attn.D"; source.contains(name)) names.push_back(name);
    if (!names.empty()) notes.emplace_back("attn.D: not used by the release's own code, left out");
    return names;
}

FlaStorage storage_of(const ForeignCheckpoint& source, const FlaConfig& config) {
    const std::string mlp = fla_layer(0) + "mlp.", gate = mlp + "gate_proj.weight";
    const bool joined = source.contains(gate) && !source.contains(mlp + "up_proj.weight") &&
                        rows_of(source, gate) == 2 * config.intermediate();
    return {config.norm_first, joined};
}

ImportedModel import_fla(const ForeignCheckpoint& source, const ImportOptions& options) {
    const FlaConfig config = read_fla_config(source.config());
    if (options.a_activation) fail("--a-activation", source.config().source + " describes no Mamba-3 layer");
    ImportedModel model;
    model.config = model_of(config, source.config().source);
    const std::string embedding = embedding_of(source, config.tie_word_embeddings, kFlaEmbedding, model.notes);
    std::vector<std::string> allowed =
        check_tied_head(source, config.tie_word_embeddings, embedding, "tie_word_embeddings", model.notes);
    for (std::string& name : unused_skips(source, model.config, model.notes)) allowed.push_back(std::move(name));
    if (config.no_mlp) {
        for (std::string& name : check_zero_mlps(source, config)) allowed.push_back(std::move(name));
        model.notes.emplace_back("MLP: of zeros only (whorl_no_mlp), left out");
    }
    read_parameters(source, with_embedding(fla_assemblies(model.config, storage_of(source, config)), embedding),
                    allowed, model);
    return model;
}

enum class Release { mamba, fla };

/// Whose layout a model_type is of, as far as its config could be taken for one that is read.
std::string layout_of(const std::string& model_type) {
    const std::vector<std::string> transformers = {"mamba", "mamba2", "falcon_mamba", "falcon_h1",  "bamba",
                                                   "jamba", "zamba2", "nemotron_h",   "qwen3_next", "llama"};
    const std::vector<std::string> fla = {"delta_net", "gated_deltaproduct", "gla", "kda", "mamba3", "retnet", "rwkv7"};
    const auto is_of = [&](const std::vector<std::string>& types) {
        return std::find(types.begin(), types.end(), model_type) != types.end();
    };
    if (is_of(transformers)) return " (a model in the layout of Hugging Face transformers)";
    return is_of(fla) ? " (another model of flash-linear-attention)" : "";
}

Release release_of(const Document& config) {
    const auto has = [&](const char* key) { return find(config.root, key) != nullptr; };
    // Conversions to other libraries' layouts may keep the Mamba release's keys beside their own.
    if (has("d_model") && has("n_layer") && !has("hidden_size")) return Release::mamba;
    const Value* type = find(config.root, "model_type");
    const auto* name = type ? std::get_if<std::string>(&type->data) : nullptr;
    if (name != nullptr && *name != "gated_deltanet")
        fail(config.source, "model_type: " + in_quotes(*name) + layout_of(*name) +
                                " is not read; expected gated_deltanet, or a config of the Mamba release (with "
                                "d_model, n_layer and ssm_cfg)");
    if (has("hidden_size") && has("num_hidden_layers")) return Release::fla;
    fail(config.source,
         "is neither a config of the Mamba release (d_model, n_layer, …) nor of the Gated DeltaNet release "
         "(hidden_size, num_hidden_layers, …)");
}

}  // namespace

ImportedModel import_model(const std::string& source, const ImportOptions& options) {
    const ForeignCheckpoint checkpoint = ForeignCheckpoint::open(source, options.config_path);
    return release_of(checkpoint.config()) == Release::mamba ? import_mamba(checkpoint, options)
                                                             : import_fla(checkpoint, options);
}

}  // namespace whorl::interchange
