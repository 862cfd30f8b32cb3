#include "viz/data/lesion.hpp"

#include <algorithm>
#include <stdexcept>

#include "core/base/error.hpp"
#include "core/model/parameter_layout.hpp"

namespace whorl::viz {
namespace {

bool ends_with(const std::string& text, const std::string& end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

void silence_biases(Exhibit& exhibit) {
    const ParameterLayout layout(exhibit.config);
    for (const ParameterInfo& one : layout.parameters())
        if (ends_with(one.name, ".B_bias") || ends_with(one.name, ".C_bias"))
            std::fill_n(exhibit.slice.begin() + one.offset, one.count, 0.0);
}

}  // namespace

Exhibit with_lesion(Exhibit exhibit, Lesion lesion) {
    if (lesion == Lesion::none) return exhibit;
    const std::int64_t before = ParameterLayout(exhibit.config).slice();
    bool any = false;
    for (MixerConfig& mixer : exhibit.config.layers) {
        auto* mamba3 = std::get_if<Mamba3Config>(&mixer);
        if (mamba3 == nullptr) continue;
        any = true;
        if (lesion == Lesion::previous) mamba3->discretization = Discretization::euler;
        if (lesion == Lesion::turn) mamba3->rotation = Rotation::none;
    }
    if (!any) throw UserError("silenced: " + exhibit.name + " has no Mamba-3 layer, which alone has such parts");
    if (lesion == Lesion::bias) silence_biases(exhibit);
    if (ParameterLayout(exhibit.config).slice() != before) throw std::logic_error("a lesion keeps all parameters");
    exhibit.about += lesion == Lesion::previous ? ", β silenced" : lesion == Lesion::bias ? ", no bias" : ", θ = 0";
    return exhibit;
}

}  // namespace whorl::viz
