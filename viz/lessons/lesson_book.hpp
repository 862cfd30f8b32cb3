// What a student did: how far each lesson was taken, and what was answered before it was seen. Kept in one file,
// lessons.toml in the folder of settings, so that the list of lessons can show it and a teacher can read a class.
#pragma once

#include <string>
#include <vector>

#include "core/config/config_binding.hpp"
#include "viz/lessons/lesson.hpp"

namespace whorl::viz {

struct Prediction {
    std::string lesson;
    std::int64_t step = 1;
    std::string question, answer;
    std::string right;  // "yes" or "no"; "" for a bet
    std::string time;   // "2026-01-31T12:00:00Z"
};
template <class V>
void describe(V& v, Prediction& p) {
    v.field("lesson", p.lesson);
    v.field("step", p.step);
    v.field("question", p.question);
    v.field("answer", p.answer);
    v.field("right", p.right);
    v.field("time", p.time);
}

/// How far a lesson was taken: its steps that are done.
struct LessonProgress {
    std::string lesson;
    std::int64_t steps = 0;
};
template <class V>
void describe(V& v, LessonProgress& p) {
    v.field("lesson", p.lesson);
    v.field("steps", p.steps, at_least(0));
}

struct LessonBook {
    std::vector<LessonProgress> progress;
    std::vector<Prediction> predictions;  // the newest last; the oldest go where there are too many

    std::int64_t steps_done(const std::string& lesson) const;
    /// `steps` of `lesson` are done; fewer than before change nothing.
    void reach(const std::string& lesson, std::int64_t steps);
    /// `step` from 1; the time is now.
    void take(const std::string& lesson, std::int64_t step, const LessonQuestion& question, const std::string& answer);
};
template <class V>
void describe(V& v, LessonBook& b) {
    v.field("progress", b.progress);
    v.field("prediction", b.predictions);
}

/// An empty one where there is no file, or `path` is "". Throws UserError for a file that is none.
LessonBook read_lesson_book(const std::string& path);
/// Nothing where `path` is "". Throws as make_folders and AtomicFile.
void write_lesson_book(const std::string& path, const LessonBook& book);

/// lesson,step,question,answer,right,time
std::string predictions_csv(const LessonBook& book);

}  // namespace whorl::viz
