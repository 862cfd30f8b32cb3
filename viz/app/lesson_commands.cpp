#include "viz/app/lesson_commands.hpp"

#include <cstdio>
#include <filesystem>

#include "core/base/text.hpp"
#include "core/io/atomic_file.hpp"
#include "viz/app/settings.hpp"
#include "viz/lessons/handout.hpp"
#include "viz/lessons/lesson_book.hpp"
#include "viz/lessons/lesson_faults.hpp"
#include "viz/lessons/recording.hpp"

namespace whorl::view {

int check_lesson_file(const std::string& name) {
    const viz::Lesson lesson = viz::load_lesson(name);
    viz::Desk desk;
    int status = 0;
    std::size_t place = 0;
    for (const viz::StepFinding& found : viz::play_through(desk, lesson, name)) {
        const std::string said = found.claim.empty() && found.faults.empty() ? "(live)" : found.claim;
        std::printf("step %zu: %s\n", ++place, one_line(said).c_str());
        for (const std::string& fault : found.faults) {
            std::printf("step %zu: wrong: %s\n", place, one_line(fault).c_str());
            status = 2;
        }
    }
    return status;
}

void write_handout(const std::string& name) {
    viz::Desk desk;
    const std::string path = std::filesystem::path(name).stem().string() + ".html";
    write_file(path, viz::handout(desk, name));
    std::printf("%s\n", path.c_str());
}

void record_step(const std::string& path, const viz::ViewState& state) {
    viz::Desk desk;
    const std::size_t count = viz::append_step(path, desk, state);
    std::printf("%s: step %zu\n", path.c_str(), count);
}

void write_predictions(const std::string& path) {
    const viz::LessonBook book = viz::read_lesson_book(lesson_book_path());
    write_file(path, viz::predictions_csv(book));
    std::printf("%s: %zu answers\n", path.c_str(), book.predictions.size());
}

}  // namespace whorl::view
