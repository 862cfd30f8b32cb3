#include "app/run/model_task.hpp"

#include <filesystem>

#include "app/run/manifest.hpp"

namespace whorl {

std::optional<Task> task_of_model(const LoadedModel& model, const std::string& path) {
    if (!model.task.empty()) {
        const std::string source = model.path + ": __metadata__.task";
        const Document document = parse_json(model.task, source);
        return read_task(document.root, Place{&document.source, ""});
    }
    const std::filesystem::path given = path;
    for (const auto& folder : {given, given.parent_path().parent_path()})
        if (RunDirectory::exists(folder.string())) return load_setup(RunDirectory::open(folder.string())).task;
    return std::nullopt;
}

std::string stored_task(const Task& task) {
    return write_json(to_value(task));
}

}  // namespace whorl
