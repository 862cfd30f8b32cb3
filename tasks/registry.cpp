#include "tasks/registry.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

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
    std::int64_t answers() const override { return task_.answers(); }
    std::int64_t answer_tokens() const override { return task_.answer_tokens(); }
    bool in_bits() const override {
        if constexpr (requires { T::kInBits; })
            return T::kInBits;
        else
            return false;
    }
    std::optional<double> ideal_loss(std::span<const std::int32_t> tokens,
                                     std::span<const std::int32_t> targets) const override {
        if constexpr (requires { task_.ideal_loss(tokens, targets); })
            return task_.ideal_loss(tokens, targets);
        else
            return std::nullopt;
    }
    std::int64_t generate(const SampleKey& key, const SampleView& out) const override {
        return task_.generate(key, out);
    }
    std::unique_ptr<DeviceBatch> on_device(Backend& backend, std::int64_t length) const override {
        return make_device_batch(task_, backend, length);
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

Task find_task(const std::string& name, const std::vector<std::string>& assignments) {
    Document document{to_value(find_task(name)), "--set"};
    for (const std::string& assignment : assignments) apply_override(document, assignment);
    return read_task(document.root, Place{&document.source, ""});
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

std::string example_text(const Task& task, const Example& example) {
    return std::visit(
        [&](const auto& one) -> std::string {
            if constexpr (requires { one.example_text(example); })
                return one.example_text(example);
            else
                return "";
        },
        task);
}

std::int64_t check_size(const Task& task, std::int64_t size, const std::string& where) {
    const std::int64_t least = std::visit([](const auto& one) { return one.min_size(); }, task);
    const std::int64_t possible = std::clamp(size, least, kLargestTaskSize);
    if (possible != size)
        throw UserError(where + ": " + std::to_string(size) + " is no size of " + name_of_task(task) +
                        "; the nearest is " + std::to_string(possible));
    return size;
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
    if (auto* text = std::get_if<ByteText>(&task)) text->open(value, place);
    return task;
}

}  // namespace whorl
