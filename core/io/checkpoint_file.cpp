#include "core/io/checkpoint_file.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <optional>

#include "core/base/error.hpp"
#include "core/base/merit.hpp"
#include "core/base/text.hpp"
#include "core/config/model_config_io.hpp"
#include "core/config/value.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/parameter_file.hpp"
#include "core/io/run_directory.hpp"
#include "core/io/stored_convert.hpp"

namespace whorl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModelFile = "model.safetensors";
constexpr const char* kFormatOfOne = "whorl-checkpoint-1";
constexpr const char* kFormatOfPopulation = "whorl";
constexpr const char* kFormatOfGolden = "whorl-golden-1";

bool is_file(const std::string& path) {
    std::error_code error;
    return fs::is_regular_file(path, error);
}
bool is_folder(const std::string& path) {
    std::error_code error;
    return fs::is_directory(path, error);
}

// --- from a path to a file -------------------------------------------------------------------------------------------

std::string file_of_run(const std::string& path, std::vector<std::string>& notes) {
    const auto newest = RunDirectory::open(path).newest_checkpoint(notes);
    if (!newest) refuse_file(path, "the run has no checkpoint yet");
    return newest->model_path();
}

std::string file_of(const std::string& path, std::vector<std::string>& notes) {
    if (!is_folder(path)) return path;  // a missing file is the reader's to report
    if (RunDirectory::exists(path)) return file_of_run(path, notes);
    if (is_file(path + "/checksums.json")) return open_checkpoint(path).model_path();
    const bool released = is_file(path + "/config.json");
    if (!released && is_file(path + "/" + kModelFile)) return path + "/" + kModelFile;
    refuse_file(path,
                released
                    ? "is a released checkpoint (it has a config.json); make it a Whorl one with 'whorl import' first"
                    : "holds neither a run, nor a checkpoint, nor a model.safetensors");
}

// --- what is in the file ---------------------------------------------------------------------------------------------

ModelConfig config_of(const SafetensorsFile& file) {
    if (file.metadata().count("config") == 0)
        refuse_file(file.path(),
                    "is no Whorl checkpoint (it has no config in its metadata); 'whorl import' reads released "
                    "checkpoints");
    const auto format = file.metadata().find("format");
    const std::vector<std::string> known = {kFormatOfPopulation, kFormatOfOne, kFormatOfGolden};
    if (format != file.metadata().end() && std::find(known.begin(), known.end(), format->second) == known.end())
        refuse_file(file.path(), "unknown format " + in_quotes(format->second) + suggestion(format->second, known));
    return model_config_of(file);
}

/// A population's files name their task only; its run says the rest.
std::string task_in(const SafetensorsFile& file) {
    const auto& metadata = file.metadata();
    const auto format = metadata.find("format"), task = metadata.find("task");
    const bool whole = format != metadata.end() && format->second == kFormatOfOne && task != metadata.end();
    return whole ? task->second : "";
}

/// R when `stored` is [R] + `wanted`, 0 when it is `wanted` itself; else nothing.
std::optional<std::int64_t> replica_axis(const std::vector<std::int64_t>& stored,
                                         const std::vector<std::int64_t>& wanted) {
    if (stored == wanted) return 0;
    if (stored.size() != wanted.size() + 1 || stored.front() < 1 ||
        !std::equal(wanted.begin(), wanted.end(), stored.begin() + 1))
        return std::nullopt;
    return stored.front();
}

// Golden files keep a model's parameters beside its inputs and gradients, under this prefix.
std::string prefix_of(const SafetensorsFile& file) {
    const std::string prefix = "param.";
    return file.contains(prefix + "backbone.embedding.weight") ? prefix : "";
}

class Reader {
public:
    Reader(const SafetensorsFile& file, const ParameterLayout& layout)
        : file_(file), layout_(layout), prefix_(prefix_of(file)) {
        for (const ParameterInfo& parameter : layout.parameters()) check(parameter);
        if (prefix_.empty()) refuse_surplus();
    }

    /// Number of replicas; 0: the tensors have no replica axis.
    std::int64_t axis() const { return axis_.value_or(0); }

    std::vector<double> slice(std::int64_t replica) const {
        std::vector<double> result(static_cast<std::size_t>(layout_.slice()), 0.0);
        for (const ParameterInfo& parameter : layout_.parameters()) {
            const StoredTensor& stored = file_.at(prefix_ + parameter.name);
            // Only the replica asked for: a population's tensor may be far larger than one model.
            const std::size_t bytes = static_cast<std::size_t>(parameter.count) * byte_size(stored.type);
            std::vector<std::byte> raw(bytes);
            file_.read_bytes(stored, static_cast<std::uint64_t>(replica) * bytes, raw);
            const std::span<double> target(result.data() + parameter.offset, static_cast<std::size_t>(parameter.count));
            convert<double>(stored.type, raw, target, file_.path() + ": " + stored.name);
        }
        return result;
    }

private:
    void check(const ParameterInfo& parameter) {
        const StoredTensor& stored = file_.at(prefix_ + parameter.name);
        const auto axis = replica_axis(stored.shape, parameter.shape);
        if (!axis)
            refuse_file(file_.path(), stored.name + ": shape " + shape_text(stored.shape) + ", but the config needs " +
                                          shape_text(parameter.shape) + " (or one more axis in front, of replicas)");
        if (axis_.value_or(*axis) != *axis)
            refuse_file(file_.path(), stored.name + ": has " + std::to_string(*axis) + " replicas, other tensors " +
                                          std::to_string(*axis_));
        axis_ = axis;
    }
    void refuse_surplus() const {
        for (const StoredTensor& tensor : file_.tensors())
            if (layout_.find(tensor.name) < 0)
                refuse_file(file_.path(), in_quotes(tensor.name) + ": the model of the config has no such parameter");
    }

