#include "core/trace/trace.hpp"

#include "core/trace/layer_tracer.hpp"
#include "core/trace/session.hpp"

namespace whorl {

std::vector<std::int64_t> TraceQuantity::shape() const {
    std::vector<std::int64_t> extents;
    for (const TraceAxis& axis : axes) extents.push_back(static_cast<std::int64_t>(axis.labels.size()));
    return extents;
}

const TraceQuantity* TraceLayer::find(const std::string& name) const {
    for (const TraceQuantity& quantity : quantities)
        if (quantity.name == name) return &quantity;
    return nullptr;
}

std::int64_t count_trace(const ModelConfig& config, std::int64_t length, const TraceSelection& selection) {
    std::int64_t per_position = config.vocab_size;
    for (const trace::FollowedLayer& followed : trace::tracers_of(config, length, selection))
        for (const trace::Series* series : followed.tracer->series()) per_position += series->numbers_per_position();
    return per_position * length;
}

Trace record_trace(const ModelConfig& config, const std::vector<double>& slice, const std::vector<std::int32_t>& tokens,
                   const TraceSelection& selection, const std::function<void(std::int64_t)>& progress) {
    trace::Session session(config, slice, static_cast<std::int64_t>(tokens.size()));
    session.follow(selection);
    for (const std::int32_t token : tokens) {
        session.feed(token);
        if (progress) progress(session.position());
    }
    return session.take_trace();
}

}  // namespace whorl
