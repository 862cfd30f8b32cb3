#include "experiments/check/bits.hpp"

#include "core/io/checksum.hpp"
#include "core/training/trainer.hpp"
#include "experiments/run/setup.hpp"

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
        {"mamba3", ""}, {"mamba3-mimo", ""}, {"mamba3-std-rope", ""}, {"mamba2", ""},
        {"gdn", ""},    {"transformer", ""}, {"hybrid", ""},
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
