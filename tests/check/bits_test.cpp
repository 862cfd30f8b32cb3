#include "app/check/bits.hpp"

#include "app/run/manifest.hpp"
#include "core/backend/factories.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"

using namespace whorl;

TEST_CASE("short trainings of every mixer leave the promised bits on any number of threads", "[check][bits]") {
    if (!why_own_bits(build_info()).empty()) SKIP(why_own_bits(build_info()));
    for (const int threads : {1, 3}) {
        const auto processor = make_cpu_backend(threads);
        for (const BitsCase& one : bits_cases()) {
            INFO(one.model << " on " << threads << " threads");
            CHECK(training_checksum(one.model, *processor) == one.checksum);
        }
    }
}

TEST_CASE("a build whose bits are its own says so", "[check][bits]") {
    BuildInfo build = build_info();
    build.target = "x86-64-v3";
    CHECK(why_own_bits(build).empty());
    build.target = "native";
    CHECK_THAT(why_own_bits(build), Catch::Matchers::ContainsSubstring("native"));
}

TEST_CASE("another compiler and processor are the same origin only where bits are promised", "[check][bits]") {
    const Origin here{{"0.1.0", "abc", "GCC 12", "Release", "x86-64-v3", ""}, "EPYC", "CPU"};
    Origin there = here;
    there.build.compiler = "GCC 14";
    there.processor = "Xeon";
    CHECK(origin_differences(there, here).empty());
    there.build.target = "native";
    CHECK_THAT(origin_differences(there, here), Catch::Matchers::ContainsSubstring("target"));
    there = here;
    there.processor = "Xeon";
    there.device = "NVIDIA H200";
    CHECK_THAT(origin_differences(there, here), Catch::Matchers::ContainsSubstring("processor"));
    there = here;
    there.build.commit = "def";
    CHECK_THAT(origin_differences(there, here), Catch::Matchers::ContainsSubstring("commit"));
}

TEST_CASE("verify --bits prints each training and takes no file", "[cli][bits]") {
    const Outcome outcome = run_whorl("verify --bits");
    CHECK(outcome.status == 0);
    for (const BitsCase& one : bits_cases()) CHECK_THAT(outcome.out, Catch::Matchers::ContainsSubstring(one.model));
    for (const char* more : {"file.safetensors", "--device tpu", "--precision double", "--form chunked", "--all"})
        CHECK(run_whorl("verify --bits " + std::string(more)).status == 2);
    CHECK(run_whorl("verify").status == 2);
    CHECK(run_whorl("verify --bits --threads -1").status == 2);
}
