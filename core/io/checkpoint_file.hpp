// One model out of whatever holds one: a .safetensors file, a checkpoint folder, or a run directory.
//
// A file holds the tensors by the model's own names, its config as JSON in `__metadata__.config`, and in `format`
// either "whorl" (written while training: every tensor has a leading replica axis) or "whorl-checkpoint-1" (one model,
// no such axis). Golden files are read as well: their model's parameters lie under "param.".
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/io/safetensors.hpp"
#include "core/model/parameter_layout.hpp"

namespace whorl {

/// Which member of a population. Neither index nor best: the only one there is.
struct ReplicaChoice {
    std::int64_t index = -1;
    bool best = false;
};

/// "best", a number, or "" for no choice. Throws UserError naming --replica.
ReplicaChoice replica_choice(const std::string& text);

struct LoadedModel {
    ModelConfig config;
    std::vector<double> slice;       // as ParameterLayout(config) lays it out
    std::int64_t replicas = 1;       // in the file
    std::int64_t replica = 0;        // the one loaded
    std::string path;                // of the .safetensors file
    std::string task;                // what it was made for, as a recipe's [task] in JSON; "": the file does not say
    std::vector<std::string> notes;  // lines that people should see, such as a damaged checkpoint that was passed over
};

/// Reads one replica. `path`: a file; a checkpoint folder step-N (its checksums are verified); a folder with a
/// model.safetensors; or a run, whose newest valid checkpoint is taken. `best` is the replica that the last validation
/// stored in the checkpoint ranks first (core/base/merit.hpp). Throws UserError, one line: nothing there, no Whorl
/// checkpoint, missing, surplus or misshapen tensors, no such replica, or several replicas and no choice.
LoadedModel load_model(const std::string& path, const ReplicaChoice& choice = {});

/// The same from a file's bytes, which hold one model; `name` stands in for the path.
LoadedModel load_model(std::span<const std::byte> bytes, const std::string& name);

/// An error's text behind the notes that led to it, in one line: without them nobody sees why that checkpoint was read.
std::string behind_notes(const std::vector<std::string>& notes, const std::string& text);

/// Writes one model as "whorl-checkpoint-1", float32; `task` as LoadedModel::task. Atomic, as write_safetensors.
void save_model(const std::string& path, const ModelConfig& config, const std::vector<double>& slice,
                const std::string& task = "");

}  // namespace whorl
