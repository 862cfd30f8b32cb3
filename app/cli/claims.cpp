// whorl claims: what the paper says, and what results say about it.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "app/claims/paint.hpp"
#include "app/claims/rule_book.hpp"
#include "app/cli/notes.hpp"
#include "app/cli/options.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl::cli {
namespace {

constexpr const char* kStored = "experiments/results";

Syntax claims_syntax() {
    Syntax syntax(
        "claims", "[FOLDER…] [--claim NAME]… [--profile quick|full] [--details|--json|--markdown]",
        "Lists what the Mamba-3 paper says, the published figure, ours, and a verdict: shown, partly, not at this "
        "scale, "
        "contradicted,\nor no results yet. Results are those that whorl reproduce left in the folders (default: "
        "experiments/results, where it is\nhere); each claim is judged by its rule, experiments/claims/*.toml. A rule "
        "that is newer than its results does not judge\nthem: that is the verdict then, and the exit status 1.",
        {"whorl claims", "whorl claims runs/reproduce-needle-quick --details", "whorl claims --claim order --json"});
    syntax.positionals = {{"FOLDER", 0, -1}};
    syntax.options.add_options()("claim", po::value<std::vector<std::string>>(),
                                 "only this claim, by name or number, repeatable")(
        "profile", po::value<std::string>(), "results of quick or full pieces (default: full where they suffice)")(
        "details", po::bool_switch(), "every comparison, with its test")("json", po::bool_switch(), "for programs")(
        "markdown", po::bool_switch(), "a table for a page");
    return syntax;
}

std::vector<const ClaimRule*> chosen_rules(const std::vector<std::string>& wanted) {
    std::vector<std::string> names;
    for (const ClaimRule& rule : claim_rules()) names.push_back(rule.name);
    const auto is = [](const ClaimRule& rule, const std::string& text) {
        return text == rule.name || text == std::to_string(rule.number);
    };
    for (const std::string& text : wanted)
        if (std::none_of(claim_rules().begin(), claim_rules().end(),
                         [&](const ClaimRule& rule) { return is(rule, text); }))
            throw UserError("--claim: there is no claim " + in_quotes(text) + suggestion(text, names));
    std::vector<const ClaimRule*> rules;
    for (const ClaimRule& rule : claim_rules())
        if (wanted.empty() ||
            std::any_of(wanted.begin(), wanted.end(), [&](const std::string& text) { return is(rule, text); }))
            rules.push_back(&rule);
    return rules;
}

std::optional<Profile> profile_from(const Parsed& parsed) {
    if (!parsed.has("profile")) return std::nullopt;
    const std::string text = parsed.text("profile");
    for (const auto& entry : enum_names(Profile{}))
        if (text == entry.name) return entry.value;
    throw UserError("--profile: unknown profile " + in_quotes(text) + suggestion(text, {"quick", "full"}));
}

std::vector<std::string> folders_from(const Parsed& parsed) {
    const std::vector<std::string> folders = parsed.all("FOLDER");
    std::error_code error;
    if (!folders.empty()) return folders;
    if (std::filesystem::is_directory(kStored, error)) return {kStored};
    print_notes({std::string("there is no folder ") + kStored + " here, hence no results; name one"});
    return {};
}

}  // namespace

int run_claims(const Arguments& arguments) {
    const auto parsed = parse(claims_syntax(), arguments);
    if (!parsed) return 0;
    if (parsed->flag("details") + parsed->flag("json") + parsed->flag("markdown") > 1)
        throw UserError("--details, --json and --markdown exclude each other");
    const std::vector<const ClaimRule*> rules = chosen_rules(parsed->all("claim"));
    const std::optional<Profile> profile = profile_from(*parsed);
    const std::vector<std::string> folders = folders_from(*parsed);
    std::vector<JudgedClaim> claims;
    for (const ClaimRule* rule : rules) claims.push_back(judge_claim(*rule, folders, profile));
    if (parsed->flag("json"))
        fmt::print("{}", claims_json(claims));
    else if (parsed->flag("markdown"))
        fmt::print("{}", claims_markdown(claims));
    else
        fmt::print("{}", claims_text(claims, parsed->flag("details")));
    const bool newer = std::any_of(claims.begin(), claims.end(), [](const JudgedClaim& claim) {
        return claim.result.verdict == Verdict::rule_is_newer;
    });
    return newer ? 1 : 0;
}

}  // namespace whorl::cli
