// Traces as files, for notebooks and other programs.
#pragma once

#include <string>

#include "core/trace/trace.hpp"

namespace whorl {

/// Safetensors: `tokens` i32 [position], `logits` f64 [position, token], and for each quantity of each chosen layer
/// `layers.{layer}.{name}` f64. The metadata say `format` = whorl-trace-1, `config` (the model, JSON) and `axes`: a
/// JSON object from tensor name to its axes, each {"name": …}, with "labels" where they are not 0, 1, 2, … (a chosen
/// head's or channel's number). Atomic; throws as write_safetensors.
void write_trace_safetensors(const std::string& path, const Trace& trace);

/// CSV in long form, one number a line: layer, head, position, quantity, index, value. `index` holds the labels of the
/// axes behind position and head, joined by ':', as 3:0 for channel 0 of state channel 3; it is empty where there are
/// none. `head` is empty for what all heads share. Tokens and logits have no layer and no head. Values are the shortest
/// text that reads back to the same double. Atomic.
void write_trace_csv(const std::string& path, const Trace& trace);

}  // namespace whorl
