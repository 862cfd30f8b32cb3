// `whorl models`: the presets, and what one resolves to; the models with weights (model_weights.hpp).
#include <fmt/format.h>

#include <cstdio>

#include "app/cli/model_description.hpp"
#include "app/cli/model_weights.hpp"
#include "app/cli/options.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/config/value.hpp"
#include "core/model/registry.hpp"

namespace whorl::cli {
namespace {

Syntax syntax() {
    Syntax s("models", "[--describe NAME] [sizes] [--weights constructed|trained [--name NAME --out FILE]] [--json]",
             "Lists the named models; with --describe, prints the resolved config of one and every parameter with its "
             "shape. With --weights constructed the same for models whose weights are set by hand, with --weights "
             "trained for those that were trained and ship with the program, and --name writes one to a file that "
             "eval, decode, logits and trace take.",
             {"whorl models", "whorl models --describe mamba3 --d-model 32 --headdim 32",
              "whorl models --describe gdn --json", "whorl models --weights constructed",
              "whorl models --weights constructed --name parity-mamba3 --out parity.safetensors",
              "whorl models --weights trained"});
    const PresetSize size;
    s.options.add_options()("describe", po::value<std::string>(), "the model to print")(
        "weights", po::value<std::string>(),
        "constructed: models with weights set by hand; trained: models that were trained. Both have sizes of their "
        "own")("name", po::value<std::string>(), "the model with weights to write to --out")(
        "out", po::value<std::string>(), "the .safetensors file to write")(
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

Description describe_preset(const Parsed& parsed) {
    const ModelPreset& preset = model_preset(parsed.text("describe"));
    const PresetSize size = size_of(parsed);
    if (size.d_model < 1 || size.headdim < 1 || size.n_layer < 1 || size.n_layer > 256)
        throw UserError("whorl models: sizes must be positive, and --n-layer at most 256");
    const ModelConfig config = preset.make(size);
    validate(config, "whorl models");
    return {preset.name, preset.description, config, ParameterLayout(config)};
}

void list_presets(bool json) {
    Array list;
    for (const ModelPreset& preset : model_presets()) {
        if (!json) fmt::print("{:<18} {}\n", preset.name, preset.description);
        list.push_back({Table{{"name", {preset.name}}, {"description", {preset.description}}}});
    }
    if (json) std::puts(write_json({std::move(list)}, 2).c_str());
}

}  // namespace

int run_models(const Arguments& arguments) {
    const auto parsed = parse(syntax(), arguments);
    if (!parsed) return 0;
    const bool json = parsed->flag("json");
    if (parsed->has("weights")) {
        run_weights(*parsed);
        return 0;
    }
    for (const char* flag : {"name", "out"})
        if (parsed->has(flag)) throw UserError(std::string("--") + flag + " needs --weights constructed or trained");
    if (parsed->has("describe"))
        show(describe_preset(*parsed), json);
    else
        list_presets(json);
    return 0;
}

}  // namespace whorl::cli
