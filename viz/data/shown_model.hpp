// Models to look at, as a user names them: a file, a run, or a model that ships with the program.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/io/checkpoint_file.hpp"
#include "viz/data/exhibit.hpp"

namespace whorl::viz {

/// A loaded source with what its run or description says about its training.
struct ShownModel {
    Exhibit exhibit;
    std::int64_t trained_size = 0;     // 0: not known
    std::vector<std::string> notes{};  // lines that people should see, such as a damaged checkpoint passed over
};

/// `source`: a path as load_model takes it, or else the name of a model that ships (`whorl models --weights …`).
/// `task` stands in for the model's own. Throws UserError with the nearest name where it is neither.
ShownModel load_shown(const std::string& source, const ReplicaChoice& choice, const std::optional<Task>& task = {});

/// "runs/parity@3": a path, and the replica of it that is meant.
struct SourceName {
    std::string path;
    std::string replica;  // "" for none: the best
};
SourceName source_name(const std::string& source);

/// Whether a source names a run; not where it is a file, a checkpoint or a model that ships.
bool is_run(const std::string& source);

/// What a source shows at a step of its training: the run's last kept moment up to there (kept_moments.hpp). Throws
/// UserError as load_shown, and for a run that kept none.
ShownModel load_moment(const std::string& source, std::int64_t step);

/// Several of one kind are named by what else is known of them, and else as the user did.
void name_apart(std::vector<ShownModel>& models, const std::vector<std::string>& sources);

}  // namespace whorl::viz
