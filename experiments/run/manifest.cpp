#include "experiments/run/manifest.hpp"

#include <fstream>

#include "core/io/atomic_file.hpp"

#ifndef WHORL_VERSION
#define WHORL_VERSION "unknown"
#endif

namespace whorl {

extern const char* const kCommit;  // in a file that the build makes, see cmake/GitCommit.cmake

namespace {

constexpr std::uint64_t kMaxManifestBytes = 1 << 20;

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

template <class T>
T member(const Value& table, const char* key, T fallback) {
    const Value* value = find(table, key);
    const T* held = value ? std::get_if<T>(&value->data) : nullptr;
    return held ? *held : fallback;
}

}  // namespace

BuildInfo build_info() {
    return {WHORL_VERSION, kCommit, compiler_name()};
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
        {"processor", text(processor_name())},
        {"device", text(device)},
        {"precision", text("float32")},
        {"determinism", text(name_of(*setup.config.determinism))},
        {"task", text(setup.data->name())},
        {"task_version", {std::int64_t{setup.data->version()}}},
        {"replicas", {grid.count()}},
        {"seeds",
         {Table{{"first", {grid.first_seed}}, {"count", {grid.seeds}}, {"evaluation", {setup.config.test.seed}}}}},
    }};
    run.write_manifest(write_json(manifest, 2) + "\n");
}

RunStatus load_status(const RunDirectory& run) {
    RunStatus status;
    if (!std::ifstream(run.manifest_path())) return status;
    const Document manifest = parse_json(read_text_file(run.manifest_path(), kMaxManifestBytes), run.manifest_path());
    status.status = member(manifest.root, "status", status.status);
    status.step = member(manifest.root, "step", status.step);
    status.alive = member(manifest.root, "alive", status.alive);
    status.solved = member(manifest.root, "solved", status.solved);
    status.seconds = member(manifest.root, "seconds", status.seconds);
    return status;
}

}  // namespace whorl
