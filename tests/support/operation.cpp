#include "tests/support/operation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "core/base/philox.hpp"

namespace whorl::test {
namespace {

Shape with_replicas(Shape shape, std::int64_t replicas) {
    shape[0] = replicas;
    return shape;
}

/// Elements [begin, begin + count) of the third axis.
template <class Value>
std::vector<Value> cut_positions(const std::vector<Value>& values, const Shape& shape, std::int64_t begin,
                                 std::int64_t count) {
    std::vector<Value> part;
    for (std::int64_t row = 0; row < shape[0] * shape[1]; ++row) {
        const auto first = values.begin() + (row * shape[2] + begin) * shape[3];
        part.insert(part.end(), first, first + count * shape[3]);
    }
    return part;
}

/// Writes `part` back where cut_positions takes it from.
void paste_positions(const std::vector<double>& part, const Shape& shape, std::int64_t begin, std::int64_t count,
                     std::vector<double>& values) {
    for (std::int64_t row = 0; row < shape[0] * shape[1]; ++row)
        std::copy_n(part.begin() + row * count * shape[3], count * shape[3],
                    values.begin() + (row * shape[2] + begin) * shape[3]);
}

template <class Value>
std::vector<Value> cut_replica(const std::vector<Value>& values, std::int64_t replicas, std::int64_t replica) {
    const auto each = static_cast<std::int64_t>(values.size()) / replicas;
    return {values.begin() + replica * each, values.begin() + (replica + 1) * each};
}

/// One run's tensors, filled.
class Stage {
public:
    Stage(Backend& backend, DType dtype, const Operation& operation, const Values& values, const RunOptions& options)
        : fixture_(backend, dtype), operation_(operation), values_(values), options_(options) {
        const std::int64_t replicas = values.replicas;
        for (std::size_t i = 0; i < operation.inputs.size(); ++i) {
            call.in.push_back(like_input(i, ""));
            fixture_.write(call.in.back(), values.inputs[i]);
        }
        for (std::size_t i = 0; i < operation.indices.size(); ++i) {
            call.indices.push_back(
                fixture_.indices(operation.indices[i].name, with_replicas(operation.indices[i].shape, replicas)));
            fixture_.write(call.indices.back(), values.indices[i]);
        }
        for (const Shape& shape : operation.kept)
            call.kept.push_back(fixture_.stream("kept", with_replicas(shape, replicas)));
        call.y = like_output("y");
        call.position = options.position;
        if (options.carry) add_state();
        const OpMemory memory = operation.memory(backend, call);
        call.saved = fixture_.bytes("saved", memory.saved);
        call.scratch = fixture_.bytes("scratch", memory.scratch);
    }

    void add_gradients() {
        call.d_y = like_output("d_y");
        fixture_.write(call.d_y, values_.d_y);
        for (std::size_t i = 0; i < operation_.inputs.size(); ++i) {
            call.gradient.push_back(like_input(i, "gradient of "));
            if (operation_.inputs[i].gradient_adds) fixture_.fill(call.gradient.back(), options_.gradient_start);
        }
    }

    Outcome outcome() const {
        Outcome result;
        result.y = fixture_.read(call.y);
        if (call.state) result.state = fixture_.read(call.state);
        for (std::size_t i = 0; i < call.gradient.size(); ++i)
            result.gradients.push_back(operation_.inputs[i].differentiable ? fixture_.read(call.gradient[i])
                                                                           : std::vector<double>{});
        for (const Tensor& kept : call.kept) result.kept.push_back(fixture_.read(kept));
        if (options_.check_memory) result.damage = fixture_.damage();
        return result;
    }

    Call call;

private:
    Tensor like_input(std::size_t i, const std::string& prefix) {
        const Input& input = operation_.inputs[i];
        const Shape shape = with_replicas(input.shape, values_.replicas);
        if (input.parameter) return fixture_.parameter(prefix + input.name, shape);
        return input.stream ? fixture_.stream(prefix + input.name, shape, input.before)
                            : fixture_.activation(prefix + input.name, shape, input.before);
    }
    Tensor like_output(const std::string& name) {
        const Shape shape = with_replicas(operation_.output, values_.replicas);
        return operation_.stream_output ? fixture_.stream(name, shape) : fixture_.activation(name, shape);
    }
    void add_state() {
        call.state =
            fixture_.stream("state", with_replicas(operation_.state, values_.replicas), operation_.state_before);
        if (options_.state.empty())
            fixture_.fill(call.state, operation_.fresh_state);
        else
            fixture_.write(call.state, options_.state);
    }

