#include "tasks/question.hpp"

#include <map>

#include "tests/support/task_support.hpp"
#include "tests/support/task_variants.hpp"

using namespace tasktest;

namespace {

using Tokens = std::vector<std::int32_t>;

Tokens first_of(const Tokens& tokens, std::size_t count) {
    return {tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(count)};
}

// Documented ids only: of a stream's symbols behind the beginning, what is right after the last.
using Rule = std::int32_t (*)(const Tokens& symbols);

void check_stream(const char* name, const std::vector<std::string>& set, std::int32_t first, Rule rule) {
    const Task task = find_task(name, set);
    const auto data = make_data_source(task);
    const std::size_t begin = set.empty() ? 0 : 1;
    for (std::uint64_t i = 0; i < 200; ++i) {
        const Example example = make(*data, key(i, data->min_size(), 40));
        for (std::size_t t = 0; t <= example.tokens.size(); ++t) {
            const auto asked = question(task, first_of(example.tokens, t));
            REQUIRE(asked.has_value() == (t > begin));
            if (!asked) continue;
            Tokens symbols(example.tokens.begin() + static_cast<std::ptrdiff_t>(begin),
                           example.tokens.begin() + static_cast<std::ptrdiff_t>(t));
            for (std::int32_t& symbol : symbols) symbol -= first;
            REQUIRE(asked->append.empty());
            REQUIRE(asked->answer == Tokens{rule(symbols)});
        }
    }
}

std::int32_t sum_of(const Tokens& symbols) {
    std::int32_t sum = 0;
    for (const std::int32_t symbol : symbols) sum += symbol;
    return sum;
}

// The documented grammar, by recursion; the value modulo 5, or -1 for what is no expression (10 opens, 11 closes).
class Grammar {
public:
    static int value(const Tokens& tokens) {
        Grammar grammar{tokens};
        const int value = grammar.expression();
        return grammar.at_ == tokens.size() ? value : -1;
    }

private:
    explicit Grammar(const Tokens& tokens) : tokens_(tokens) {}
    std::int32_t peek() const { return at_ < tokens_.size() ? tokens_[at_] : -1; }
    int leaf() {
        const bool negative = peek() == 2;
        at_ += negative ? 1 : 0;
        if (peek() < 5 || peek() > 9) return -1;
        const int digit = tokens_[at_++] - 5;
        return negative ? (5 - digit) % 5 : digit;
    }
    int expression() {
        if (peek() != 10) return leaf();
        ++at_;
        const bool bare = peek() != 10;
        const int left = expression();
        if (left < 0) return -1;
        const std::int32_t next = peek();
        ++at_;
        if (next == 11) return bare ? left : -1;
        if (next < 1 || next > 3) return -1;
        const int right = expression();
        if (right < 0 || peek() != 11) return -1;
        ++at_;
        return (next == 1 ? left + right : next == 2 ? left - right + 5 : left * right) % 5;
    }

    const Tokens& tokens_;
    std::size_t at_ = 0;
};

/// Splits at the operator that binds least, as the generator does not: 1 +, 2 -, 3 *, 5+d, modulo 5.
int sum_value(const Tokens& tokens, std::size_t begin, std::size_t end) {
    for (const bool sums : {true, false})
        for (std::size_t t = end; t-- > begin;) {
            if (sums ? tokens[t] != 1 && tokens[t] != 2 : tokens[t] != 3) continue;
            const int left = sum_value(tokens, begin, t), right = sum_value(tokens, t + 1, end);
            return (tokens[t] == 1 ? left + right : tokens[t] == 2 ? left - right + 5 : left * right) % 5;
        }
    return tokens[begin] - 5;
}

}  // namespace

TEST_CASE("question: at every supervised position of every task it is the task's own", "[tasks][question]") {
    for (const Variant& variant : variants()) {
        const Task task = find_task(variant.name, variant.set);
        if (!has_questions(task)) continue;
        const auto data = make_data_source(task);
        INFO(variant.name << " with " << variant.set.size() << " settings");
        for (std::uint64_t i = 0; i < 300; ++i) {
            const Example example = make(*data, key(i, data->min_size(), data->min_size() + 40));
            for (std::size_t t = 0; t < example.tokens.size(); ++t) {
                if (example.targets[t] == kUnsupervised) continue;
                const auto asked = question(task, first_of(example.tokens, t + 1));
                REQUIRE(asked.has_value());
                REQUIRE(asked->append.empty());
                // What follows is asked for with the right answer so far as input.
                for (std::size_t k = 0; k < asked->answer.size(); ++k)
                    REQUIRE(asked->answer[k] == example.targets[t + k]);
            }
        }
    }
}

