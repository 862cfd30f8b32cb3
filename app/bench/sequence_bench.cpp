// The mixers' operations alone: whole sequences, the rule between their two forms, and single tokens.
#include <fmt/format.h>

#include "app/bench/mixer_case.hpp"
#include "app/bench/request.hpp"

namespace whorl {
namespace {

BatchShape shape_of(const BenchSizes& s) {
    return {s.replicas, s.batch, s.length};
}

BenchRow measure(const BenchRequest& request, const ModelConfig& config, const std::string& name,
                 const BenchSizes& sizes, FormChoice form, MixerUse use) {
    MixerCase mixer(request.backend, config, {sizes.replicas, sizes.batch, std::max<std::int64_t>(sizes.length, 1)},
                    form, use);
    const RecordedTiming timing = mixer.time(request.seconds);
    return make_row(name, sizes, timing, mixer.work());
}

std::string text_of(FormChoice form) {
    return form.form == Form::recurrent ? "recurrent" : fmt::format("chunks of {}", form.chunk);
}

/// The forms worth trying: the recurrent one, and chunks of powers of two up to the length.
std::vector<FormChoice> forms_to_try(std::int64_t length) {
    std::vector<FormChoice> forms = {{Form::recurrent, 0}};
    for (std::int64_t chunk = 4; chunk <= std::min<std::int64_t>(length, 128); chunk *= 2)
        forms.push_back({Form::chunked, chunk});
    return forms;
}

}  // namespace

void bench_sequence(const BenchRequest& request, BenchReport& report) {
    for (const std::string& model : request.models) {
        const ModelConfig config = layer_of(model, request.sizes);
        const BenchSizes sizes = sizes_of_layer(config, request.sizes);
        add_row(report, measure(request, config, model + " forward", sizes, request.form, MixerUse::forward));
        add_row(report, measure(request, config, model + " forward+backward", sizes, request.form, MixerUse::training));
    }
}

void bench_update(const BenchRequest& request, BenchReport& report) {
    for (const std::string& model : request.models) {
        const ModelConfig config = layer_of(model, request.sizes);
        if (std::holds_alternative<AttentionConfig>(config.layers[0])) {
            report.notes.push_back(model + ": attention has no state to update; see whorl bench decode");
            continue;
        }
        add_row(report, measure(request, config, model, sizes_of_layer(config, request.sizes), {}, MixerUse::update));
    }
}

void bench_rule(const BenchRequest& request, BenchReport& report) {
    for (const std::string& model : request.models) {
        const ModelConfig config = layer_of(model, request.sizes);
        if (std::holds_alternative<AttentionConfig>(config.layers[0])) {
            report.notes.push_back(model + ": attention has one form only");
            continue;
        }
        const BenchSizes sizes = sizes_of_layer(config, request.sizes);
        BenchRow automatic = measure(request, config, model + " automatic", sizes, {}, MixerUse::training);
        const double chosen_ms = automatic.ms;
        add_row(report, std::move(automatic));
        std::string fastest;
        double least = 0;
        for (const FormChoice form : forms_to_try(request.sizes.length)) {
            BenchRow row = measure(request, config, model + " " + text_of(form), sizes, form, MixerUse::training);
            if (fastest.empty() || row.ms < least) fastest = text_of(form), least = row.ms;
            add_row(report, std::move(row));
        }
        const FormChoice chosen =
            MixerCase(request.backend, config, shape_of(sizes), {}, MixerUse::forward).chosen_form();
        report.notes.push_back(fmt::format("{}: automatic picks {}, {:.3f} ms; fastest of those tried: {}, {:.3f} ms",
                                           model, text_of(chosen), chosen_ms, fastest, least));
    }
}

}  // namespace whorl
