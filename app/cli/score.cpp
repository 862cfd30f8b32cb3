// whorl score: what a model from elsewhere answered to the examples of `whorl sample --out`, scored as eval scores.
#include <fmt/format.h>

#include "app/cli/options.hpp"
#include "app/cli/scores.hpp"
#include "app/cli/tables.hpp"
#include "app/interchange/example_file.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl::cli {
namespace {

Syntax syntax() {
    Syntax syntax(
        "score", "EXAMPLES --logits FILE | --predictions FILE [options]",
        "Scores the answers that a model from elsewhere gave to the examples in a file of `whorl sample --out`, "
        "as\n`whorl eval` scores. FILE is safetensors with `logits` [examples, length, vocabulary] or with "
        "`predictions`\n[examples, length], the token that is said at each position; or either for the "
        "targets alone, in their order,\n[targets, vocabulary] or [targets].",
        {"whorl sample mqar --split test --lengths 64,256 --count 256 --out mqar.safetensors",
         "whorl score mqar.safetensors --logits answers.safetensors",
         "whorl score mqar.safetensors --predictions answers.safetensors --json"});
    syntax.positionals = {{"EXAMPLES"}};
    syntax.options.add_options()("logits", po::value<std::string>(), "the file with `logits`")(
        "predictions", po::value<std::string>(), "the file with `predictions`")(
        "threshold", real_value(0.9), "accuracy that counts for the effective length")(
        "per-position", po::bool_switch(), "accuracy at each supervised position, too")("json", po::bool_switch(),
                                                                                        "for programs");
    return syntax;
}

}  // namespace

int run_score(const Arguments& arguments) {
    const auto parsed = parse(syntax(), arguments);
    if (!parsed) return 0;
    if (parsed->has("logits") == parsed->has("predictions"))
        throw UserError("whorl score: give either --logits FILE or --predictions FILE");
    const AnswerKind kind = parsed->has("logits") ? AnswerKind::logits : AnswerKind::predictions;
    const std::string answers = parsed->text(kind == AnswerKind::logits ? "logits" : "predictions");
    const double threshold = threshold_from(*parsed);
    const ExampleRequest request = read_examples(parsed->first("EXAMPLES"));
    Evaluation evaluation = score_answers(request, answers, kind);
    const ScoredModels models{{0}, make_data_source(request.task)->chance(), {}};
    const bool positions = parsed->flag("per-position");
    if (!positions) evaluation.per_position.clear();
    if (parsed->flag("json")) {
        print_json(evaluation, models, threshold);
    } else {
        fmt::print("{}, task {}\n", one_line(answers), name_of_task(request.task));
        print_models(evaluation, models.chance, models.replicas);
        print_further_scores(evaluation, models.replicas, threshold);
    }
    return kind == AnswerKind::logits ? status_of(evaluation, models.replicas) : 0;
}

}  // namespace whorl::cli
