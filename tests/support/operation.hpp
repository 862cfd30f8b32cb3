// An operation of the backend as data: named inputs, one output, forward and backward. Every check of judge.hpp runs on
// this description, on any backend.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/support/fixture.hpp"

namespace whorl::test {

/// Shapes are those of one replica (first extent 1); runs put their number of replicas there.
struct Input {
    std::string name;
    Shape shape;
    double low = -1, high = 1;  // range of its random values
    bool parameter = false;     // its gradient accumulates; else it is an activation, overwritten
    std::int64_t before = 0;    // see Fixture::activation
    bool gradient_adds = parameter;
    bool differentiable = true;
    bool stream = false;  // an activation of the residual stream, logits: never stored in bf16
};

struct IndexInput {
    std::string name;
    Shape shape;
    std::int32_t low, high;  // random in [low, high]
    bool once = false;       // a value that comes again in the same replica is `low` instead
};

/// The tensors of one run.
struct Call {
    std::vector<Tensor> in, indices, gradient, kept;  // in the order of the description
    Tensor y, d_y, state, saved, scratch;
    std::int64_t position = 0;
};

struct Operation {
    std::string name;
    std::vector<Input> inputs;
    std::vector<IndexInput> indices;
    std::vector<Shape> kept;  // of the stream: what forward writes besides y, for backward
    Shape output;
    bool stream_output = false;     // y, too, is of the stream
    Shape state{0, 0, 0, 0};        // carried from call to call; none without elements
    double fresh_state = 0;         // its value before the first position
    std::int64_t state_before = 0;  // see Fixture::activation
    std::function<OpMemory(Backend&, const Call&)> memory;
    std::function<void(Backend&, const Call&)> forward, backward;

    std::size_t index(const std::string& input) const;
};

/// Activations whose rows start where a GPU can move them in packs, which they do not by themselves.
inline void align_rows(Operation& operation) {
    for (Input& input : operation.inputs)
        if (!input.parameter) input.before = 4;
    operation.name += ", aligned";
}

/// What goes into a run, in the order of the description, replicas first.
struct Values {
    std::vector<std::vector<double>> inputs;
    std::vector<std::vector<std::int32_t>> indices;
    std::vector<double> d_y;
    std::int64_t replicas = 1;
};

struct Outcome {
    std::vector<double> y, state;
    std::vector<std::vector<double>> gradients, kept;
    std::string damage;
};

struct RunOptions {
    bool backward = true;
    bool check_memory = true;
    bool carry = false;  // with a state, started from `state` or fresh
    std::vector<double> state = {};
    std::int64_t position = 0;
    double gradient_start = 0;  // value of accumulating gradients before the backward pass
};

Values random_values(const Operation& operation, std::uint64_t seed, std::int64_t replicas = 1);
/// The values of one replica, as a run of its own.
Values values_of_replica(const Operation& operation, const Values& values, std::int64_t replica);
/// The same for positions [begin, begin + length) of every activation.
Values values_of_positions(const Operation& operation, const Values& values, std::int64_t begin, std::int64_t length);

/// Activations of the run are stored in `dtype`; all else of a run in bf16 is in float.
Outcome run(Backend& backend, DType dtype, const Operation& operation, const Values& values,
            const RunOptions& options = {});

/// How an operation is made for a length and a form.
using Maker = std::function<Operation(std::int64_t length, FormChoice form)>;

/// Forward over consecutive parts with a carried state; y of all positions and the last state.
Outcome run_in_parts(Backend& backend, DType dtype, const Maker& maker, const Values& values,
                     const std::vector<std::int64_t>& parts);

/// ‖a - b‖ / max(‖b‖, floor); infinite for NaN.
double relative_error(const std::vector<double>& a, const std::vector<double>& b, double floor = 0);
double norm(const std::vector<double>& a);
/// The largest relative error of all gradients, their norms floored at `floor` times the largest one; `worst` gets its
/// name.
double gradient_error(const Operation& operation, const Outcome& a, const Outcome& b, double floor,
                      std::string* worst = nullptr);

}  // namespace whorl::test
