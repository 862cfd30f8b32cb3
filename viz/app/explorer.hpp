// The explorer: views of figures, a tape to type on, and the start screen's question, in one window.
//
// All that is shown follows from a ViewState; a gesture makes a new one, and undo goes back through them. What a key
// or a button does is one function of the state, so that tests press keys and click widgets by their names.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "viz/app/app.hpp"
#include "viz/app/paint_imgui.hpp"
#include "viz/app/taught.hpp"
#include "viz/desk/desk.hpp"
#include "viz/desk/desk_worker.hpp"
#include "viz/desk/followed_run.hpp"
#include "viz/desk/live_training.hpp"
#include "viz/desk/pointing.hpp"
#include "viz/lessons/scene.hpp"
#include "viz/lessons/stage.hpp"
#include "viz/plot/place.hpp"
#include "viz/state/controls.hpp"

namespace whorl::view {

/// Whether what the state shows has to be trained first: a moment of a training of one's own.
inline bool is_of_training(const viz::ViewState& state) {
    return viz::desk_view(state.view).live && state.moment >= 0 && state.models.empty();
}

/// Where a widget was drawn last, in pixels: for tests that click it.
struct WidgetPlace {
    ImVec2 low, high;
};

/// A figure on the screen: what it shows, and where that was laid out last.
struct Pane {
    std::shared_ptr<const plot::Figure> source;
    std::string failure;  // why there is none
    bool late = false;    // another was asked for that is still being made
    bool whole = false;   // in little room shown smaller rather than laid out anew

    std::shared_ptr<const plot::Figure> laid_out;
    const plot::Theme* theme = nullptr;
    double scale = 1;
    plot::Figure figure;
    plot::Placed placed;
    Spot spot;
    ImVec2 low, high;
};

/// What was trained before, for the list and as a thin line.
struct TriedTraining {
    std::string what, result;
    std::shared_ptr<const viz::TrainingData> data;
};

class Explorer : public App {
public:
    Explorer(Window& window, viz::ViewState state);

    const viz::ViewState& state() const { return state_; }
    /// As a gesture would, from the next frame on.
    void show(viz::ViewState next) { go(std::move(next)); }
    /// The start screen offers this state, too, by that name.
    void offer(viz::ViewState last, const std::string& name) { last_time_ = std::move(last), last_time_name_ = name; }
    /// Empty where the state has no figure; the reason is on the screen then.
    std::optional<plot::Figure> figure();
    /// Why the view has no figure, in one line; "": it has one, or is still to be trained.
    std::string why_no_figure() const;
    const std::map<std::string, WidgetPlace>& widgets() const { return widgets_; }
    /// The widget that keys press; "": none.
    const std::string& focus() const { return focus_; }
    /// By slot: "a" and "b" beside one another, "start.dials", "start.tape", "live.dial".
    const std::map<std::string, Pane>& panes() const { return panes_; }

    /// Null until something was trained here.
    const viz::LiveTraining* live() const { return live_.get(); }

    /// What students do is remembered in `file` (viz/lessons/lesson_book.hpp) from now on; "": not at all.
    void keep_lessons(const std::string& file);
    const viz::LessonBook& lesson_book() const { return taught_.book; }

    /// Trains what the state's controls say; `to_its_end` returns only then. The same link is the same training.
    void begin_training(bool to_its_end);
    /// Reads the run on disk that the time machine's state names; `waits` returns only when it was read.
    void follow_run(bool waits);
    /// Of what is trained here, else of the run that is followed, else empty.
    std::shared_ptr<const viz::LiveSnapshot> training_now() const;
    /// Reads the tape token by token, from its beginning where all was read; or stops that.
    void play();
    bool plays() const { return next_token_at_ >= 0; }

protected:
    void frame() override;
    void failed(const std::string& what) override { note_ = what; }
    bool moves() const override { return plays(); }

private:
    void go(viz::ViewState next);
    /// While a slider or the mouse is held: undo goes back to where that began.
    void drag_to(viz::ViewState next);
    void end_gesture();
    void undo(std::vector<viz::ViewState>& from, std::vector<viz::ViewState>& to);
    void show_view(const std::string& name);
    /// What the state reads; nothing where that cannot be read.
    const viz::ReadText& read();
    void follow_tape();
    viz::ViewState restarted();

