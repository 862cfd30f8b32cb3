#include "core/training/step_recordings.hpp"

namespace whorl {

StepRecordings::Entry* StepRecordings::find(const TrainingPass& pass, const Rows& rows) {
    for (Entry& entry : entries_)
        if (entry.shape == pass.shape() && entry.memory == pass.memory_size() && entry.rows.first == rows.first &&
            entry.rows.count == rows.count)
            return &entry;
    return nullptr;
}

StepRecordings::Entry* StepRecordings::remember(const TrainingPass& pass, const Rows& rows) {
    if (entries_.size() == kMost) entries_.erase(entries_.begin());
    entries_.push_back({pass.shape(), rows, pass.memory_size(), nullptr});
    return &entries_.back();
}

}  // namespace whorl
