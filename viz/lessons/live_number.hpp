// Live numbers: {drift} in a lesson's text is what the figure on the screen says now, and a condition may name the
// same.
//
//     cursor beat tokens text last right said claim                      whatever is read
//     shown answered trained moment                                      whatever is asked and trained
//     angle.of_TOKEN drift margin wrong                                  dials and ledger
//     readout                                                            sandbox: y = Cu
//     slope.RULE                                                         error
//     turned.RULE                                                        how far a rule turns at Im z = π
//     probability.MODEL distance.MODEL                                   needle, models from 0
//     and every control (viz/state/controls.hpp)
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "viz/lessons/scene.hpp"

namespace whorl::viz {

struct LiveNumber {
    std::string text = "–";         // as a sentence has it
    std::optional<double> value{};  // to compare; empty: no number, or nothing that this view has
};

/// Throws UserError with the nearest name for one that there is not.
void check_live_name(const std::string& name);
std::vector<std::string> live_names();

/// "–" where the scene has none. Throws as check_live_name.
LiveNumber live_number(const std::string& name, const Scene& scene);

}  // namespace whorl::viz
