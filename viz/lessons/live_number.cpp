#include "viz/lessons/live_number.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/numerics/linear_ode.hpp"
#include "viz/panels/degrees.hpp"
#include "viz/panels/rule_style.hpp"
#include "viz/panels/turning.hpp"
#include "viz/panels/wording.hpp"
#include "viz/plot/text_runs.hpp"
#include "viz/state/controls.hpp"

namespace whorl::viz {
namespace {

using plot::Point;

// --- what is found in a figure ---------------------------------------------------------------------------------------

const plot::Mark* find_mark(const Scene& scene, const std::string& panel, const std::string& id) {
    if (scene.figure == nullptr) return nullptr;
    for (const plot::Panel& one : scene.figure->panels)
        if (one.id == panel)
            for (const plot::Mark& mark : one.marks)
                if (plot::id_of(mark) == id) return &mark;
    return nullptr;
}

const std::vector<Point>* line_of(const Scene& scene, const std::string& panel, const std::string& id) {
    const plot::Mark* mark = find_mark(scene, panel, id);
    const auto* line = mark == nullptr ? nullptr : std::get_if<plot::Line>(mark);
    return line == nullptr ? nullptr : &line->points;
}

std::optional<double> last_height(const std::vector<Point>* points) {
    if (points == nullptr || points->empty() || !std::isfinite(points->back().y)) return {};
    return points->back().y;
}

LiveNumber said(std::optional<double> value, const char* form) {
    if (!value) return {};
    return {fmt::format(fmt::runtime(form), *value), value};
}

/// The first pair's line of the ledger: the pair that keeps most stands first.
LiveNumber drift(const Scene& scene, const std::string&) {
    if (scene.figure == nullptr) return {};
    for (const plot::Panel& panel : scene.figure->panels)
        for (const plot::Mark& mark : panel.marks)
            if (const auto* line = std::get_if<plot::Line>(&mark); line != nullptr && panel.id == "drift")
                return said(last_height(&line->points), "{:+.0f}°");
    return {};
}

LiveNumber margin(const Scene& scene, const std::string&) {
    return said(last_height(line_of(scene, "margin", "margin.0")), "{:.2f}");
}

LiveNumber first_wrong(const Scene& scene, const std::string&) {
    const plot::Mark* mark = find_mark(scene, "margin", "wrong.0");
    const auto* points = mark == nullptr ? nullptr : std::get_if<plot::Points>(mark);
    if (points == nullptr || points->points.empty()) return {};
    return said(points->points.front().x, "{:.0f}");
}

/// Over the finest three steps, as the figure's labels have it.
LiveNumber slope(const Scene& scene, const std::string& rule) {
    const std::vector<Point>* points = line_of(scene, "error", rule);
    if (points == nullptr || points->size() < 3) return {};
    std::vector<double> x, y;
    for (auto point = points->end() - 3; point != points->end(); ++point) x.push_back(point->x), y.push_back(point->y);
    return said(numerics::power_law(x, y), "{:.2f}");
}

LiveNumber turned(const Scene&, const std::string& rule) {
    for (const numerics::DiscretizationRule one : all_rules())
        if (style_of(one).id == rule) return said(turned_angle(one, kPi) * kDegrees, "{:.0f}°");
    return {};
}

/// Behind the token at the cursor: these lines are drawn to their ends.
std::optional<double> height_at_cursor(const Scene& scene, const std::vector<Point>* points) {
    if (points != nullptr)
        for (const Point point : *points)
            if (point.x == static_cast<double>(scene.read.cursor) && std::isfinite(point.y)) return point.y;
    return {};
}
LiveNumber probability(const Scene& scene, const std::string& model) {
    return said(height_at_cursor(scene, line_of(scene, "probability", "model." + model)), "{:.2g}");
}
LiveNumber distance(const Scene& scene, const std::string& model) {
    const auto height = height_at_cursor(scene, line_of(scene, "distance", "distance." + model));
    return height ? LiveNumber{percent(*height), height} : LiveNumber{};
}

std::string digit_of(const std::string& word) {
    constexpr const char* words[] = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"};
    const auto found = std::find(std::begin(words), std::end(words), word);
    return found == std::end(words) ? word : std::to_string(found - std::begin(words));
}

/// Dials and ledger say it in words: a “1” turns the state by 181.40°.
LiveNumber angle_of(const Scene& scene, const std::string& token) {
    const std::string begin = "“" + digit_of(token) + "” turns ", by = " by ";
    if (scene.figure == nullptr) return {};
    for (const std::string& sentence : scene.figure->words) {
        const std::size_t at = sentence.find(begin);
        const std::size_t number_at = at == std::string::npos ? at : sentence.find(by, at);
        if (number_at == std::string::npos) continue;
        return said(std::strtod(sentence.c_str() + number_at + by.size(), nullptr), "{:.1f}°");
    }
    return {};
}

/// What stands last in a row of the tape: 1, the right answer; 2, what the first model says.
LiveNumber cell(const Scene& scene, int row) {
    LiveNumber last;
    for (std::size_t t = 0; t < scene.read.tokens.size(); ++t) {
        const plot::Mark* mark = find_mark(scene, "tape", fmt::format("cell.{}.{}", row, t));
        const auto* text = mark == nullptr ? nullptr : std::get_if<plot::Text>(mark);
        if (text == nullptr) continue;
        const std::string plain = plot::plain_text(text->text);
        last.text = plain.substr(0, plain.find(' '));
        char* end = nullptr;
        const double value = std::strtod(last.text.c_str(), &end);
        last.value = *end == '\0' ? std::optional<double>(value) : std::nullopt;
    }
    return last;
}

// --- what is read, asked and trained ---------------------------------------------------------------------------------

LiveNumber whole(double value) {
    return {fmt::format("{:.0f}", value), value};
}

std::string read_text(const Scene& scene) {
    std::string text;
    for (std::int64_t t = 0; t < scene.read.cursor; ++t)
        text += plot::plain_text(scene.read.tokens[static_cast<std::size_t>(t)]);
    return text;
}

LiveNumber last_token(const Scene& scene, const std::string&) {
    if (scene.read.cursor < 1) return {};
    return {plot::plain_text(scene.read.tokens[static_cast<std::size_t>(scene.read.cursor - 1)]), {}};
}

LiveNumber of_control(const Control& control, const Scene& scene) {
    const double value = value_of(scene.state, control.name);
    const std::string text = control.kind == ControlKind::number ? number(value) : written(control, value);
    return {text + control.unit, value};
}

// --- names -----------------------------------------------------------------------------------------------------------

/// `name` may end in a dot or underscore: what follows it is `part`.
struct Kind {
    const char* name;
    LiveNumber (*find)(const Scene&, const std::string& part);
};
const std::vector<Kind>& kinds() {
    using S = const Scene&;
    using P = const std::string&;
    static const std::vector<Kind> all = {
        {"cursor", [](S s, P) { return whole(static_cast<double>(s.read.cursor)); }},
        {"tokens", [](S s, P) { return whole(static_cast<double>(s.read.tokens.size())); }},
        {"text",
         [](S s, P) {
             return LiveNumber{read_text(s), {}};
         }},
        {"last", last_token},
        {"right", [](S s, P) { return cell(s, 1); }},
        {"said", [](S s, P) { return cell(s, 2); }},
        {"beat", [](S s, P) { return whole(static_cast<double>(s.state.beat)); }},
        {"moment", [](S s, P) { return whole(static_cast<double>(s.state.moment < 0 ? s.trained : s.state.moment)); }},
        {"shown", [](S s, P) { return whole(s.state.shown); }},
        {"answered", [](S s, P) { return whole(s.answered); }},
        {"trained", [](S s, P) { return whole(static_cast<double>(s.trained)); }},
        {"claim",
         [](S s, P) {
             return s.figure == nullptr ? LiveNumber{} : LiveNumber{plot::plain_text(s.figure->claim), {}};
         }},
        {"drift", drift},
        {"margin", margin},
        {"readout", [](S s, P) { return said(last_height(line_of(s, "readout", "readout")), "{:.3g}"); }},
        {"wrong", first_wrong},
        {"slope.", slope},
        {"turned.", turned},
        {"angle.of_", angle_of},
        {"probability.", probability},
        {"distance.", distance},
    };
    return all;
}

bool has_parts(const Kind& kind) {
    const std::string name = kind.name;
    return name.back() == '.' || name.back() == '_';
}

/// Where a name is one of a kind with parts: the part; the kind's rules must be ones that there are.
bool is_of(const Kind& kind, const std::string& name) {
    const std::string own = kind.name;
    if (!has_parts(kind)) return name == own;
    if (name.compare(0, own.size(), own) != 0 || name.size() == own.size()) return false;
    if (own != "slope." && own != "turned.") return true;
    const auto rules = all_rules();
    return std::any_of(rules.begin(), rules.end(),
                       [&](auto rule) { return style_of(rule).id == name.substr(own.size()); });
}

const Kind* find_kind(const std::string& name) {
    const auto found =
        std::find_if(kinds().begin(), kinds().end(), [&](const Kind& kind) { return is_of(kind, name); });
    return found == kinds().end() ? nullptr : &*found;
}

}  // namespace

std::vector<std::string> live_names() {
    std::vector<std::string> names;
    for (const Kind& kind : kinds()) {
        const std::string own = kind.name;
        if (!has_parts(kind)) names.push_back(own);
        if (own == "slope." || own == "turned.")
            for (const numerics::DiscretizationRule rule : all_rules()) names.push_back(own + style_of(rule).id);
        if (own == "angle.of_") names.insert(names.end(), {own + "zero", own + "one"});
        if (own == "probability." || own == "distance.") names.insert(names.end(), {own + "0", own + "1"});
    }
    for (const Control& control : controls()) names.emplace_back(control.name);
    return names;
}

void check_live_name(const std::string& name) {
    if (find_kind(name) == nullptr && find_control(name) == nullptr)
        throw UserError("unknown number " + in_quotes(name) + suggestion(name, live_names()));
}

LiveNumber live_number(const std::string& name, const Scene& scene) {
    check_live_name(name);
    if (const Control* control = find_control(name)) return of_control(*control, scene);
    const Kind& kind = *find_kind(name);
    return kind.find(scene, has_parts(kind) ? name.substr(std::string(kind.name).size()) : "");
}

}  // namespace whorl::viz
