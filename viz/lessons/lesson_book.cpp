#include "viz/lessons/lesson_book.hpp"

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "core/io/atomic_file.hpp"
#include "viz/lessons/answer.hpp"
#include "viz/lessons/marked_text.hpp"

namespace whorl::viz {
namespace {

constexpr std::size_t kMostPredictions = 2000;  // some 400 bytes each: the file stays one that can be read back

std::string time_now() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[32];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

/// RFC 4180: in quotes where it must be.
std::string csv_cell(const std::string& text) {
    if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char letter : text) quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
    return quoted + "\"";
}

}  // namespace

std::int64_t LessonBook::steps_done(const std::string& lesson) const {
    for (const LessonProgress& one : progress)
        if (one.lesson == lesson) return one.steps;
    return 0;
}

void LessonBook::reach(const std::string& lesson, std::int64_t steps) {
    for (LessonProgress& one : progress)
        if (one.lesson == lesson) {
            one.steps = std::max(one.steps, steps);
            return;
        }
    progress.push_back({lesson, steps});
}

void LessonBook::take(const std::string& lesson, std::int64_t step, const LessonQuestion& question,
                      const std::string& answer) {
    const std::optional<bool> right = is_right(question, answer);
    const std::string asked = plain_words(question.ask), said = plain_words(answer_words(question, answer));
    predictions.push_back({lesson, step, asked, said, right ? *right ? "yes" : "no" : "", time_now()});
    if (predictions.size() > kMostPredictions) predictions.erase(predictions.begin());
}

LessonBook read_lesson_book(const std::string& path) {
    std::error_code error;
    if (path.empty() || !std::filesystem::exists(path, error)) return {};
    return read_config<LessonBook>(parse_toml(read_text_file(path, kMaxConfigBytes), path));
}

void write_lesson_book(const std::string& path, const LessonBook& book) {
    if (path.empty()) return;
    make_folders(std::filesystem::path(path).parent_path().string());
    write_file(path, to_toml(book));
}

std::string predictions_csv(const LessonBook& book) {
    std::string text = "lesson,step,question,answer,right,time\n";
    for (const Prediction& one : book.predictions)
        text += csv_cell(one.lesson) + "," + std::to_string(one.step) + "," + csv_cell(one.question) + "," +
                csv_cell(one.answer) + "," + one.right + "," + one.time + "\n";
    return text;
}

}  // namespace whorl::viz
