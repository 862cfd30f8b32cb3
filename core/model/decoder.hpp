// One model asked token by token, from states that the caller keeps: as many side by side as wanted.
//
// The model and its parameters are shared by all states; a state that is copied goes on by itself, which is how one
// asks "what would it answer now?" without disturbing the reading.
#pragma once

#include <vector>

#include "core/model/language_model.hpp"

namespace whorl {

class Decoder {
public:
    /// For sequences of up to `capacity` tokens. Binds `model` to one token at a time: binding it otherwise ends the
    /// decoder's use. All three must outlive it.
    Decoder(LanguageModel& model, Backend& backend, const Tensor& parameters, std::int64_t capacity);

    /// Nothing read yet.
    State start() const { return model_.make_state(1, 1, capacity_); }
    /// Makes `to`, a state of this decoder's, equal to `from`; allocates nothing. On a host only.
    void copy(const State& from, State& to) const;

    /// Reads one token; returns the logits [V] behind it, valid until the next feed.
    const std::vector<double>& feed(State& state, std::int32_t token);
    /// What layer `layer` handed to its operation in the last feed.
    MixerPass last_pass(std::int64_t layer) const {
        return model_.last_pass(static_cast<std::size_t>(layer), parameters_);
    }
    const std::vector<double>& logits() const { return logits_; }

private:
    LanguageModel& model_;
    Backend& backend_;
    Tensor parameters_;
    std::int64_t capacity_;
    std::vector<double> logits_;
};

/// Rows of logits [rows,V] on the host, from any device and float type.
std::vector<double> download_logits(Backend& backend, const LanguageModel& model, std::int64_t rows);

}  // namespace whorl
