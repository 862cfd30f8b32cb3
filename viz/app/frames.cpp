#include "viz/app/frames.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/atomic_file.hpp"
#include "viz/app/explorer.hpp"
#include "viz/desk/live_plan.hpp"
#include "viz/paint/png.hpp"

namespace whorl::view {
namespace {

namespace fs = std::filesystem;

void check_empty(const std::string& folder) {
    std::error_code error;
    if (!fs::exists(folder, error)) return;
    if (!fs::is_directory(folder, error)) throw UserError("--frames " + in_quotes(folder) + ": is no folder");
    if (!fs::is_empty(folder, error))
        throw UserError("--frames " + in_quotes(folder) + ": holds something already; name a new folder");
}

/// Its moments: it is trained first, or read where a run holds it.
std::vector<viz::ViewState> trained(Explorer& app, const viz::ViewState& state) {
    if (viz::shows_stored_training(state))
        app.follow_run(true);
    else
        app.begin_training(true);
    const auto end = app.training_now();
    if (end->moments != nullptr) return scrub(*end->moments, state);
    if (!end->failure.empty()) throw RuntimeFailure(end->failure);
    throw UserError("--frames: this run has kept no parameters to go back through");
}

}  // namespace

std::vector<viz::ViewState> scrub(const viz::Moments& moments, const viz::ViewState& state) {
    std::vector<viz::ViewState> states(moments.at.size(), state);
    for (std::size_t i = 0; i < states.size(); ++i) states[i].moment = moments.at[i].step;
    return states;
}

std::vector<viz::ViewState> scrub(viz::Desk& desk, const viz::ViewState& state) {
    const auto count = static_cast<std::int64_t>(desk.text(state).tokens.size());
    if (count == 0)
        throw UserError("--frames: the view " + in_quotes(state.view) +
                        " reads no text to move through; dials, ledger and needle do");
    std::vector<viz::ViewState> states(static_cast<std::size_t>(count), state);
    for (std::int64_t t = 0; t < count; ++t) states[static_cast<std::size_t>(t)].cursor = t + 1 < count ? t + 1 : -1;
    return states;
}

std::int64_t write_frames(const ViewArguments& arguments) {
    check_empty(arguments.frames);
    const bool trains = viz::desk_view(arguments.state.view).live;
    std::vector<viz::ViewState> states;
    if (!trains) {
        viz::Desk desk;
        states = scrub(desk, arguments.state);
        desk.figure(arguments.state);  // there is one
    }
    const auto window = hidden_window(arguments.size);
    Explorer app(*window, arguments.state);
    if (trains) states = trained(app, arguments.state);
    make_folders(arguments.frames);
    std::int64_t number = 0;
    for (const viz::ViewState& state : states) {
        app.show(state);
        AtomicFile file((fs::path(arguments.frames) / fmt::format("{:04}.png", ++number)).string());
        file.write(plot::png_bytes(app.still()));
        file.commit();
    }
    return number;
}

}  // namespace whorl::view
