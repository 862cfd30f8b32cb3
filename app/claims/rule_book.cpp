#include "app/claims/rule_book.hpp"

#include <algorithm>

#include "app/run/built_in.hpp"

namespace whorl {

const std::vector<ClaimRule>& claim_rules() {
    static const std::vector<ClaimRule> list = [] {
        std::vector<ClaimRule> rules;
        for (const BuiltInText& text : built_in_claims())
            rules.push_back(read_rule(text.text, std::string(text.name) + ".toml (built in)"));
        std::stable_sort(rules.begin(), rules.end(),
                         [](const ClaimRule& a, const ClaimRule& b) { return a.number < b.number; });
        return rules;
    }();
    return list;
}

std::vector<StoredRule> rules_of_table(const std::string& table) {
    std::vector<StoredRule> rules;
    for (const ClaimRule& rule : claim_rules())
        if (rule.table == table) rules.push_back({rule.name, rule.checksum});
    return rules;
}

}  // namespace whorl