    // --- keys (explorer_keys.cpp)
    void keys();
    void edit_keys();
    void list_keys();
    void view_keys();
    void move_cursor(std::int64_t by);
    void type(const std::string& letter);
    void erase();
    void answer();
    void export_view();
    void save_view();
    void next_model();
    void next_beat();
    void move_moment(std::int64_t by);
    void compare();
    void copy_link();
    void paste();
    void type_signs();
    void move_focus(int by);
    bool focus_takes_presses() const;
    void press_focus();
    void adjust(std::int64_t by);
    void show_group(std::size_t which);

    // --- lessons (explorer_lesson.cpp)
    /// Null where none is taught; one that cannot be read is left, and the note says why.
    const viz::Lesson* lesson();
    const viz::LessonStep& lesson_step();
    viz::Scene scene();
    viz::Stage stage();
    /// Whether the lesson leaves it to the student; if not, the note says so.
    bool may_touch(const std::string& what);
    bool may_become(const viz::ViewState& next);
    void open_lesson(const std::string& name, std::int64_t step);
    void leave_lesson();
    void next_step();
    /// Null where nothing is asked, or no longer.
    const viz::LessonQuestion* open_question();
    void give_answer(const std::string& answer);
    void answer_question(std::size_t choice);
    bool guess_keys();
    void keep_book();

    // --- lessons, their panel (explorer_lesson_panel.cpp)
    void lesson_panel(const ImVec2& low, const ImVec2& high);
    float lesson_heading(float x, float y, float width);
    void step_bars(float x, float y, float width);
    float stage_line(viz::Stage now, float x, float y, float width);
    void lesson_reading(viz::Stage now, const ImVec2& low, const ImVec2& high);
    float lesson_content(viz::Stage now, float x, float y, float width);
    float lesson_text(const std::string& text, float x, float y, float width, plot::Face face);
    float gloss_box(float x, float foot, float width);
    float paragraph(const std::string& text, float x, float y, float width, plot::Role role);

    // --- lessons, questions (explorer_question.cpp)
    float question(const viz::LessonQuestion& asked, float x, float y, float width);
    float choices(const viz::LessonQuestion& asked, float x, float y, float width);
    float position_slider(float x, float y, float width);
    float number_field(const viz::LessonQuestion& asked, float x, float y, float width);
    float verdict(const viz::LessonQuestion& asked, const std::string& answer, bool known, float x, float y,
                  float width);

    // --- lessons, over the view (explorer_veil.cpp)
    void veil(const ImVec2& low, const ImVec2& high, double opacity, const plot::Color& over);
    /// Over a control that the lesson leaves as it is.
    void veil_unless(const std::string& allowed, const ImVec2& low, const ImVec2& high, const plot::Color& over);
    /// Over what a step does not show, or not yet; and the position that is being guessed.
    void veil(const Pane& pane);

    // --- the list of lessons (explorer_lessons.cpp)
    void lesson_list(const ImVec2& low, const ImVec2& high);
    float lesson_row(std::size_t place, const std::string& name, float x, float y, float width);
    void lesson_tools(float x, float y);
    void record_step();
    void save_predictions();
    ImU32 packed_color(const plot::Color& color) const;
    ImVec4 color(plot::Role role) const;

    // --- live training (explorer_train.cpp)
    void train();
    viz::ViewState with_new_seed() const;
    void play_or_pause();
    void follow_training();
    void remember_training();
    void before_training(const ImVec2& low, float right);
    float training_column(float x, float y, float width);
    void moment_slider(const ImVec2& low, const ImVec2& high, std::int64_t step, std::int64_t steps);
    void training_foot(const ImVec2& low, const ImVec2& high);

    // --- the bar and the keys' list (explorer_bar.cpp)
    void bar(float height);
    float tabs(float x, float height);
    bool model_chip(float left, float right, float y);
    void help();

    // --- the view (explorer_body.cpp)
    void body(const ImVec2& low, const ImVec2& high);
    void panes(const ImVec2& low, const ImVec2& high);
    /// Puts the newest figure of a state into a pane; null where there is none to be seen.
    const plot::Figure* newest(const std::string& slot, const viz::ViewState& state);
    void newest_in_two_panels();
    /// What is shown is asked for anew.
    void forget_panes();
    void lay_out(Pane& pane, const ImVec2& low, const ImVec2& high);
    Pane* draw(const std::string& slot, const ImVec2& low, const ImVec2& high);
    void point(const Pane& pane);
    void show_hit(const viz::Hit& hit, const Spot& spot);
    void dial_beside(const ImVec2& low, const ImVec2& high);
    void start_screen(const ImVec2& low, const ImVec2& high);
    void start_buttons(const Pane& pane, float choices_y);
    void start_cards(const ImVec2& low, const ImVec2& high);
    void go_on_as_last_time();
    void tape_buttons(const ImVec2& low, const ImVec2& high);

