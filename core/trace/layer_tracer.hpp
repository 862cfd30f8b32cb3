// Follows one layer through a sequence: one file for each kind of mixer (mamba3_tracer.cpp, …).
#pragma once

#include <memory>

#include "core/model/mixers/mixer.hpp"
#include "core/trace/trace.hpp"

namespace whorl::trace {

/// Numbers of one quantity, put in order, position after position.
class Series {
public:
    /// `axes` without the position.
    Series(std::string name, std::vector<TraceAxis> axes) : quantity_{std::move(name), std::move(axes), {}} {}

    void put(double value) { quantity_.values.push_back(value); }
    void put(const std::vector<double>& values) { put(values.data(), static_cast<std::int64_t>(values.size())); }
    void put(const double* values, std::int64_t count) {
        quantity_.values.insert(quantity_.values.end(), values, values + count);
    }
    std::int64_t numbers_per_position() const;
    void reserve(std::int64_t length) {
        quantity_.values.reserve(static_cast<std::size_t>(length * numbers_per_position()));
    }
    /// The whole, with an axis of `length` positions in front; the series is empty afterwards.
    TraceQuantity take(std::int64_t length);

private:
    TraceQuantity quantity_;
};

class LayerTracer {
public:
    virtual ~LayerTracer() = default;
    /// Reads the pass of one token, [1,1,1,…] in double on the host, at `position` = 0, 1, 2, …
    virtual void step(const MixerPass& pass, std::int64_t position) = 0;
    /// All series, in the order in which they are to be written.
    virtual std::vector<Series*> series() = 0;
    /// The same, to go on by itself.
    virtual std::unique_ptr<LayerTracer> clone() const = 0;
};

/// A chosen layer and what follows it.
struct FollowedLayer {
    std::int64_t layer;
    std::unique_ptr<LayerTracer> tracer;
};

/// One for each layer that `selection` keeps something of. Throws as count_trace.
std::vector<FollowedLayer> tracers_of(const ModelConfig& config, std::int64_t length, const TraceSelection& selection);

/// The selection as one layer sees it.
struct LayerSelection {
    std::vector<std::int64_t> heads;     // never empty
    std::vector<std::int64_t> channels;  // state channels to keep, ascending; empty: none
};

/// Axes with labels 0 … count-1, and with those given.
TraceAxis axis(std::string name, std::int64_t count);
TraceAxis axis(std::string name, std::vector<std::int64_t> labels);

std::unique_ptr<LayerTracer> make_tracer(const Mamba3Config& config, std::int64_t d_model,
                                         const LayerSelection& selection, std::int64_t length);
std::unique_ptr<LayerTracer> make_tracer(const Mamba2Config& config, std::int64_t d_model,
                                         const LayerSelection& selection, std::int64_t length);
std::unique_ptr<LayerTracer> make_tracer(const GatedDeltaNetConfig& config, std::int64_t d_model,
                                         const LayerSelection& selection, std::int64_t length);
std::unique_ptr<LayerTracer> make_tracer(const AttentionConfig& config, std::int64_t d_model,
                                         const LayerSelection& selection, std::int64_t length);

/// Channels of pair j (one or two), as TraceSelection::pairs counts them.
std::vector<std::int64_t> pair_channels(std::int64_t pair, std::int64_t channels, RotaryPairing pairing);

}  // namespace whorl::trace
