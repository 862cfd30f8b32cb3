// `whorl-view`: the explorer's window, or a picture of it without one.
#include <cstdio>
#include <new>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/atomic_file.hpp"
#include "viz/app/arguments.hpp"
#include "viz/app/bench.hpp"
#include "viz/app/explorer.hpp"
#include "viz/app/frames.hpp"
#include "viz/app/lesson_commands.hpp"
#include "viz/app/sitting.hpp"
#include "viz/app/software.hpp"
#include "viz/desk/live_plan.hpp"
#include "viz/desk/view_file.hpp"
#include "viz/paint/figure_words.hpp"
#include "viz/paint/png.hpp"
#include "viz/paint/save.hpp"

namespace {

using namespace whorl;
using namespace whorl::view;

int run(const ViewArguments& arguments) {
    if (arguments.check) return check_lesson_file(arguments.state.lesson);
    if (arguments.handout) return write_handout(arguments.state.lesson), 0;
    if (!arguments.record.empty()) return record_step(arguments.record, arguments.state), 0;
    if (!arguments.predictions.empty()) return write_predictions(arguments.predictions), 0;
    if (arguments.describe) {
        viz::Desk desk;
        std::fputs(plot::figure_words(desk.figure(arguments.state)).c_str(), stdout);
        return 0;
    }
    if (!arguments.save.empty()) {
        viz::Desk desk;
        viz::save_view(arguments.save, arguments.state, desk);
        return 0;
    }
    if (!arguments.frames.empty()) {
        const std::int64_t count = write_frames(arguments);
        std::printf("%s: %lld pictures\n", arguments.frames.c_str(), static_cast<long long>(count));
        return 0;
    }
    if (arguments.bench > 0) return bench(arguments.bench), 0;
    const bool hidden = !arguments.screenshot.empty();
    if (hidden && plot::format_of(arguments.screenshot) != plot::FileFormat::png) {
        viz::Desk desk;
        plot::save_figure(arguments.screenshot, desk.signed_figure(arguments.state),
                          plot::theme(arguments.state.theme));
        return 0;
    }
    if (!hidden) return sit(arguments), 0;
    const auto window = hidden_window(arguments.size);
    Explorer app(*window, arguments.state);
    if (is_of_training(arguments.state)) app.begin_training(true);
    if (viz::shows_stored_training(arguments.state)) app.follow_run(true);
    app.still();
    if (!app.why_no_figure().empty()) throw UserError(app.why_no_figure());
    AtomicFile file(arguments.screenshot);
    file.write(plot::png_bytes(app.still()));
    file.commit();
    return 0;
}

int fail(const char* message, int status) {
    std::fprintf(stderr, "whorl view: %s\n", one_line(message).c_str());
    return status;
}

}  // namespace

int main(int count, char** words) {
    try {
        const auto arguments = view_arguments(std::vector<std::string>(words + 1, words + count));
        return arguments ? run(*arguments) : 0;
    } catch (const UserError& error) {
        return fail(error.what(), 2);
    } catch (const NoOpenGl& error) {
        return fail(start_in_software(error, words).c_str(), 3);
    } catch (const RuntimeFailure& error) {
        return fail(error.what(), 3);
    } catch (const std::bad_alloc&) {
        return fail("out of memory", 3);
    } catch (const std::exception& error) {
        return fail((std::string("internal error: ") + error.what()).c_str(), 3);
    }
}