TEST_CASE("question: streams are asked about after every symbol", "[tasks][question]") {
    const std::vector<std::string> bos = {"supervise=all", "bos=true"};
    for (const auto& set : {std::vector<std::string>{}, bos}) {
        check_stream("parity", set, 1, [](const Tokens& s) { return 1 + sum_of(s) % 2; });
        check_stream("modular_sum", set, 1, [](const Tokens& s) { return 1 + sum_of(s) % 5; });
        check_stream("even_pairs", set, 1, [](const Tokens& s) { return s.front() == s.back() ? 1 : 2; });
        check_stream("cycle_navigation", set, 1, [](const Tokens& s) {
            std::int32_t position = 500;
            for (const std::int32_t step : s) position += step == 1 ? 1 : step == 2 ? -1 : 0;
            return 4 + position % 5;
        });
    }
}

TEST_CASE("question: a group's product is asked about after every element", "[tasks][question]") {
    // Its targets are proven by its own test.
    const Task task = find_task("group_word", {"group=S3xZ4"});
    const auto data = make_data_source(task);
    for (std::uint64_t i = 0; i < 100; ++i) {
        const Example example = make(*data, key(i, 3, 40));
        CHECK_FALSE(question(task, first_of(example.tokens, 1)));  // the beginning alone
        for (std::size_t t = 1; t < example.tokens.size(); ++t)
            REQUIRE(question(task, first_of(example.tokens, t + 1))->answer == Tokens{example.targets[t]});
    }
}

TEST_CASE("question: a sum is asked about with an equals sign behind each digit", "[tasks][question]") {
    const Task task = find_task("modular_arithmetic"), all = find_task("modular_arithmetic", {"supervise=all"});
    const auto data = make_data_source(task);
    for (std::uint64_t i = 0; i < 300; ++i) {
        const Example example = make(*data, key(i, 3, 42));
        for (std::size_t t = 0; t + 1 < example.tokens.size(); ++t) {
            const auto asked = question(task, first_of(example.tokens, t));
            REQUIRE(asked.has_value() == (t % 2 == 1));  // nothing read, or an operator last
            if (!asked) continue;
            REQUIRE(asked->append == Tokens{4});
            REQUIRE(asked->answer == Tokens{5 + sum_value(example.tokens, 0, t)});
            REQUIRE(question(all, first_of(example.tokens, t))->append.empty());
        }
    }
    CHECK_FALSE(question(task, {5, 6}));
    CHECK_FALSE(question(task, {5, 1, 6, 4, 4}));
    CHECK_FALSE(question(task, {10}));  // no digit modulo 5
}

TEST_CASE("question: brackets that are open are closed first where the grammar allows it", "[tasks][question]") {
    const Task task = find_task("modular_arithmetic_brackets", {"mult=true"});
    const auto data = make_data_source(task);
    int asked_within = 0, refused = 0;
    for (std::uint64_t i = 0; i < 400; ++i) {
        const Example example = make(*data, key(i, 5, 40));
        for (std::size_t t = 0; t < example.tokens.size(); ++t) {
            Tokens closed = first_of(example.tokens, t);
            const auto asked = question(task, closed);
            std::size_t closings = 0;
            while (Grammar::value(closed) < 0 && closings++ <= t) closed.push_back(11);
            const int value = Grammar::value(closed);
            REQUIRE(asked.has_value() == (value >= 0));
            asked ? ++asked_within : ++refused;
            if (!asked) continue;
            REQUIRE(asked->answer == Tokens{5 + value});
            Tokens append(closings, 11);
            append.push_back(4);
            REQUIRE(asked->append == append);
        }
    }
    CHECK(asked_within > 1000);
    CHECK(refused > 1000);
    for (const Tokens& wrong : {Tokens{}, {10}, {11}, {2, 2, 5}, {10, 10, 5}, {5, 5}, {5, 1}, {10, 5, 1}, {10, 5, 4}})
        CHECK_FALSE(question(task, wrong));
}

