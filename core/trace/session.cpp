#include "core/trace/session.hpp"

#include <cmath>
#include <stdexcept>
#include <utility>

#include "core/backend/factories.hpp"
#include "core/io/parameter_file.hpp"
#include "core/trace/carried.hpp"

namespace whorl::trace {

/// What all forks share: the model, its parameters and the memory that one token's pass takes.
struct Session::Engine {
    Engine(const ModelConfig& config, const std::vector<double>& slice, std::int64_t capacity)
        : backend(make_cpu_backend(1)), model(config, *backend, DType::f64) {
        const std::array<std::int64_t, 4> shape{1, 1, 1, model.layout().slice()};
        memory = backend->allocate(activation_bytes(shape, DType::f64));
        const Tensor parameters = activation_at(memory.data(), shape, DType::f64, Device::cpu);
        upload_slice(*backend, slice, parameters);
        decoder.emplace(model, *backend, parameters, capacity);
    }
    std::unique_ptr<Backend> backend;
    LanguageModel model;
    Buffer memory;
    std::optional<Decoder> decoder;
};

Session::Session(std::shared_ptr<Engine> engine)
    : engine_(std::move(engine)),
      state_(engine_->decoder->start()),
      logit_series_("logits", {axis("token", config().vocab_size)}) {}

Session::Session(const ModelConfig& config, const std::vector<double>& slice, std::int64_t capacity)
    : Session(std::make_shared<Engine>(config, slice, capacity)) {}

const ModelConfig& Session::config() const {
    return engine_->model.config();
}

void Session::follow(const TraceSelection& selection) {
    if (position() > 0) throw std::logic_error("Session::follow: after the first token");
    following_ = true;
    followed_ = tracers_of(config(), capacity(), selection);
    for (FollowedLayer& one : followed_)
        for (Series* series : one.tracer->series()) series->reserve(capacity());
}

const std::vector<double>& Session::feed(std::int32_t token) {
    if (position() >= capacity()) throw std::logic_error("Session::feed: more tokens than the capacity");
    if (token < 0 || token >= config().vocab_size) throw std::out_of_range("Session::feed: outside the vocabulary");
    const std::int64_t at = position();
    logits_ = engine_->decoder->feed(state_, token);
    tokens_.push_back(token);
    if (!following_) return logits_;
    for (FollowedLayer& one : followed_) one.tracer->step(engine_->decoder->last_pass(one.layer), at);
    logit_series_.put(logits_);
    return logits_;
}

const std::vector<double>& Session::feed(const std::vector<std::int32_t>& tokens) {
    for (const std::int32_t token : tokens) feed(token);
    return logits_;
}

Session Session::fork() const {
    Session copy(engine_);
    copy.become(*this);
    copy.following_ = following_;
    copy.logit_series_ = logit_series_;
    for (const FollowedLayer& one : followed_) copy.followed_.push_back({one.layer, one.tracer->clone()});
    return copy;
}

void Session::become(const Session& other) {
    engine_->decoder->copy(other.state_, state_);
    logits_ = other.logits_;
    tokens_ = other.tokens_;
}

void Session::replace(const StatePart& part, const Session& twin) {
    if (twin.position() != position()) throw std::logic_error("Session::replace: the twin has read another length");
    const auto layer = static_cast<std::size_t>(part.layer);
    const MixerConfig& mixer = config().layers.at(layer);
    const std::int64_t heads = parts_of(mixer, config().d_model, position()).heads;
    for (std::int64_t head = part.head < 0 ? 0 : part.head; head < (part.head < 0 ? heads : part.head + 1); ++head)
        copy_part(mixer, config().d_model, head, part.pair, position(), twin.state_.layers[layer],
                  state_.layers[layer]);
}

void Session::turn(const StatePart& pair, double by) {
    const auto layer = static_cast<std::size_t>(pair.layer);
    turn_pair(config().layers.at(layer), config().d_model, pair.head, pair.pair, by, state_.layers[layer]);
}

double Session::distance(const Session& other) const {
    double difference = 0, size = 0;
    for (std::size_t i = 0; i < state_.layers.size(); ++i) {
        const auto held_by = [&](const Session& session) {
            return held(config().layers[i], config().d_model, session.position(), session.state_.layers[i]);
        };
        const Numbers own = held_by(*this), its = held_by(other);
        for (std::size_t j = 0; j < own.size(); ++j) {
            difference += (own[j] - its[j]) * (own[j] - its[j]);
            size += own[j] * own[j];
        }
    }
    return size > 0 ? std::sqrt(difference / size) : 0;
}

Trace Session::take_trace() {
    const auto length = static_cast<std::int64_t>(tokens_.size());
    Trace result{config(), std::move(tokens_), {}, logit_series_.take(length)};
    for (FollowedLayer& one : followed_) {
        TraceLayer layer{one.layer, mixer_type(config().layers[static_cast<std::size_t>(one.layer)]), {}};
        for (Series* series : one.tracer->series()) layer.quantities.push_back(series->take(length));
        result.layers.push_back(std::move(layer));
    }
    return result;
}

}  // namespace whorl::trace