    const SafetensorsFile& file_;
    const ParameterLayout& layout_;
    std::string prefix_;
    std::optional<std::int64_t> axis_;
};

// --- which replica ---------------------------------------------------------------------------------------------------

/// rows[size][replica] as the trainer stores them; null stands for NaN.
struct StoredRanking {
    std::vector<std::int64_t> sizes;
    std::vector<std::vector<std::optional<double>>> accuracy, loss;
    bool in_bits = false;
};

StoredRanking read_ranking(const std::string& path, const std::string& file) {
    const std::string hint = "; name a replica by its number instead of best";
    if (!is_file(path)) refuse_file(file, "no validation is stored beside it (no state.json)" + hint);
    const Document state = parse_json(read_text_file(path, kMostStateBytes), path);
    const Value* validation = find(state.root, "validation");
    StoredRanking ranking;
    const auto read = [&](const char* key, auto& target) {
        const Value* rows = validation ? find(*validation, key) : nullptr;
        if (rows == nullptr) refuse_file(path, std::string("holds no validation ") + key + hint);
        ConfigReader::read(*rows, Place{&path, std::string("validation.") + key}, target);
    };
    read("accuracy", ranking.accuracy), read("loss", ranking.loss), read("sizes", ranking.sizes);
    ranking.in_bits = find(*validation, "bits") != nullptr;
    if (ranking.accuracy.empty() || ranking.accuracy.front().empty())
        refuse_file(path, "the run was not validated before this checkpoint" + hint);
    if (ranking.accuracy.size() != ranking.sizes.size() || ranking.loss.size() != ranking.sizes.size())
        refuse_file(path, "validation: has not one row for each size");
    return ranking;
}

std::int64_t best_by_validation(const std::string& file, std::int64_t replicas) {
    const std::string path = (fs::path(file).parent_path() / "state.json").string();
    const StoredRanking ranking = read_ranking(path, file);
    const std::size_t size = ranking_size(ranking.sizes);
    const auto &accuracy = ranking.accuracy[size], &loss = ranking.loss[size];
    if (accuracy.size() != static_cast<std::size_t>(replicas) || loss.size() != accuracy.size())
        refuse_file(path, "validation: is not of " + std::to_string(replicas) + " replicas");
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    std::vector<Merit> merits;
    for (std::size_t r = 0; r < accuracy.size(); ++r)
        merits.push_back({accuracy[r].value_or(kNaN), loss[r].value_or(kNaN), ranking.in_bits});
    return static_cast<std::int64_t>(best_of(merits));
}

std::int64_t pick(const ReplicaChoice& choice, const std::string& file, std::int64_t replicas) {
    const std::string range = "0.." + std::to_string(replicas - 1);
    if (choice.index >= replicas)
        refuse_file(file, "--replica " + std::to_string(choice.index) + ": there are replicas " + range);
    if (choice.index >= 0) return choice.index;
    if (replicas == 1) return 0;
    if (choice.best) return best_by_validation(file, replicas);
    refuse_file(file, "holds " + std::to_string(replicas) + " replicas; choose one with --replica " + range +
                          " or --replica best");
}

void read(const SafetensorsFile& file, const ReplicaChoice& choice, LoadedModel& model) {
    model.config = config_of(file);
    model.task = task_in(file);
    const ParameterLayout layout(model.config);
    const Reader reader(file, layout);
    model.replicas = std::max<std::int64_t>(reader.axis(), 1);
    try {
        model.replica = pick(choice, model.path, model.replicas);
    } catch (const UserError& error) {
        throw UserError(behind_notes(model.notes, error.what()));
    }
    model.slice = reader.slice(model.replica);
}

}  // namespace

ReplicaChoice replica_choice(const std::string& text) {
    if (text.empty()) return {};
    if (text == "best") return {-1, true};
    std::int64_t index = -1;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (error != std::errc{} || stop != text.data() + text.size() || index < 0)
        throw UserError("--replica " + in_quotes(text) + ": expected best or a number from 0");
    return {index, false};
}

std::string behind_notes(const std::vector<std::string>& notes, const std::string& text) {
    std::string line;
    for (const std::string& note : notes) line += note + ": ";
    return one_line(line + text);
}

LoadedModel load_model(const std::string& path, const ReplicaChoice& choice) {
    LoadedModel model;
    model.path = file_of(path, model.notes);
    read(SafetensorsFile::open(model.path), choice, model);
    return model;
}

LoadedModel load_model(std::span<const std::byte> bytes, const std::string& name) {
    LoadedModel model;
    model.path = name;
    read(SafetensorsFile::parse(bytes, name), {}, model);
    return model;
}

void save_model(const std::string& path, const ModelConfig& config, const std::vector<double>& slice,
                const std::string& task) {
    const std::vector<float> rounded(slice.begin(), slice.end());
    const ParameterLayout layout(config);
    std::vector<TensorView> tensors;
    for (const ParameterInfo& p : layout.parameters()) {
        const float* first = rounded.data() + p.offset;
        tensors.push_back(tensor_view<float>(p.name, p.shape, {first, static_cast<std::size_t>(p.count)}));
    }
    std::map<std::string, std::string> metadata = {{"format", kFormatOfOne}, {"config", to_json(config)}};
    if (!task.empty()) metadata["task"] = task;
    write_safetensors(path, tensors, metadata);
}

}  // namespace whorl