    Fixture fixture_;
    const Operation& operation_;
    const Values& values_;
    const RunOptions& options_;
};

}  // namespace

std::size_t Operation::index(const std::string& input) const {
    for (std::size_t i = 0; i < inputs.size(); ++i)
        if (inputs[i].name == input) return i;
    throw std::logic_error(name + " has no input " + input);
}

/// What comes again within a replica becomes `low`.
static void keep_first_ones(const IndexInput& input, std::vector<std::int32_t>& values) {
    const auto each = static_cast<std::ptrdiff_t>(count_of(input.shape));
    for (auto first = values.begin(); first != values.end(); first += each)
        for (auto value = first; value != first + each; ++value)
            if (std::find(first, value, *value) != value) *value = input.low;
}

Values random_values(const Operation& operation, std::uint64_t seed, std::int64_t replicas) {
    Values values;
    values.replicas = replicas;
    std::uint64_t stream = 0;
    for (const Input& input : operation.inputs)
        values.inputs.push_back(
            random_numbers(seed, ++stream, replicas * count_of(input.shape), input.low, input.high));
    for (const IndexInput& input : operation.indices) {
        values.indices.emplace_back(static_cast<std::size_t>(replicas * count_of(input.shape)));
        ++stream;
        for (std::size_t i = 0; i < values.indices.back().size(); ++i)
            values.indices.back()[i] =
                input.low +
                static_cast<std::int32_t>(Random(seed, Purpose::test_fixture, stream, i)
                                              .below(static_cast<std::uint32_t>(input.high - input.low + 1)));
        if (input.once) keep_first_ones(input, values.indices.back());
    }
    values.d_y = random_numbers(seed, ++stream, replicas * count_of(operation.output), -1, 1);
    return values;
}

Values values_of_replica(const Operation&, const Values& values, std::int64_t replica) {
    Values own;
    for (const auto& input : values.inputs) own.inputs.push_back(cut_replica(input, values.replicas, replica));
    for (const auto& input : values.indices) own.indices.push_back(cut_replica(input, values.replicas, replica));
    own.d_y = cut_replica(values.d_y, values.replicas, replica);
    return own;
}

Values values_of_positions(const Operation& operation, const Values& values, std::int64_t begin, std::int64_t length) {
    Values part = values;
    for (std::size_t i = 0; i < operation.inputs.size(); ++i)
        if (!operation.inputs[i].parameter)
            part.inputs[i] = cut_positions(values.inputs[i], with_replicas(operation.inputs[i].shape, values.replicas),
                                           begin, length);
    part.d_y = cut_positions(values.d_y, with_replicas(operation.output, values.replicas), begin, length);
    return part;
}

Outcome run(Backend& backend, DType dtype, const Operation& operation, const Values& values,
            const RunOptions& options) {
    Stage stage(backend, dtype, operation, values, options);
    operation.forward(backend, stage.call);
    if (options.backward) {
        stage.add_gradients();
        operation.backward(backend, stage.call);
    }
    return stage.outcome();
}

Outcome run_in_parts(Backend& backend, DType dtype, const Maker& maker, const Values& values,
                     const std::vector<std::int64_t>& parts) {
    std::int64_t length = 0;
    for (const std::int64_t part : parts) length += part;
    const Operation whole = maker(length, {});
    const Shape shape = with_replicas(whole.output, values.replicas);
    Outcome all;
    all.y.resize(static_cast<std::size_t>(count_of(shape)));
    RunOptions options;
    options.backward = false;
    options.carry = true;
    for (const std::int64_t part : parts) {
        Operation operation = maker(part, {});
        operation.state = whole.state;  // an attention cache has room for the whole sequence
        const Outcome outcome =
            run(backend, dtype, operation, values_of_positions(whole, values, options.position, part), options);
        paste_positions(outcome.y, shape, options.position, part, all.y);
        options.state = outcome.state;
        options.position += part;
        if (all.damage.empty()) all.damage = outcome.damage;
    }
    all.state = options.state;
    return all;
}

double norm(const std::vector<double>& a) {
    double sum = 0;
    for (const double x : a) sum += x * x;
    return std::sqrt(sum);
}

double relative_error(const std::vector<double>& a, const std::vector<double>& b, double floor) {
    constexpr double infinite = std::numeric_limits<double>::infinity();
    if (a.size() != b.size()) return infinite;
    std::vector<double> gap(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) gap[i] = a[i] - b[i];
    const double distance = norm(gap);
    if (std::isnan(distance)) return infinite;
    return distance == 0 ? 0 : distance / std::max(norm(b), floor);
}

double gradient_error(const Operation& operation, const Outcome& a, const Outcome& b, double floor,
                      std::string* worst) {
    double largest = 0, error = 0;
    for (const auto& gradient : b.gradients) largest = std::max(largest, norm(gradient));
    for (std::size_t i = 0; i < b.gradients.size(); ++i) {
        if (!operation.inputs[i].differentiable) continue;
        const double own = relative_error(a.gradients[i], b.gradients[i], floor * largest);
        if (own > error && worst) *worst = operation.inputs[i].name;
        error = std::max(error, own);
    }
    return error;
}

}  // namespace whorl::test
