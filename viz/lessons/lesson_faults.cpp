#include "viz/lessons/lesson_faults.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "viz/lessons/condition.hpp"
#include "viz/lessons/dimming.hpp"
#include "viz/lessons/live_number.hpp"
#include "viz/lessons/marked_text.hpp"
#include "viz/lessons/stage.hpp"
#include "viz/plot/text_runs.hpp"

namespace whorl::viz {
namespace {

void add_asked(std::vector<std::string>& texts, const std::optional<LessonQuestion>& question) {
    if (!question) return;
    texts.push_back(question->ask);
    texts.insert(texts.end(), question->choices.begin(), question->choices.end());
}

/// What a step says first, and what it says once the student has done what it asks.
std::vector<std::string> first_texts(const LessonStep& step) {
    std::vector<std::string> texts = {step.say, step.task};
    add_asked(texts, step.predict);
    return texts;
}
std::vector<std::string> last_texts(const LessonStep& step) {
    std::vector<std::string> texts;
    add_asked(texts, step.check);
    for (const std::optional<LessonQuestion>* question : {&step.predict, &step.check})
        if (*question) texts.push_back((*question)->why);
    return texts;
}

std::vector<std::string> texts_of(const LessonStep& step) {
    std::vector<std::string> texts = first_texts(step), last = last_texts(step);
    texts.insert(texts.end(), last.begin(), last.end());
    return texts;
}

void check_texts(const LessonStep& step, const Glossary& glossary) {
    for (const std::string& text : texts_of(step))
        for (const TextPiece& piece : pieces_of(text)) {
            if (piece.live) check_live_name(piece.text);
            if (piece.word.empty() || glossary.count(piece.word) > 0) continue;
            std::vector<std::string> words;
            for (const auto& [word, line] : glossary) words.push_back(word);
            throw UserError("no gloss for " + in_quotes(piece.word) + suggestion(piece.word, words));
        }
}

void check_allowed(const LessonStep& step) {
    const std::vector<std::string> names = allowed_names();
    for (const std::string& name : step.allow)
        if (std::find(names.begin(), names.end(), name) == names.end())
            throw UserError("allow: unknown " + in_quotes(name) + suggestion(name, names));
}

void check_state(const LessonStep& step) {
    const ReadLink link = read_link("whorl:1?" + step.state);
    if (!link.notes.empty()) throw UserError(link.notes.front());
    desk_view(link.state.view);
}

/// A need without a space is meant as a lesson's name.
void check_needs(const Lesson& lesson) {
    std::vector<std::string> names;
    for (const LessonFile& file : lesson_files()) names.emplace_back(file.name);
    for (const std::string& need : lesson.needs)
        if (need.find(' ') == std::string::npos && !is_lesson(need))
            throw UserError("needs: unknown lesson " + in_quotes(need) + suggestion(need, names));
}

/// Live numbers of `text` that the scene does not have.
void add_unknown_numbers(std::vector<std::string>& faults, const std::string& text, const Scene& scene) {
    for (const TextPiece& piece : pieces_of(text))
        if (piece.live && live_number(piece.text, scene).text == LiveNumber{}.text)
            faults.push_back("{" + piece.text + "} says nothing in this view");
}

/// What a condition is about, as `allow` calls it; "" for what follows from something else.
std::string thing_of(const Condition& condition) {
    if (condition.name == "text" || condition.name == "tokens") return "type";
    if (condition.name == "shown") return "show";
    if (condition.name == "trained") return "train";
    const std::vector<std::string> names = allowed_names();
    return std::find(names.begin(), names.end(), condition.name) != names.end() ? condition.name : "";
}

/// Done before it is begun, not to be done, or forbidden.
void add_task_faults(std::vector<std::string>& faults, Desk& desk, const LessonStep& step, const Scene& scene) {
    if (step.done.empty()) return;
    const Condition condition = read_condition(step.done);
    const std::string named = "done = " + in_quotes(step.done), thing = thing_of(condition);
    if (is_met(condition, scene)) faults.push_back(named + " is met before anything is done");
    if (!thing.empty() && !allows(step, Stage::act, thing))
        faults.push_back(named + " cannot be done: allow leaves out " + in_quotes(thing));
    const ViewState reached = state_when_done(step, scene.state);
    if (reached != scene.state && !is_met(condition, scene_of(desk, reached)))
        faults.push_back(named + " cannot be reached from here");
}

void add_unknown_panels(std::vector<std::string>& faults, const std::string& key, const std::vector<std::string>& names,
                        const std::vector<std::string>& panels) {
    for (const std::string& name : names)
        if (std::none_of(panels.begin(), panels.end(), [&](const std::string& panel) { return is_part(panel, name); }))
            faults.push_back(key + ": this view has no panel " + in_quotes(name) + suggestion(name, panels));
}

void add_faults(StepFinding& finding, Desk& desk, const LessonStep& step, const Scene& scene) {
    for (const std::string& text : first_texts(step)) add_unknown_numbers(finding.faults, text, scene);
    std::vector<std::string> panels = panel_names(*scene.figure);
    add_unknown_panels(finding.faults, "show", step.show, panels);
    panels.emplace_back("claim");
    add_unknown_panels(finding.faults, "hide", step.hide, panels);
    add_task_faults(finding.faults, desk, step, scene);
    const Scene reached = scene_of(desk, state_when_done(step, scene.state));
    for (const std::string& text : last_texts(step)) add_unknown_numbers(finding.faults, text, reached);
}

}  // namespace

void check_lesson(const Lesson& lesson, const std::string& source) {
    std::string place = source + ": ";
    try {
        check_needs(lesson);
        const Glossary glossary = glossary_with(lesson.gloss);
        for (std::size_t i = 0; i < lesson.steps.size(); ++i) {
            const LessonStep& step = lesson.steps[i];
            place = source + ": step " + std::to_string(i + 1) + ": ";
            check_state(step);
            check_allowed(step);
            if (!step.done.empty()) read_condition(step.done);
            check_texts(step, glossary);
        }
    } catch (const UserError& error) {
        throw UserError(place + error.what());
    }
}

std::vector<StepFinding> play_through(Desk& desk, const Lesson& lesson, const std::string& name) {
    std::vector<StepFinding> findings;
    for (std::size_t i = 0; i < lesson.steps.size(); ++i) {
        StepFinding finding;
        const ViewState state = state_of_step(lesson, name, static_cast<std::int64_t>(i));
        try {
            if (!desk_view(state.view).live) {
                finding.claim = plot::plain_text(desk.figure(state).claim);
                add_faults(finding, desk, lesson.steps[i], scene_of(desk, state));
            }
        } catch (const UserError& error) {
            finding.faults.push_back(std::string("cannot be shown: ") + error.what());
        }
        findings.push_back(std::move(finding));
    }
    return findings;
}

}  // namespace whorl::viz
