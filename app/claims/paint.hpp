// Judged claims as text, Markdown and JSON.
#pragma once

#include <string>
#include <vector>

#include "app/claims/claim_results.hpp"

namespace whorl {

/// A line for each claim: number, statement, what the paper says, ours, the verdict. With `details` a line for each
/// comparison below.
std::string claims_text(const std::vector<JudgedClaim>& claims, bool details);
std::string claims_markdown(const std::vector<JudgedClaim>& claims);
std::string claims_json(const std::vector<JudgedClaim>& claims);

}  // namespace whorl
