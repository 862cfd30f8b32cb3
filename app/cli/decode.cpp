// `whorl decode CHECKPOINT --tokens …`: token by token with carried state, as a served model would run.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>

#include "app/bench/measure.hpp"
#include "app/cli/notes.hpp"
#include "app/cli/options.hpp"
#include "app/cli/progress.hpp"
#include "app/inference/finite.hpp"
#include "app/inference/runner.hpp"
#include "core/base/error.hpp"
#include "core/base/philox.hpp"
#include "core/base/text.hpp"
#include "core/config/value.hpp"
#include "core/io/checkpoint_file.hpp"
#include "core/numerics/activations.hpp"

namespace whorl::cli {
namespace {

constexpr std::size_t kShownPrompt = 4096;  // tokens of a prompt whose answers are shown where nobody chose

Syntax syntax() {
    Syntax s("decode", "CHECKPOINT --tokens \"1 2 1\"|FILE [--count N] [--temperature T] [--replica best|K] [--json]",
             "Reads the tokens, then continues token by token with its own answers, the state carried along: the most "
             "likely token, or a draw at --temperature. Prints each answer with its probability, and the time that the "
             "prompt and an added token took.",
             {"whorl decode runs/parity --replica best --tokens \"1 2 2 1\" --count 0",
              "whorl decode model.safetensors --tokens prompt.txt --count 32 --answers last"});
    s.options.add_options()("tokens", po::value<std::string>(), "numbers, or a file with one sequence")(
        "count", po::value<std::int64_t>()->default_value(8), "tokens to add")("temperature", real_value(0),
                                                                               "0: always the most likely token")(
        "seed", po::value<std::int64_t>()->default_value(0), "of the draws")(
        "answers", po::value<std::string>(),
        "all: to every token of the prompt; last: only to its last one (default: all, of more than 4096 tokens last)")(
        "replica", po::value<std::string>()->default_value(""), "best, or a number")("json", po::bool_switch(),
                                                                                     "for another program to read");
    add_device_options(s.options);
    add_piece_option(s.options);
    s.positionals = {{"CHECKPOINT", 1, 1}};
    return s;
}

struct Answer {
    std::int32_t fed = 0, next = 0;
    double probability = 0, seconds = 0;  // seconds: of an added token
};

/// Answers from position `first` on.
struct Decoded {
    std::vector<Answer> answers;
    std::size_t given = 0, first = 0;  // tokens of the prompt
    double prompt_seconds = 0;

    std::vector<double> added_seconds() const {
        std::vector<double> seconds;
        for (std::size_t i = given - first; i < answers.size(); ++i) seconds.push_back(answers[i].seconds);
        return seconds;
    }
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

/// What an answer is drawn with.
struct Draws {
    double temperature = 0;
    std::uint64_t seed = 0;
};

/// Answers to what is read; after one that is no number, whose probability says so, there are no more.
class Reading {
public:
    Reading(ModelRunner& runner, const Draws& draws) : runner_(runner), draws_(draws) {}

    Decoded decode(const Prompt& prompt) {
        read(prompt);
        while (!broken_ && position() < static_cast<std::size_t>(prompt.capacity)) {
            const std::int32_t token = decoded_.answers.back().next;
            const auto start = Clock::now();
            const std::vector<double>& logits = runner_.feed(token);
            const double seconds = since(start);
            answer(token, logits);
            decoded_.answers.back().seconds = seconds;
            progress_->show(static_cast<std::int64_t>(position()));
        }
        return std::move(decoded_);
    }

private:
    using Clock = std::chrono::steady_clock;
    static double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }
    std::size_t position() const { return decoded_.first + decoded_.answers.size(); }

    void read(const Prompt& prompt) {
        decoded_.given = prompt.tokens.size();
        decoded_.first = prompt.every ? 0 : decoded_.given - 1;
        progress_.emplace(prompt.capacity, has_attention(runner_.config()));
        const auto start = Clock::now();
        const auto vocabulary = static_cast<std::ptrdiff_t>(runner_.config().vocab_size);
        runner_.read(prompt, [&](std::int64_t read, const std::vector<double>& logits) {
            progress_->show(read);
            for (auto row = logits.begin(); row != logits.end() && !broken_; row += vocabulary)
                answer(prompt.tokens[position()], {row, row + vocabulary});
        });
        decoded_.prompt_seconds = since(start);
    }

