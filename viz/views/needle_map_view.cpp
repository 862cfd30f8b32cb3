#include "viz/views/needle_map_view.hpp"

#include "app/inference/needle_grid.hpp"
#include "core/base/error.hpp"

namespace whorl::viz {
namespace {

const Needle& needle_of(const Exhibit& exhibit) {
    const Needle* needle = exhibit.task ? std::get_if<Needle>(&*exhibit.task) : nullptr;
    if (needle != nullptr) return *needle;
    const std::string about = exhibit.name + (exhibit.about.empty() ? "" : " (" + exhibit.about + ")");
    throw UserError("needle-map: " + about +
                    (exhibit.task ? " was made for " + name_of_task(*exhibit.task) + ", which hides nothing at a depth"
                                  : " says no task") +
                    "; it can be shown by dials and ask-now, needle-map is of models for needle");
}

}  // namespace

NeedleMap make_needle_map(const Exhibit& exhibit, const NeedleSearch& search, Backend& backend) {
    const Needle& task = needle_of(exhibit);
    for (const std::int64_t length : search.lengths) check_size(*exhibit.task, length, "needle-map");
    TrainedModels models(exhibit.config, {exhibit.slice.begin(), exhibit.slice.end()}, backend);
    const EvaluationConfig on{search.lengths, search.count, search.seed};
    models.check_memory(*make_data_source(task), on, {}, "needle-map");
    const NeedleGrid grid = evaluate_grid(models, task, Split::test, on, search.depths, {});
    NeedleMap map;
    map.name = exhibit.name, map.about = exhibit.about, map.role = role_of(exhibit.config);
    map.lengths = search.lengths, map.depths = search.depths;
    map.count = search.count, map.trained = search.trained;
    for (const Evaluation& row : grid.rows) {
        map.found.emplace_back();
        for (const auto& at_size : found_shares(row)) map.found.back().push_back(at_size.front());
    }
    return map;
}

}  // namespace whorl::viz
