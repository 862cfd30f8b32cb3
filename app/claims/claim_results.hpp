// Results on disk as a rule reads them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/claims/verdict.hpp"
#include "app/reproduce/table.hpp"

namespace whorl {

struct JudgedClaim {
    const ClaimRule* rule = nullptr;
    ClaimResult result;
    Profile profile = Profile::full;
    std::string reason;                // why the rule is newer than its results; else empty
    std::vector<std::string> commits;  // of the builds that made what was judged
};

/// Judges a claim by the pieces and measurements of its table in `folders` (and all folders inside). `profile`: absent:
/// the full one where there are pieces of it, else the quick one. A result counts only when it keeps the rule's
/// checksum, and was trained by the recipe that the table has now. Throws UserError for a folder that is not there, a
/// file that cannot be read, and a rule that names what its table does not have.
JudgedClaim judge_claim(const ClaimRule& rule, const std::vector<std::string>& folders,
                        std::optional<Profile> profile = {});

/// Throws UserError where the rule names a row or column that its table lacks, or the table itself is not there.
void check_rule(const ClaimRule& rule);

}  // namespace whorl
