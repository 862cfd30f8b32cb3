// The time machine: a training's beginning, its pauses and its end, what was tried before, and the way back through it.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "viz/app/explorer.hpp"
#include "viz/app/imgui_compat.hpp"
#include "viz/desk/live_plan.hpp"

namespace whorl::view {
namespace {

using viz::ViewState;

constexpr double kMargin = 24, kGap = 8, kButton = 36;  // units
constexpr std::size_t kMostTried = 12;

std::string progress_text(const viz::LiveSnapshot& now, viz::LiveWish wish) {
    if (!now.failure.empty()) return now.failure;
    if (now.steps == 0) return "beginning";
    if (now.finished && now.step < now.steps) return "solved";
    if (now.finished) return "done";
    if (wish == viz::LiveWish::pause) return now.waits ? "paused" : "pauses after this step";
    if (now.step == 0) return "first step";
    return fmt::format("{:.0f} s left", now.seconds_a_step * static_cast<double>(now.steps - now.step));
}

}  // namespace

/// From the beginning, as the controls say; what was trained before stays in the list and as a thin line.
void Explorer::train() {
    if (!may_touch("train")) return;
    remember_training();
    live_.reset();  // after its step
    followed_.reset();
    state_.models.clear();
    shown_training_.reset();
    desk_.show_training(nullptr, nullptr);
    worker_.show_training(nullptr, nullptr);
    forget_panes();
    state_.moment = -1;
    training_words_ = viz::plan_words(state_);
    last_seed_ = viz::value_of(state_, "seed");
    live_ = std::make_unique<viz::LiveTraining>(viz::live_plan(state_), [this] { window().wake(); });
    note_.clear();
    ask_for_frames(3);
}

/// One that was not trained yet, as far as this window knows.
ViewState Explorer::with_new_seed() const {
    return viz::with_value(state_, "seed", std::max(last_seed_, viz::value_of(state_, "seed")) + 1);
}

void Explorer::begin_training(bool to_its_end) {
    const std::int64_t moment = state_.moment;
    train();
    while (to_its_end && !live_->newest()->finished && live_->newest()->failure.empty())
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    state_.moment = moment;
}

void Explorer::follow_run(bool waits) {
    remember_training();
    live_.reset();
    shown_training_.reset();
    desk_.show_training(nullptr, nullptr);
    worker_.show_training(nullptr, nullptr);
    forget_panes();
    training_words_ = state_.models.at(0);
    followed_ = std::make_unique<viz::FollowedRun>(state_.models.at(0), [this] { window().wake(); });
    if (waits) followed_->wait();
    ask_for_frames(3);
}

std::shared_ptr<const viz::LiveSnapshot> Explorer::training_now() const {
    if (live_ != nullptr) return live_->newest();
    return followed_ != nullptr ? followed_->newest() : std::make_shared<const viz::LiveSnapshot>();
}

void Explorer::play_or_pause() {
    if (!may_touch("train")) return;
    const bool over = live_ == nullptr || live_->newest()->finished || !live_->newest()->failure.empty();
    if (over) return train();
    live_->wish(live_->wanted() == viz::LiveWish::play ? viz::LiveWish::pause : viz::LiveWish::play);
}

void Explorer::remember_training() {
    const auto now = training_now();
    if (now->data == nullptr) return;
    const std::string result = viz::result_words(*now->data);
    tried_.push_back(
        {training_words_, fmt::format("{}, step {}", result.empty() ? "-" : result, now->step), now->data});
    if (tried_.size() > kMostTried) tried_.erase(tried_.begin());
}

/// What is new of the training goes to the views, with the losses of those before.
void Explorer::follow_training() {
    const bool stored = viz::shows_stored_training(state_);
    if (stored && (followed_ == nullptr || followed_->source() != state_.models[0])) follow_run(false);
    const auto now = training_now();
    if (now->data == nullptr || now->data == shown_training_) return;
    shown_training_ = now->data;
    auto data = std::make_shared<viz::TrainingData>(*now->data);
    for (const TriedTraining& one : tried_)
        if (one.data->loss_steps.size() > 1 && viz::same_rows(*one.data, *data))
            data->earlier.push_back(one.data->loss[one.data->chosen]);
    desk_.show_training(data, now->moments);
    worker_.show_training(data, now->moments);
}

/// Before anything was trained.
void Explorer::before_training(const ImVec2& low, float right) {
    const float x = low.x + units(kMargin), width = std::min(right - x, units(600));
    float y = paragraph("When does a model learn to count?", x, low.y + units(kMargin), width, plot::Role::accent);
    constexpr const char* lines[] = {
        "Train begins a small Mamba-3 here, on strings of 0 and 1 that are 8 bits long first and 40 in the end. Its "
        "task: "
        "is the number of ones even or odd?",
        "Watch the angle by which a 1 turns its state. Half a turn is what the task asks for; when does the angle get "
        "there, before or after the loss is flat?",
        "Meanwhile and afterwards the slider below leads back through the training, and the dial at the right shows "
        "the "
        "state at that step. Change a rate, a range or the seed, and train again beside it."};
    for (const char* line : lines) y = paragraph(line, x, y + units(6), width, plot::Role::ink);
}

/// Below the controls: what trains, and what was trained.
float Explorer::training_column(float x, float y, float width) {
    if (followed_ != nullptr)
        y = paragraph("Seen is " + training_words_ + ". These train another one beside it:", x, y, width,
                      plot::Role::secondary);
    const ImVec2 size{(width - units(kGap)) / 2, units(kButton)};
    if (live_ != nullptr)
        y = paragraph("These count from the next training on.", x, y - units(8), width, plot::Role::secondary);
    if (button("train.same", "Same seed", {x, y}, size, false)) train();
    if (button("train.new", "New seed", {x + size.x + units(kGap), y}, size, false)) {
        go(with_new_seed());
        train();
    }
    y += units(kButton + 16);
    if (live_ != nullptr && !live_->newest()->device.empty())
        y = paragraph("on " + live_->newest()->device, x, y - units(8), width, plot::Role::secondary);
    if (tried_.empty()) return y;
    y = paragraph("Tried", x, y, width, plot::Role::ink) - units(4);
    for (auto one = tried_.rbegin(); one != tried_.rend(); ++one) {
        y = paragraph(one->what, x, y, width, plot::Role::ink) - units(8);
        y = paragraph(one->result, x, y, width, plot::Role::secondary);
    }
    return y;
}

/// A tick for each moment that was kept; where the slider is pressed, that moment is looked at.
void Explorer::moment_slider(const ImVec2& low, const ImVec2& high, std::int64_t step, std::int64_t steps) {
    const viz::Moments* moments = desk_.moments();
    const auto all = static_cast<double>(std::max<std::int64_t>(steps, 1));
    const float from = low.x + units(10), length = high.x - low.x - units(20), middle = (low.y + high.y) / 2 - units(6);
    const auto place = [&](std::int64_t at) {
        return from + length * static_cast<float>(static_cast<double>(at) / all);
    };
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const ImU32 accent = packed_color(plot::color_of(theme(), plot::Role::accent));
    const auto track = [&](float end, ImU32 color) {
        list.AddRectFilled({from, middle - units(2)}, {end, middle + units(2)}, color, units(2));
    };
    track(from + length, packed_color(theme().grid));
    track(place(step), accent);
    if (moments != nullptr)
        for (const viz::Moment& one : moments->at)
            list.AddLine({place(one.step), middle + units(9)}, {place(one.step), middle + units(14)},
                         packed_color(theme().axis));
    list.AddCircleFilled({place(step), middle}, units(8), packed_color(theme().card));
    list.AddCircle({place(step), middle}, units(8), accent, 0, units(3));
    const std::string end = fmt::format("{}", steps);
    say("0", {from, middle + units(16)});
    say(end, {from + length - ImGui::CalcTextSize(end.c_str()).x, middle + units(16)});
    if (moments == nullptr) return;
    ImGui::SetCursorScreenPos({low.x, middle - units(14)});
    ImGui::InvisibleButton("train.moment", {high.x - low.x, units(28)});
    widgets_["train.moment"] = {ImGui::GetItemRectMin(), ImGui::GetItemRectMax()};  // up and down move it by keys
    if (ImGui::IsItemActive()) {
        ViewState next = state_;
        next.moment = std::llround(std::clamp((ImGui::GetIO().MousePos.x - from) / length, 0.0f, 1.0f) * all);
        if (next.moment >= moments->at.back().step) next.moment = -1;
        drag_to(std::move(next));
    }
    if (ImGui::IsItemDeactivated()) end_gesture();
}

void Explorer::training_foot(const ImVec2& low, const ImVec2& high) {
    const float y = low.y + (high.y - low.y - units(kButton)) / 2, line = ImGui::GetTextLineHeight();
    const auto now = training_now();
    const bool over = live_ == nullptr || now->finished || !now->failure.empty();
    const bool plays = !over && live_->wanted() == viz::LiveWish::play;
    float x = low.x + units(kMargin);
    const auto next = [&](const char* id, const char* text, bool chosen = false) {
        const float wide = std::max(units(44), ImGui::CalcTextSize(text).x + units(24));
        const bool pressed = button(id, text, {x, y}, {wide, units(kButton)}, chosen);
        x += wide + units(kGap);
        return pressed;
    };
    if (next("train.play", over ? "Train" : plays ? "Pause" : "Go on", over)) play_or_pause();
    if (!over && next("train.step", "One step")) live_->one_step();
    const viz::Moments* moments = desk_.moments();
    const bool any = live_ != nullptr || followed_ != nullptr;
    if (!any && moments == nullptr) return;
    if (moments != nullptr) {
        if (next("train.back", "<")) move_moment(-1);
        if (next("train.forward", ">")) move_moment(1);
    }
    const std::int64_t last = any ? now->step : moments->at.back().step;
    const std::int64_t step = state_.moment >= 0 && moments != nullptr ? moments->of(state_.moment).step : last;
    const std::int64_t steps = any ? now->steps : last;
    const float words = std::max(units(140), ImGui::CalcTextSize("step 1000 of 1000").x);
    paragraph(fmt::format("step {} of {}", step, steps), x + units(8), y, words, plot::Role::ink);
    if (any)
        paragraph(live_ != nullptr ? progress_text(*now, live_->wanted()) : now->status, x + units(8),
                  y + line + units(2), words, plot::Role::secondary);
    x += words + units(24);
    if (high.x - x > units(160) && now->failure.empty())
        moment_slider({x, low.y}, {high.x - units(kMargin), high.y}, step, steps);
}

}  // namespace whorl::view
