// `whorl export CHECKPOINT --out DIR|FILE`: one model without its replica axis, in Whorl's or a release's layout.
#include <fmt/format.h>

#include "app/cli/options.hpp"
#include "app/cli/outputs.hpp"
#include "app/interchange/export_model.hpp"
#include "app/run/model_task.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl::cli {
namespace {

using interchange::ExportFormat;

Syntax syntax() {
    Syntax s("export", "CHECKPOINT|RUN --out DIR|FILE [--format F] [--replica best|K]",
             "Writes one model in float32, without the replica axis of training. --format whorl: a .safetensors file "
             "(or model.safetensors "
             "in a folder) that every whorl command reads. --format mamba: a folder in the layout of the Mamba "
             "release, for Mamba-2 and "
             "Mamba-3 layers of one config, with or without softmax attention; mamba_ssm's from_pretrained reads "
             "pytorch_model.bin instead of model.safetensors, and the export prints the lines that make it. "
             "--format fla: a folder in the layout of "
             "flash-linear-attention, for Gated DeltaNet. 'whorl import' gives the same weights back, bit for bit.",
             {"whorl export runs/parity --replica best --out parity.safetensors",
              "whorl export runs/parity --format mamba --replica 3 --out parity-mamba",
              "whorl export gdn.safetensors --format fla --out gdn-fla"});
    s.options.add_options()("out", po::value<std::string>(), "the folder or file to write")(
        "format", po::value<std::string>()->default_value("whorl"), "whorl, mamba or fla")(
        "replica", po::value<std::string>()->default_value(""),
        "which member of a population: its number, or best by the last validation");
    s.positionals = {{"CHECKPOINT", 1, 1}};
    return s;
}

ExportFormat format_of(const std::string& word) {
    if (word == "whorl") return ExportFormat::whorl;
    if (word == "mamba") return ExportFormat::mamba;
    if (word == "fla") return ExportFormat::fla;
    throw UserError("--format " + in_quotes(word) + ": unknown format" + suggestion(word, {"whorl", "mamba", "fla"}));
}

}  // namespace

int run_export(const Arguments& arguments) {
    const auto parsed = parse(syntax(), arguments);
    if (!parsed) return 0;
    const ExportFormat format = format_of(parsed->text("format"));
    const ReplicaChoice choice = replica_choice(parsed->text("replica"));
    if (!parsed->has("out")) throw UserError("whorl export: --out DIR or --out FILE.safetensors is missing");
    const std::string out = parsed->text("out");
    refuse_own_inputs(out, {out, out + "/model.safetensors", out + "/config.json"},
                      files_of_model(parsed->first("CHECKPOINT")));
    LoadedModel model = load_model(parsed->first("CHECKPOINT"), choice);
    for (const std::string& note : model.notes) fmt::print("{}\n", one_line(note));
    if (model.task.empty())
        if (const auto task = task_of_model(model, parsed->first("CHECKPOINT"))) model.task = stored_task(*task);
    const interchange::ExportResult result = interchange::export_model(model, format, out);
    for (const std::string& note : result.notes) fmt::print("{}\n", one_line(note));
    fmt::print("{}: replica {} of {}, from {}\n", result.path, model.replica, model.replicas, model.path);
    return 0;
}

}  // namespace whorl::cli
