// The desk's models: by name, from files and runs, or of the training under way; and the texts that they read.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/run/shipped_models.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "viz/data/kept_moments.hpp"
#include "viz/data/lesion.hpp"
#include "viz/desk/desk.hpp"
#include "viz/desk/live_plan.hpp"
#include "viz/desk/reading.hpp"
#include "viz/state/controls.hpp"
#include "viz/views/sandbox_view.hpp"

namespace whorl::viz {
namespace {

constexpr std::size_t kMostModels = 32;

/// "PATH@3" is replica 3 of PATH; without one, a population's best is shown.
ShownModel load_source(const std::string& source, std::int64_t moment = -1) {
    const SourceName name = source_name(source);
    ShownModel model = moment >= 0 && is_run(source)
                           ? load_moment(source, moment)
                           : load_shown(name.path, replica_choice(name.replica.empty() ? "best" : name.replica));
    if (!model.exhibit.task)
        throw UserError(source + " does not say what task it answers, and so not how its tokens are written");
    return model;
}

std::vector<std::string> names_of(const ViewState& state) {
    if (!state.models.empty()) return state.models;
    const std::string listed = desk_view(state.view).models;
    if (listed.empty()) return {"parity-mamba3", "sliding-mamba2", "parity-gdn"};
    std::vector<std::string> names;
    for (std::size_t begin = 0; begin < listed.size();) {
        const std::size_t end = std::min(listed.find(',', begin), listed.size());
        names.push_back(listed.substr(begin, end - begin));
        begin = end + 1;
    }
    return names;
}

Lesion lesion_of(const ViewState& state) {
    return static_cast<Lesion>(std::lround(value_of(state, "silenced")));
}

}  // namespace

ViewState view_of_model(const std::string& source) {
    ViewState state;
    state.view = std::holds_alternative<Needle>(*load_source(source).exhibit.task) ? "needle" : "dials";
    state.models = {source};
    return state;
}

void Desk::show_training(std::shared_ptr<const TrainingData> data, std::shared_ptr<const Moments> moments) {
    if (moments != moments_) ++training_version_;
    training_ = std::move(data);
    moments_ = std::move(moments);
}

const ShownModel& Desk::model(const std::string& source, const ViewState& state) {
    if (source == kLiveModel) {
        if (!moments_) throw UserError("Nothing is trained yet: the time machine has no model to show.");
        const Moment& moment = moments_->of(state.moment);
        live_.exhibit = moments_->exhibit;
        live_.exhibit.slice = moment.slice;
        live_.exhibit.about += ", step " + std::to_string(moment.step);
        live_.trained_size = moments_->trained_size;
        return live_;
    }
    const bool back = state.moment >= 0 && is_run(source);
    const std::string key = source + (back ? fmt::format("@step-{}", state.moment) : "");
    if (const auto found = models_.find(key); found != models_.end()) return found->second;
    if (models_.size() >= kMostModels) models_.clear();
    return models_.emplace(key, load_source(source, state.moment)).first->second;
}

std::vector<ShownModel> Desk::models(const ViewState& state) {
    const std::vector<std::string> names = names_of(state);
    std::vector<ShownModel> shown;
    for (const std::string& name : names) {
        shown.push_back(model(name, state));
        shown.back().exhibit = with_lesion(std::move(shown.back().exhibit), lesion_of(state));
    }
    name_apart(shown, names);
    return shown;
}

void Desk::show_stored(const std::string& source) {
    const SourceName name = source_name(source);
    const ReplicaChoice choice = replica_choice(name.replica);
    const auto replica = choice.index < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(choice.index));
    StoredTraining stored = load_stored_training(name.path, replica);
    const bool any = !stored.moments.at.empty();
    show_training(std::make_shared<const TrainingData>(std::move(stored.data)),
                  any ? std::make_shared<const Moments>(std::move(stored.moments)) : nullptr);
}

std::vector<std::int64_t> Desk::moment_steps(const ViewState& state) const {
    std::vector<std::int64_t> steps;
    const std::string source = state.models.empty() ? "" : state.models.front();
    if (desk_view(state.view).live || source == kLiveModel) {
        if (moments_)
            for (const Moment& one : moments_->at) steps.push_back(one.step);
    } else if (!source.empty() && is_run(source)) {
        for (const KeptMoment& one : kept_moments(RunDirectory::open(source_name(source).path)).at)
            steps.push_back(one.step);
    }
    return steps;
}

std::vector<std::string> Desk::sources(const ViewState& state) {
    return std::string(desk_view(state.view).text).empty() ? std::vector<std::string>{} : names_of(state);
}

ViewState Desk::with_next_model(const ViewState& state) {
    const std::vector<std::string> names = named_models(), shown = sources(state);
    if (shown.empty()) return state;
    const auto now = std::find(names.begin(), names.end(), shown.front());
    const auto from = static_cast<std::size_t>(now == names.end() ? names.size() - 1 : now - names.begin());
    for (std::size_t step = 1; step < names.size(); ++step) {
        ViewState next = state;
        next.models = {names[(from + step) % names.size()]};
        next.text = ViewState{}.text;
        next.cursor = -1;
        next.predicted.clear();
        next.shown = false;
        try {
            figure(next);
            return next;
        } catch (const UserError&) {
            continue;  // a view that this model does not have
        }
    }
    return state;
}

ReadText Desk::text(const ViewState& state) {
    ReadText read;
    const DeskView& view = desk_view(state.view);
    if (state.view == "sandbox") {
        for (const int bit : bits_of(state)) read.tokens.push_back(std::to_string(bit));
        read.cursor = cursor_of(state, read.tokens.size());
        return read;
    }
    if (std::string(view.text).empty()) return read;
    const Exhibit& exhibit = model(names_of(state).at(0), state).exhibit;
    for (const std::int32_t token : tokens_of(state, exhibit)) read.tokens.push_back(text_of(exhibit, token));
    read.cursor = cursor_of(state, read.tokens.size());
    return read;
}

bool Desk::can_read(ViewState state, const std::string& text) {
    state.text = text;
    try {
        if (state.view == "sandbox") return !bits_of(state).empty();
        return !tokens_of(state, model(names_of(state).at(0), state).exhibit).empty();
    } catch (const UserError&) {
        return false;
    }
}

Exhibit Desk::first_exhibit(const ViewState& state) {
    return with_lesion(model(names_of(state).at(0), state).exhibit, lesion_of(state));
}

}  // namespace whorl::viz
