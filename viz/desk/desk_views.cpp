#include "viz/desk/desk_views.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl::viz {

const std::vector<DeskView>& desk_views() {
    static const std::vector<DeskView> views = {
        {"start", "Start", "Start", "Start", "", "0110"},
        {"dials", "Dials", "Dials", "Dials", "parity-mamba3-smoothed", "0110100110010110"},
        {"error", "Error over step", "Step lab", "Steps", "", ""},
        {"path", "Path", "Step lab", "Steps", "", ""},
        {"map", "Map of z = ΔA", "Step lab", "Steps", "", ""},
        {"taps", "Two taps", "Step lab", "Steps", "parity-mamba3-smoothed", "01101001"},
        {"own", "Own input", "Step lab", "Steps", "parity-mamba3-smoothed", "0110100110010110"},
        {"ledger", "Ledger", "Ledger", "Ledger", "parity-mamba3-plain", "size:161"},
        {"train", "Time machine", "Time machine", "Time", "", "", true},
        {"needle", "Ask now", "Needle", "Needle", "needle-gdn,needle-mamba3", "size:256"},
        {"needle-map", "Which are found", "Needle", "Needle", "needle-gdn,needle-mamba3", ""},
        {"sandbox", "Make it yourself", "Sandbox", "Sandbox", "", ""},
        {"overview", "What runs found", "Overview", "Overview", "", ""},
    };
    return views;
}

const DeskView& desk_view(const std::string& name) {
    std::vector<std::string> names;
    for (const DeskView& view : desk_views()) {
        if (name == view.name) return view;
        names.emplace_back(view.name);
    }
    throw UserError("unknown view " + in_quotes(name) + suggestion(name, names));
}

bool is_desk_view(const std::string& name) {
    const auto& views = desk_views();
    return std::any_of(views.begin(), views.end(), [&](const DeskView& view) { return name == view.name; });
}

const char* view_usage() {
    return "Usage: whorl view [VIEW] [MODEL|RUN|CHECKPOINT|SWEEP|TABLE]… [LINK|LESSON|FILE.whorlview]\n"
           "                  [--screenshot FILE | --frames DIR | --save FILE.whorlview | --describe | --check |\n"
           "                   --handout | --record FILE.toml | --predictions FILE.csv]\n"
           "                  [--theme light|dark|projector] [--scale S] [--width W] [--height H]\n"
           "       whorl view --resume\n"
           "       whorl view --bench [SECONDS]\n\n"
           "Opens the explorer. VIEW is start, dials, error, path, map, taps, own, ledger, train, needle,\n"
           "needle-map, sandbox or overview (default: what suits the model, or start); a population's best replica\n"
           "is shown, RUN@3 is its replica 3; train RUN goes back through its training, and follows one that is under\n"
           "way; a SWEEP, TABLE or other folder of runs is an overview. LINK is whorl:1?…, as Ctrl+C copies it; "
           "LESSON\n"
           "is the name of one, such as half-a-turn, or a .toml file.\n"
           "? in the window lists the keys.\n\n"
           "  --screenshot FILE.png   a picture of the window, made without a display; FILE.svg, .pdf, .csv, .json\n"
           "                          and .txt hold the view's figure\n"
           "  --save FILE.whorlview   the view to hand on, with the models in it that do not ship with the program\n"
           "  --frames DIR            a picture for each token of the text, or moment of a training\n"
           "  --describe              what is shown, in words\n"
           "  --check                 plays a lesson without a window and says what is wrong with it\n"
           "  --handout               writes a lesson as one page, LESSON.html\n"
           "  --record FILE.toml      adds the view to a lesson as a step\n"
           "  --predictions FILE.csv  what was answered in lessons\n"
           "  --resume                goes on where the last window was closed\n"
           "  --bench [SECONDS]       how fast frames are drawn here\n\n"
           "Examples:\n"
           "  whorl view\n"
           "  whorl view half-a-turn\n"
           "  whorl view runs/parity\n"
           "  whorl view ledger runs/parity@best --theme projector\n"
           "  whorl view train runs/parity\n"
           "  whorl view runs/ablation\n"
           "  whorl view 'whorl:1?text=01101&predicted=bbb&shown=1' --screenshot start.png";
}

}  // namespace whorl::viz
