#include "viz/desk/desk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/run/manifest.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "viz/data/lesion.hpp"
#include "viz/desk/difference.hpp"
#include "viz/desk/live_plan.hpp"
#include "viz/desk/needles.hpp"
#include "viz/desk/overviews.hpp"
#include "viz/desk/reading.hpp"
#include "viz/panels/error.hpp"
#include "viz/panels/map.hpp"
#include "viz/panels/overview.hpp"
#include "viz/panels/path.hpp"
#include "viz/state/controls.hpp"
#include "viz/views/ask_now_view.hpp"
#include "viz/views/dials_view.hpp"
#include "viz/views/head_steps.hpp"
#include "viz/views/ledger_view.hpp"
#include "viz/views/sandbox_view.hpp"
#include "viz/views/start_view.hpp"

namespace whorl::viz {
namespace {

constexpr std::size_t kMostRemembered = 256;  // figures; some tens of kilobytes each
constexpr std::size_t kMostTexts = 32;        // read to their ends

// --- controls --------------------------------------------------------------------------------------------------------

StepLab lab_of(const ViewState& state) {
    if (state.view != "path" && state.view != "error") return {};
    StepLab lab;
    lab.dt = value_of(state, "dt");
    lab.decay = value_of(state, "decay");
    lab.rotation = value_of(state, "rotation");
    lab.lambda = value_of(state, "lambda");
    lab.modulation = value_of(state, "moves");
    lab.held = value_of(state, "held") > 0;
    const double sampled = value_of(state, "sampled");
    lab.a_at = sampled == 1   ? numerics::SampleAt::begin
               : sampled == 2 ? numerics::SampleAt::middle
                              : numerics::SampleAt::end;
    return lab;
}

MapState map_of(const ViewState& state) {
    MapState map;
    const Control& rule = *find_control("rule");
    map.rule = rule_named(written(rule, value_of(state, "rule")));
    return map;
}

Address address_of(const ViewState& state) {
    const auto part = [&](const char* name) {
        return is_set(state, name) ? std::optional(static_cast<std::int64_t>(value_of(state, name))) : std::nullopt;
    };
    return {part("layer"), part("head"), part("pair")};
}

/// Of a step's pieces those that the beat has reached: kept, added, read.
void show_beat(plot::Figure& figure, std::int64_t beat) {
    if (beat == 0) return;
    const auto begins = [](const std::string& id, const char* with) { return id.rfind(with, 0) == 0; };
    for (plot::Panel& panel : figure.panels) {
        if (panel.id != "still" && panel.id != "turning" && panel.id != "pieces") continue;
        if (beat < 3) panel.subtitle.clear();
        panel.marks.erase(std::remove_if(panel.marks.begin(), panel.marks.end(),
                                         [&](const plot::Mark& mark) {
                                             const std::string& id = plot::id_of(mark);
                                             const bool read = begins(id, "shadow") || begins(id, "ray");
                                             const bool added = begins(id, "added") || begins(id, "state");
                                             return (read && beat < 3) || (added && beat < 2);
                                         }),
                          panel.marks.end());
    }
}

FurtherTurns further_turns_of(const ViewState& state) {
    FurtherTurns further;
    const std::string begin = "more";
    for (const auto& [name, value] : state.settings)
        if (name.compare(0, begin.size(), begin) == 0) further[name.substr(begin.size())] = value;
    return further;
}

void drop_panel(plot::Figure& figure, const std::string& id) {
    figure.panels.erase(std::remove_if(figure.panels.begin(), figure.panels.end(),
                                       [&](const plot::Panel& panel) { return panel.id == id; }),
                        figure.panels.end());
}

/// The token that the start screen asks about: the last of the vocabulary's content, a one for bits.
std::int32_t asked_token(const Exhibit& exhibit) {
    return static_cast<std::int32_t>(std::min<std::int64_t>(2, make_data_source(*exhibit.task)->vocabulary() - 1));
}

std::vector<Exhibit> exhibits_in(std::vector<ShownModel> models) {
    std::vector<Exhibit> exhibits;
    for (ShownModel& shown : models) exhibits.push_back(std::move(shown.exhibit));
    return exhibits;
}

}  // namespace

std::string what_figures_need(ViewState state) {
    const ViewState initial;
    state.theme = initial.theme;
    state.scale = initial.scale;
    state.lesson = initial.lesson;
    state.step = initial.step;
    state.answer = initial.answer;
    if (!state.difference) state.beside = initial.beside;
    return key_of(state);
}

ViewState beside_of(const ViewState& state) {
    ViewState beside = read_key(state.beside).state;
    beside.cursor = state.cursor;
    beside.beside.clear();
    beside.difference = false;
    return beside;
}

std::string Desk::key(ViewState state) const {
    const bool live = std::count(state.models.begin(), state.models.end(), kLiveModel) > 0;
    // Of another training the same step is another model.
    const std::string training =
        live && moments_ ? fmt::format("{}@{}", training_version_, moments_->of(state.moment).step) : "";
    const bool back = state.moment >= 0 && std::any_of(state.models.begin(), state.models.end(), is_run);
    if (!live && !back) state.moment = -1;
    return what_figures_need(state) + training;
}

plot::Figure Desk::step_lab(const ViewState& state) {
    const StepLab lab = lab_of(state);
    if (state.view == "path") return path_figure(lab);
    if (state.view == "map" && state.models.empty()) return map_figure(map_of(state));
    if (state.view == "error" && state.models.empty()) return error_figure(lab);
    const Exhibit exhibit = first_exhibit(state);
    const HeadSteps steps = head_steps(exhibit, read_tokens_of(state, exhibit), address_of(state), state.view.c_str());
    if (state.view == "error") return error_figure(lab, model_steps(steps));
    if (state.view == "taps") return taps_figure(taps_of(steps));
    if (state.view == "own")
        return own_input_figure(own_input_of(
            steps, value_of(state, "between") > 0 ? numerics::Between::straight : numerics::Between::held));
    MapState map = map_of(state);
    map.model = model_places(steps);
    map.lambda = steps.lambda;
    return map_figure(map);
}

/// Read once to the end; moving the cursor only shows less of it.
const LedgerData& Desk::ledger(const ViewState& state) {
    ViewState whole = state;
    whole.cursor = -1;
    const std::string key = this->key(whole);
    if (const auto found = ledgers_.find(key); found != ledgers_.end()) return found->second;
    std::int64_t trained = 0;
    const std::vector<ShownModel> shown = models(state);
    for (const ShownModel& one : shown) trained = std::max(trained, one.trained_size);
    const std::vector<Exhibit> exhibits = exhibits_in(shown);
    LedgerData data =
        make_ledger(exhibits, tokens_of(state, exhibits.at(0)), trained, address_of(state), further_turns_of(state));
    for (const std::string& symbol : data.models.at(0).symbols)
        data.handles.push_back(find_control("more" + symbol) != nullptr ? "more" + symbol : "");
    if (ledgers_.size() >= kMostTexts) ledgers_.clear();
    return ledgers_.emplace(key, std::move(data)).first->second;
}

const AskNowData& Desk::ask(const ViewState& state) {
    ViewState whole = state;
    whole.cursor = -1;
    const std::string key = this->key(whole);
    if (const auto found = asked_.find(key); found != asked_.end()) return found->second;
    const std::vector<Exhibit> exhibits = exhibits_in(models(state));
    AskNowData data = make_ask_now(exhibits, tokens_of(state, exhibits.at(0)));
    if (asked_.size() >= kMostTexts) asked_.clear();
    return asked_.emplace(key, std::move(data)).first->second;
}

plot::Figure Desk::make(const ViewState& state) {
    if (desk_view(state.view).group == std::string("Step lab")) return step_lab(state);
    if (state.view == "sandbox") return sandbox_figure(make_sandbox(state));
    if (state.view == "overview")
        return overview_figure(*overview_at(state.models), {state.x, state.y, state.colour, state.filter, state.sort});
    if (state.view == "ledger") {
        const LedgerData& data = ledger(state);
        return ledger_figure(first_tokens(data, static_cast<std::size_t>(cursor_of(state, data.length))));
    }
    if (state.view == "needle-map") {
        std::vector<NeedleMap> maps;
        for (const ShownModel& shown : models(state)) maps.push_back(needle_map_of(shown));
        return needle_map_figure(maps);
    }
    if (state.view == "needle") {
        AskNowData data = ask(state);
        if (state.cursor > 0) data.cursor = cursor_of(state, data.models.at(0).probability.size());
        return ask_now_figure(data);
    }
    const std::vector<Exhibit> exhibits = exhibits_in(models(state));
    plot::Figure dials = dials_figure(make_dials(exhibits, read_tokens_of(state, exhibits.at(0)), address_of(state)));
    show_beat(dials, state.beat);
    return dials;
}

const StartData& Desk::start(const ViewState& state) {
    ViewState asked = state;
    asked.predicted.clear();
    asked.shown = false;
    const std::string key = this->key(asked);
    if (const auto found = starts_.find(key); found != starts_.end()) return found->second;
    const std::vector<Exhibit> exhibits = exhibits_in(models(state));
    StartData data = make_start(exhibits, read_tokens_of(state, exhibits.at(0)), asked_token(exhibits.at(0)));
    if (starts_.size() >= kMostRemembered) starts_.clear();
    return starts_.emplace(key, std::move(data)).first->second;
}

const plot::Figure& Desk::figure(const ViewState& state) {
    if (desk_view(state.view).live) {
        if (!training_ && shows_stored_training(state)) show_stored(state.models.front());
        if (!training_) throw UserError("Nothing is trained yet.");
        TrainingData data = *training_;
        if (state.moment >= 0 && moments_) data.moment = moments_->of(state.moment).step;
        return live_figure_ = training_figure(data);
    }
    const std::string key = this->key(state);
    if (const auto found = figures_.find(key); found != figures_.end()) return found->second;
    plot::Figure figure;
    if (state.difference && !state.beside.empty()) {
        ViewState own = state;
        own.difference = false;
        const plot::Figure minuend = this->figure(own);
        plot::Figure subtrahend = this->figure(beside_of(state));
        // A pair of one model is none of another's.
        if (state.view == "ledger" && own.models != beside_of(state).models) drop_panel(subtrahend, "drift");
        figure = difference_figure(minuend, subtrahend);
    } else if (desk_view(state.view).name == std::string("start")) {
        const StartData& data = start(state);
        figure = start_figure(data, choices_of(state, data.dials.size()), state.shown);
    } else {
        figure = make(state);
    }
    if (figures_.size() >= kMostRemembered) figures_.clear();
    return figures_.emplace(key, std::move(figure)).first->second;
}

plot::Figure Desk::signed_figure(const ViewState& state) {
    plot::Figure signed_one = figure(state);
    signed_one.source = "whorl view '" + key_of(state) + "', whorl " + build_info().version;
    return signed_one;
}

std::vector<int> choices_of(const ViewState& state, std::size_t count) {
    std::vector<int> choices(count, -1);
    for (std::size_t i = 0; i < std::min(count, state.predicted.size()); ++i)
        if (state.predicted[i] >= 'a' && state.predicted[i] <= 'c') choices[i] = state.predicted[i] - 'a';
    return choices;
}

ViewState with_choice(ViewState state, std::size_t model, int which, std::size_t count) {
    state.predicted.resize(count, '-');
    state.predicted.at(model) = which < 0 ? '-' : static_cast<char>('a' + which);
    return state;
}

}  // namespace whorl::viz
