#include "tasks/modular_arithmetic_brackets.hpp"

#include "tests/support/task_support.hpp"

using namespace tasktest;

namespace {

// A recursive-descent parser of the documented grammar and ids (m = 5: 10 is the opening, 11 the closing bracket). The
// generator neither recurses nor reads what it wrote.
class Parser {
public:
    struct Node {
        std::int64_t value = 0;
        std::size_t length = 0;
    };

    explicit Parser(const std::vector<std::int32_t>& tokens) : tokens_(tokens) {}

    Node parse() {
        const std::size_t start = at_;
        if (next() != 10) return {leaf(), at_ - start};
        ++at_;
        const Node left = parse();
        std::int64_t value = left.value;
        if (next() == 11) {
            REQUIRE(left.length <= 2);  // (d) and (-d), never ((…))
        } else {
            const std::int32_t operation = tokens_[at_++];
            REQUIRE(operation >= 1);
            REQUIRE(operation <= 3);
            const Node right = parse();
            value = operation == 1   ? left.value + right.value
                    : operation == 2 ? left.value - right.value
                                     : left.value * right.value;
            REQUIRE(next() == 11);
            ++operators[static_cast<std::size_t>(operation)];
            left_length = left.length;  // the root's in the end
        }
        ++at_;
        return {value % 5, at_ - start};
    }

    std::size_t left_length = 0;
    std::vector<std::int64_t> operators = std::vector<std::int64_t>(4), digits = std::vector<std::int64_t>(5);

private:
    std::int32_t next() const {
        REQUIRE(at_ < tokens_.size());
        return tokens_[at_];
    }
    std::int64_t leaf() {
        const bool negative = next() == 2;
        if (negative) ++at_;
        const std::int32_t digit = next() - 5;
        REQUIRE(digit >= 0);
        REQUIRE(digit < 5);
        ++at_, ++digits[static_cast<std::size_t>(digit)];
        return negative ? -digit : digit;
    }

    const std::vector<std::int32_t>& tokens_;
    std::size_t at_ = 0;
};

// Parses the expression before =, which must be all there is, and compares the answer.
Parser check(const Example& example) {
    REQUIRE(example.tokens.back() == 4);
    const std::vector<std::int32_t> expression(example.tokens.begin(), example.tokens.end() - 1);
    Parser parser(expression);
    const Parser::Node whole = parser.parse();
    REQUIRE(whole.length == expression.size());
    REQUIRE(example.targets.back() == 5 + (whole.value + 5) % 5);
    for (std::size_t t = 0; t < expression.size(); ++t) REQUIRE(example.targets[t] == kUnsupervised);
    return parser;
}

void add(std::vector<std::int64_t>& sums, const std::vector<std::int64_t>& counts) {
    for (std::size_t i = 0; i < counts.size(); ++i) sums[i] += counts[i];
}

}  // namespace

TEST_CASE("modular_arithmetic_brackets: thousands of examples agree with a parser of the grammar", "[tasks]") {
    for (const bool mult : {false, true}) {
        ModularArithmeticBrackets task;
        task.mult = mult;
        std::vector<std::int64_t> sizes(65), operators(4), digits(5), answers(10);
        for (std::uint64_t i = 0; i < 5000; ++i) {
            const Example example = make(task, key(i, 5, 64));
            const Parser parser = check(example);
            ++sizes[example.tokens.size() + 2];
            add(operators, parser.operators);
            add(digits, parser.digits);
            ++answers[static_cast<std::size_t>(example.targets.back())];
        }
        CHECK(uniform(sizes, 5, 60));
        CHECK(uniform(operators, 1, mult ? 3 : 2));
        CHECK((mult || operators[3] == 0));
        CHECK(uniform(digits, 0, 5));
        CHECK(uniform(answers, 5, 5) == !mult);
    }
}

TEST_CASE("modular_arithmetic_brackets: the left operand's length is uniform", "[tasks]") {
    const ModularArithmeticBrackets task;
    std::vector<std::int64_t> left(20);
    for (std::uint64_t i = 0; i < 4000; ++i) ++left[check(make(task, key(i, 20, 20))).left_length];
    CHECK(uniform(left, 1, 13));  // 17 tokens: 1 … 13
    CHECK(left[0] == 0);
}

TEST_CASE("modular_arithmetic_brackets: the shortest forms are those of the grammar", "[tasks]") {
    const ModularArithmeticBrackets task;
    const auto text = [&](std::int64_t size) {
        std::string line = task.example_text(make(task, key(1, size, size)));
        for (char& c : line) c = c >= '0' && c <= '9' ? 'd' : c == '+' ? '-' : c;
        return line.substr(0, line.find(" = "));
    };
    CHECK(text(5) == "-d");
    CHECK(text(6) == "(d)");
    CHECK(text(7) == "(-d)");
    CHECK(text(8) == "(d-d)");
}

TEST_CASE("modular_arithmetic_brackets: a long expression is bounded and right", "[tasks]") {
    for (const bool mult : {false, true}) {
        ModularArithmeticBrackets task;
        task.mult = mult;
        for (std::uint64_t i = 0; i < 20; ++i) check(make(task, key(i, 5000, 5000)));
    }
}

TEST_CASE("modular_arithmetic_brackets: the last token is answered too with supervise = all and bos", "[tasks]") {
    ModularArithmeticBrackets all, last;
    all.supervise = Supervise::all;
    all.bos = true;
    for (std::uint64_t i = 0; i < 300; ++i) {
        Example example = make(all, key(i, 5, 40), 5);
        REQUIRE(example.tokens[0] == all.vocabulary() - 1);
        REQUIRE(example.targets[example.targets.size() - 2] == example.targets.back());
        example.tokens.erase(example.tokens.begin());
        example.targets.erase(example.targets.begin());
        example.targets[example.targets.size() - 2] = kUnsupervised;
        const Example plain = make(last, key(i, 5, 40));
        REQUIRE(example.tokens == plain.tokens);
        REQUIRE(example.targets == plain.targets);
    }
}
