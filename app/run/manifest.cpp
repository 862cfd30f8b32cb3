#include "app/run/manifest.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "app/run/config_difference.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/config/config_binding.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/toml_file.hpp"

namespace whorl {

// In a file that the build makes, see cmake/BuildInfo.cmake.
extern const char* const kVersion;
extern const char* const kCommit;
extern const char* const kBuildType;
extern const char* const kBuildTarget;
extern const char* const kBuildGpu;

namespace {

constexpr const char* kPromisedTarget = "x86-64-v3";
constexpr const char* kProcessorDevice = "CPU";  // how CpuBackend describes itself
constexpr std::uint64_t kMaxManifestBytes = 1 << 22;

std::string compiler_name() {
#ifdef __clang__
    return __VERSION__;
#else
    return "GCC " __VERSION__;
#endif
}

std::string processor_name() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);)
        if (line.rfind("model name", 0) == 0 && line.find(": ") != std::string::npos)
            return line.substr(line.find(": ") + 2);
    return "unknown";
}

Value text(const std::string& value) {
    return {value};
}

// Keys that the manifest lacks keep their value, those that it alone knows are left aside: it may be of another
// version.
template <class T>
void read_member(const Document& manifest, const char* key, T& target, const Limits& limits = {}) {
    if (const Value* value = find(manifest.root, key))
        ConfigReader::read(*value, Place{&manifest.source, key}, target, limits);
}

std::optional<Document> read_manifest(const RunDirectory& run) {
    if (std::error_code error; !std::filesystem::exists(run.manifest_path(), error)) return std::nullopt;
    return parse_json(read_text_file(run.manifest_path(), kMaxManifestBytes), run.manifest_path());
}

// "CPU, 2 threads" → "CPU": the number of threads changes no bit.
std::string without_threads(const std::string& device) {
    const std::size_t comma = device.rfind(", ");
    const bool threads = comma != std::string::npos && device.find(" thread", comma) != std::string::npos;
    return threads ? device.substr(0, comma) : device;
}

Value texts(const std::vector<std::string>& values) {
    Array items;
    for (const std::string& value : values) items.emplace_back(value);
    return {std::move(items)};
}

Table to_table(const Origin& origin) {
    return {{"version", text(origin.build.version)},   {"commit", text(origin.build.commit)},
            {"compiler", text(origin.build.compiler)}, {"target", text(origin.build.target)},
            {"processor", text(origin.processor)},     {"device", text(origin.device)}};
}

}  // namespace

Origin origin_here(const std::string& device) {
    return {build_info(), processor_name(), without_threads(device)};
}

std::string Origin::text() const {
    return "whorl " + build.version + ", commit " + build.commit + ", " + build.compiler + ", on " + processor + ", " +
           device;
}

std::optional<Origin> stored_origin(const RunDirectory& run) {
    const std::optional<Document> manifest = read_manifest(run);
    if (!manifest) return std::nullopt;
    const auto get = [&](const char* key) {
        std::string value;
        read_member(*manifest, key, value);
        return value;
    };
    return Origin{{get("version"), get("commit"), get("compiler"), "", get("target"), ""},
                  get("processor"),
                  without_threads(get("device"))};
}

std::string origin_differences(const Origin& there, const Origin& here) {
    Origin known = there;
    if (there.same_build() && here.same_build()) {
        known.build.compiler = here.build.compiler;
        known.processor = here.processor;
    }
    return difference_text(config_differences({to_table(known)}, {to_table(here)}));
}

BuildInfo build_info() {
    return {kVersion, kCommit, compiler_name(), kBuildType, kBuildTarget, kBuildGpu};
}

std::string version_text(const BuildInfo& build) {
    return "whorl " + build.version + ", commit " + build.commit + ", " + build.compiler + ", " + build.type + ", " +
           build.target + ", " + (build.gpu.empty() ? "no GPU code" : build.gpu);
}

std::string why_own_bits(const BuildInfo& build) {
    if (build.target == kPromisedTarget) return "";
    return "this build is for " + build.target + " processors: its bits are its own, the promise is for " +
           kPromisedTarget;
}

bool Origin::same_build() const {
    return device == kProcessorDevice && why_own_bits(build).empty();
}

