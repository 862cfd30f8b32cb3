#include "viz/lessons/handout.hpp"

#include <fmt/format.h>

#include <map>

#include "viz/lessons/answer.hpp"
#include "viz/lessons/lesson.hpp"
#include "viz/lessons/marked_text.hpp"
#include "viz/lessons/stage.hpp"
#include "viz/paint/svg.hpp"
#include "viz/paint/xml.hpp"
#include "viz/plot/place.hpp"
#include "viz/plot/text_runs.hpp"

namespace whorl::viz {
namespace {

using plot::xml_text;

constexpr const char* kStyle = R"(
:root{color-scheme:light dark;--ground:#fbfbf8;--ink:#1f2328;--soft:#62666d;--line:#d5d5cd;--card:#f4f4ef;--accent:#6b3fa0}
@media (prefers-color-scheme:dark){:root{--ground:#15171a;--ink:#e8e8e4;--soft:#a5a9b0;--line:#3a3e44;--card:#1e2125;--accent:#b99be0}}
body{margin:0 auto;padding:2rem 1.2rem;max-width:46rem;background:var(--ground);color:var(--ink);font:1rem/1.55 "DejaVu Sans",Verdana,sans-serif}
h1{font-size:1.7rem;margin:0}h2{font-size:1.1rem;margin:2.4rem 0 .4rem;color:var(--accent)}
.facts,figcaption,footer{color:var(--soft);font-size:.88rem}figure{margin:.9rem 0}
figure svg{display:block;width:100%;height:auto;border:1px solid var(--line);border-radius:6px}
.dark{display:none}a{color:inherit;text-decoration:underline dotted var(--accent)}
.ask{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.7rem 1rem}.ask p{margin:.2rem 0 .5rem}
.blank{border-bottom:1px solid var(--soft);width:8rem;text-align:right;height:1.6rem}
ol{list-style:upper-alpha;margin:.2rem 0 .6rem;padding-left:1.8rem}summary{cursor:pointer;color:var(--accent)}
dt{font-weight:bold;margin-top:.5rem}dd{margin:0 0 0 1.2rem}
@media screen and (prefers-color-scheme:dark){.dark{display:block}.light{display:none}}
@media print{:root{--ground:#fff;--ink:#000;--soft:#444;--line:#bbb;--card:#fff;--accent:#000}body{max-width:none;padding:0}
section,.ask,figure{break-inside:avoid}h2{break-after:avoid}}
)";

/// Without the ids of its marks, which other figures of the page have, too.
std::string still(const plot::Figure& figure, const char* theme) {
    plot::Drawing drawing = plot::place(figure, plot::theme(theme)).drawing;
    for (plot::Item& item : drawing.items) item.id.clear();
    return fmt::format("<div class=\"{}\">{}</div>\n", theme, plot::svg(drawing));
}

class Page {
public:
    Page(Desk& desk, const std::string& name)
        : desk_(desk), name_(name), lesson_(load_lesson(name)), glossary_(glossary_with(lesson_.gloss)) {}

    std::string text() {
        std::string body = fmt::format("<h1>{}</h1>\n<p class=\"facts\">{} minutes{}</p>\n", xml_text(lesson_.title),
                                       lesson_.minutes, before());
        for (std::size_t i = 0; i < lesson_.steps.size(); ++i) body += step(i);
        body += words();
        return fmt::format(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
            "content=\"width=device-width,initial-scale=1\">\n<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n"
            "{}<footer>In the explorer: whorl view {}</footer>\n</body>\n</html>\n",
            xml_text(lesson_.title), kStyle, body, xml_text(name_));
    }

private:
    std::string before() const {
        const std::string needs = needs_text(lesson_);
        return needs.empty() ? "" : " · before: " + xml_text(needs);
    }

    std::string marked(const std::string& text, const Scene& scene) {
        std::string html;
        for (const TextPiece& piece : pieces_of(text, scene)) {
            if (!piece.word.empty()) used_[piece.word] = glossary_.at(piece.word);
            html += piece.word.empty()
                        ? xml_text(piece.text)
                        : fmt::format("<a href=\"#{}\">{}</a>", word_id(piece.word), xml_text(piece.text));
        }
        return html;
    }

    static std::string word_id(const std::string& word) { return "word-" + plot::xml_id(word); }

    std::string figure(const ViewState& state, const std::string& caption) {
        if (desk_view(state.view).live) return "";
        const plot::Figure& shown = desk_.figure(state);
        std::string html = "<figure>\n" + still(shown, "light") + still(shown, "dark");
        if (!caption.empty()) html += "<figcaption>" + caption + "</figcaption>\n";
        return html + "</figure>\n";
    }

    std::string choices(const LessonQuestion& asked, const Scene& scene) {
        if (asked.kind != QuestionKind::choice) return "<p class=\"blank\">" + xml_text(asked.unit) + "</p>\n";
        std::string html = "<ol>";
        for (const std::string& choice : asked.choices) html += "<li>" + marked(choice, scene) + "</li>";
        return html + "</ol>\n";
    }

    static std::string verdict(const LessonQuestion& asked) {
        if (!asked.right) return "";
        if (asked.kind != QuestionKind::choice) return "<b>" + xml_text(right_words(asked)) + ".</b> ";
        return fmt::format("<b>{}.</b> ", static_cast<char>('A' + static_cast<int>(*asked.right) - 1));
    }

    std::string asked(const LessonQuestion& question, const Scene& scene) {
        return "<p>" + marked(question.ask, scene) + "</p>\n" + choices(question, scene);
    }

    /// `seen`: what comes before the answer's reason, folded with it.
    std::string folded(const LessonQuestion& question, const Scene& scene, const std::string& seen) {
        return fmt::format("<details><summary>Answer</summary>\n{}<p>{}{}</p></details>\n", seen, verdict(question),
                           marked(question.why, scene));
    }

    /// Where the student's doing leads to.
    std::string outcome(const LessonStep& step, const ViewState& first, const ViewState& last) {
        const std::string task = step.task.empty() ? "" : marked(step.task, scene_of(desk_, first));
        if (first != last) return figure(last, task);
        return task.empty() ? "" : "<p>" + task + "</p>\n";
    }

    std::string step(std::size_t i) {
        const LessonStep& taught = lesson_.steps[i];
        const ViewState first = state_of_step(lesson_, name_, static_cast<std::int64_t>(i));
        const ViewState last = state_when_done(taught, first);
        const std::string shown = figure(first, "");
        const Scene before = scene_of(desk_, first);
        std::string html = fmt::format("<section>\n<h2>{} of {}</h2>\n<p>{}</p>\n", i + 1, lesson_.steps.size(),
                                       marked(taught.say, before));
        if (taught.hide.empty()) html += shown;
        if (taught.predict) html += "<div class=\"ask\">" + asked(*taught.predict, before);
        const std::string seen = (taught.hide.empty() ? "" : shown) + outcome(taught, first, last);
        const Scene after = scene_of(desk_, last);
        html += taught.predict ? folded(*taught.predict, after, seen) + "</div>\n" : seen;
        if (taught.check)
            html += "<div class=\"ask\">" + asked(*taught.check, after) + folded(*taught.check, after, "") + "</div>\n";
        return html + "</section>\n";
    }

    std::string words() const {
        if (used_.empty()) return "";
        std::string html = "<section>\n<h2>Words</h2>\n<dl>\n";
        for (const auto& [word, line] : used_)
            html += fmt::format("<dt id=\"{}\">{}</dt><dd>{}</dd>\n", word_id(word), xml_text(word), xml_text(line));
        return html + "</dl>\n</section>\n";
    }

    Desk& desk_;
    std::string name_;
    Lesson lesson_;
    Glossary glossary_;
    std::map<std::string, std::string> used_;
};

}  // namespace

std::string handout(Desk& desk, const std::string& lesson) {
    return Page(desk, lesson).text();
}

}  // namespace whorl::viz
