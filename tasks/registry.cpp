#include "tasks/registry.hpp"

#include "core/base/error.hpp"
#include "core/io/text.hpp"

namespace whorl {
namespace {

template <class T>
class TaskSource final : public DataSource {
public:
    explicit TaskSource(const T& task) : task_(task) {}
    std::string name() const override { return config_type(task_); }
    int version() const override { return T::kVersion; }
    std::int64_t vocabulary() const override { return task_.vocabulary(); }
    double chance() const override { return task_.chance(); }
    std::int64_t min_size() const override { return task_.min_size(); }
    std::int64_t positions(std::int64_t size) const override { return task_.positions(size); }
    std::int64_t slots(std::int64_t length) const override { return task_.slots(length); }
    std::int64_t generate(const SampleKey& key, const SampleView& out) const override {
        return task_.generate(key, out);
    }

private:
    T task_;
};

template <class... T>
std::vector<Task> defaults(const std::variant<T...>&) {
    return {T{}...};
}

}  // namespace

const std::vector<Task>& all_tasks() {
    static const std::vector<Task> tasks = defaults(Task{});
    return tasks;
}

const Task& find_task(const std::string& name) {
    std::vector<std::string> names;
    for (const Task& task : all_tasks()) {
        if (name_of_task(task) == name) return task;
        names.push_back(name_of_task(task));
    }
    throw UserError("unknown task " + in_quotes(name) + suggestion(name, names));
}

std::string name_of_task(const Task& task) {
    return std::visit([](const auto& one) { return std::string(config_type(one)); }, task);
}

int version_of_task(const Task& task) {
    return std::visit([](const auto& one) { return one.kVersion; }, task);
}

std::string about_task(const Task& task) {
    return std::visit([](const auto& one) { return std::string(one.about()); }, task);
}

std::string token_text(const Task& task, std::int32_t token) {
    return std::visit([token](const auto& one) { return one.token_text(token); }, task);
}

std::unique_ptr<DataSource> make_data_source(const Task& task) {
    return std::visit(
        [](const auto& one) -> std::unique_ptr<DataSource> {
            return std::make_unique<TaskSource<std::decay_t<decltype(one)>>>(one);
        },
        task);
}

Task read_task(const Value& value, const Place& place) {
    Task task;
    ConfigReader::read(value, place, task);
    return task;
}

}  // namespace whorl
