#include "tasks/example.hpp"

namespace whorl {

Example make_example(const DataSource& data, const SampleKey& key) {
    const std::int64_t capacity = data.positions(key.sizes.max);
    Example example;
    example.tokens.resize(static_cast<std::size_t>(capacity));
    example.targets.resize(static_cast<std::size_t>(capacity));
    const auto used =
        static_cast<std::size_t>(data.generate(key, {example.tokens.data(), example.targets.data(), capacity}));
    example.tokens.resize(used);
    example.targets.resize(used);
    return example;
}

}  // namespace whorl
