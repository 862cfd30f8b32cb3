// Asking in between changes nothing, and says what a reading of the whole question would.
#include "viz/data/ask_now.hpp"

#include <cmath>

#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "core/model/constructed/constructed.hpp"
#include "core/model/registry.hpp"
#include "core/trace/keeper.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/model_run.hpp"
#include "tests/support/traced_model.hpp"
#include "tests/viz/figure_marks.hpp"
#include "viz/views/ask_now_view.hpp"

using namespace whorl;
using namespace whorl::test;
using namespace whorl::viz;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr std::int64_t kVocabulary = 15;

/// Two layers of every preset, with weights at random and a vocabulary that holds needles.
std::vector<test::Subject> subjects() {
    std::vector<test::Subject> all;
    for (const ModelPreset& preset : model_presets()) {
        ModelConfig config = test::small_preset(preset.name);
        config.vocab_size = kVocabulary;
        const auto backend = make_cpu_backend(1);
        const test::ModelRun run(config, *backend, DType::f64, {1, 1, 1, 1});
        all.push_back({preset.name, config, run.slice_of(run.parameters, 0), {}, {}});
    }
    return all;
}

Exhibit random_exhibit(const test::Subject& subject, const Task& task) {
    return {subject.name, "", subject.config, subject.slice, task};
}

/// A needle task that fits a vocabulary of `tokens`.
Task small_needle(std::int64_t tokens) {
    const std::string symbols = std::to_string((tokens - 3) / 3);
    return find_task("needle", {"key_symbols=" + symbols, "value_symbols=" + symbols, "filler_symbols=" + symbols,
                                "value_tokens=2"});
}

std::vector<std::int32_t> haystack(const Task& task, std::int64_t size) {
    const Example example = make_example(*make_data_source(task), {5, Split::test, 0, 0, {size, size}});
    return {example.tokens.begin(), std::find(example.tokens.begin(), example.tokens.end(), Needle::kQuery)};
}

double softmax_at(const double* logits, std::int64_t count, std::int32_t at) {
    double total = 0;
    for (std::int64_t v = 0; v < count; ++v) total += std::exp(logits[v]);
    return std::exp(logits[at]) / total;
}

}  // namespace

TEST_CASE("what is answered in between is what the whole question would be answered", "[viz][ask-now]") {
    std::int64_t asked = 0;
    for (const test::Subject& subject : subjects()) {
        INFO(subject.name);
        const Task task = small_needle(subject.config.vocab_size);
        const std::int64_t vocabulary = subject.config.vocab_size;
        const auto tokens = haystack(task, 24);
        const AskedText text = ask_now(random_exhibit(subject, task), tokens);
        REQUIRE(text.answers.size() == tokens.size());
        for (std::size_t t = 0; t < tokens.size(); ++t) {
            const auto question = whorl::question(task, {tokens.begin(), tokens.begin() + static_cast<long>(t) + 1});
            REQUIRE(question.has_value() == text.answers[t].has_value());
            if (!question) continue;
            std::vector<std::int32_t> whole(tokens.begin(), tokens.begin() + static_cast<long>(t) + 1);
            whole.insert(whole.end(), question->append.begin(), question->append.end());
            const std::size_t first = whole.size() - 1;
            whole.insert(whole.end(), question->answer.begin(), question->answer.end() - 1);
            const std::vector<double> logits = test::WholeRun(subject.config, subject.slice, whole).logits();
            double probability = 1;
            for (std::size_t i = 0; i < question->answer.size(); ++i)
                probability *= softmax_at(logits.data() + static_cast<std::int64_t>(first + i) * vocabulary, vocabulary,
                                          question->answer[i]);
            CHECK(text.answers[t]->probability == Approx(probability).epsilon(1e-9));
            ++asked;
        }
    }
    CHECK(asked > 30);
}

TEST_CASE("a constructed model can be asked at any moment, and its figure says so", "[viz][ask-now]") {
    const ConstructedModel model = constructed_model("parity-mamba3"), slider = sliding_mamba2();
    const Exhibit exact{"Mamba-3", "", model.config, model.slice, find_task("parity")},
        slides{"Mamba-2", "", slider.config, slider.slice, find_task("parity")};
    const std::vector<std::int32_t> tokens{1, 2, 1, 2, 2, 1};
    const AskNowData data = make_ask_now({exact, slides}, tokens);
    for (const double p : data.models[0].probability) CHECK(p > 0.5);
    CHECK(data.models[1].probability[3] < 0.5);
    const plot::Figure figure = ask_now_figure(data);
    CHECK(sound(figure));
    CHECK(figure.claim == "Mamba-3 keeps it to the end, Mamba-2 keeps it 3 tokens");
    CHECK_FALSE(data.needle.has_value());
}

TEST_CASE("the needle is marked where its value ends, chance is that of all its tokens", "[viz][ask-now]") {
    const test::Subject subject = subjects()[0];
    const Task task = small_needle(subject.config.vocab_size);
    const auto tokens = haystack(task, 24);
    const AskNowData data = make_ask_now({random_exhibit(subject, task)}, tokens);
    const auto key = std::find(tokens.begin(), tokens.end(), Needle::kKey) - tokens.begin();
    REQUIRE(data.needle.has_value());
    CHECK(*data.needle == static_cast<std::size_t>(key) + 4);  // KEY k v v, counted from 1
    const double symbols = static_cast<double>((subject.config.vocab_size - 3) / 3);
    CHECK(data.chance == Approx(1 / (symbols * symbols)));
    // The twin differs in the value only: nothing before it, something behind it.
    const auto& distance = data.models[0].distance;
    REQUIRE(distance.size() == tokens.size());
    for (std::int64_t t = 0; t < key + 2; ++t) CHECK(distance[static_cast<std::size_t>(t)] == 0);
    CHECK(distance[static_cast<std::size_t>(key) + 2] > 0);
}

TEST_CASE("ask-now refuses a text or an answer that a model has no tokens for", "[viz][ask-now]") {
    const ConstructedModel model = constructed_model("parity-mamba3");
    Exhibit exhibit{"Mamba-3", "", model.config, model.slice, find_task("modular_sum")};
    const std::vector<std::vector<std::int32_t>> texts{{1, 2, 5}, {1, 2, 2}};  // the digit 4, the sum 2
    for (const std::vector<std::int32_t>& tokens : texts)
        CHECK_THAT(message_of<UserError>([&] { make_ask_now({exhibit}, tokens); }),
                   ContainsSubstring("has the tokens 0..2"));
}

TEST_CASE("ask-now needs a task and something to ask", "[viz][ask-now]") {
    const ConstructedModel model = constructed_model("parity-mamba3");
    Exhibit exhibit{"Mamba-3", "", model.config, model.slice, {}};
    CHECK_THAT(message_of<UserError>([&] { make_ask_now({exhibit}, {1, 2}); }), ContainsSubstring("give --task"));
    exhibit.task = find_task("needle");
    CHECK_THAT(message_of<UserError>([&] {
                   make_ask_now({exhibit}, {1, 2});
               }),
               ContainsSubstring("nothing can be asked about this text by needle"));
}
