#include "viz/lessons/recording.hpp"

#include <filesystem>

#include "core/base/error.hpp"
#include "core/io/atomic_file.hpp"
#include "viz/lessons/lesson.hpp"
#include "viz/plot/text_runs.hpp"

namespace whorl::viz {
namespace {

constexpr const char* kBeginning =
    "# docs/lessons.md says what else a step can hold. `whorl view --check FILE` judges it.\n"
    "title = \"A new lesson\"\nminutes = 5\nneeds = []\n";

/// The state behind the scheme, without what belongs to a student or a screen.
std::string recorded_state(ViewState state) {
    const ViewState fresh;
    state.lesson = fresh.lesson;
    state.step = fresh.step;
    state.answer = fresh.answer;
    state.theme = fresh.theme;
    state.scale = fresh.scale;
    const std::string link = link_of(state);
    return link.substr(link.find('?') + 1);
}

/// Letters that a lesson's texts give a meaning.
std::string without_marks(const std::string& text) {
    std::string plain;
    for (const char letter : text)
        if (letter != '{' && letter != '[') plain += letter;
    return plain;
}

}  // namespace

std::size_t append_step(const std::string& path, Desk& desk, const ViewState& state) {
    if (std::filesystem::path(path).extension() != ".toml")
        throw UserError("--record " + path + ": a lesson's name ends in .toml");
    std::string text = std::filesystem::exists(path) ? read_text_file(path, kMaxConfigBytes) : kBeginning;
    if (!text.empty() && text.back() != '\n') text += '\n';
    const std::string said = desk_view(state.view).live ? "" : plot::plain_text(desk.figure(state).claim);
    Table step;
    step.push_back({"state", {recorded_state(state)}});
    step.push_back({"say", {without_marks(said)}});
    text += "\n[[step]]\n" + write_toml({step});
    const std::size_t count = read_lesson(text, path).steps.size();
    write_file(path, text);
    return count;
}

}  // namespace whorl::viz
