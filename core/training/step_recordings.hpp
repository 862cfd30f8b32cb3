// What a training step asks of the device depends on the bound shape alone: recorded once a shape and run again, it is
// one graph on a GPU instead of dozens of launches.
#pragma once

#include <memory>
#include <vector>

#include "core/backend/communicator.hpp"
#include "core/model/training_pass.hpp"
#include "core/training/grouping.hpp"

namespace whorl {

class StepRecordings {
public:
    explicit StepRecordings(Backend& backend) : backend_(backend) {}

    /// Does `work` for the pass as it is bound and these rows of the population: the first time as asked, from the
    /// second time on as a recording. What the work is may depend on nothing else. With `others`, which do the same at
    /// the same time, it is a recording from the first time on, and nobody runs it before all have it.
    template <class Work>
    void run(const TrainingPass& pass, const Rows& rows, Communicator* others, const Work& work) {
        Entry* entry = find(pass, rows);
        nodes_ = 0;
        if (!entry) {
            entry = remember(pass, rows);
            if (!others) return work();
        }
        if (!entry->recording) {
            entry->recording = backend_.record(work);
            if (others) others->meet();
        }
        if (others) others->check();
        entry->recording->run();
        nodes_ = entry->recording->nodes();
    }
    /// Recording::nodes of the last run; 0 when it was none.
    std::int64_t nodes() const { return nodes_; }

private:
    struct Entry {
        ModelShape shape;
        Rows rows;
        std::int64_t memory;  // the pass's bytes: it moves only to grow. Unlike an address the same on every device
        std::unique_ptr<Recording> recording;
    };
    static constexpr std::size_t kMost = 64;  // shapes; a curriculum has a few dozen

    Entry* find(const TrainingPass& pass, const Rows& rows);
    Entry* remember(const TrainingPass& pass, const Rows& rows);

    Backend& backend_;
    std::vector<Entry> entries_;
    std::int64_t nodes_ = 0;
};

}  // namespace whorl
