#include "viz/views/training_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "app/run/manifest.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/checkpoint_file.hpp"
#include "core/training/timeline.hpp"
#include "viz/data/kept_moments.hpp"

namespace whorl::viz {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// The loss of a model that gives smoothed targets just their probabilities: their entropy.
double least_loss(double smoothing, std::int64_t vocabulary) {
    if (smoothing == 0) return 0;
    const double v = static_cast<double>(vocabulary), other = smoothing / v, right = 1 - smoothing + other;
    return -right * std::log(right) - (v - 1) * other * std::log(other);
}

std::string replica_name(const RunSetup& setup, std::size_t replica) {
    const std::vector<ReplicaHyper> all = replicas_of(setup.config.replicas);
    const ReplicaHyper& one = all[replica];
    if (setup.config.replicas.count() == setup.config.replicas.seeds) return fmt::format("seed {}", one.init_seed);
    return fmt::format("replica {}, rate {:g}, seed {}", replica, one.learning_rate, one.init_seed);
}

std::size_t checked(const RunSetup& setup, std::size_t replica, const std::string& where) {
    const std::int64_t count = setup.config.replicas.count();
    if (static_cast<std::int64_t>(replica) < count) return replica;
    throw UserError(fmt::format("{}: --replica {}: there are replicas 0..{}", one_line(where), replica, count - 1));
}

Exhibit exhibit_of(const RunSetup& setup) {
    return {title_of(setup.model), setup.config.name, setup.model, {}, setup.task};
}

TrainingData data_of(const RunSetup& setup) {
    TrainingData data;
    data.name = title_of(setup.model);
    data.about = setup.config.name;
    data.role = role_of(setup.model);
    data.chance = setup.data->chance();
    data.least_loss = least_loss(setup.config.training.loss.label_smoothing, setup.model.vocab_size);
    data.loss.resize(static_cast<std::size_t>(setup.config.replicas.count()));
    return data;
}

void add_losses(TrainingData& data, std::int64_t step, const std::vector<double>& losses) {
    data.loss_steps.push_back(step);
    for (std::size_t r = 0; r < data.loss.size(); ++r) data.loss[r].push_back(losses[r]);
}

void add_accuracies(TrainingData& data, const std::vector<Evaluation>& evaluations) {
    if (evaluations.empty()) return;
    data.sizes = evaluations.front().sizes;
    data.accuracy.resize(data.sizes.size());
    for (const Evaluation& one : evaluations) {
        data.accuracy_steps.push_back(one.step);
        for (std::size_t i = 0; i < data.sizes.size(); ++i) data.accuracy[i].push_back(one.accuracy[i][data.chosen]);
    }
}

// --- stored ----------------------------------------------------------------------------------------------------------

std::vector<double> losses_of(const Document& row, std::size_t replicas) {
    std::vector<std::optional<double>> stored;
    const Value* values = find(row.root, "loss");
    if (values == nullptr) throw UserError(row.source + ": a training row without a loss");
    ConfigReader::read(*values, Place{&row.source, "loss"}, stored);
    if (stored.size() != replicas) throw UserError(row.source + ": loss: is of another number of replicas");
    std::vector<double> losses;
    for (const auto& loss : stored) losses.push_back(loss.value_or(kNaN));
    return losses;
}

struct StoredRows {
    std::vector<Evaluation> validations, tests;
};

StoredRows read_rows(const RunDirectory& run, TrainingData& data) {
    StoredRows rows;
    run.visit_metrics([&](const Document& row) {
        std::string kind;
        std::int64_t step = 0;
        if (const Value* value = find(row.root, "kind")) ConfigReader::read(*value, Place{&row.source, "kind"}, kind);
        if (const Value* value = find(row.root, "step")) ConfigReader::read(*value, Place{&row.source, "step"}, step);
        if (kind == "train") add_losses(data, step, losses_of(row, data.loss.size()));
        if (kind != "validation" && kind != "test") return true;
        Evaluation evaluation = evaluation_from(row.root, row.source);
        for (const auto& at_size : evaluation.accuracy)
            if (at_size.size() != data.loss.size())
                throw UserError(row.source + ": accuracy: is of another number of replicas");
        auto& same = kind == "test" ? rows.tests : rows.validations;
        if (same.empty() || same.front().sizes == evaluation.sizes) same.push_back(std::move(evaluation));
        return true;
    });
    return rows;
}

/// Empty where the run under way has taken it back meanwhile, as it does with older checkpoints.
std::optional<std::vector<double>> read_slice(const KeptMoment& kept, std::size_t replica) {
    try {
        return load_model(kept.path, {static_cast<std::int64_t>(replica), false}).slice;
    } catch (const UserError&) {
        std::error_code error;
        if (std::filesystem::exists(kept.path, error)) throw;
        return std::nullopt;
    }
}

/// Those that `before` holds are not read again.
std::vector<Moment> read_moments(const KeptMoments& kept, std::size_t replica, const std::vector<Moment>& before) {
    std::vector<Moment> moments;
    for (const KeptMoment& one : kept.at) {
        const auto known =
            std::find_if(before.begin(), before.end(), [&](const Moment& other) { return other.step == one.step; });
        if (known != before.end())
            moments.push_back(*known);
        else if (auto slice = read_slice(one, replica))
            moments.push_back({one.step, std::move(*slice)});
    }
    return moments;
}

std::string note_of(const KeptMoments& kept) {
    if (kept.snapshots) return "";
    if (kept.at.empty()) return "no parameters were kept yet";
    return fmt::format("no snapshots were kept (checkpoint.snapshots), but {} checkpoint{}", kept.at.size(),
                       kept.at.size() == 1 ? "" : "s");
}

// --- watched ---------------------------------------------------------------------------------------------------------

std::vector<Moment> moments_of(const Timeline& timeline, std::size_t replica) {
    std::vector<Moment> moments;
    for (const Timeline::Frame& frame : timeline.frames()) {
        const auto slice = timeline.slice(frame, replica);
        moments.push_back({frame.step, {slice.begin(), slice.end()}});
    }
    return moments;
}

std::vector<std::size_t> all_replicas(const RunSetup& setup) {
    std::vector<std::size_t> all(static_cast<std::size_t>(setup.config.replicas.count()));
    for (std::size_t r = 0; r < all.size(); ++r) all[r] = r;
    return all;
}

}  // namespace

