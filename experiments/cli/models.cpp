// `whorl models`: the presets, and what one resolves to.
#include <fmt/format.h>

#include <cstdio>

#include "core/base/error.hpp"
#include "core/model/config_io.hpp"
#include "core/model/parameter_layout.hpp"
#include "core/model/registry.hpp"
#include "experiments/cli/options.hpp"

namespace whorl::cli {
namespace {

Syntax syntax() {
    Syntax s("models", "[--describe NAME] [sizes] [--json]",
             "Lists the named models; with --describe, prints the resolved config of one and every parameter with its "
             "shape.",
             {"whorl models", "whorl models --describe mamba3 --d-model 32 --headdim 32",
              "whorl models --describe gdn --json"});
    const PresetSize size;
    s.options.add_options()("describe", po::value<std::string>(), "the model to print")(
        "d-model", po::value<std::int64_t>()->default_value(size.d_model), "width of the residual stream")(
        "n-layer", po::value<std::int64_t>()->default_value(size.n_layer), "layers")(
        "vocab-size", po::value<std::int64_t>()->default_value(size.vocab_size), "tokens")(
        "d-state", po::value<std::int64_t>()->default_value(size.d_state), "N, state channels (Mamba)")(
        "headdim", po::value<std::int64_t>()->default_value(size.headdim),
        "P, channels of a head (head_dim elsewhere)")(
        "d-intermediate", po::value<std::int64_t>()->default_value(size.d_intermediate),
        "hidden width of the MLP, 0 = none")("json", po::bool_switch(), "for another program to read");
    return s;
}

PresetSize size_of(const Parsed& p) {
    return {p.number("d-model"), p.number("n-layer"), p.number("vocab-size"),
            p.number("d-state"), p.number("headdim"), p.number("d-intermediate")};
}

std::string shape_text(const ParameterInfo& p) {
    std::string text;
    for (const std::int64_t extent : p.shape) text += (text.empty() ? "" : "×") + std::to_string(extent);
    return text;
}

const char* update_text(const ParameterInfo& p) {
    return !p.trainable ? "frozen" : p.decay ? "decayed" : "";
}

void print_description(const ModelPreset& preset, const ModelConfig& config, const ParameterLayout& layout) {
    fmt::print("{}: {}\n\n{}\n", preset.name, preset.description, to_toml(config));
    fmt::print("{:<52} {:>14} {:>10}\n", "parameter", "shape", "count");
    for (const ParameterInfo& p : layout.parameters())
        fmt::print("{:<52} {:>14} {:>10}  {}\n", p.name, shape_text(p), p.count, update_text(p));
    fmt::print("{:<52} {:>14} {:>10}\n", "all", "", layout.count());
}

Value json_of(const ModelPreset& preset, const ModelConfig& config, const ParameterLayout& layout) {
    Array parameters;
    for (const ParameterInfo& p : layout.parameters()) {
        Array shape;
        for (const std::int64_t extent : p.shape) shape.push_back({extent});
        parameters.push_back({Table{{"name", {p.name}},
                                    {"shape", {std::move(shape)}},
                                    {"count", {p.count}},
                                    {"decay", {p.decay}},
                                    {"trainable", {p.trainable}}}});
    }
    return {Table{{"name", {preset.name}},
                  {"description", {preset.description}},
                  {"config", to_value(config)},
                  {"count", {layout.count()}},
                  {"parameters", {std::move(parameters)}}}};
}

}  // namespace

int run_models(const Arguments& arguments) {
    const auto parsed = parse(syntax(), arguments);
    if (!parsed) return 0;
    const bool json = parsed->flag("json");
    if (!parsed->has("describe")) {
        Array list;
        for (const ModelPreset& preset : model_presets()) {
            if (!json) fmt::print("{:<18} {}\n", preset.name, preset.description);
            list.push_back({Table{{"name", {preset.name}}, {"description", {preset.description}}}});
        }
        if (json) std::puts(write_json({std::move(list)}, 2).c_str());
        return 0;
    }
    const ModelPreset& preset = model_preset(parsed->text("describe"));
    const PresetSize size = size_of(*parsed);
    if (size.d_model < 1 || size.headdim < 1 || size.n_layer < 1 || size.n_layer > 256)
        throw UserError("whorl models: sizes must be positive, and --n-layer at most 256");
    const ModelConfig config = preset.make(size);
    validate(config, "whorl models");
    const ParameterLayout layout(config);
    if (json)
        std::puts(write_json(json_of(preset, config, layout), 2).c_str());
    else
        print_description(preset, config, layout);
    return 0;
}

}  // namespace whorl::cli
