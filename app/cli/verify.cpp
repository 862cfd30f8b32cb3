// `whorl verify FILE…|DIR`: golden files against this build.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "app/check/bits.hpp"
#include "app/cli/options.hpp"
#include "app/run/manifest.hpp"
#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/config/config_binding.hpp"
#include "core/io/golden.hpp"

namespace whorl::cli {
namespace {

Syntax syntax() {
    Syntax s("verify", "FILE…|DIR [--device D] [--precision float|double] [--json]  |  --bits [--threads N] [--json]",
             "Builds the model that each golden file describes, runs it forward and backward, and compares logits, "
             "loss and every "
             "gradient with the file's. Errors are ‖a-b‖ / max(‖b‖, 0.001·largest gradient). Exit status 1 when one is "
             "over its limit. With --bits: trains each kind of model for a few steps on the processor and compares "
             "what is left, bit by bit, with what every build for x86-64-v3 promises.",
             {"whorl verify --bits", "whorl verify tests/data/golden",
              "whorl verify tests/data/golden/mamba3-siso.safetensors --precision double"});
    s.options.add_options()("precision", po::value<std::string>()->default_value("float"), "float or double")(
        "form", po::value<std::string>()->default_value("automatic"),
        "recurrence: automatic, recurrent, chunked or dense")("all", po::bool_switch(),
                                                              "print every tensor, not the worst only")(
        "bits", po::bool_switch(), "compare bits of short trainings instead of golden files")(
        "json", po::bool_switch(), "for another program to read");
    add_device_options(s.options);
    s.positionals = {{"FILE", 0, -1}};
    return s;
}

DType dtype_of_flag(const std::string& name) {
    if (name == "double") return DType::f64;
    if (name == "float") return DType::f32;
    throw UserError("--precision " + name + ": expected float or double");
}

FormChoice form_of_flag(const std::string& name) {
    constexpr std::int64_t kWholeSequence = std::int64_t{1} << 40;
    if (name == "automatic") return {};
    if (name == "recurrent") return {Form::recurrent, 0};
    if (name == "chunked") return {Form::chunked, 0};
    if (name == "dense") return {Form::chunked, kWholeSequence};
    throw UserError("--form " + name + suggestion(name, {"automatic", "recurrent", "chunked", "dense"}));
}

/// The files named, and every *.safetensors of the folders named, in order of name.
std::vector<std::string> golden_files(const std::vector<std::string>& names) {
    std::vector<std::string> files;
    for (const std::string& name : names) {
        std::error_code error;
        if (!std::filesystem::is_directory(name, error)) {
            files.push_back(name);
            continue;
        }
        const std::size_t before = files.size();
        for (const auto& entry : std::filesystem::directory_iterator(name))
            if (entry.path().extension() == ".safetensors") files.push_back(entry.path().string());
        if (files.size() == before) throw UserError(name + ": holds no .safetensors file");
        std::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());
    }
    return files;
}

void print_report(const GoldenReport& report, bool all) {
    const std::string file = std::filesystem::path(report.path).filename().string();
    const GoldenError& worst = report.worst();
    fmt::print("{}  {:<44} {:>3}×{:<4} worst {:<52} {:.1e}  (limit {:.1e})\n", report.passed() ? "ok  " : "FAIL", file,
               report.batch, report.length, worst.name, worst.error, worst.limit);
    for (const GoldenError& e : report.errors)
        if (all || !e.passed())
            fmt::print("      {} {:<60} {:.3e}  (limit {:.1e})\n", e.passed() ? "ok  " : "FAIL", e.name, e.error,
                       e.limit);
}

Value json_of(const GoldenReport& report) {
    Array errors;
    for (const GoldenError& e : report.errors)
        errors.push_back(
            {Table{{"name", {e.name}}, {"error", {e.error}}, {"limit", {e.limit}}, {"passed", {e.passed()}}}});
    return {Table{{"file", {report.path}},
                  {"model", {report.model}},
                  {"batch", {report.batch}},
                  {"length", {report.length}},
                  {"passed", {report.passed()}},
                  {"worst", {report.worst().name}},
                  {"errors", {std::move(errors)}}}};
}

/// Prints a row a training; the number of those whose bits differ.
std::int64_t compare_bits(const Devices& devices, bool json) {
    const std::string own = why_own_bits(build_info());
    Array rows;
    std::int64_t differing = 0;
    for (const BitsCase& one : bits_cases()) {
        const std::string found = training_checksum(one.model, devices);
        const bool same = found == one.checksum;
        differing += same ? 0 : 1;
        if (json)
            rows.push_back({Table{{"model", {one.model}}, {"checksum", {found}}, {"expected", {one.checksum}}}});
        else
            fmt::print("{}  {:<16} {}\n", same ? "same " : own.empty() ? "OTHER" : "own  ", one.model, found);
    }
    if (json)
        std::puts(write_json({Table{{"build", {version_text(build_info())}},
                                    {"own_bits", {own}},
                                    {"differing", {differing}},
                                    {"trainings", {std::move(rows)}}}},
                             2)
                      .c_str());
    else if (own.empty())
        fmt::print("{} of {} trainings left the promised bits\n", bits_cases().size() - differing, bits_cases().size());
    else
        fmt::print("{}\n", own);
    return own.empty() ? differing : 0;
}

int verify_bits(const Parsed& parsed) {
    if (!parsed.all("FILE").empty()) throw UserError("--bits takes no file");
    if (const std::string device = parsed.text("device"); device != "auto" && device != "cpu")
        throw UserError("--bits is about processors; leave --device " + in_quotes(device) + " out");
    if (parsed.text("precision") != "float" || parsed.text("form") != "automatic" || parsed.flag("all"))
        throw UserError("--bits trains in float by the automatic form; leave --precision, --form and --all out");
    const auto processor = make_cpu_backend(thread_count(parsed));
    return compare_bits(*processor, parsed.flag("json")) > 0 ? 1 : 0;
}

}  // namespace

int run_verify(const Arguments& arguments) {
    const auto parsed = parse(syntax(), arguments);
    if (!parsed) return 0;
    if (parsed->flag("bits")) return verify_bits(*parsed);
    if (parsed->all("FILE").empty()) throw UserError("verify needs a golden FILE or DIR, or --bits");
    const DType dtype = dtype_of_flag(parsed->text("precision"));
    const FormChoice form = form_of_flag(parsed->text("form"));
    const auto backend = make_backend(*parsed);
    const bool json = parsed->flag("json");
    Array reports;
    std::int64_t failed = 0, count = 0;
    for (const std::string& file : golden_files(parsed->all("FILE"))) {
        const GoldenReport report = check_golden(file, *backend, dtype, form);
        failed += report.passed() ? 0 : 1;
        ++count;
        if (json)
            reports.push_back(json_of(report));
        else
            print_report(report, parsed->flag("all"));
    }
    if (json)
        std::puts(write_json({Table{{"device", {backend->describe()}},
                                    {"precision", {parsed->text("precision")}},
                                    {"failed", {failed}},
                                    {"files", {std::move(reports)}}}},
                             2)
                      .c_str());
    else
        fmt::print("{} of {} files within their limits ({}, {})\n", count - failed, count, parsed->text("precision"),
                   backend->describe());
    return failed > 0 ? 1 : 0;
}

}  // namespace whorl::cli
