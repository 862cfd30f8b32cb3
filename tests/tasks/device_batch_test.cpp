// A batch that a device makes holds the numbers that the host makes.
#include "core/training/batch.hpp"
#include "core/training/schedule.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/task_variants.hpp"

using namespace tasktest;
using whorl::test::Fixture;
using whorl::test::judged_backends;

namespace {

struct Numbers {
    std::vector<double> tokens, row_of, target;
    bool operator==(const Numbers&) const = default;
};

/// Memory of the host as a model's inputs have it.
class HostRows {
public:
    HostRows(Backend& cpu, std::array<std::int64_t, 4> shape)
        : memory_(cpu.allocate(activation_bytes(shape, DType::i32))),
          tensor(activation_at(memory_.data(), shape, DType::i32, Device::cpu)) {}

    std::vector<double> read() const {
        std::vector<double> all;
        for (std::int64_t r = 0; r < tensor.shape[0]; ++r)
            for (std::int64_t b = 0; b < tensor.shape[1]; ++b)
                all.insert(all.end(), tensor.at<std::int32_t>(r, b), tensor.at<std::int32_t>(r, b) + tensor.shape[3]);
        return all;
    }

private:
    Buffer memory_;

public:
    Tensor tensor;
};

/// Batches of two steps with sizes of their own; replicas differ in seed and in the step that they are at.
struct Batches {
    const DataSource& data;
    std::int64_t batch, length;
    std::vector<StepNumbers> steps;
    std::vector<ReplicaNumbers> replicas{{11, 0, 0, 1}, {0xFEDCBA9876543210U, 0, 0, 0}, {12, 0, 0, 1}};

    Batches(const DataSource& source, std::int64_t count, std::int64_t small, std::int64_t large)
        : data(source),
          batch(count),
          length(bucket_length(source.positions(large))),
          steps{{5, small}, {(std::int64_t{1} << 40) + 3, large}} {}

    std::int64_t count() const { return static_cast<std::int64_t>(replicas.size()); }
    std::int64_t slots() const { return batch * data.slots(length); }

    Numbers from_host() const {
        Backend& cpu = *judged_backends().front();
        BatchLoader loader(cpu);
        loader.bind({count(), batch, length, slots()});
        for (std::int64_t r = 0; r < count(); ++r)
            for (std::int64_t b = 0; b < batch; ++b) {
                const ReplicaNumbers& replica = replicas[static_cast<std::size_t>(r)];
                const StepNumbers& now = steps[static_cast<std::size_t>(replica.at)];
                loader.put(r, b, data,
                           {replica.data_seed,
                            Split::train,
                            static_cast<std::uint64_t>(now.step),
                            static_cast<std::uint64_t>(b),
                            {data.min_size(), now.size}});
            }
        const HostRows tokens(cpu, {count(), batch, 1, length}), row_of(cpu, {count(), 1, 1, slots()}),
            target(cpu, {count(), 1, 1, slots()});
        loader.upload(tokens.tensor, {row_of.tensor, target.tensor});
        return {tokens.read(), row_of.read(), target.read()};
    }

    Numbers from_device(Backend& backend, DeviceBatch& maker) const {
        Fixture fixture(backend, DType::f32);
        const Tensor tokens = fixture.indices("tokens", {count(), batch, 1, length}),
                     row_of = fixture.indices("row_of", {count(), 1, 1, slots()}),
                     target = fixture.indices("target", {count(), 1, 1, slots()});
        const auto upload = [&](const char* name, const auto& values) {
            const auto bytes = static_cast<std::int64_t>(values.size() * sizeof values[0]);
            const Tensor tensor = fixture.bytes(name, bytes);
            backend.upload(tensor, values.data(), bytes);
            return tensor.data;
        };
        maker.make({reinterpret_cast<const StepNumbers*>(upload("steps", steps)),
                    reinterpret_cast<const ReplicaNumbers*>(upload("replicas", replicas)),
                    data.min_size(),
                    tokens,
                    {row_of, target}});
        CHECK(fixture.damage() == "");
        return {fixture.read(tokens), fixture.read(row_of), fixture.read(target)};
    }
};

void check(const Batches& batches) {
    for (Backend* backend : judged_backends()) {
        const auto maker = batches.data.on_device(*backend, batches.length);
        CHECK((maker != nullptr) == (backend->device() == Device::cuda));
        if (maker) CHECK((batches.from_device(*backend, *maker) == batches.from_host()));
    }
}

}  // namespace

TEST_CASE("every task makes the same batches on a device as on the host", "[tasks][backend]") {
    for (const Variant& variant : variants()) {
        const auto data = source_of(variant);
        INFO(variant.name << " with " << variant.set.size() << " settings");
        check(Batches(*data, 37, data->min_size(), data->min_size() + 45));  // 37: more than a warp, and a bit of one
    }
}

TEST_CASE("examples of thousands of positions are the same on a device as on the host", "[tasks][backend]") {
    for (const char* name : {"parity", "modular_arithmetic_brackets", "needle", "mqar", "markov", "text"}) {
        const auto data = make_data_source(find_task(name));
        INFO(name);
        check(Batches(*data, 3, 2000, 5001));
    }
}

TEST_CASE("examples that do not fit on a device are left to the host", "[tasks][backend]") {
    const auto data = make_data_source(find_task("parity"));
    for (Backend* backend : judged_backends()) CHECK(data->on_device(*backend, kLargestTaskSize) == nullptr);
}
