#include "viz/app/arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "viz/desk/desk.hpp"
#include "viz/desk/view_file.hpp"
#include "viz/lessons/lesson.hpp"
#include "viz/paint/save.hpp"
#include "viz/plot/theme.hpp"
#include "viz/views/overview_view.hpp"

namespace whorl::view {
namespace {

const std::vector<std::string> kFlags = {"--screenshot", "--save",    "--describe", "--check",       "--theme",
                                         "--scale",      "--width",   "--height",   "--bench",       "--resume",
                                         "--frames",     "--handout", "--record",   "--predictions", "--help"};

constexpr double kBenchSeconds = 4;

double number(const std::string& flag, const std::string& text, double least, double most) {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || !(value >= least && value <= most))
        throw UserError(fmt::format("{} {}: expected {}..{}", flag, in_quotes(text), least, most));
    return value;
}

/// Null for a flag with a value.
bool* switch_of(ViewArguments& arguments, const std::string& flag) {
    if (flag == "--describe") return &arguments.describe;
    if (flag == "--check") return &arguments.check;
    if (flag == "--handout") return &arguments.handout;
    if (flag == "--resume") return &arguments.resume;
    return nullptr;
}

bool is_number(const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos;
}

double bench_seconds(const std::string& text) {
    return number("--bench", text, 0.1, 600);
}

std::string picture(const std::string& path) {
    plot::format_of(path);  // there is such a one
    return path;
}

std::string folder(const std::string& path) {
    const std::size_t dot = path.rfind('.');
    if (path.empty() || (dot != std::string::npos && (path.substr(dot) == ".gif" || path.substr(dot) == ".png")))
        throw UserError("--frames " + in_quotes(path) +
                        ": name a folder; its pictures become a film by 'ffmpeg -i FOLDER/%04d.png FILE.gif'");
    return path;
}

void set(ViewArguments& arguments, const std::string& flag, const std::string& value) {
    if (flag == "--screenshot") arguments.screenshot = picture(value);
    if (flag == "--record") arguments.record = value;
    if (flag == "--predictions") arguments.predictions = value;
    if (flag == "--save") {
        if (std::filesystem::path(value).extension() != viz::kViewFileEnding)
            throw UserError("--save " + in_quotes(value) + ": its name must end in " + viz::kViewFileEnding);
        arguments.save = value;
    }
    if (flag == "--frames") arguments.frames = folder(value);
    if (flag == "--theme") arguments.theme_named = true;
    if (flag == "--width" || flag == "--height") arguments.size_named = true;
    if (flag == "--theme") arguments.state.theme = plot::theme(value).name;
    if (flag == "--scale") arguments.size.scale = number(flag, value, 0.5, 4);
    if (flag == "--width") arguments.size.width = static_cast<int>(number(flag, value, 320, 8192));
    if (flag == "--bench") arguments.bench = bench_seconds(value);
    if (flag == "--height") arguments.size.height = static_cast<int>(number(flag, value, 240, 8192));
}

void show(ViewArguments& arguments, viz::ViewState state, const std::vector<std::string>& notes) {
    for (const std::string& note : notes) std::fprintf(stderr, "whorl view: %s\n", note.c_str());
    plot::theme(state.theme);  // there is such a one
    viz::desk_view(state.view);
    arguments.state = std::move(state);
    arguments.theme_named = arguments.scale_named = true;
}

/// A run that is asked for so, or has no weights yet that could be shown.
bool opens_as_training(const ViewArguments& arguments, const std::string& what) {
    if (!viz::is_run(what)) return false;
    if (arguments.view_named) return viz::desk_view(arguments.state.view).live;
    return RunDirectory::open(viz::source_name(what).path).checkpoints().empty();
}

/// A view by its name, a link, or a model to show: what is neither of the former is opened, so that what is wrong with
/// it is said before there is a window.
void open(ViewArguments& arguments, const std::string& what) {
    viz::ViewState& state = arguments.state;
    if (what.compare(0, 6, "whorl:") == 0) {
        viz::ReadLink link = viz::read_link(what);
        return show(arguments, std::move(link.state), link.notes);
    }
    if (viz::is_desk_view(what)) {
        state.view = what;
        arguments.view_named = true;
        return;
    }
    if (std::filesystem::path(what).extension() == viz::kViewFileEnding) {
        viz::OpenedView opened = viz::open_view(what);
        return show(arguments, std::move(opened.state), opened.notes);
    }
    const bool lesson_file = what.size() > 5 && what.compare(what.size() - 5, 5, ".toml") == 0;
    if (viz::is_lesson(what) || lesson_file) {
        state = viz::state_of_step(viz::load_lesson(what), what, 0, state);
        return;
    }
    if (state.view == "overview" || viz::holds_results(what)) {
        if (!state.models.empty() && state.view != "overview")
            throw UserError(in_quotes(what) + ": a sweep or table is seen by itself, without " + state.models[0]);
        state.view = "overview";
        state.models.push_back(what);
        return;
    }
    if (opens_as_training(arguments, what)) {
        state.view = "train";
        state.models = {what};
        return;
    }
    try {
        const viz::ViewState suits = viz::view_of_model(what);
        if (!arguments.view_named && state.models.empty()) state.view = suits.view;
        state.models.push_back(what);
    } catch (const UserError& error) {
        std::vector<std::string> names;
        for (const viz::DeskView& view : viz::desk_views()) names.emplace_back(view.name);
        for (const viz::LessonFile& lesson : viz::lesson_files()) names.emplace_back(lesson.name);
        if (suggestion(what, names).find("did you mean") != std::string::npos)
            throw UserError("unknown view or lesson " + in_quotes(what) + suggestion(what, names));
        throw UserError(std::string(error.what()) + "; views and lessons are listed by --help and docs/lessons.md");
    }
}

void print_help() {
    std::puts(viz::view_usage());
}

}  // namespace

