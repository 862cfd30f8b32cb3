// The lesson in the window, and what is remembered of all lessons.
#pragma once

#include <map>
#include <string>

#include "viz/lessons/glossary.hpp"
#include "viz/lessons/lesson.hpp"
#include "viz/lessons/lesson_book.hpp"

namespace whorl::view {

struct Taught {
    std::string name;  // of `lesson`; "": none was read
    viz::Lesson lesson{};
    viz::Glossary glossary{};
    std::string guess{};  // digits of a number that is being typed
    std::string word{};   // whose gloss is open
    std::string asked{};  // the step and stage that were shown last: a new one is scrolled to
    int scrolling = 0;    // frames for which that goes on
    /// Of the list, read once: title, minutes, steps, and what comes before.
    struct Row {
        viz::Lesson lesson;
        std::string needs;
    };
    std::map<std::string, Row> rows{};
    viz::LessonBook book{};
    std::string file{};  // of the book; "": it is not kept
};

}  // namespace whorl::view