std::string determinism_text(const RunSetup& setup, const std::string& device) {
    const std::string level = name_of(*setup.config.determinism);
    return origin_here(device).same_build() ? level + ", same_build" : level;
}

void save_manifest(const RunDirectory& run, const RunSetup& setup, const std::string& device, const RunStatus& status) {
    const BuildInfo build = build_info();
    const ReplicaGrid& grid = setup.config.replicas;
    const Value manifest{Table{
        {"format", {std::int64_t{1}}},
        {"name", text(setup.config.name)},
        {"status", text(status.status)},
        {"step", {status.step}},
        {"alive", {status.alive}},
        {"solved", {status.solved}},
        {"seconds", {status.seconds}},
        {"version", text(build.version)},
        {"commit", text(build.commit)},
        {"compiler", text(build.compiler)},
        {"build_type", text(build.type)},
        {"target", text(build.target)},
        {"processor", text(processor_name())},
        {"device", text(device)},
        {"devices", {status.devices}},
        {"snapshots", {status.snapshots}},
        {"data_parallel", {setup.config.training.data_parallel}},
        {"earlier", texts(status.earlier)},
        {"precision", text(name_of(setup.config.precision.matmul))},
        {"storage", text(name_of(setup.config.precision.storage))},
        {"determinism", text(determinism_text(setup, device))},
        {"task", text(setup.data->name())},
        {"task_version", {std::int64_t{setup.data->version()}}},
        {"replicas", {grid.count()}},
        {"seeds",
         {Table{{"first", {grid.first_seed}}, {"count", {grid.seeds}}, {"evaluation", {setup.config.test.seed}}}}},
        {"config", to_value(setup.config)},
    }};
    run.write_manifest(write_json(manifest, 2) + "\n");
}

RunStatus load_status(const RunDirectory& run) {
    RunStatus status;
    const std::optional<Document> manifest = read_manifest(run);
    if (!manifest) return status;
    const std::vector<std::string> known = {"running", "interrupted", "finished"};
    status.status = known.front();
    read_member(*manifest, "status", status.status);
    if (std::find(known.begin(), known.end(), status.status) == known.end())
        throw UserError(one_line(manifest->source + ": status: unknown value " + in_quotes(status.status) +
                                 suggestion(status.status, known)));
    read_member(*manifest, "step", status.step, at_least(0));
    read_member(*manifest, "alive", status.alive, at_least(0));
    read_member(*manifest, "solved", status.solved, at_least(0));
    read_member(*manifest, "seconds", status.seconds, at_least(0));
    read_member(*manifest, "earlier", status.earlier);
    return status;
}

/// What config.toml says. One that means nothing here may be of another version, which an error then says.
static RunSetup configured(const RunDirectory& run, const std::optional<Document>& manifest) {
    try {
        return set_up(load_toml(run.config_path()));
    } catch (const UserError& error) {
        std::string version;
        if (manifest) read_member(*manifest, "version", version);
        if (version.empty() || version == kVersion) throw;
        throw UserError(
            one_line(std::string(error.what()) + "; the run is of whorl " + version + ", this is whorl " + kVersion));
    }
}

RunSetup load_setup(const RunDirectory& run, std::vector<std::string>* notes) {
    const std::optional<Document> manifest = read_manifest(run);
    RunSetup setup = configured(run, manifest);
    const Value* began = manifest ? find(manifest->root, "config") : nullptr;
    if (manifest && began == nullptr && notes != nullptr)
        notes->push_back(manifest->source + ": holds no copy of the run's config, as an earlier version wrote it: a " +
                         "change of config.toml would not be noticed");
    if (began == nullptr) return setup;
    // Both sides resolved by this version: keys that it added since then differ on neither.
    const RunSetup there = set_up({*began, manifest->source + ": config"});
    const auto changed = config_differences(to_value(there.config), to_value(setup.config));
    if (!changed.empty())
        throw UserError(one_line(run.config_path() + ": was changed after the run began, as manifest.json shows: " +
                                 difference_text(changed) + "; put it back, or train anew: whorl train " +
                                 run.config_path() + " --out OTHER"));
    return setup;
}

}  // namespace whorl