std::optional<ViewArguments> view_arguments(const std::vector<std::string>& words) {
    ViewArguments arguments;
    std::vector<std::pair<std::string, std::string>> flags;
    std::vector<std::string> named;  // what is to be opened
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::size_t equal = words[i].find('=');
        const std::string flag = words[i].substr(0, equal);
        if (flag == "--help" || flag == "-h") return print_help(), std::nullopt;
        if (words[i].empty() || words[i][0] != '-') {
            named.push_back(words[i]);
            open(arguments, words[i]);
            continue;
        }
        if (bool* asked = switch_of(arguments, flag); asked != nullptr) {
            *asked = true;
            continue;
        }
        if (flag == "--bench" && equal == std::string::npos) {  // its value may be left out
            arguments.bench = kBenchSeconds;
            if (i + 1 < words.size() && is_number(words[i + 1])) arguments.bench = bench_seconds(words[++i]);
            continue;
        }
        if (std::find(kFlags.begin(), kFlags.end(), flag) == kFlags.end())
            throw UserError("unknown argument " + in_quotes(flag) + suggestion(flag, kFlags));
        if (equal == std::string::npos && i + 1 == words.size()) throw UserError(flag + ": its value is missing");
        flags.emplace_back(flag, equal != std::string::npos ? words[i].substr(equal + 1) : words[++i]);
    }
    for (const auto& [flag, value] : flags) set(arguments, flag, value);  // a link does not undo them
    const bool pictures = !arguments.screenshot.empty() || !arguments.frames.empty();
    if (arguments.resume && (!named.empty() || pictures || arguments.describe || arguments.check))
        throw UserError("--resume opens the last view in a window: it goes with no other view and with no picture");
    if ((arguments.check || arguments.handout) && arguments.state.lesson.empty())
        throw UserError(std::string(arguments.check ? "--check" : "--handout") +
                        ": name a lesson or a .toml file that holds one");
    return arguments;
}

}  // namespace whorl::view
