#include "viz/data/three_verbs.hpp"

namespace whorl::viz {

Exhibit exhibit_of(const ConstructedModel& model) {
    return {title_of(model.config), "hand-set weights", model.config, model.slice, find_task(model.task)};
}

std::vector<Exhibit> three_verbs() {
    return {exhibit_of(constructed_model("parity-mamba3")), exhibit_of(sliding_mamba2()),
            exhibit_of(constructed_model("parity-gdn"))};
}

}  // namespace whorl::viz
