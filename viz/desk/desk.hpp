// From what the screen should show to the figure that shows it: one pure function of the state, and the last answers
// kept.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "viz/data/shown_model.hpp"
#include "viz/desk/desk_views.hpp"
#include "viz/desk/live_training.hpp"
#include "viz/panels/ask_now.hpp"
#include "viz/panels/ledger.hpp"
#include "viz/panels/start.hpp"
#include "viz/state/view_state.hpp"

namespace whorl::viz {

/// The model that is trained now, among ViewState::models.
inline constexpr const char* kLiveModel = "live";

/// The state that shows `source`, a model, in the view that suits its task. Throws UserError as load_shown.
ViewState view_of_model(const std::string& source);

/// Tokens of the state's text as the first model's task writes them, and where the cursor stands among them (1 …
/// count).
struct ReadText {
    std::vector<std::string> tokens;
    std::int64_t cursor = 0;
};

class Desk {
public:
    /// The figure of `state`, made now or remembered; valid until the next call. Throws UserError as the figure's view,
    /// and for what `state` names and there is not.
    const plot::Figure& figure(const ViewState& state);

    /// What the live view shows from now on; null: nothing. Its replica at ViewState::moment is the model "live".
    void show_training(std::shared_ptr<const TrainingData> data, std::shared_ptr<const Moments> moments);
    const TrainingData* training() const { return training_.get(); }
    /// Null until there is a row, as training().
    const Moments* moments() const { return moments_.get(); }

    /// As show_training, of a run on disk: `source` as FollowedRun takes it. Throws UserError where it cannot be read.
    void show_stored(const std::string& source);
    /// Steps that the state can go back to, ascending: of what is trained or followed, or of the run that it shows.
    std::vector<std::int64_t> moment_steps(const ViewState& state) const;

    /// The same with the command that shows it again, for files.
    plot::Figure signed_figure(const ViewState& state);

    /// A model by the name that `state` has for it.
    const ShownModel& shown(const std::string& source, const ViewState& state) { return model(source, state); }

    /// What the start screen asks, for its buttons; the state's view must be "start".
    const StartData& start(const ViewState& state);
    ReadText text(const ViewState& state);
    /// Whether `text` is one that the state's models can read.
    bool can_read(ViewState state, const std::string& text);

    /// Names of the models that the view shows; none where it shows no model.
    std::vector<std::string> sources(const ViewState& state);
    /// The same view of the next model that ships and has such a view.
    ViewState with_next_model(const ViewState& state);

private:
    const ShownModel& model(const std::string& source, const ViewState& state);
    std::string key(ViewState state) const;
    std::vector<ShownModel> models(const ViewState& state);
    Exhibit first_exhibit(const ViewState& state);
    plot::Figure make(const ViewState& state);
    plot::Figure step_lab(const ViewState& state);
    const LedgerData& ledger(const ViewState& state);
    const AskNowData& ask(const ViewState& state);

    std::shared_ptr<const TrainingData> training_;
    std::shared_ptr<const Moments> moments_;
    std::int64_t training_version_ = 0;
    plot::Figure live_figure_;
    ShownModel live_;
    std::map<std::string, ShownModel> models_;   // by source; read once
    std::map<std::string, LedgerData> ledgers_;  // of whole texts
    std::map<std::string, AskNowData> asked_;
    std::map<std::string, plot::Figure> figures_;  // by the link that they belong to
    std::map<std::string, StartData> starts_;      // by models and text
};

/// The state that stands beside `state`, its cursor where that one's is; there must be one.
ViewState beside_of(const ViewState& state);

/// The fields of a state that its figure depends on, as text.
std::string what_figures_need(ViewState state);

/// The choices in ViewState::predicted: -1 for none.
std::vector<int> choices_of(const ViewState& state, std::size_t count);
/// The state with choice `which` made for model `model`, of `count` models.
ViewState with_choice(ViewState state, std::size_t model, int which, std::size_t count);

}  // namespace whorl::viz