TEST_CASE("question: a needle is asked for as soon as it is read", "[tasks][question]") {
    for (const char* haystack : {"haystack=noise", "haystack=needles"}) {
        const Task task = find_task("needle", {haystack, "keys=2", "values=2", "value_tokens=2", "queries=2"});
        const Needle& needle = std::get<Needle>(task);
        const auto data = make_data_source(task);
        for (std::uint64_t i = 0; i < 200; ++i) {
            const Example example = make(*data, key(i, data->min_size(), data->min_size() + 40));
            std::map<std::int32_t, Tokens> values;
            const std::int32_t wanted = *asked_key(task, example.tokens);
            std::int32_t first = -1, current = -1;
            std::size_t left = 0;  // tokens of the needle that is being read
            for (std::size_t t = 0; example.tokens[t] != 2; ++t) {
                const std::int32_t token = example.tokens[t];
                if (left == 3) current = token;
                if (left == 1 || left == 2) values[current].push_back(token);
                if (left == 1 && first < 0) first = current;
                left = left > 0 ? left - 1 : token == 1 ? 3 : 0;
                const auto asked = question(task, first_of(example.tokens, t + 1), {wanted});
                REQUIRE(asked.has_value() == (left == 0 && values.count(wanted) > 0));
                if (asked) REQUIRE(asked->append == Tokens{2, wanted});
                if (asked) REQUIRE(asked->answer == values[wanted]);
                const auto any = question(task, first_of(example.tokens, t + 1));
                REQUIRE(any.has_value() == (left == 0 && first >= 0 && values[first].size() <= 4));
                if (any) REQUIRE(any->append == Tokens{2, first});
            }
            CHECK(static_cast<std::int64_t>(values.at(wanted).size()) == needle.values * needle.value_tokens);
        }
    }
}

TEST_CASE("question: a key of mqar is asked for where a query can stand", "[tasks][question]") {
    const Task task = find_task("mqar", {"symbols=20", "slices=[[16, 2]]"});  // keys 1 … 9, values 10 … 19
    CHECK(question(task, {3, 12, 5, 17})->append == Tokens{3});
    CHECK(question(task, {3, 12, 5, 17})->answer == Tokens{12});
    CHECK(question(task, {3, 12, 5, 17}, {5})->answer == Tokens{17});
    CHECK(question(task, {3, 12, 5, 17, 0}, {5})->append == Tokens{0, 5});
    CHECK(question(task, {3, 12, 5, 17, 5})->append.empty());
    CHECK(question(task, {3, 12, 5, 17, 5}, {3})->answer == Tokens{17});  // it has begun to ask
    CHECK(question(task, {3, 12, 5, 17, 5, 0, 3})->answer == Tokens{12});
    CHECK_FALSE(question(task, {3, 12, 5}));  // half a pair
    CHECK_FALSE(question(task, {3, 12}, {4}));
    CHECK_FALSE(question(task, {3, 12, 0, 20}));
    CHECK(twin(task, {3, 12, 5, 19, 5}) == Tokens{3, 12, 5, 10, 5});
}

TEST_CASE("question: induction asks with the special token", "[tasks][question]") {
    const Task task = find_task("induction", {"symbols=4"});
    CHECK(question(task, {1, 5, 3})->append == Tokens{5});
    CHECK(question(task, {1, 5, 3, 2, 5})->append.empty());
    CHECK(question(task, {1, 5, 3, 2, 5})->answer == Tokens{3});
    for (const Tokens& none : {Tokens{1, 2}, {1, 5}, {5, 5}, {1, 5, 3, 5, 1}, {1, 5, 3, 5, 5}, {1, 5, 6}})
        CHECK_FALSE(question(task, none));
    CHECK(twin(task, {4, 5, 4, 2, 5}) == Tokens{4, 5, 1, 2, 5});
}

TEST_CASE("question: flip_flop is asked to read once a bit is written", "[tasks][question]") {
    const Task task = find_task("flip_flop");  // 1 write, 2 read, 3 ignore, bits 4 and 5
    CHECK(question(task, {1, 5, 3, 4})->append == Tokens{2});
    CHECK(question(task, {1, 5, 3, 4, 2})->append.empty());
    CHECK(question(task, {1, 5, 3, 4, 2})->answer == Tokens{5});
    for (const Tokens& none : {Tokens{1}, {3, 4}, {1, 5, 3}, {1, 5, 1}, {1, 1}, {4, 5}})
        CHECK_FALSE(question(task, none));
    CHECK(twin(task, {1, 5, 3, 4, 2}) == Tokens{1, 4, 3, 4, 2});
}

TEST_CASE("question: language and selective_copy have none", "[tasks][question]") {
    for (const char* name : {"markov", "text", "selective_copy"}) {
        const Task task = find_task(name);
        CHECK_FALSE(has_questions(task));
        CHECK_FALSE(question(task, {1, 2, 3}));
        CHECK_FALSE(twin(task, {1, 2, 3}));
    }
    CHECK(has_questions(find_task("parity")));
}

