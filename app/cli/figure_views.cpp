#include "app/cli/figure_views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "app/cli/exhibits.hpp"
#include "app/cli/figure_results.hpp"
#include "app/cli/figure_text.hpp"
#include "app/cli/progress.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/model/piece_reader.hpp"
#include "viz/data/three_verbs.hpp"
#include "viz/panels/error.hpp"
#include "viz/panels/map.hpp"
#include "viz/panels/path.hpp"
#include "viz/state/controls.hpp"
#include "viz/views/ask_now_view.hpp"
#include "viz/views/dials_view.hpp"
#include "viz/views/head_steps.hpp"
#include "viz/views/ledger_view.hpp"
#include "viz/views/sandbox_view.hpp"

namespace whorl::cli {
namespace {

using plot::Figure;
using Sources = std::vector<std::string>;

std::vector<viz::Exhibit> exhibits_of(const std::vector<viz::ShownModel>& models) {
    std::vector<viz::Exhibit> exhibits;
    for (const viz::ShownModel& model : models) exhibits.push_back(model.exhibit);
    return exhibits;
}

void need(const Sources& sources, const char* view, std::size_t least, std::size_t most, const char* what) {
    if (sources.size() < least) throw UserError(fmt::format("whorl figure {}: {} is missing", view, what));
    if (sources.size() > most)
        throw UserError(
            fmt::format("whorl figure {}: takes {} {} at most", view, most, most == 1 ? "source" : "sources"));
}

// --- what the state does ---------------------------------------------------------------------------------------------

Figure dials(const Parsed& parsed, const Sources& sources) {
    need(sources, "dials", 0, 3, "a MODEL");
    const std::vector<viz::Exhibit> exhibits =
        sources.empty() ? viz::three_verbs() : exhibits_of(load_all(sources, parsed));
    for (const char* flag : {"task", "replica"})
        if (sources.empty() && parsed.has(flag))
            throw UserError(fmt::format("whorl figure dials: --{} is about a MODEL; none is named", flag));
    std::vector<std::int32_t> tokens{1, 2, 2, 1};  // 0110
    bool chosen = !sources.empty();
    for (const char* flag : {"text", "tokens", "size", "seed", "index", "set"}) chosen = chosen || parsed.has(flag);
    if (chosen) tokens = figure_text(parsed, exhibits[0], 16);
    return viz::dials_figure(viz::make_dials(exhibits, tokens, address_of(parsed)));
}

viz::FurtherTurns further_turns(const Parsed& parsed) {
    viz::FurtherTurns further;
    for (const std::string& assignment : parsed.all("further")) {
        const std::size_t equals = assignment.find('=');
        char* end = nullptr;
        const char* number = equals == std::string::npos ? "" : assignment.c_str() + equals + 1;
        const double degrees = std::strtod(number, &end);
        if (equals == 0 || end == number || *end != '\0' || !(std::fabs(degrees) <= 360))
            throw UserError(one_line("--further " + assignment) + ": expected TOKEN=DEGREES, as in 0=-1.2");
        further[assignment.substr(0, equals)] = degrees;
    }
    return further;
}

Figure ledger(const Parsed& parsed, const Sources& sources) {
    need(sources, "ledger", 1, 3, "a MODEL");
    const std::vector<viz::ShownModel> models = load_all(sources, parsed);
    std::int64_t trained = parsed.has("trained") ? parsed.number("trained") : 0;
    if (trained < 0) throw UserError(fmt::format("--trained {}: expected a size, or 0 for none", trained));
    for (const viz::ShownModel& model : models)
        if (!parsed.has("trained")) trained = std::max(trained, model.trained_size);
    const auto tokens = figure_text(parsed, models[0].exhibit, 161);
    return viz::ledger_figure(
        viz::make_ledger(exhibits_of(models), tokens, trained, address_of(parsed), further_turns(parsed)));
}

Figure ask_now(const Parsed& parsed, const Sources& sources) {
    need(sources, "ask-now", 1, 3, "a MODEL");
    const std::vector<viz::ShownModel> models = load_all(sources, parsed);
    const auto tokens = figure_text(parsed, models[0].exhibit, 256);
    bool squared = false;
    for (const viz::ShownModel& model : models) squared = squared || has_attention(model.exhibit.config);
    TokenProgress progress(static_cast<std::int64_t>(tokens.size() * models.size()), squared);
    std::int64_t done = 0;
    return viz::ask_now_figure(
        viz::make_ask_now(exhibits_of(models), tokens, {}, [&](std::int64_t) { progress.show(++done); }));
}

// --- how wrong a step is ---------------------------------------------------------------------------------------------

viz::HeadSteps head_steps(const Parsed& parsed, const std::string& source, const char* view, std::int64_t size) {
    const viz::Exhibit exhibit = load_shown(source, parsed).exhibit;
    return viz::head_steps(exhibit, figure_text(parsed, exhibit, size), address_of(parsed), view);
}

viz::StepLab lab_of(const Parsed& parsed) {
    viz::StepLab lab;
    lab.decay = parsed.real("decay");
    lab.rotation = parsed.real("rotation");
    lab.lambda = parsed.real("lambda");
    lab.modulation = parsed.real("a-moves");
    lab.dt = parsed.real("step");
    lab.held = parsed.flag("held");
    return lab;
}

Figure path(const Parsed& parsed, const Sources& sources) {
    need(sources, "path", 0, 0, "");
    return viz::path_figure(lab_of(parsed));
}

Figure error(const Parsed& parsed, const Sources& sources) {
    need(sources, "error", 0, 1, "");
    std::optional<viz::ModelSteps> model;
    if (!sources.empty()) model = viz::model_steps(head_steps(parsed, sources[0], "error", 32));
    return viz::error_figure(lab_of(parsed), model);
}

Figure map(const Parsed& parsed, const Sources& sources) {
    need(sources, "map", 0, 1, "");
    viz::MapState state;
    const std::int64_t cells = parsed.number("cells");
    if (cells < 2 || cells > 1000) throw UserError(fmt::format("--cells {}: expected 2..1000", cells));
    state.cells = static_cast<int>(cells);
    if (parsed.text("rule") == "all") {
        need(sources, "map --rule all", 0, 0, "");
        return viz::rule_maps_figure(state.cells);
    }
    state.rule = viz::rule_named(parsed.text("rule"));
    if (!sources.empty()) {
        const viz::HeadSteps steps = head_steps(parsed, sources[0], "map", 32);
        state.model = viz::model_places(steps);
        state.lambda = steps.lambda;
    }
    return viz::map_figure(state);
}

Figure taps(const Parsed& parsed, const Sources& sources) {
    need(sources, "taps", 1, 2, "a MODEL");
    viz::TapsState state = viz::taps_of(head_steps(parsed, sources[0], "taps", 9));
    if (sources.size() > 1) state.convolution = viz::convolution_of(load_shown(sources[1], parsed).exhibit);
    return viz::taps_figure(state);
}

Figure own_input(const Parsed& parsed, const Sources& sources) {
    need(sources, "own-input", 1, 1, "a MODEL");
    const std::string between = parsed.text("between");
    if (between != "held" && between != "straight")
        throw UserError("--between " + in_quotes(between) + ": expected held or straight");
    return viz::own_input_figure(
        viz::own_input_of(head_steps(parsed, sources[0], "own-input", 17),
                          between == "straight" ? numerics::Between::straight : numerics::Between::held));
}

// --- made by hand ----------------------------------------------------------------------------------------------------

/// One --set of the sandbox: any of its controls, as links name them.
std::pair<const viz::Control*, double> setting(const std::string& assignment) {
    const std::size_t equals = std::min(assignment.find('='), assignment.size());
    const std::string name = assignment.substr(0, equals);
    std::vector<std::string> names;
    for (const viz::Control* control : viz::controls_of("sandbox")) {
        if (name == control->name)
            return {control,
                    viz::read_control(*control, assignment.substr(std::min(equals + 1, assignment.size())), "--set")};
        names.emplace_back(control->name);
    }
    throw UserError("--set: unknown " + in_quotes(name) + suggestion(name, names));
}

Figure sandbox(const Parsed& parsed, const Sources& sources) {
    need(sources, "sandbox", 0, 0, "");
    viz::ViewState state;
    state.view = "sandbox";
    if (parsed.has("text")) state.text = parsed.text("text");
    std::vector<std::pair<const viz::Control*, double>> settings;
    for (const std::string& assignment : parsed.all("set")) settings.push_back(setting(assignment));
    return viz::sandbox_figure(viz::make_sandbox(viz::with_values(std::move(state), std::move(settings))));
}

const std::vector<const char*> kTextOptions = {"text", "tokens", "size", "seed", "index", "set", "task", "replica"};

std::vector<const char*> with_text(std::vector<const char*> more) {
    more.insert(more.begin(), kTextOptions.begin(), kTextOptions.end());
    return more;
}

std::vector<FigureView> model_views() {
    return {
        {"dials", "[MODEL [MODEL [MODEL]]]", "what each token does to the state: it turns, slides or flips",
         with_text({"layer", "head", "pair"}), dials},
        {"path",
         "",
         "one step size: the exact curve, and where six rules put their points",
         {"step", "decay", "rotation", "lambda", "a-moves", "held"},
         path},
        {"error", "[MODEL]", "the error of six rules over the size of their steps, with its order",
         with_text({"step", "decay", "rotation", "lambda", "a-moves", "held", "layer", "head", "pair"}), error},
        {"map", "[MODEL]", "what one rule makes of every z = ΔA: stability, turning, and a model's own z",
         with_text({"rule", "cells", "layer", "head", "pair"}), map},
        {"taps", "MODEL [MAMBA2-MODEL]", "what each input finally weighs: its own step and the next one",
         with_text({"layer", "head", "pair"}), taps},
        {"own-input", "MODEL", "a layer's own Δ, A and inputs as an equation, and how far each rule is from it",
         with_text({"between", "layer", "head", "pair"}), own_input},
        {"ledger", "MODEL [MODEL [MODEL]]", "angle turned less angle owed, pair by pair, and the answer's margin",
         with_text({"trained", "further", "layer", "head", "pair"}), ledger},
        {"ask-now", "MODEL [MODEL [MODEL]]", "the right answer's probability if asked behind every token",
         with_text({}), ask_now},
        {"sandbox", "", "a pair of channels made by hand: --set preset=flip --set beta1=1.5", {"text", "set"}, sandbox},
    };
}

std::vector<FigureView> all_views() {
    std::vector<FigureView> views = model_views();
    for (const FigureView& view : result_views()) views.push_back(view);
    return views;
}

}  // namespace

const std::vector<FigureView>& figure_views() {
    static const std::vector<FigureView> views = all_views();
    return views;
}

const FigureView& figure_view(const std::string& name) {
    std::vector<std::string> names;
    for (const FigureView& view : figure_views()) {
        if (name == view.name) return view;
        names.emplace_back(view.name);
    }
    throw UserError("unknown figure " + in_quotes(name) + suggestion(name, names));
}

}  // namespace whorl::cli
