// Both files hold the trace to the last bit, and say what their axes are.
#include "core/trace/trace_file.hpp"

#include <map>
#include <sstream>

#include "core/base/error.hpp"
#include "core/config/model_config_io.hpp"
#include "core/config/value.hpp"
#include "core/io/safetensors.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/traced_model.hpp"

using namespace whorl;
using namespace whorl::test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> cells;
    std::istringstream text(line + ",");
    for (std::string cell; std::getline(text, cell, ',');) cells.push_back(cell);
    return cells;
}

/// Everything but the value → the value; the header apart.
std::map<std::string, double> numbers_in_csv(const std::string& text, std::string& header) {
    std::map<std::string, double> numbers;
    std::istringstream lines(text);
    std::getline(lines, header);
    for (std::string line; std::getline(lines, line);) {
        const auto cut = line.rfind(',');
        CHECK(cells_of(line).size() == 6);
        CHECK(numbers.emplace(line.substr(0, cut), std::stod(line.substr(cut + 1))).second);
    }
    return numbers;
}

TraceSelection odd_selection() {
    TraceSelection selection;
    selection.heads = {1};
    selection.pairs = {0, 2};
    return selection;
}

}  // namespace

TEST_CASE("a trace's safetensors hold every quantity with its axes", "[trace][io]") {
    const TemporaryFolder folder;
    for (const Subject& subject : preset_subjects()) {
        const Trace trace = record_trace(subject.config, subject.slice, subject.tokens);
        const std::string path = folder / (subject.name + ".safetensors");
        write_trace_safetensors(path, trace);
        const SafetensorsFile file = SafetensorsFile::open(path);
        INFO(subject.name);
        CHECK(file.metadata_at("format") == "whorl-trace-1");
        CHECK(file.read_as<std::int32_t>("tokens") == subject.tokens);
        CHECK(file.read_as<double>("logits") == trace.logits.values);
        const Document axes = parse_json(file.metadata_at("axes"), path);
        std::size_t tensors = 2;
        for (const TraceLayer& layer : trace.layers)
            for (const TraceQuantity& quantity : layer.quantities) {
                const std::string name = "layers." + std::to_string(layer.layer) + "." + quantity.name;
                CHECK(file.at(name).shape == quantity.shape());
                CHECK(file.read_as<double>(name) == quantity.values);
                const auto& listed = std::get<Array>(find(axes.root, name)->data);
                REQUIRE(listed.size() == quantity.axes.size());
                for (std::size_t i = 0; i < listed.size(); ++i)
                    CHECK(std::get<std::string>(find(listed[i], "name")->data) == quantity.axes[i].name);
                ++tensors;
            }
        CHECK(file.tensors().size() == tensors);
    }
}

TEST_CASE("labels tell which heads and channels a file has", "[trace][io]") {
    const TemporaryFolder folder;
    const Subject subject = preset_subjects().front();
    const std::string path = folder / "t.safetensors";
    write_trace_safetensors(path, record_trace(subject.config, subject.slice, subject.tokens, odd_selection()));
    const SafetensorsFile file = SafetensorsFile::open(path);
    CHECK_THAT(file.metadata_at("axes"),
               ContainsSubstring(R"("layers.0.state":[{"name":"position"},{"name":"head","labels":[1]},)"
                                 R"({"name":"state","labels":[0,1,4,5]},{"name":"channel"}])"));
    CHECK(file.metadata_at("config") == to_json(subject.config));
}

TEST_CASE("a trace's CSV has one number a line, labelled", "[trace][io]") {
    const TemporaryFolder folder;
    for (const Subject& subject : preset_subjects()) {
        if (subject.name == "hybrid" || subject.name == "transformer") continue;
        const Trace trace = record_trace(subject.config, subject.slice, subject.tokens, odd_selection());
        write_trace_csv(folder / "t.csv", trace);
        std::string header;
        const auto numbers = numbers_in_csv(slurp(folder / "t.csv"), header);
        INFO(subject.name);
        CHECK(header == "layer,head,position,quantity,index,value");
        const auto length = static_cast<std::int64_t>(subject.tokens.size());
        CHECK(static_cast<std::int64_t>(numbers.size()) ==
              length + count_trace(subject.config, length, odd_selection()));
        CHECK(numbers.at(",,3,token,") == subject.tokens[3]);
        CHECK(numbers.at(",,12,logits,6") == trace.logits.values[12 * 7 + 6]);
        const Reading state(trace.layers[1], "state");
        CHECK(numbers.at("1,1,5,state,5:2") == state(5, 0, 3, 2));  // channel 5 is the fourth that was kept
        CHECK(numbers.at("1,1,5,state,0:0") == state(5, 0, 0, 0));
        if (const TraceQuantity* dt = trace.layers[0].find("dt")) CHECK(numbers.at("0,1,7,dt,") == dt->values[7]);
        if (const TraceQuantity* theta = trace.layers[0].find("theta"))
            CHECK(numbers.at("0,,1,theta,2") == theta->values[5]);
    }
}

TEST_CASE("a trace that cannot be written leaves nothing", "[trace][io]") {
    const TemporaryFolder folder;
    const Subject subject = preset_subjects().front();
    const Trace trace = record_trace(subject.config, subject.slice, subject.tokens);
    for (const char* name : {"none/t.csv", "none/t.safetensors"}) {
        const auto write = name[5] == 't' && name[7] == 'c' ? write_trace_csv : write_trace_safetensors;
        CHECK_THAT(message_of<UserError>([&] { write(folder / name, trace); }), ContainsSubstring("none"));
    }
    CHECK(folder.entries() == 0);
}
