// Models to look at, with the options that a command of the command line takes for them.
#pragma once

#include <string>
#include <vector>

#include "app/cli/options.hpp"
#include "viz/data/kept.hpp"
#include "viz/data/shown_model.hpp"

namespace whorl::cli {

/// As viz::load_shown, with --replica and --task; its notes go to stderr.
viz::ShownModel load_shown(const std::string& source, const Parsed& parsed);

/// All of them, with names that tell them apart.
std::vector<viz::ShownModel> load_all(const std::vector<std::string>& sources, const Parsed& parsed);

/// --layer, --head and --pair, of a command that has them.
viz::Address address_of(const Parsed& parsed);

}  // namespace whorl::cli
