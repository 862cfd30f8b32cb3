// The rules that are built in.
#pragma once

#include <string>
#include <vector>

#include "app/claims/rule.hpp"
#include "app/reproduce/piece_record.hpp"

namespace whorl {

/// In the order of their numbers. Throws UserError for a file that is none.
const std::vector<ClaimRule>& claim_rules();

/// What a result of that table keeps of the rules that will judge it.
std::vector<StoredRule> rules_of_table(const std::string& table);

}  // namespace whorl
