// What one token's update of the state takes: the mixer's operation alone, on the device at hand.
#include <algorithm>
#include <memory>

#include "app/bench/mixer_case.hpp"
#include "app/bench/request.hpp"
#include "app/reproduce/measurement.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl {
namespace {

constexpr std::int64_t kRounds = 12;
constexpr double kSeconds = 0.1;  // for each value

struct NamedLayer {
    const char* name;
    std::int64_t rank, d_state;
};

const std::vector<NamedLayer>& layers() {
    static const std::vector<NamedLayer> list = {
        {"rank-1", 1, 64},   {"rank-2", 2, 64},   {"rank-4", 4, 64},        {"rank-8", 8, 64},
        {"rank-16", 16, 64}, {"rank-32", 32, 64}, {"double-state", 1, 128},
    };
    return list;
}

const NamedLayer& layer_named(const std::string& row) {
    std::vector<std::string> names;
    for (const NamedLayer& layer : layers()) {
        if (row == layer.name) return layer;
        names.emplace_back(layer.name);
    }
    throw UserError("no layer to time is named " + in_quotes(row) + suggestion(row, names));
}

// The layer shape of the paper's model of 1.5 billion parameters; on a processor a quarter of its heads.
BenchSizes sizes_of(const NamedLayer& layer, std::int64_t batch, const Backend& backend) {
    BenchSizes sizes;
    sizes.replicas = 1, sizes.batch = batch, sizes.length = 1;
    sizes.heads = backend.device() == Device::cpu ? 16 : 64, sizes.headdim = 64;
    sizes.d_state = layer.d_state, sizes.rank = layer.rank;
    return sizes;
}

}  // namespace

std::vector<MeasurementRecord> measure_update_times(const TableMeasurement& measurement, Backend& backend) {
    std::vector<MeasurementRecord> records;
    std::vector<std::unique_ptr<MixerCase>> cases;
    for (const std::string& row : measurement.rows) {
        const NamedLayer& layer = layer_named(row);
        const ModelConfig config =
            layer_of(layer.rank > 1 ? "mamba3-mimo" : "mamba3", sizes_of(layer, measurement.batch, backend));
        cases.push_back(std::make_unique<MixerCase>(backend, config, BatchShape{1, measurement.batch, 1}, FormChoice{},
                                                    MixerUse::update));
        MeasurementRecord& record = records.emplace_back();
        record.row = row, record.unit = "seconds";
    }
    // In turn, so that what slows the machine down for a while slows all of them.
    for (std::int64_t round = 0; round < kRounds; ++round)
        for (std::size_t i = 0; i < cases.size(); ++i)
            records[i].values.push_back(cases[i]->time(kSeconds).call.median);
    return records;
}

}  // namespace whorl
