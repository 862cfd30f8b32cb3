// `whorl import SOURCE --out FILE.safetensors`: a released checkpoint becomes a Whorl one.
#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "app/cli/options.hpp"
#include "app/cli/outputs.hpp"
#include "app/interchange/import_model.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/config/model_config_io.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/checkpoint_file.hpp"

namespace whorl::cli {
namespace {

using interchange::ImportOptions;
using interchange::VocabularyPadding;

Syntax syntax() {
    Syntax s("import", "SOURCE --out FILE.safetensors [options]",
             "Reads a released checkpoint and writes it as a Whorl checkpoint in float32. SOURCE is a folder with "
             "config.json and "
             "model.safetensors (or its shards and their index), or a .safetensors file with --config. Read are "
             "checkpoints of the Mamba release (Mamba-2; Mamba-3, SISO and MIMO; either with softmax attention in "
             "some layers) and of Gated DeltaNet (flash-linear-attention, those from before March 2025 as well). Not "
             "read yet, and refused by name: attention with a short convolution of its own (d_conv), with RoPE over a "
             "part of a head (rotary_emb_dim below head_dim), with keys and values that heads share (num_heads_kv), "
             "with biases or a window; configs in the layout of Hugging Face transformers; pickled weights "
             "(pytorch_model.bin), for which the refusal says how to convert them. Every tensor must be accounted for "
             "and every config key understood; unknown keys that are null, and keys that concern only how a model is "
             "stored, loaded or run (torch_dtype, architectures, chunk_size, fuse_norm, …), are passed over.",
             {"whorl import mamba2-130m --out mamba2-130m.safetensors",
              "whorl import mamba3-siso --a-activation softplus --out mamba3.safetensors",
              "whorl import weights.safetensors --config config.json --vocab keep --out model.safetensors"});
    s.options.add_options()("out", po::value<std::string>(), "the file to write")(
        "config", po::value<std::string>()->default_value(""),
        "the release's config.json, when it is not beside the weights or is to be replaced")(
        "a-activation", po::value<std::string>(),
        "of Mamba-3 layers: softplus (the paper's, of weights trained before June 2026) or heavy_tail (the released "
        "code's since then); "
        "needed unless the config says it")("vocab", po::value<std::string>()->default_value("slice"),
                                            "rows that only pad the vocabulary to a multiple of "
                                            "pad_vocab_size_multiple: slice them off, or keep them as tokens");
    s.positionals = {{"SOURCE", 1, 1}};
    return s;
}

template <class E>
E choice_of(const std::string& flag, const std::string& word) {
    std::vector<std::string> names;
    for (const auto& entry : enum_names(E{})) {
        if (word == entry.name) return entry.value;
        names.emplace_back(entry.name);
    }
    throw UserError(flag + " " + in_quotes(word) + ": unknown value" + suggestion(word, names));
}

VocabularyPadding vocabulary_of(const std::string& word) {
    if (word == "slice") return VocabularyPadding::slice;
    if (word == "keep") return VocabularyPadding::keep;
    throw UserError("--vocab " + in_quotes(word) + ": unknown value" + suggestion(word, {"slice", "keep"}));
}

ImportOptions options_of(const Parsed& parsed) {
    ImportOptions options;
    options.config_path = parsed.text("config");
    options.vocabulary = vocabulary_of(parsed.text("vocab"));
    if (parsed.has("a-activation"))
        options.a_activation = choice_of<AActivation>("--a-activation", parsed.text("a-activation"));
    return options;
}

// The shards that a release's index names; what is wrong with an index is the importer's to say.
void add_shards(const std::string& folder, std::vector<std::string>& files) {
    constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;
    const std::string index = folder + "/model.safetensors.index.json";
    files.push_back(index);
    std::error_code error;
    if (!std::filesystem::is_regular_file(index, error)) return;
    std::set<std::string> shards;
    try {
        const Document document = parse_json(read_text_file(index, kMostBytes), index);
        const Value* names = find(document.root, "weight_map");
        const Table* map = names ? std::get_if<Table>(&names->data) : nullptr;
        for (const Member& member : map ? *map : Table{})
            if (const auto* shard = std::get_if<std::string>(&member.value.data)) shards.insert(folder + "/" + *shard);
    } catch (const UserError&) {
    }
    files.insert(files.end(), shards.begin(), shards.end());
}

std::vector<std::string> files_of_release(const std::string& source, const ImportOptions& options) {
    std::vector<std::string> files = {source, source + "/model.safetensors", source + "/config.json"};
    if (!options.config_path.empty()) files.push_back(options.config_path);
    add_shards(source, files);
    return files;
}

}  // namespace

int run_import(const Arguments& arguments) {
    const auto parsed = parse(syntax(), arguments);
    if (!parsed) return 0;
    const ImportOptions options = options_of(*parsed);
    const std::string source = parsed->first("SOURCE");
    if (!parsed->has("out")) throw UserError("whorl import: --out FILE.safetensors is missing");
    const std::string out = parsed->text("out");
    require_safetensors_name(out);
    refuse_own_inputs(out, {out}, files_of_release(source, options));
    const interchange::ImportedModel model = interchange::import_model(source, options);
    save_model(out, model.config, model.slice);
    for (const std::string& note : model.notes) fmt::print("{}\n", one_line(note));
    fmt::print("{}: {} layers, {} parameters\n", out, model.config.n_layer, ParameterLayout(model.config).count());
    return 0;
}

}  // namespace whorl::cli