    void answer(std::int32_t token, const std::vector<double>& logits) {
        broken_ = !all_finite(logits);
        const Random random(draws_.seed, Purpose::sampling, position(), 0);
        Answer answer = broken_ ? Answer{0, 0, std::nan("")} : choose(logits, draws_.temperature, random);
        answer.fed = token;
        decoded_.answers.push_back(answer);
    }

    ModelRunner& runner_;
    Draws draws_;
    Decoded decoded_;
    std::optional<TokenProgress> progress_;
    bool broken_ = false;
};

/// Before anything is read.
void check_memory(const ModelRunner& runner, const Prompt& prompt, const Backend& backend) {
    const std::int64_t needed = runner.decoding_memory(prompt), held = backend.free_memory() / 10 * 9;
    if (needed > held)
        throw UserError(
            "--tokens: " +
            shortage_text(needed,
                          fmt::format(" are needed for a prompt of {} and an answer of {} tokens", prompt.tokens.size(),
                                      prompt.capacity - static_cast<std::int64_t>(prompt.tokens.size())),
                          held));
}

void print_text(const Decoded& decoded) {
    fmt::print("{:>8} {:>7} {:>8} {:>12}\n", "position", "token", "answer", "probability");
    for (std::size_t i = 0; i < decoded.answers.size(); ++i) {
        const Answer& answer = decoded.answers[i];
        fmt::print("{:>8} {:>7} {:>8} {:>12.4f}{}\n", decoded.first + i, answer.fed, answer.next, answer.probability,
                   decoded.first + i < decoded.given ? "" : "  (fed back)");
    }
    fmt::print("prompt: {} tokens in {:.3f} s, {:.2f} µs a token\n", decoded.given, decoded.prompt_seconds,
               1e6 * decoded.prompt_seconds / static_cast<double>(decoded.given));
    const std::vector<double> seconds = decoded.added_seconds();
    if (seconds.empty()) return;
    const Timing timing = summarise(seconds);
    fmt::print("{:.2f} µs an added token (median of {}; fastest {:.2f})\n", 1e6 * timing.median, seconds.size(),
               1e6 * timing.fastest);
}

void print_json(const Decoded& decoded, const std::vector<std::string>& notes) {
    Array rows;
    for (std::size_t i = 0; i < decoded.answers.size(); ++i) {
        const Answer& answer = decoded.answers[i];
        const bool added = decoded.first + i >= decoded.given;
        rows.push_back({Table{{"position", {static_cast<std::int64_t>(decoded.first + i)}},
                              {"token", {std::int64_t{answer.fed}}},
                              {"answer", {std::int64_t{answer.next}}},
                              {"probability", {answer.probability}},
                              {"us", added ? Value{1e6 * answer.seconds} : Value{}}}});
    }
    const std::vector<double> seconds = decoded.added_seconds();
    std::puts(write_json({Table{{"prompt_tokens", {static_cast<std::int64_t>(decoded.given)}},
                                {"prompt_seconds", {decoded.prompt_seconds}},
                                {"token_us_median", seconds.empty() ? Value{} : Value{1e6 * summarise(seconds).median}},
                                {"notes", notes_value(notes)},
                                {"tokens", {std::move(rows)}}}},
                         2)
                  .c_str());
}

// Whether answers to all of the prompt are asked for.
bool every_answer(const Parsed& parsed, std::size_t prompt) {
    if (!parsed.has("answers")) return prompt <= kShownPrompt;
    const std::string answers = parsed.text("answers");
    if (answers != "all" && answers != "last")
        throw UserError("--answers: unknown value " + in_quotes(answers) + "; choose one of all, last");
    return answers == "all";
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
    const std::vector<std::int32_t> tokens = one_sequence(parsed->text("tokens"), loaded.config.vocab_size);
    const Prompt prompt{tokens, static_cast<std::int64_t>(tokens.size()) + count, every_answer(*parsed, tokens.size()),
                        piece_from(*parsed)};
    const auto backend = make_backend(*parsed);
    ModelRunner runner(loaded, *backend, DType::f32);
    check_memory(runner, prompt, *backend);
    const Draws draws{parsed->real("temperature"), static_cast<std::uint64_t>(parsed->number("seed"))};
    const Decoded decoded = Reading(runner, draws).decode(prompt);
    if (std::isnan(decoded.answers.back().probability))
        return no_result(fmt::format("{}: its answer at position {} is no number", loaded.path,
                                     decoded.first + decoded.answers.size() - 1));
    if (parsed->flag("json"))
        print_json(decoded, loaded.notes);
    else
        print_text(decoded);
    return 0;
}

}  // namespace whorl::cli