const Moment& Moments::of(std::int64_t step) const {
    if (step < 0) return at.back();
    const auto later = std::upper_bound(at.begin(), at.end(), step,
                                        [](std::int64_t wanted, const Moment& one) { return wanted < one.step; });
    return later == at.begin() ? at.front() : *(later - 1);
}

StoredTraining load_stored_training(const std::string& path, std::optional<std::size_t> replica, const Address& address,
                                    const StoredTraining* before) {
    const RunDirectory run = RunDirectory::open(path);
    const RunSetup setup = load_setup(run);
    const RunStatus status = load_status(run);
    StoredTraining stored;
    TrainingData& data = stored.data;
    data = data_of(setup);
    const StoredRows rows = read_rows(run, data);
    if (data.loss_steps.empty()) throw UserError(one_line(path + ": training: this run has not logged a loss yet"));
    const auto& ranking = rows.validations.empty() ? rows.tests : rows.validations;
    data.chosen = checked(setup, replica.value_or(ranking.empty() ? 0 : best_replica(ranking.back())), path);
    data.chosen_name = replica_name(setup, data.chosen);
    // Over time where it was validated on the way; a single row at the end is less than the test's sizes say.
    add_accuracies(data, rows.validations.size() > 1 || rows.tests.empty() ? rows.validations : rows.tests);
    const KeptMoments kept = kept_moments(run);
    const bool same = before != nullptr && before->data.chosen == data.chosen;
    stored.moments = {exhibit_of(setup), setup.config.training.curriculum.largest(),
                      read_moments(kept, data.chosen, same ? before->moments.at : std::vector<Moment>())};
    if (setup.config.replicas.count() > 1) stored.moments.exhibit.about += fmt::format(", replica {}", data.chosen);
    data.turns = turn_history(exhibit_of(setup), stored.moments.at, address);
    data.note = note_of(kept);
    stored.step = std::max(status.step, data.loss_steps.back());
    stored.steps = setup.config.training.steps;
    stored.status = status.status;
    if (stored.status != "finished") data.steps = stored.steps;  // the axis has room for what is to come
    return stored;
}

TrainingData load_training(const std::string& path, std::optional<std::size_t> replica, const Address& address) {
    return load_stored_training(path, replica, address).data;
}

WatchedTraining::WatchedTraining(const RunSetup& setup, const Devices& devices, Watching watching)
    : setup_(setup),
      watching_(std::move(watching)),
      trainer_(setup.config.training, setup.model, *setup.data, replicas_of(setup.config.replicas), devices),
      timeline_(watching_.replica ? std::vector<std::size_t>{checked(setup, *watching_.replica, setup.config.name)}
                                  : all_replicas(setup)),
      data_(data_of(setup)) {
    timeline_.follow(trainer_);
}

void WatchedTraining::step() {
    trainer_.step();
    timeline_.follow(trainer_);
    const std::int64_t every = std::max<std::int64_t>(1, setup_.config.training.steps / watching_.rows);
    if (trainer_.finished() || trainer_.steps_done() % every == 0) take_row();
}

void WatchedTraining::take_row() {
    EvaluationConfig on = setup_.config.test;
    on.count = watching_.examples;
    add_losses(data_, trainer_.steps_done(), trainer_.take_row().loss);
    evaluations_.push_back(trainer_.evaluate(Split::validation, on));
    if (watching_.progress) watching_.progress(trainer_.steps_done());
}

std::size_t WatchedTraining::chosen() const {
    return watching_.replica.value_or(evaluations_.empty() ? 0 : best_replica(evaluations_.back()));
}

std::vector<Moment> WatchedTraining::moments() const {
    return moments_of(timeline_, watching_.replica ? 0 : chosen());
}

TrainingData WatchedTraining::data(const Address& address) const {
    TrainingData data = data_;
    if (evaluations_.empty()) return data;
    data.chosen = chosen();
    data.chosen_name = replica_name(setup_, data.chosen);
    add_accuracies(data, evaluations_);
    data.turns = turn_history(exhibit_of(setup_), moments(), address);
    return data;
}

TrainingData watch_training(const RunSetup& setup, const Devices& devices, const Watching& watching,
                            const Address& address) {
    WatchedTraining training(setup, devices, watching);
    while (!training.finished()) training.step();
    return training.data(address);
}

}  // namespace whorl::viz
