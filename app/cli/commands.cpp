// The list of subcommands. To add one: a file that defines `int run_NAME(const Arguments&)`, and two lines here.
#include "app/cli/command.hpp"

namespace whorl::cli {

int run_train(const Arguments& arguments);
int run_eval(const Arguments& arguments);
int run_sweep(const Arguments& arguments);
int run_reproduce(const Arguments& arguments);
int run_claims(const Arguments& arguments);
int run_check(const Arguments& arguments);
int run_report(const Arguments& arguments);
int run_tasks(const Arguments& arguments);
int run_sample(const Arguments& arguments);
int run_score(const Arguments& arguments);
int run_models(const Arguments& arguments);
int run_verify(const Arguments& arguments);
int run_logits(const Arguments& arguments);
int run_decode(const Arguments& arguments);
int run_trace(const Arguments& arguments);
int run_figure(const Arguments& arguments);
int run_view(const Arguments& arguments);
int run_bench(const Arguments& arguments);
int run_import(const Arguments& arguments);
int run_export(const Arguments& arguments);

const std::vector<Command>& commands() {
    static const std::vector<Command> list = {
        {"train", "train the population that a recipe describes", run_train},
        {"eval", "accuracy of a run or checkpoint at chosen lengths", run_eval},
        {"sweep", "train every combination of a recipe's values, and print their table", run_sweep},
        {"reproduce", "train and print one of the published tables", run_reproduce},
        {"claims", "what the paper says, and what results say about it", run_claims},
        {"check", "a gate on what this build learns", run_check},
        {"report", "what a run or a sweep did, as Markdown, JSON or CSV", run_report},
        {"tasks", "list the tasks, or describe one", run_tasks},
        {"sample", "print examples of a task, or write them to a file", run_sample},
        {"score", "score answers to such a file that another program gave", run_score},
        {"models", "list the named models, or describe one", run_models},
        {"verify", "compare this build with golden files", run_verify},
        {"logits", "a checkpoint's logits for given tokens", run_logits},
        {"decode", "continue tokens one by one, with timings", run_decode},
        {"trace", "what a model's state did on one sequence", run_trace},
        {"figure", "a picture of what a model, a run or a table shows", run_figure},
        {"view", "the explorer, in a window", run_view},
        {"bench", "measure speed", run_bench},
        {"import", "a released checkpoint becomes a Whorl one", run_import},
        {"export", "one model in Whorl's or a release's layout", run_export},
    };
    return list;
}

}  // namespace whorl::cli
