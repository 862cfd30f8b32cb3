// Any bytes in a run's manifest.json or metrics.jsonl are either a run's, whose numbers can then be computed with, or a
// UserError of one line that names the file. The first byte chooses the file: 'm' the manifest, others the metrics.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "tests/support/sample_run.hpp"
#include "tests/support/temporary_folder.hpp"

namespace {

void demand(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const TemporaryFolder folder;
    static const whorl::RunDirectory run = whorl::test::sample_run(folder / "run", whorl::test::sample_setup());
    static const std::string manifest = slurp(run.manifest_path()), metrics = slurp(run.metrics_path());
    std::string_view text(reinterpret_cast<const char*>(data), size);
    const bool of_manifest = !text.empty() && text.front() == 'm';
    if (!text.empty()) text.remove_prefix(1);
    spill(run.manifest_path(), of_manifest ? std::string(text) : manifest);
    spill(run.metrics_path(), of_manifest ? metrics : std::string(text));
    try {
        whorl::test::read_everything(run);
    } catch (const whorl::UserError& error) {
        const std::string message = error.what();
        demand(message.find('\n') == std::string::npos);
        demand(message.find(of_manifest ? "/manifest.json" : "/metrics.jsonl") != std::string::npos);
    }
    return 0;
}
