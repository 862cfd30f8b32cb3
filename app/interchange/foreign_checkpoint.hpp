// A released checkpoint on disk: config.json and the safetensors file, or files, beside it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/config/value.hpp"
#include "core/io/safetensors.hpp"

namespace whorl::interchange {

class ForeignCheckpoint {
public:
    /// `source`: a folder with config.json and either model.safetensors or model.safetensors.index.json with its
    /// shards; or a .safetensors file, whose config `config_path` then names. `config_path` (may be empty) replaces the
    /// folder's config.json. Throws UserError naming the file that is missing, damaged or of another kind.
    static ForeignCheckpoint open(const std::string& source, const std::string& config_path);

    const Document& config() const { return config_; }
    const std::string& path() const { return path_; }
    std::vector<std::string> names() const;
    bool contains(const std::string& name) const { return shard_of_.count(name) > 0; }
    /// Throws UserError, with the nearest name, when no file holds it or when its elements are not floating-point
    /// numbers.
    const StoredTensor& at(const std::string& name) const;
    /// The path of the file that holds a tensor, for messages.
    const std::string& file_of(const std::string& name) const;
    /// All elements; bf16, f16 and f32 convert exactly.
    std::vector<double> read(const std::string& name) const;

private:
    void add_file(const std::string& path);
    void add_shards(const std::string& folder, const std::string& index);
    const SafetensorsFile& shard(const std::string& name) const;

    std::string path_;
    Document config_;
    std::vector<SafetensorsFile> shards_;
    std::map<std::string, std::size_t> shard_of_;  // tensor → index into shards_
};

}  // namespace whorl::interchange
