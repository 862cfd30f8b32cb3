#include "app/interchange/foreign_checkpoint.hpp"

#include <filesystem>
#include <set>

#include "app/interchange/python_json.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/atomic_file.hpp"

namespace whorl::interchange {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxIndexBytes = std::uint64_t{64} << 20;
constexpr const char* kSingleFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";

[[noreturn]] void fail(const std::string& path, const std::string& what) {
    throw UserError(one_line(path + ": " + what));
}

bool exists(const std::string& path) {
    std::error_code error;
    return fs::exists(path, error);
}

Document load_json(const std::string& path, std::uint64_t most_bytes) {
    return parse_python_json(read_text_file(path, most_bytes), path);
}

bool is_floating(StoredType type) {
    return type == StoredType::f64 || type == StoredType::f32 || type == StoredType::f16 || type == StoredType::bf16;
}

/// A pickle may run code when it is read, so that the way here leads through the library that wrote it.
[[noreturn]] void fail_with_pickle(const std::string& what) {
    throw UserError(one_line(what) +
                    ", which is not read; run in its folder, this converts it offline: python3 -c 'import glob, torch; "
                    "from safetensors.torch import save_file; "
                    "weights = {k: v.contiguous().clone() for f in glob.glob(\"pytorch_model*.bin\")"
                    " for k, v in torch.load(f, map_location=\"cpu\", weights_only=True).items()}; "
                    "save_file(weights, \"model.safetensors\", metadata={\"format\": \"pt\"})'");
}

bool is_pickle(const std::string& path) {
    const std::string ending = fs::path(path).extension().string();
    return ending == ".bin" || ending == ".pt" || ending == ".pth";
}

[[noreturn]] void fail_without_weights(const std::string& folder) {
    for (const char* name : {"pytorch_model.bin", "pytorch_model.bin.index.json"})
        if (exists(folder + "/" + name)) fail_with_pickle(folder + ": has only " + name);
    fail(folder, std::string("has neither ") + kSingleFile + " nor " + kIndexFile);
}

}  // namespace

ForeignCheckpoint ForeignCheckpoint::open(const std::string& source, const std::string& config_path) {
    ForeignCheckpoint checkpoint;
    checkpoint.path_ = source;
    std::error_code error;
    const bool folder = fs::is_directory(source, error);
    if (!exists(source)) fail(source, "no such file or folder");
    if (!folder && is_pickle(source)) fail_with_pickle(source + ": is a PyTorch file");
    if (!folder && config_path.empty()) fail(source, "is a single file; name its config with --config config.json");
    const std::string config = config_path.empty() ? source + "/config.json" : config_path;
    if (!exists(config))
        fail(config, "no such file; a released checkpoint has its config there (or give --config FILE)");
    checkpoint.config_ = load_json(config, kMaxConfigBytes);
    if (!folder)
        checkpoint.add_file(source);
    else if (exists(source + "/" + kSingleFile))
        checkpoint.add_file(source + "/" + kSingleFile);
    else if (exists(source + "/" + kIndexFile))
        checkpoint.add_shards(source, source + "/" + kIndexFile);
    else
        fail_without_weights(source);
    return checkpoint;
}

void ForeignCheckpoint::add_file(const std::string& path) {
    shards_.push_back(SafetensorsFile::open(path));
    const SafetensorsFile& file = shards_.back();
    const auto format = file.metadata().find("format");
    if (format != file.metadata().end() && format->second.rfind("whorl", 0) == 0)
        fail(path, "is a Whorl checkpoint already; there is nothing to import");
    for (const StoredTensor& tensor : file.tensors())
        if (!shard_of_.emplace(tensor.name, shards_.size() - 1).second)
            fail(path, in_quotes(tensor.name) + ": is in two files of the checkpoint");
}

void ForeignCheckpoint::add_shards(const std::string& folder, const std::string& index) {
    const Document document = load_json(index, kMaxIndexBytes);
    const Value* map = find(document.root, "weight_map");
    const Table* weights = map ? std::get_if<Table>(&map->data) : nullptr;
    if (weights == nullptr || weights->empty()) fail(index, "weight_map: expected a table of tensors and their files");
    std::set<std::string> files;
    for (const auto& [name, file] : *weights) {
        const auto* text = std::get_if<std::string>(&file.data);
        // A plain name: an index must not lead out of its folder.
        if (text == nullptr || text->empty() || fs::path(*text).filename() != *text || *text == "..")
            fail(index, "weight_map." + name + ": expected the name of a file in the same folder");
        files.insert(*text);
    }
    for (const std::string& file : files) add_file(folder + "/" + file);
    for (const auto& [name, file] : *weights) {
        const std::string& expected = folder + "/" + std::get<std::string>(file.data);
        if (!contains(name) || file_of(name) != expected) fail(index, "weight_map." + name + ": is not in " + expected);
    }
}

std::vector<std::string> ForeignCheckpoint::names() const {
    std::vector<std::string> all;
    for (const auto& [name, shard] : shard_of_) all.push_back(name);
    return all;
}

const SafetensorsFile& ForeignCheckpoint::shard(const std::string& name) const {
    const auto found = shard_of_.find(name);
    if (found == shard_of_.end()) fail(path_, name + ": is missing from the checkpoint" + suggestion(name, names()));
    return shards_[found->second];
}

const StoredTensor& ForeignCheckpoint::at(const std::string& name) const {
    const StoredTensor& tensor = shard(name).at(name);
    if (!is_floating(tensor.type))
        fail(file_of(name),
             name + ": has elements of type " + name_of(tensor.type) + "; expected F32, BF16, F16 or F64");
    return tensor;
}

const std::string& ForeignCheckpoint::file_of(const std::string& name) const {
    return shard(name).path();
}

std::vector<double> ForeignCheckpoint::read(const std::string& name) const {
    return shard(name).read_as<double>(at(name).name);
}

}  // namespace whorl::interchange
