// `whorl decode CHECKPOINT --tokens …`: token by token with carried state, as a served model would run.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "app/bench/measure.hpp"
#include "app/cli/notes.hpp"
#include "app/cli/options.hpp"
#include "app/cli/progress.hpp"
#include "app/inference/finite.hpp"
#include "app/inference/runner.hpp"
#include "core/base/error.hpp"
#include "core/base/philox.hpp"
#include "core/config/value.hpp"
#include "core/io/checkpoint_file.hpp"
#include "core/numerics/activations.hpp"

namespace whorl::cli {
namespace {

Syntax syntax() {
    Syntax s("decode", "CHECKPOINT --tokens \"1 2 1\"|FILE [--count N] [--temperature T] [--replica best|K] [--json]",
             "Feeds the tokens one by one, the state carried along, then continues with its own answers: the most "
             "likely token, or a "
             "draw at --temperature. Prints each answer with its probability, and the time a token took.",
             {"whorl decode runs/parity --replica best --tokens \"1 2 2 1\" --count 0",
              "whorl decode model.safetensors --tokens prompt.txt --count 32"});
    s.options.add_options()("tokens", po::value<std::string>(), "numbers, or a file with one sequence")(
        "count", po::value<std::int64_t>()->default_value(8), "tokens to add")("temperature", real_value(0),
                                                                               "0: always the most likely token")(
        "seed", po::value<std::int64_t>()->default_value(0), "of the draws")(
        "replica", po::value<std::string>()->default_value(""), "best, or a number")("json", po::bool_switch(),
                                                                                     "for another program to read");
    add_device_options(s.options);
    s.positionals = {{"CHECKPOINT", 1, 1}};
    return s;
}

struct Answer {
    std::int32_t fed = 0, next = 0;
    double probability = 0, seconds = 0;
};

/// The next token and its probability under softmax(logits / max(temperature, …)); temperature 0 takes the most likely.
Answer choose(const std::vector<double>& logits, double temperature, Random random) {
    const double highest = *std::max_element(logits.begin(), logits.end());
    std::vector<double> weights;
    double total = 0;
    // Divided, as 1 / temperature is infinite for the smallest of them, and infinity times 0 no number.
    for (const double logit : logits)
        total += weights.emplace_back(numerics::exp((logit - highest) / (temperature > 0 ? temperature : 1)));
    std::size_t pick = static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    if (temperature > 0) {
        double left = random.uniform() * total;
        for (pick = 0; pick + 1 < weights.size() && left >= weights[pick]; ++pick) left -= weights[pick];
    }
    return {0, static_cast<std::int32_t>(pick), weights[pick] / total, 0};
}

/// Ends at the first answer that is no number; its probability says so.
std::vector<Answer> decode(ModelRunner& runner, const std::vector<std::int32_t>& prompt, std::int64_t count,
                           double temperature, std::uint64_t seed) {
    using Clock = std::chrono::steady_clock;
    std::vector<Answer> answers;
    const std::int64_t all = static_cast<std::int64_t>(prompt.size()) + count;
    runner.start(all);
    TokenProgress progress(all, has_attention(runner.config()));
    for (std::size_t i = 0; i < static_cast<std::size_t>(all); ++i) {
        const std::int32_t token = i < prompt.size() ? prompt[i] : answers.back().next;
        const auto start = Clock::now();
        const std::vector<double>& logits = runner.feed(token);
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
        if (!all_finite(logits)) {
            answers.push_back({token, 0, std::nan(""), seconds});
            return answers;
        }
        Answer answer = choose(logits, temperature, Random(seed, Purpose::sampling, i, 0));
        answer.fed = token;
        answer.seconds = seconds;
        answers.push_back(answer);
        progress.show(static_cast<std::int64_t>(answers.size()));
    }
    return answers;
}

void print_text(const std::vector<Answer>& answers, std::size_t given, const Timing& timing) {
    fmt::print("{:>8} {:>7} {:>8} {:>12}\n", "position", "token", "answer", "probability");
    for (std::size_t i = 0; i < answers.size(); ++i)
        fmt::print("{:>8} {:>7} {:>8} {:>12.4f}{}\n", i, answers[i].fed, answers[i].next, answers[i].probability,
                   i < given ? "" : "  (fed back)");
    fmt::print("{:.2f} µs a token (median of {}; fastest {:.2f})\n", 1e6 * timing.median, answers.size(),
               1e6 * timing.fastest);
}

void print_json(const std::vector<Answer>& answers, const Timing& timing, const std::vector<std::string>& notes) {
    Array rows;
    for (const Answer& a : answers)
        rows.push_back({Table{{"token", {std::int64_t{a.fed}}},
                              {"answer", {std::int64_t{a.next}}},
                              {"probability", {a.probability}},
                              {"us", {1e6 * a.seconds}}}});
    std::puts(write_json({Table{{"token_us_median", {1e6 * timing.median}},
                                {"notes", notes_value(notes)},
                                {"tokens", {std::move(rows)}}}},
                         2)
                  .c_str());
}

}  // namespace

int run_decode(const Arguments& arguments) {
    const auto parsed = parse(syntax(), arguments);
    if (!parsed) return 0;
    if (!parsed->has("tokens")) throw UserError("whorl decode: --tokens is missing");
    const std::int64_t count = parsed->number("count");
    if (count < 0 || count > 1 << 20) throw UserError("--count: expected a number in 0..1048576");
    if (!(parsed->real("temperature") >= 0)) throw UserError("--temperature: expected a number of at least 0");
    const LoadedModel loaded = load_model(parsed->first("CHECKPOINT"), replica_choice(parsed->text("replica")));
    print_notes(loaded.notes);
    if (const std::string what = nonfinite_parameter(loaded); !what.empty()) return no_result(what);
    const std::vector<std::int32_t> prompt = one_sequence(parsed->text("tokens"), loaded.config.vocab_size);
    const auto backend = make_backend(*parsed);
    ModelRunner runner(loaded, *backend, DType::f32);
    const auto answers =
        decode(runner, prompt, count, parsed->real("temperature"), static_cast<std::uint64_t>(parsed->number("seed")));
    if (std::isnan(answers.back().probability))
        return no_result(fmt::format("{}: its answer at position {} is no number", loaded.path, answers.size() - 1));
    std::vector<double> seconds;
    for (const Answer& answer : answers) seconds.push_back(answer.seconds);
    const Timing timing = summarise(seconds);
    if (parsed->flag("json"))
        print_json(answers, timing, loaded.notes);
    else
        print_text(answers, prompt.size(), timing);
    return 0;
}

}  // namespace whorl::cli
