#include "app/cli/exhibits.hpp"

#include "app/cli/notes.hpp"

namespace whorl::cli {
namespace {

std::optional<std::int64_t> number_if(const Parsed& parsed, const char* flag) {
    return parsed.has(flag) ? std::optional(parsed.number(flag)) : std::nullopt;
}

}  // namespace

viz::ShownModel load_shown(const std::string& source, const Parsed& parsed) {
    const auto task = parsed.has("task") ? std::optional(find_task(parsed.text("task"))) : std::nullopt;
    viz::ShownModel model = viz::load_shown(source, replica_choice(parsed.text("replica")), task);
    print_notes(model.notes);
    return model;
}

std::vector<viz::ShownModel> load_all(const std::vector<std::string>& sources, const Parsed& parsed) {
    std::vector<viz::ShownModel> models;
    for (const std::string& source : sources) models.push_back(load_shown(source, parsed));
    viz::name_apart(models, sources);
    return models;
}

viz::Address address_of(const Parsed& parsed) {
    return {number_if(parsed, "layer"), number_if(parsed, "head"), number_if(parsed, "pair")};
}

}  // namespace whorl::cli
