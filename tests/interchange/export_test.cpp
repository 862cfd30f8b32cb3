#include "app/interchange/export_model.hpp"
#include "app/interchange/import_model.hpp"
#include "core/base/error.hpp"
#include "core/config/model_config_io.hpp"
#include "core/model/registry.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/release.hpp"

using namespace whorl;
using namespace whorl::interchange;
using namespace whorl::interchange_test;
using Catch::Matchers::ContainsSubstring;

namespace {

ModelConfig preset(const std::string& name, std::int64_t d_intermediate) {
    PresetSize size;
    size.d_model = 16;
    size.n_layer = 2;
    size.vocab_size = 3;
    size.d_state = 8;
    size.headdim = 8;
    size.d_intermediate = d_intermediate;
    return model_preset(name).make(size);
}

LoadedModel loaded(const ModelConfig& config) {
    LoadedModel model;
    model.config = config;
    model.slice = TinyModel(config).slice;
    // Numbers that need all of float32's bits, and two that are easily lost.
    for (double& value : model.slice) value = static_cast<float>(value * 1.1);
    model.slice[0] = -0.0;
    model.slice[1] = static_cast<float>(1e-45);
    model.path = "model.safetensors";
    return model;
}

/// Bits, for -0 and NaN compare as numbers otherwise.
std::vector<std::uint32_t> bits_of(const std::vector<double>& slice) {
    std::vector<std::uint32_t> bits;
    for (const double value : slice) {
        const auto rounded = static_cast<float>(value);
        std::memcpy(&bits.emplace_back(), &rounded, 4);
    }
    return bits;
}

std::string export_error(const LoadedModel& model, ExportFormat format) {
    const TemporaryFolder folder;
    return message_of<UserError>([&] { export_model(model, format, folder / "out"); });
}

}  // namespace

TEST_CASE("export: import gives the same bits back", "[interchange]") {
    const std::string name =
        GENERATE(as<std::string>{}, "mamba3", "mamba3-mimo", "mamba2", "hybrid", "gdn", "gdn-positive", "transformer");
    const std::int64_t d_intermediate = GENERATE(0, 24);
    const bool tied = GENERATE(true, false);
    ModelConfig config = preset(name, d_intermediate);
    config.tie_embeddings = tied;
    const bool delta = name.rfind("gdn", 0) == 0;
    if (delta) config.init = Initialization::fla;  // what an import of this release says
    CAPTURE(name, d_intermediate, tied);
    const LoadedModel model = loaded(config);
    const TemporaryFolder folder;
    const std::string out = folder / "out";
    const ExportResult result = export_model(model, delta ? ExportFormat::fla : ExportFormat::mamba, out);
    CHECK(result.path == out + "/model.safetensors");
    const ImportedModel back = import_model(out, {});
    CHECK(to_json(back.config) == to_json(config));
    CHECK(bits_of(back.slice) == bits_of(model.slice));
}

TEST_CASE("export: Whorl's own format, to a file and to a folder", "[interchange]") {
    const LoadedModel model = loaded(preset("mamba3-no-rope", 24));
    const TemporaryFolder folder;
    const std::string file = folder / "one.safetensors", directory = folder / "new/model";
    CHECK(export_model(model, ExportFormat::whorl, file).path == file);
    CHECK(export_model(model, ExportFormat::whorl, directory).path == directory + "/model.safetensors");
    for (const std::string& path : {file, directory}) {
        const LoadedModel back = load_model(path);
        CHECK(to_json(back.config) == to_json(model.config));
        CHECK(bits_of(back.slice) == bits_of(model.slice));
    }
    CHECK(slurp(file) == slurp(directory + "/model.safetensors"));
}

TEST_CASE("export: the Mamba release finds the shapes that it builds", "[interchange]") {
    const TemporaryFolder folder;
    const ExportResult result = export_model(loaded(preset("mamba3", 24)), ExportFormat::mamba, folder / "out");
    CHECK_THAT(result.notes.at(0), ContainsSubstring("24 units padded with zeros to 128"));
    const SafetensorsFile file = SafetensorsFile::open(result.path);
    CHECK(file.at("backbone.layers.0.mlp.fc1.weight").shape == std::vector<std::int64_t>{256, 16});
    CHECK(file.at("backbone.layers.0.mlp.fc2.weight").shape == std::vector<std::int64_t>{16, 128});
    CHECK(file.read_as<float>("lm_head.weight") == file.read_as<float>("backbone.embedding.weight"));
    CHECK_THAT(slurp(folder / "out/config.json"),
               ContainsSubstring("\"d_intermediate\": 24") && ContainsSubstring("\"pad_vocab_size_multiple\": 1"));
}

