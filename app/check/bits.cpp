#include "app/check/bits.hpp"

#include "app/run/setup.hpp"
#include "core/io/checksum.hpp"
#include "core/training/trainer.hpp"

namespace whorl {
namespace {

std::string checksum_of(const PopulationValues& values) {
    std::string all;
    for (const auto* part : {&values.parameters, &values.first_moment, &values.second_moment})
        all += checksum(std::as_bytes(std::span(*part)));
    return checksum(std::as_bytes(std::span(all)));
}

}  // namespace

const std::vector<BitsCase>& bits_cases() {
    static const std::vector<BitsCase> cases = {
        {"mamba3", "ca204f39c65132c6ee44b1e5291e8f9f"},
        {"mamba3-mimo", "d8d81065e6c873b345fc2ef30a8b98a6"},
        {"mamba3-std-rope", "859d26eb83dc98706fed7839967576e4"},
        {"mamba2", "672378c2ba7d206addfe40b801cfb091"},
        {"gdn", "eb20699a74e8459233687190397ebb08"},
        {"transformer", "4c41e743c64eb4da5699c07b8db6a58b"},
        {"hybrid", "8080e660bf403c90d1961a973cfa9188"},
    };
    return cases;
}

std::string training_checksum(const std::string& model, const Devices& devices) {
    const RunSetup setup = set_up(load_recipe("bits", {"model.preset=" + model}));
    devices.set_precision(setup.config.precision);
    Trainer trainer(setup.config.training, setup.model, *setup.data, replicas_of(setup.config.replicas), devices);
    trainer.step(setup.config.training.steps);
    return checksum_of(trainer.snapshot().values);
}

}  // namespace whorl
