#include "viz/app/sitting.hpp"

#include <cmath>
#include <cstdio>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "viz/app/explorer.hpp"
#include "viz/app/settings.hpp"

namespace whorl::view {
namespace {

void complain(const std::string& what) {
    std::fprintf(stderr, "whorl view: %s\n", one_line(what).c_str());
}

/// What was kept, and where to keep what changes: nowhere where the file cannot be read, as a hand may have written it.
struct Kept {
    std::string path = settings_path();
    Settings settings{};
};

Kept read_kept() {
    Kept kept;
    try {
        kept.settings = read_settings(kept.path);
    } catch (const std::exception& error) {
        complain(std::string(error.what()) + "; settings are neither read nor kept until that is mended");
        kept.path.clear();
    }
    return kept;
}

/// Whatever was kept, there will be a window.
void apply_kept(const Settings& settings, ViewArguments& arguments) {
    if (arguments.resume && settings.last.empty()) complain("nothing was kept yet that could be gone on with");
    try {
        apply(settings, arguments);
    } catch (const UserError& error) {
        complain(std::string("the last view cannot be opened again: ") + error.what());
        arguments.resume = false;
        apply(settings, arguments);
    }
}

int units(int pixels, double scale) {
    return static_cast<int>(std::lround(pixels / scale));
}

Look look_of(const Window& window, const Explorer& app) {
    return {app.state(), units(window.width(), window.scale()), units(window.height(), window.scale())};
}

}  // namespace

void apply(const Settings& settings, ViewArguments& arguments) {
    viz::ViewState& state = arguments.state;
    const std::string theme = state.theme;
    if (arguments.resume) state = state_to_resume(settings);
    if (arguments.theme_named) state.theme = theme;
    if (!arguments.theme_named && !arguments.resume) state.theme = settings.theme;
    if (!arguments.scale_named && !arguments.resume) state.scale = settings.scale;
    if (arguments.size_named) return;
    arguments.size.width = settings.width;
    arguments.size.height = settings.height;
}

void sit(ViewArguments arguments) {
    const Kept kept = read_kept();
    apply_kept(kept.settings, arguments);
    const auto window = visible_window(arguments.size);
    Explorer app(*window, arguments.state);
    app.keep_lessons(lesson_book_path());
    if (const std::string name = last_name(kept.settings); !name.empty())
        app.offer(state_to_resume(kept.settings), name);
    if (arguments.state.view == "start" && arguments.state.lesson.empty()) app.play();  // something turns at once
    if (is_of_training(arguments.state)) app.begin_training(false);
    const Look opened{arguments.state, arguments.size.width, arguments.size.height};
    SettingsKeeper keeper(kept.path, kept.settings);
    Look seen = opened;
    app.run([&] {
        Look now = look_of(*window, app);
        if (now != seen) keeper.keep(settled(kept.settings, opened, now));
        seen = std::move(now);
        keeper.look_after();
    });
    keeper.finish();
    if (!keeper.problem().empty()) complain("settings were not kept: " + keeper.problem());
}

}  // namespace whorl::view
