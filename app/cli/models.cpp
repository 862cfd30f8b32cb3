// `whorl models`: the presets, and what one resolves to; the models with weights set by hand.
#include <fmt/format.h>

#include <cstdio>

#include "app/cli/options.hpp"
#include "app/cli/outputs.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/config/model_config_io.hpp"
#include "core/io/checkpoint_file.hpp"
#include "core/model/constructed/constructed.hpp"
#include "core/model/parameter_layout.hpp"
#include "core/model/registry.hpp"

namespace whorl::cli {
namespace {

Syntax syntax() {
    Syntax s("models", "[--describe NAME] [sizes] [--weights constructed [--name NAME --out FILE]] [--json]",
             "Lists the named models; with --describe, prints the resolved config of one and every parameter with its "
             "shape. With --weights constructed the same for models whose weights are set by hand, and --name writes "
             "one to a file that eval, decode, logits and trace take.",
             {"whorl models", "whorl models --describe mamba3 --d-model 32 --headdim 32",
              "whorl models --describe gdn --json", "whorl models --weights constructed",
              "whorl models --weights constructed --name parity-mamba3 --out parity.safetensors"});
    const PresetSize size;
    s.options.add_options()("describe", po::value<std::string>(), "the model to print")(
        "weights", po::value<std::string>(),
        "constructed: models with weights set by hand, which have sizes of their own")(
        "name", po::value<std::string>(), "the constructed model to write to --out")("out", po::value<std::string>(),
                                                                                     "the .safetensors file to write")(
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

/// What a preset and a constructed model have in common, for --describe.
struct Description {
    std::string name, about;
    ModelConfig config;
    ParameterLayout layout;
};

void print_description(const Description& d) {
    fmt::print("{}: {}\n\n{}\n", d.name, d.about, to_toml(d.config));
    fmt::print("{:<52} {:>14} {:>10}\n", "parameter", "shape", "count");
    for (const ParameterInfo& p : d.layout.parameters())
        fmt::print("{:<52} {:>14} {:>10}  {}\n", p.name, shape_text(p), p.count, update_text(p));
    fmt::print("{:<52} {:>14} {:>10}\n", "all", "", d.layout.count());
}

Value json_of(const Description& d) {
    Array parameters;
    for (const ParameterInfo& p : d.layout.parameters()) {
        Array shape;
        for (const std::int64_t extent : p.shape) shape.push_back({extent});
        parameters.push_back({Table{{"name", {p.name}},
                                    {"shape", {std::move(shape)}},
                                    {"count", {p.count}},
                                    {"decay", {p.decay}},
                                    {"trainable", {p.trainable}}}});
    }
    return {Table{{"name", {d.name}},
                  {"description", {d.about}},
                  {"config", to_value(d.config)},
                  {"count", {d.layout.count()}},
                  {"parameters", {std::move(parameters)}}}};
}

void show(const Description& description, bool json) {
    if (json)
        std::puts(write_json(json_of(description), 2).c_str());
    else
        print_description(description);
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

// --- weights set by hand ---------------------------------------------------------------------------------------------

void list_constructed(bool json) {
    Array list;
    for (const ConstructedModel& model : constructed_models()) {
        if (!json) fmt::print("{:<20} {:<12} {}\n", model.name, model.task, model.description);
        list.push_back({Table{{"name", {model.name}}, {"task", {model.task}}, {"description", {model.description}}}});
    }
    if (json) std::puts(write_json({std::move(list)}, 2).c_str());
}

void write_constructed(const std::string& name, const std::string& out, bool json) {
    require_safetensors_name(out);
    const ConstructedModel& model = constructed_model(name);
    save_model(out, model.config, model.slice);
    if (json) {
        std::puts(write_json({Table{{"out", {out}}, {"name", {model.name}}, {"task", {model.task}}}}).c_str());
        return;
    }
    fmt::print("{}: {}, {} parameters; try: whorl eval {} --task {} --lengths 64,4096\n", one_line(out), model.name,
               ParameterLayout(model.config).count(), one_line(out), model.task);
}

void run_constructed(const Parsed& parsed) {
    for (const char* flag : {"d-model", "n-layer", "vocab-size", "d-state", "headdim", "d-intermediate"})
        if (parsed.has(flag))
            throw UserError(std::string("--") + flag + " belongs to presets; constructed models have their own sizes");
    if (parsed.has("name") && parsed.has("describe"))
        throw UserError("whorl models: give either --describe or --name with --out");
    if (parsed.has("name")) {
        if (!parsed.has("out")) throw UserError("whorl models: --name needs --out, the .safetensors file to write");
        return write_constructed(parsed.text("name"), parsed.text("out"), parsed.flag("json"));
    }
    if (parsed.has("out")) throw UserError("whorl models: --out needs --name, the constructed model to write");
    if (!parsed.has("describe")) return list_constructed(parsed.flag("json"));
    const ConstructedModel& model = constructed_model(parsed.text("describe"));
    show({model.name, model.description, model.config, ParameterLayout(model.config)}, parsed.flag("json"));
}

}  // namespace

int run_models(const Arguments& arguments) {
    const auto parsed = parse(syntax(), arguments);
    if (!parsed) return 0;
    const bool json = parsed->flag("json");
    if (parsed->has("weights")) {
        const std::string weights = parsed->text("weights");
        if (weights != "constructed")
            throw UserError("--weights: unknown kind " + in_quotes(weights) + suggestion(weights, {"constructed"}));
        run_constructed(*parsed);
        return 0;
    }
    for (const char* flag : {"name", "out"})
        if (parsed->has(flag)) throw UserError(std::string("--") + flag + " needs --weights constructed");
    if (parsed->has("describe"))
        show(describe_preset(*parsed), json);
    else
        list_presets(json);
    return 0;
}

}  // namespace whorl::cli
