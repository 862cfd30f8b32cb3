#include "viz/lessons/lesson.hpp"

#include <algorithm>
#include <filesystem>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/atomic_file.hpp"
#include "viz/lessons/lesson_faults.hpp"

namespace whorl::viz {
namespace {

std::vector<std::string> lesson_names() {
    std::vector<std::string> names;
    for (const LessonFile& file : lesson_files()) names.emplace_back(file.name);
    return names;
}

const LessonFile* find_lesson(const std::string& name) {
    const auto& files = lesson_files();
    const auto found =
        std::find_if(files.begin(), files.end(), [&](const LessonFile& file) { return name == file.name; });
    return found == files.end() ? nullptr : &*found;
}

}  // namespace

bool is_lesson(const std::string& name) {
    return find_lesson(name) != nullptr;
}

Lesson read_lesson(const std::string& text, const std::string& source) {
    Lesson lesson = read_config<Lesson>(parse_toml(text, source));
    check_lesson(lesson, source);
    return lesson;
}

Lesson load_lesson(const std::string& name) {
    if (const LessonFile* file = find_lesson(name)) return read_lesson(file->text, name);
    if (std::filesystem::path(name).extension() == ".toml")
        return read_lesson(read_text_file(name, kMaxConfigBytes), name);
    throw UserError("unknown lesson " + in_quotes(name) + suggestion(name, lesson_names()));
}

std::string needs_text(const Lesson& lesson) {
    std::string text;
    for (const std::string& need : lesson.needs) {
        std::string said = need;
        if (const LessonFile* file = find_lesson(need)) said = read_lesson(file->text, need).title;
        text += (text.empty() ? "" : "; ") + said;
    }
    return text;
}

ViewState state_of_step(const Lesson& lesson, const std::string& name, std::int64_t step, const ViewState& look) {
    const auto count = static_cast<std::int64_t>(lesson.steps.size());
    const std::int64_t at = std::clamp<std::int64_t>(step, 0, count - 1);
    ViewState state = read_link("whorl:1?" + lesson.steps[static_cast<std::size_t>(at)].state).state;
    state.theme = look.theme;
    state.scale = look.scale;
    state.lesson = name;
    state.step = at + 1;
    return state;
}

}  // namespace whorl::viz
