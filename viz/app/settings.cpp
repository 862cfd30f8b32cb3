#include "viz/app/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "app/run/shipped_models.hpp"
#include "core/base/error.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/toml_file.hpp"
#include "viz/desk/desk.hpp"
#include "viz/lessons/lesson.hpp"
#include "viz/plot/theme.hpp"

namespace whorl::view {
namespace {

namespace fs = std::filesystem;

constexpr double kEvery = 1;  // seconds between writes
constexpr const char* kComment = "# Written by whorl view as it is used.\n";

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// An absolute path, as the XDG specification asks for; others are as if they were not there.
std::string folder_in(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr && *value == '/' ? value : "";
}

/// So that it is found from any folder: a file's path, or one's with a replica; other names as they are.
std::string from_anywhere(const std::string& name) {
    std::error_code error;
    const std::vector<std::string> shipped = named_models();
    if (std::find(shipped.begin(), shipped.end(), name) != shipped.end()) return name;
    const std::string file = name.substr(0, name.rfind('@'));
    if (!fs::exists(name, error) && !fs::exists(file, error)) return name;
    const fs::path path = fs::absolute(name, error);
    return error ? name : path.lexically_normal().string();
}

std::string link_from_anywhere(viz::ViewState state) {
    for (std::string& model : state.models) model = from_anywhere(model);
    if (!state.lesson.empty() && !viz::is_lesson(state.lesson)) state.lesson = from_anywhere(state.lesson);
    if (viz::key_of(state).size() > viz::kLongestLink) state.text = viz::ViewState{}.text;  // the rest is worth keeping
    if (viz::key_of(state).size() > viz::kLongestLink) state.beside.clear();
    return viz::key_of(state).size() > viz::kLongestLink ? "" : viz::link_of(state);
}

viz::ViewState without_look(viz::ViewState state) {
    state.theme = viz::ViewState{}.theme;
    state.scale = viz::ViewState{}.scale;
    return state;
}

/// It plays its tape by itself.
bool is_untouched_start(const Look& opened, const Look& now) {
    const auto still = [](const Look& look) {
        viz::ViewState state = without_look(look.state);
        if (state.view == "start") state.cursor = viz::ViewState{}.cursor;
        return state;
    };
    return still(now) == still(opened) && still(now) == viz::ViewState{};
}

/// What went wrong; "": nothing.
std::string write_settings(const std::string& path, const Settings& settings) {
    try {
        make_folders(fs::path(path).parent_path().string());
        write_file(path, kComment + write_toml(to_value(settings)));
        return "";
    } catch (const std::exception& error) {
        return error.what();
    }
}

}  // namespace

std::string settings_path() {
    const std::string config = folder_in("XDG_CONFIG_HOME"), home = folder_in("HOME");
    if (config.empty() && home.empty()) return "";
    return (config.empty() ? home + "/.config" : config) + "/whorl/explorer.toml";
}
std::string lesson_book_path() {
    const std::string settings = settings_path();
    return settings.empty() ? "" : (fs::path(settings).parent_path() / "lessons.toml").string();
}

Settings read_settings(const std::string& path) {
    std::error_code error;
    if (path.empty() || !fs::exists(path, error)) return {};
    auto settings = read_config<Settings>(load_toml(path));
    plot::theme(settings.theme);  // there is such a one
    return settings;
}

Settings settled(const Settings& stored, const Look& opened, const Look& now) {
    Settings settings = stored;
    const auto take = [](auto& setting, const auto& before, const auto& after) {
        if (before != after) setting = after;
    };
    take(settings.theme, opened.state.theme, now.state.theme);
    take(settings.scale, opened.state.scale, now.state.scale);
    if (now.width >= kLeastWidth && now.height >= kLeastHeight) {
        take(settings.width, opened.width, now.width);
        take(settings.height, opened.height, now.height);
    }
    if (is_untouched_start(opened, now)) return settings;
    if (const std::string link = link_from_anywhere(now.state); !link.empty()) settings.last = link;
    return settings;
}

viz::ViewState state_to_resume(const Settings& settings) {
    if (settings.last.empty()) return {};
    viz::ViewState state = viz::read_link(settings.last).state;
    plot::theme(state.theme);
    viz::desk_view(state.view);
    return state;
}

std::string last_name(const Settings& settings) {
    try {
        const viz::ViewState last = state_to_resume(settings);
        if (!last.lesson.empty()) return fmt::format("{}, step {}", fs::path(last.lesson).stem().string(), last.step);
        return last.view == "start" ? "" : viz::desk_view(last.view).title;
    } catch (const UserError&) {
        return "";  // of another version, say: nothing that could be offered
    }
}

// --- the keeper ------------------------------------------------------------------------------------------------------

SettingsKeeper::SettingsKeeper(std::string path, Settings stored)
    : path_(std::move(path)), wanted_(stored), written_(std::move(stored)) {}

SettingsKeeper::~SettingsKeeper() {
    finish();
}

/// What failed once is not tried for ever.
bool SettingsKeeper::is_behind() const {
    return !path_.empty() && wanted_ != written_ && problem_.empty();
}

void SettingsKeeper::look_after() {
    const bool busy = writing_.valid() && writing_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
    if (busy || now() - last_write_ < kEvery) return;
    collect();
    if (!is_behind()) return;
    written_ = wanted_;
    last_write_ = now();
    writing_ = std::async(std::launch::async, write_settings, path_, wanted_);
}

void SettingsKeeper::finish() {
    collect();
    if (!is_behind()) return;
    written_ = wanted_;
    problem_ = write_settings(path_, wanted_);
}

void SettingsKeeper::collect() {
    if (!writing_.valid()) return;
    if (const std::string problem = writing_.get(); !problem.empty()) problem_ = problem;
}

}  // namespace whorl::view
