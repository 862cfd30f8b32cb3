// Every golden file in double and float, in every form of the recurrences.
#include "core/io/golden.hpp"

#include <algorithm>
#include <filesystem>

#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/paths.hpp"

using namespace whorl;

namespace {

std::vector<std::string> golden_files() {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(test_data("golden")))
        if (entry.path().extension() == ".safetensors") files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

TEST_CASE("models equal their golden vectors in every form, in double and float", "[model][golden]") {
    const FormChoice forms[] = {{}, {Form::recurrent, 0}, {Form::chunked, 7}, {Form::chunked, 64}};
    const std::vector<std::string> files = golden_files();
    REQUIRE(files.size() == 25);  // a file that is lost must not pass
    for (Backend* backend : test::judged_backends())
        for (const std::string& file : files)
            for (const FormChoice& form : forms)
                for (const DType dtype : {DType::f64, DType::f32}) {
                    const GoldenReport report = check_golden(file, *backend, dtype, form);
                    const GoldenError& worst = report.worst();
                    INFO(file << " on " << backend->describe() << (dtype == DType::f64 ? " in double" : " in float")
                              << ", form " << static_cast<int>(form.form) << ", chunk " << form.chunk << ": "
                              << worst.name << " " << worst.error << " of " << worst.limit);
                    CHECK(report.passed());
                    CHECK(report.errors.size() > 5);
                }
}
