#include "app/cli/outputs.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/run_directory.hpp"

namespace whorl::cli {
namespace {

namespace fs = std::filesystem;

void add_files_below(const std::string& folder, std::vector<std::string>& files) {
    std::error_code error;
    for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
        if (at->is_regular_file(error)) files.push_back(at->path().string());
}

void add_files_of_run(const std::string& path, std::vector<std::string>& files) {
    for (const char* name : {"config.toml", "manifest.json", "metrics.jsonl"}) files.push_back(path + "/" + name);
    add_files_below(path + "/checkpoints", files);
}

}  // namespace

void refuse_own_inputs(const std::string& out, const std::vector<std::string>& written,
                       const std::vector<std::string>& read) {
    std::error_code error;
    for (const std::string& target : written)
        for (const std::string& input : read)
            if (!fs::is_directory(target, error) && fs::equivalent(target, input, error))
                throw UserError(one_line(fmt::format(
                    "--out {}: would replace {}, which this command reads; choose another name", out, input)));
}

std::vector<std::string> files_of_model(const std::string& path) {
    std::error_code error;
    const fs::path folder = fs::is_directory(path, error) ? fs::path(path) : fs::absolute(path, error).parent_path();
    std::vector<std::string> files = {path};
    for (const char* name : {"model.safetensors", "optimizer.safetensors", "state.json", "checksums.json"})
        if (fs::is_directory(path, error) || fs::exists(folder / "checksums.json", error))
            files.push_back((folder / name).string());
    for (const fs::path& run : {folder, folder / ".." / ".."})
        if (RunDirectory::exists(run.string())) add_files_of_run(run.string(), files);
    return files;
}

void require_safetensors_name(const std::string& out) {
    if (fs::path(out).extension() != ".safetensors")
        throw UserError("--out " + in_quotes(out) + ": the name must end in .safetensors, which is what is written");
}

}  // namespace whorl::cli
