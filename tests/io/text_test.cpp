#include "core/base/text.hpp"

#include "tests/support/catch.hpp"

using namespace whorl;

TEST_CASE("messages stay on one line", "[io]") {
    CHECK(one_line("a\nb\tc\x1b[31m\x7f") == "a\\nb\\tc\\x1b[31m\\x7f");
    CHECK(one_line("Δ = é") == "Δ = é");
    CHECK(in_quotes("abc") == "'abc'");
    CHECK(in_quotes("abcdef", 3) == "'abc…'");
    CHECK(in_quotes("aéé", 2) == "'a…'");  // never cuts a character in two
}

TEST_CASE("UTF-8 is judged strictly", "[io]") {
    for (const char* good : {"", "plain", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                             "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
        CHECK(valid_utf8(good));
    for (const char* bad : {"\x80", "\xC0\xAF", "\xC1\xBF", "\xC2", "\xC2x", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xEF\xBF",
                            "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"})
        CHECK_FALSE(valid_utf8(bad));
}
