#include "app/interchange/export_model.hpp"

#include <algorithm>
#include <filesystem>

#include "app/interchange/fla_config.hpp"
#include "app/interchange/mamba_config.hpp"
#include "app/interchange/released_names.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/atomic_file.hpp"

namespace whorl::interchange {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWeights = "model.safetensors";
constexpr const char* kConfig = "config.json";

/// A released checkpoint, ready to be written.
struct Release {
    std::string config_json;
    std::vector<ForeignTensor> tensors;
    std::vector<std::string> notes;
};

bool names_a_file(const std::string& out) {
    return fs::path(out).extension() == ".safetensors";
}

/// What a killed export left: temporary files; the weights as well, where it was killed behind their commit, which the
/// config's temporary file tells.
void clear_unfinished(const std::string& folder) {
    const std::string config = folder + "/" + kConfig, weights = folder + "/" + kWeights;
    std::error_code error;
    if (!fs::exists(config, error) && !unfinished_files(config).empty()) fs::remove(weights, error);
    remove_unfinished(weights);
    remove_unfinished(config);
}

void make_empty_folder(const std::string& folder) {
    if (names_a_file(folder))
        throw UserError(one_line("--out " + folder + ": this format is a folder of two files; name a folder"));
    clear_unfinished(folder);
    std::error_code error;
    if (fs::exists(folder, error) && !fs::is_empty(folder, error))
        throw UserError(one_line(folder + ": is not an empty folder; choose another one for the export"));
    make_folders(folder);
}

/// Frameworks that tie the two by sharing memory still expect both names.
void repeat_tied_head(std::vector<ForeignTensor>& tensors) {
    const auto embedding =
        std::find_if(tensors.begin(), tensors.end(), [](const ForeignTensor& t) { return t.name == kEmbedding; });
    ForeignTensor head = *embedding;
    head.name = kHead;
    tensors.push_back(std::move(head));
}

Release mamba_release(const LoadedModel& model) {
    Release release;
    release.config_json = mamba_config_json(model.config, model.path, release.notes);
    MambaConfig sizes;
    sizes.d_intermediate = model.config.d_intermediate;
    const std::int64_t padded = sizes.padded_intermediate();
    if (padded != model.config.d_intermediate)
        release.notes.push_back("MLP: " + std::to_string(model.config.d_intermediate) + " units padded with zeros to " +
                                std::to_string(padded) + ", the multiple of 128 that the release builds");
    release.tensors = scatter(model.slice, mamba_assemblies(model.config, {model.config.vocab_size, padded}),
                              ParameterLayout(model.config));
    if (model.config.tie_embeddings) repeat_tied_head(release.tensors);
    for (const char* note : {"mamba_ssm's from_pretrained reads pytorch_model.bin; in the folder, these lines make it:",
                             "  import torch", "  from safetensors.torch import load_file",
                             "  torch.save(load_file(\"model.safetensors\"), \"pytorch_model.bin\")"})
        release.notes.emplace_back(note);
    return release;
}

/// An MLP that adds nothing, for a model that has none.
void add_zero_mlps(const FlaConfig& config, std::vector<ForeignTensor>& tensors) {
    for (std::int64_t i = 0; i < config.num_hidden_layers; ++i)
        for (const TensorPart& part : fla_mlp(i, config.hidden_size, config.intermediate())) {
            const float value = part.shape.size() == 1 ? 1.0F : 0.0F;  // the norm's weight
            tensors.push_back(
                {part.name, part.shape, std::vector<float>(static_cast<std::size_t>(part.count()), value)});
        }
}

Release fla_release(const LoadedModel& model) {
    const FlaConfig config = fla_config_of(model.config, model.path);
    Release release;
    release.config_json = fla_config_json(config);
    release.tensors = scatter(model.slice, fla_assemblies(model.config), ParameterLayout(model.config));
    if (!config.no_mlp) return release;
    add_zero_mlps(config, release.tensors);
    release.notes.emplace_back(
        "MLP: the release has one in every layer; MLPs of zeros were added, which change nothing");
    return release;
}

/// config.json last: without it a folder is no checkpoint. Its temporary file stands before the weights do.
std::string write_release(const Release& release, const std::string& folder) {
    const std::string path = folder + "/" + kWeights;
    std::vector<TensorView> views;
    for (const ForeignTensor& t : release.tensors)
        views.push_back(tensor_view<float>(t.name, t.shape, std::span<const float>(t.values)));
    AtomicFile config(folder + "/" + kConfig);
    config.write(release.config_json);
    write_safetensors(path, views, {{"format", "pt"}});  // what model libraries expect to read there
    config.commit();
    return path;
}

std::string write_whorl(const LoadedModel& model, const std::string& out) {
    if (!names_a_file(out)) make_folders(out);
    const std::string path = names_a_file(out) ? out : out + "/" + kWeights;
    save_model(path, model.config, model.slice, model.task);
    return path;
}

}  // namespace

ExportResult export_model(const LoadedModel& model, ExportFormat format, const std::string& out) {
    ExportResult result;
    note_rounding(model.slice, result.notes);
    if (format == ExportFormat::whorl) {
        result.path = write_whorl(model, out);
        return result;
    }
    const Release release = format == ExportFormat::mamba ? mamba_release(model) : fla_release(model);
    make_empty_folder(out);
    result.path = write_release(release, out);
    result.notes.insert(result.notes.end(), release.notes.begin(), release.notes.end());
    return result;
}

}  // namespace whorl::interchange