TEST_CASE("export: what a release cannot express is refused", "[interchange]") {
    const auto mamba = [](const ModelConfig& config) { return export_error(loaded(config), ExportFormat::mamba); };
    CHECK_THAT(mamba(preset("mamba3-no-rope", 0)),
               ContainsSubstring("layers[0]: rotation: \"none\" has no counterpart in the Mamba release"));
    CHECK_THAT(mamba(preset("mamba3-euler-conv", 0)),
               ContainsSubstring("discretization: \"euler\" has no counterpart"));
    CHECK_THAT(mamba(preset("gdn", 0)), ContainsSubstring("is a gated_delta_net layer; use --format fla"));
    ModelConfig config = preset("mamba3", 0);
    std::get<Mamba3Config>(config.layers[1]).d_state = 4;
    CHECK_THAT(mamba(config), ContainsSubstring("layers[1]: differs from an earlier layer of its kind"));
    std::get<Mamba3Config>(config.layers[1]) = std::get<Mamba3Config>(config.layers[0]);
    std::get<Mamba3Config>(config.layers[1]).H = 4;  // says nothing new
    CHECK(mamba(config) == "(nothing was thrown)");
    config = preset("mamba3", 0);
    std::get<Mamba3Config>(config.layers[0]).rotary_pairing = RotaryPairing::halves;
    CHECK_THAT(mamba(config), ContainsSubstring("rotary_pairing: \"halves\" has no counterpart"));
    config = preset("mamba2", 0);
    config.norm_epsilon = 1e-6;
    CHECK_THAT(mamba(config), ContainsSubstring("norm_epsilon: the Mamba release has 1e-5 only"));
    CHECK_THAT(export_error(loaded(preset("mamba3", 0)), ExportFormat::fla),
               ContainsSubstring("is a mamba3 layer; use --format mamba"));
    config = preset("gdn", 0);
    config.layers[1] = AttentionConfig{2, 8, Positions::none};
    CHECK_THAT(export_error(loaded(config), ExportFormat::fla), ContainsSubstring("attention with RoPE"));
}

TEST_CASE("export: Gated DeltaNet without short convolution and with its own initializer_range", "[interchange]") {
    ModelConfig config = preset("gdn", 24);
    config.init = Initialization::fla;
    config.initializer_range = 0.006;
    for (MixerConfig& layer : config.layers) std::get<GatedDeltaNetConfig>(layer).short_conv = 0;
    const LoadedModel model = loaded(config);
    const TemporaryFolder folder;
    export_model(model, ExportFormat::fla, folder / "out");
    const ImportedModel back = import_model(folder / "out", {});
    CHECK(to_json(back.config) == to_json(config));
    CHECK(bits_of(back.slice) == bits_of(model.slice));
    config = preset("mamba2", 0);
    config.initializer_range = 0.5;
    const auto notes = export_model(loaded(config), ExportFormat::mamba, folder / "mamba").notes;
    CHECK_THAT(notes.at(0), ContainsSubstring("initializer_range concerns training only"));
    CHECK_THAT(notes.back(), ContainsSubstring("torch.save(load_file("));
}

TEST_CASE("export: what a killed export left makes way for the next one", "[interchange]") {
    const LoadedModel model = loaded(preset("mamba2", 0));
    const TemporaryFolder folder;
    const std::string out = folder / "out", weights = out + "/model.safetensors", config = out + "/config.json";
    const std::string half_weights = out + "/.model.safetensors.tmp-1-1", half_config = out + "/.config.json.tmp-1-0";
    const auto run = [&] { return message_of<UserError>([&] { export_model(model, ExportFormat::mamba, out); }); };
    std::filesystem::create_directories(out);
    SECTION("killed while the weights were written") {
        spill(half_config, "{}");
        spill(half_weights, "half");
    }
    SECTION("killed between the two files") {
        spill(half_config, "{}");
        spill(weights, "whole");
    }
    SECTION("not killed: weights that stand alone are somebody's") {
        spill(weights, "whole");
        CHECK_THAT(run(), ContainsSubstring("is not an empty folder"));
        CHECK(slurp(weights) == "whole");
        return;
    }
    SECTION("not killed: a checkpoint beside a leftover") {
        spill(half_config, "{}");
        spill(weights, "whole");
        spill(config, "{}");
        CHECK_THAT(run(), ContainsSubstring("is not an empty folder"));
        CHECK(slurp(weights) == "whole");
        return;
    }
    CHECK(run() == "(nothing was thrown)");
    CHECK(std::distance(std::filesystem::directory_iterator(out), {}) == 2);
    CHECK(bits_of(import_model(out, {}).slice) == bits_of(model.slice));
}

TEST_CASE("export: a folder in use is left alone", "[interchange]") {
    const TemporaryFolder folder;
    spill(folder / "notes.txt", "mine");
    const LoadedModel model = loaded(preset("mamba2", 0));
    CHECK_THAT(message_of<UserError>([&] { export_model(model, ExportFormat::mamba, folder.path()); }),
               ContainsSubstring("is not an empty folder"));
    CHECK_THAT(message_of<UserError>([&] { export_model(model, ExportFormat::mamba, folder / "a.safetensors"); }),
               ContainsSubstring("name a folder"));
    CHECK(folder.entries() == 1);
}
