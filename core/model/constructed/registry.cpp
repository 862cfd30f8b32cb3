#include "core/base/error.hpp"
#include "core/model/constructed/constructed.hpp"

namespace whorl {
namespace {

ConstructedModel named(ConstructedModel model, const char* name, const char* task, const char* description) {
    model.name = name;
    model.task = task;
    model.description = description;
    return model;
}

}  // namespace

const std::vector<ConstructedModel>& constructed_models() {
    static const std::vector<ConstructedModel> models = {
        named(cyclic_mamba3(2), "parity-mamba3", "parity", "Mamba-3 whose state makes half a turn at each one"),
        named(reflecting_delta_net(), "parity-gdn", "parity", "Gated DeltaNet that reflects its state at each one"),
        named(cyclic_mamba3(5), "modular-sum-mamba3", "modular_sum",
              "Mamba-3 whose state makes d fifths of a turn at the digit d"),
    };
    return models;
}

const ConstructedModel& constructed_model(const std::string& name) {
    std::vector<std::string> names;
    for (const ConstructedModel& model : constructed_models()) {
        if (model.name == name) return model;
        names.push_back(model.name);
    }
    throw UserError("unknown constructed model '" + name + "'" + suggestion(name, names));
}

}  // namespace whorl