    // --- controls at the left (explorer_controls.cpp)
    float column_width() const;
    void column(const ImVec2& low, const ImVec2& high);
    float column_widgets(float x, float y, float width);
    void show_focus_in_column(const ImVec2& low, const ImVec2& high);
    float control(const viz::Control& control, float x, float y, float width);
    float number_control(const viz::Control& control, float x, float y, float width);
    float choice_control(const viz::Control& control, float x, float y, float width);

    // --- the overview (explorer_overview.cpp)
    void open_dot(const std::string& opens, bool beside);
    /// Whether the view is one of dots: a press there opens the nearest, if any.
    bool press_dot(const Pane& pane, plot::Point paper);
    float key_list(const char* name, const char* label, std::string viz::ViewState::*field, const std::string& now,
                   const std::vector<std::string>& keys, float x, float y, float width);
    float filter_field(float x, float y, float width);
    float overview_column(float x, float y, float width);

    void say(const std::string& text, const ImVec2& at);
    /// Makes the last item one that Tab reaches and tests find; true where a key presses it now.
    bool enlist(const std::string& id);
    /// A button that is enlisted.
    bool button(const std::string& id, const std::string& text, const ImVec2& at, const ImVec2& size, bool chosen);
    /// Words of the bar, underlined where chosen; returns its width.
    float tab(const std::string& id, const std::string& text, const ImVec2& at, float height, bool chosen,
              bool& pressed);
    /// Large type, and a lesson beside, leave no room for three choices beside each other.
    bool stacked() const { return theme().text > 16 || !state_.lesson.empty() || (narrow() && !low()); }
    /// A window that has no room for rows of buttons.
    bool low() const { return static_cast<float>(window().height()) < units(520); }
    /// A window that has no room for long words.
    bool narrow() const { return static_cast<float>(window().width()) < units(theme().text > 16 ? 1200 : 1000); }
    float units(double length) const { return static_cast<float>(length * scale()); }
    const plot::Theme& theme() const { return plot::theme(state_.theme); }

    viz::ViewState state_;
    std::optional<viz::ViewState> last_time_;
    std::string last_time_name_;
    std::vector<std::string> opened_;   // models that the user chose
    std::vector<std::string> results_;  // sweeps and tables that the user opened
    std::string picked_;                // a dot that another is to be seen beside
    std::string open_list_;             // of keys, by its control
    std::array<char, 256> filter_text_{};
    std::string filter_shown_;  // the filter that filter_text_ was taken from
    std::string read_key_;      // of read_
    viz::ReadText read_;
    viz::Desk desk_;  // for what the frame itself has to know
    std::vector<viz::ViewState> undo_, redo_;
    std::optional<viz::ViewState> gesture_;  // the state before what is being dragged
    std::string focus_;                      // the widget that keys press and move, by Tab or a drag; "": none
    bool press_focus_ = false;               // in this frame
    std::string focus_shown_;                // the focus for which the column was moved
    float column_scroll_ = 0, column_height_ = 0;
    std::vector<std::string> order_;  // of widgets, as drawn
    float bar_buttons_at_ = 0;        // where those at the right begin
    bool models_in_bar_ = false;      // else they stand at the foot
    bool pointing_ = false;           // the mouse is held over the view
    Pane held_;                       // the pane as it was when a handle of a ledger was taken
    std::optional<viz::Grip> grip_;   // the handle that it holds, and how far off
    std::map<std::string, WidgetPlace> widgets_;
    std::map<std::string, Pane> panes_;
    std::shared_ptr<const plot::Figure> start_of_, live_of_, train_of_;  // what the parts in panes_ were taken from
    double next_token_at_ = -1;                                          // while the tape plays; ImGui's seconds
    std::string note_;
    bool help_ = false, lessons_listed_ = false;
    Taught taught_;
    std::vector<TriedTraining> tried_;
    double last_seed_ = 0;                                     // that was trained
    std::shared_ptr<const viz::TrainingData> shown_training_;  // live_'s newest
    std::string training_words_;                               // the plan's
    viz::DeskWorker worker_;                                   // these three last: their threads wake the window
    std::unique_ptr<viz::FollowedRun> followed_;
    std::unique_ptr<viz::LiveTraining> live_;
};

}  // namespace whorl::view
