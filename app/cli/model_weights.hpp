// `whorl models --weights constructed|trained`: models that are more than a shape.
#pragma once

#include "app/cli/options.hpp"

namespace whorl::cli {

/// Lists them, describes one, or writes one to a file. Throws UserError for options that do not go together.
void run_weights(const Parsed& parsed);

}  // namespace whorl::cli
