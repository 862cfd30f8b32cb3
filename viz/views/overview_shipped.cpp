#include "viz/views/overview_shipped.hpp"

#include "app/run/shipped_models.hpp"
#include "viz/data/exhibit.hpp"
#include "viz/views/overview_table.hpp"

namespace whorl::viz {

OverviewData shipped_overview() {
    std::vector<FoundReplica> found;
    OverviewData data;
    for (const ShippedModel& model : shipped_models()) {
        const RunSetup setup = setup_of(model);
        FoundReplica replica{model.name, model.name, model.name};
        replica.put({"name", "", "", false, {{model.name, role_of(setup.model)}}}, model.name);
        const std::string title = title_of(setup.model);
        replica.put({"model", "", "", false, {{title, role_of(setup.model)}}}, title);
        replica.put("task", name_of_task(setup.task));
        replica.put("model.d_model", static_cast<double>(setup.model.d_model));
        // Of a needle whole answers count, as its own figures have it.
        put_accuracies(replica, model.sizes, model.found.empty() ? model.accuracy : model.found,
                       model.found.empty() ? setup.data->chance() : 0, 0, data.pass);
        found.push_back(std::move(replica));
    }
    const double pass = data.pass;
    data = overview_of(found);
    data.title = "trained models that ship";
    data.pass = pass;
    return data;
}

}  // namespace whorl::viz