TEST_CASE("question: what is begun is finished and what is no text is refused", "[tasks][question]") {
    const Task task = find_task("needle", {"key_symbols=4", "value_symbols=3", "filler_symbols=2", "value_tokens=2"});
    const Tokens text = {10, 1, 3, 7, 8, 10};
    const auto with = [&](Tokens more) {
        more.insert(more.begin(), text.begin(), text.end());
        return more;
    };
    CHECK(question(task, with({2}))->append == Tokens{3});
    CHECK(question(task, with({2, 3}))->answer == Tokens{7, 8});
    CHECK(question(task, with({2, 3}), {5})->append.empty());
    CHECK(question(task, with({2, 3, 7}))->answer == Tokens{8});
    CHECK(question(task, with({2, 3, 7, 8}))->append == Tokens{2, 3});
    CHECK_FALSE(question(task, text, {4}));           // a key that was not seen
    CHECK_FALSE(question(task, with({2, 4})));        // likewise
    CHECK_FALSE(question(task, with({1, 3})));        // half a needle
    CHECK_FALSE(question(task, with({1, 3, 7, 7})));  // a second value of a key that has one
    CHECK_FALSE(question(task, with({7})));
    CHECK_FALSE(question(task, with({99})));
    CHECK_FALSE(question(task, {10, 11}));
    CHECK_FALSE(asked_key(task, text));
    CHECK(asked_key(task, with({2, 3})) == 3);
    for (const Task& any : all_tasks()) {
        CHECK_FALSE(question(any, {}));
        CHECK_FALSE(question(any, {kPad}));
        CHECK_FALSE(question(any, {-1}));
    }
}

TEST_CASE("twin: one token differs and so does the answer", "[tasks][question]") {
    for (const Variant& variant : variants()) {
        const Task task = find_task(variant.name, variant.set);
        if (!has_questions(task)) continue;
        const auto data = make_data_source(task);
        INFO(variant.name << " with " << variant.set.size() << " settings");
        int made = 0, wanted = 0;
        for (std::uint64_t i = 0; i < 200; ++i) {
            const Example example = make(*data, key(i, data->min_size() + 4, data->min_size() + 30));
            for (const std::size_t used : {example.tokens.size(), example.tokens.size() - 1}) {
                const Tokens tokens = first_of(example.tokens, used);
                const auto asked = question(task, tokens);
                const auto other = twin(task, tokens);
                wanted += asked ? 1 : 0, made += other ? 1 : 0;
                if (!other) continue;
                REQUIRE(asked);
                REQUIRE(other->size() == used);
                std::size_t different = 0;
                for (std::size_t t = 0; t < used; ++t) different += tokens[t] != (*other)[t] ? 1 : 0;
                REQUIRE(different == 1);
                REQUIRE(question(task, *other)->append == asked->append);
                REQUIRE(question(task, *other)->answer != asked->answer);
            }
        }
        CHECK(wanted >= 200);
        CHECK(made > wanted * 9 / 10);  // but for expressions whose digits are all multiplied by 0
    }
}

TEST_CASE("twin: the first token that matters changes to the next of its kind", "[tasks][question]") {
    CHECK(twin(find_task("parity"), {1, 2, 2}) == Tokens{2, 2, 2});
    CHECK(twin(find_task("parity", {"bos=true"}), {3, 2, 1}) == Tokens{3, 1, 1});
    CHECK(twin(find_task("modular_sum"), {5, 1}) == Tokens{1, 1});                           // 4 → 0
    CHECK(twin(find_task("modular_arithmetic"), {6, 3, 5, 1, 7}) == Tokens{6, 3, 6, 1, 7});  // 1*0+2 → 1*1+2
    CHECK_FALSE(twin(find_task("modular_arithmetic"), {5, 3}));                              // no question
    CHECK(twin(find_task("cycle_navigation", {"cycle=2"}), {2, 1}) == Tokens{1, 1});         // back would be ahead
    CHECK_FALSE(twin(find_task("even_pairs"), {2}));
    const Task needle = find_task("needle", {"key_symbols=4", "value_symbols=3", "filler_symbols=2"});
    CHECK(twin(needle, {1, 4, 7, 10, 1, 3, 9, 10}, {3}) == Tokens{1, 4, 7, 10, 1, 3, 7, 10});
    CHECK(twin(needle, {1, 4, 7, 10, 1, 3, 9, 10, 2, 3}) == Tokens{1, 4, 7, 10, 1, 3, 7, 10, 2, 3});
}
