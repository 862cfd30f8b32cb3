// Files of experiments/ as they were when the program was built, so that it works far from its sources.
#pragma once

#include <vector>

namespace whorl {

struct BuiltInText {
    const char* name;  // the file's, without .toml
    const char* text;
};

/// experiments/recipes/*.toml, tables/*.toml and claims/*.toml, by their names.
const std::vector<BuiltInText>& built_in_recipes();
const std::vector<BuiltInText>& built_in_tables();
const std::vector<BuiltInText>& built_in_claims();

}  // namespace whorl
