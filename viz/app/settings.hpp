// What the explorer keeps from one time to the next: its look, and what was on the screen last.
//
//     ~/.config/whorl/explorer.toml, or under $XDG_CONFIG_HOME
//
// Pictures and tests without a display neither read nor write it, so that they are the same everywhere.
#pragma once

#include <future>
#include <string>

#include "core/config/config_binding.hpp"
#include "viz/state/view_state.hpp"

namespace whorl::view {

inline constexpr int kLeastWidth = 320, kLeastHeight = 240, kMostLength = 8192;

struct Settings {
    std::string theme = "light";
    double scale = 1;                // ViewState's
    int width = 1280, height = 720;  // of the window, in units
    std::string last{};              // a link; "": none

    bool operator==(const Settings&) const = default;
};
template <class V>
void describe(V& v, Settings& s) {
    v.field("theme", s.theme);
    v.field("scale", s.scale, at_least(0.5).at_most(4));
    v.field("width", s.width, at_least(kLeastWidth).at_most(kMostLength));
    v.field("height", s.height, at_least(kLeastHeight).at_most(kMostLength));
    v.field("last", s.last);
}

/// "" where neither variable says where.
std::string settings_path();
/// Beside it, what was done in lessons (viz/lessons/lesson_book.hpp).
std::string lesson_book_path();

/// Defaults where there is no such file. Throws UserError for one that cannot be read, or means nothing; a link of
/// another version is kept as it is.
Settings read_settings(const std::string& path);

/// What a window shows.
struct Look {
    viz::ViewState state;
    int width = 0, height = 0;  // units; 0: it is folded away

    bool operator==(const Look&) const = default;
};

/// `stored` with what has changed since the window was opened: a theme that was asked for once does not stay, one that
/// was chosen by hand does. A start screen that nobody touched does not count as what was seen last.
Settings settled(const Settings& stored, const Look& opened, const Look& now);

/// The state to go on with, the start screen where there is none. Throws UserError for one that this version cannot
/// read.
viz::ViewState state_to_resume(const Settings& settings);
/// What that is called; "" where it is the start screen, or nothing that this version can open.
std::string last_name(const Settings& settings);

/// Writes settings beside what happens, as a disk may take its time.
class SettingsKeeper {
public:
    /// `stored` is what stands at `path`; "": nothing is ever written.
    SettingsKeeper(std::string path, Settings stored);
    /// Writes what is left.
    ~SettingsKeeper();
    SettingsKeeper(const SettingsKeeper&) = delete;
    SettingsKeeper& operator=(const SettingsKeeper&) = delete;

    /// From now on these are to be written.
    void keep(const Settings& settings) { wanted_ = settings; }
    /// Writes them where they differ from what is written, at most once a second; to be called often.
    void look_after();
    /// Writes them at once, and waits for it.
    void finish();
    /// What kept it from writing; "": nothing.
    const std::string& problem() const { return problem_; }

private:
    void collect();
    bool is_behind() const;

    std::string path_, problem_;
    Settings wanted_, written_;
    double last_write_ = -1;
    std::future<std::string> writing_;
};

}  // namespace whorl::view
