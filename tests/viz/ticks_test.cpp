#include "viz/plot/ticks.hpp"

#include <cmath>

#include "tests/support/catch.hpp"
#include "viz/plot/extent.hpp"
#include "viz/plot/font.hpp"

using namespace whorl::plot;

namespace {

Axis axis(double low, double high, Scale scale = Scale::linear, const std::string& unit = "") {
    Axis made;
    made.low = low;
    made.high = high;
    made.scale = scale;
    made.unit = unit;
    return made;
}

std::string texts(const std::vector<Tick>& ticks) {
    std::string all;
    for (const Tick& tick : ticks) all += (all.empty() ? "" : " ") + tick.text;
    return all;
}

}  // namespace

TEST_CASE("numbers are written as people write them", "[plot][ticks]") {
    CHECK(number_text(0) == "0");
    CHECK(number_text(-0.5) == "−0.5");
    CHECK(number_text(0.1 + 0.2) == "0.3");
    CHECK(number_text(1024) == "1,024");
    CHECK(number_text(-1234567.8) == "−1,234,568");
    CHECK(number_text(1234567, 7) == "1,234,567");
    CHECK(number_text(999) == "999");
    CHECK(number_text(0.000012) == "1.2·10^{−5}");
    CHECK(number_text(1e9) == "10^{9}");
    CHECK(number_text(9.9999e8, 2) == "10^{9}");
    CHECK(number_text(0.02) == "0.02");
    CHECK(number_text(INFINITY) == "∞");
    CHECK(number_text(NAN) == "–");
}

TEST_CASE("ticks stand at round numbers", "[plot][ticks]") {
    CHECK(texts(ticks_of(axis(0, 1), 5)) == "0 0.2 0.4 0.6 0.8 1");
    CHECK(texts(ticks_of(axis(-1.2, 1.1), 4)) == "−1 −0.5 0 0.5 1");
    CHECK(texts(ticks_of(axis(0, 2048), 4)) == "0 500 1,000 1,500 2,000");
    CHECK(texts(ticks_of(axis(1, 0), 2)) == "0 0.5 1");  // an axis that goes down
}

TEST_CASE("angles have ticks at parts of a turn", "[plot][ticks]") {
    CHECK(texts(ticks_of(axis(-400, 560, Scale::linear, "°"), 5)) == "−360° −180° 0° +180° +360° +540°");
    CHECK(texts(ticks_of(axis(0, 180, Scale::linear, "°"), 4)) == "0° 45° 90° 135° 180°");
    CHECK(texts(ticks_of(axis(0, 100, Scale::linear, "%"), 2)) == "0 % 50 % 100 %");
}

TEST_CASE("log axes have ticks at powers of ten", "[plot][ticks]") {
    CHECK(texts(ticks_of(axis(1e-6, 10, Scale::log), 8)) == "10^{−6} 10^{−5} 10^{−4} 10^{−3} 10^{−2} 10^{−1} 1 10^{1}");
    CHECK(texts(ticks_of(axis(1e-6, 1, Scale::log), 4)) == "10^{−6} 10^{−4} 10^{−2} 1");
    CHECK(texts(ticks_of(axis(0.015, 3, Scale::log), 8)) == "0.02 0.05 0.1 0.2 0.5 1 2");
    CHECK(texts(ticks_of(axis(1, 1000, Scale::log), 4)) == "1 10 100 1,000");
}

TEST_CASE("every tick lies on its axis and ticks grow", "[plot][ticks]") {
    for (const double low : {-1e5, -37.0, -1e-7, 0.0, 0.3, 12.0})
        for (const double length : {1e-9, 0.1, 3.7, 1e6})
            for (const int count : {2, 5, 9}) {
                const std::vector<Tick> ticks = ticks_of(axis(low, low + length), count);
                REQUIRE(ticks.size() <= 40);
                for (std::size_t i = 0; i < ticks.size(); ++i) {
                    CHECK(ticks[i].at >= low - 1e-8 * length);
                    CHECK(ticks[i].at <= low + length * (1 + 1e-8));
                    if (i > 0) CHECK(ticks[i].at > ticks[i - 1].at);
                }
            }
}

TEST_CASE("ticks never touch and there are two of them wherever two fit", "[plot][ticks]") {
    const auto wide = [](const Tick& tick) { return 8.0 * static_cast<double>(letters_of(tick.text).size()); };
    for (const double length : {90.0, 150.0, 400.0, 900.0})
        for (const auto& limits :
             {axis(-4, 4), axis(0, 100000), axis(-180, 560, Scale::linear, "°"), axis(0.01, 3, Scale::log)}) {
            const std::vector<Tick> ticks = ticks_apart(limits, length, 8, 6, wide);
            REQUIRE_FALSE(ticks.empty());
            if (length >= 150) CHECK(ticks.size() >= 2);
            for (std::size_t i = 1; i < ticks.size(); ++i) {
                const double distance = length * (share_on(limits, ticks[i].at) - share_on(limits, ticks[i - 1].at));
                CHECK(distance >= 6 + (wide(ticks[i]) + wide(ticks[i - 1])) / 2 - 1e-9);
            }
        }
}

TEST_CASE("given ticks are thinned out evenly", "[plot][ticks]") {
    Axis given = axis(0, 100);
    for (int i = 0; i <= 120; ++i) given.ticks.push_back({double(i), "1"});
    const std::vector<Tick> ticks = ticks_apart(given, 300, 5, 4, [](const Tick&) { return 8.0; });
    REQUIRE(ticks.size() == 21);  // every 5th of those up to 100: 15 pixels apart, every 2nd would be 6
    CHECK(ticks[1].at == 5);
    CHECK(ticks.back().at == 100);
}
