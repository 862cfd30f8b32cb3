#include "core/io/safetensors.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "core/base/error.hpp"
#include "core/config/value.hpp"
#include "core/io/stored_convert.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace whorl;

namespace {

std::string file_text(const std::string& json, const std::string& data) {
    const std::uint64_t length = json.size();
    return std::string(reinterpret_cast<const char*>(&length), 8) + json + data;
}

SafetensorsFile parse(const std::string& text) {
    return SafetensorsFile::parse(std::as_bytes(std::span(text)), "memory");
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
    return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

// A file with one tensor `t` of the given dtype.
template <class T>
std::string one_tensor(const std::string& dtype, const std::vector<T>& values) {
    const std::string count = std::to_string(values.size());
    const std::string end = std::to_string(values.size() * sizeof(T));
    return file_text("{\"t\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + count + "],\"data_offsets\":[0," + end + "]}}",
                     bytes_of(values));
}

template <class T, class S>
std::vector<T> read_back(const std::string& dtype, const std::vector<S>& values) {
    const std::string text = one_tensor(dtype, values);
    return parse(text).read_as<T>("t");
}

template <class T, class S>
std::string read_error(const std::string& dtype, const std::vector<S>& values) {
    return message_of<UserError>([&] { read_back<T>(dtype, values); });
}

}  // namespace

TEST_CASE("metadata that is null is no metadata", "[io][safetensors]") {
    const std::string tensor = R"("t":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
    for (const std::string& json :
         {R"({"__metadata__":null,)" + tensor + "}", "{" + tensor + R"(,"__metadata__":null})"}) {
        const std::string text = file_text(json, "\x07");
        const SafetensorsFile file = parse(text);
        CHECK(file.metadata().empty());
        CHECK(file.read_as<std::int32_t>("t") == std::vector<std::int32_t>{7});
    }
    const std::string twice = file_text(R"({"__metadata__":null,"__metadata__":{}})", "");
    CHECK_THAT(message_of<UserError>([&] { parse(twice); }),
               Catch::Matchers::ContainsSubstring("duplicate name '__metadata__'"));
}

TEST_CASE("a Git LFS pointer is called one", "[io][safetensors]") {
    const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 1234567890\n";
    const std::string expected = "memory: is a Git LFS pointer, not the file itself; fetch it with 'git lfs pull'";
    CHECK(message_of<UserError>([&] { parse(pointer); }) == expected);
    CHECK(message_of<UserError>([&] { parse_json(pointer, "memory"); }) == expected);
}

TEST_CASE("what is written is read back", "[io][safetensors]") {
    const TemporaryFolder folder;
    const std::string path = folder / "model.safetensors";
    const std::vector<float> a = {1.5f, -0.0f, std::numeric_limits<float>::infinity(), 1e-45f, 5, 6};
    const std::vector<double> b = {1.0 / 3};
    const std::vector<std::int32_t> c = {-7, 9};
    const std::vector<double> none;
    write_safetensors(
        path,
        std::vector{tensor_view<float>("z.weight", {2, 3}, a), tensor_view<double>("scalar", {}, b),
                    tensor_view<double>("none", {0, 4}, none), tensor_view<std::int32_t>("a \"é\"\n", {2}, c)},
        {{"format", "whorl-1"}, {"config", "{\"d_model\": 16}\n"}});
    const SafetensorsFile file = SafetensorsFile::open(path);
    REQUIRE(file.tensors().size() == 4);
    CHECK(file.tensors()[0].name == "z.weight");  // the given order, not the alphabet's
    CHECK(file.at("z.weight").shape == std::vector<std::int64_t>{2, 3});
    CHECK(file.at("z.weight").type == StoredType::f32);
    CHECK(file.at("scalar").shape.empty());
    CHECK(file.at("scalar").count() == 1);
    CHECK(file.at("none").count() == 0);
    CHECK(bytes_of(file.read_as<float>("z.weight")) == bytes_of(a));
    CHECK(file.read_as<double>("scalar") == b);
    CHECK(file.read_as<double>("none").empty());
    CHECK(file.read_as<std::int32_t>("a \"é\"\n") == c);
    CHECK(file.metadata_at("config") == "{\"d_model\": 16}\n");
    CHECK(file.metadata().size() == 2);
}

TEST_CASE("files are deterministic and their data is aligned", "[io][safetensors]") {
    const TemporaryFolder folder;
    const std::vector<float> values(5, 1.0f);
    for (std::size_t name_length = 1; name_length < 70; ++name_length) {
        const std::vector tensors{tensor_view<float>(std::string(name_length, 'n'), {5}, values)};
        write_safetensors(folder / "a", tensors);
        write_safetensors(folder / "b", tensors);
        const std::string text = slurp(folder / "a");
        REQUIRE(text == slurp(folder / "b"));
        REQUIRE((text.size() - 5 * sizeof(float)) % 64 == 0);
        REQUIRE(parse(text).read_as<float>(std::string(name_length, 'n')) == values);
    }
}

TEST_CASE("a file without tensors is a file", "[io][safetensors]") {
    const TemporaryFolder folder;
    write_safetensors(folder / "empty", {});
    CHECK(SafetensorsFile::open(folder / "empty").tensors().empty());
    CHECK(parse(file_text("{}", "")).tensors().empty());
}

TEST_CASE("tensors may be named in any order of their data", "[io][safetensors]") {
    const std::string text = file_text(
        R"({"b":{"data_offsets":[4,8],"shape":[1],"dtype":"I32"},"a":{"dtype":"I32","shape":[1],"data_offsets":[0,4]},)"
        R"("empty":{"dtype":"F64","shape":[0],"data_offsets":[4,4]}}   )",
        bytes_of<std::int32_t>({1, 2}));
    const SafetensorsFile file = parse(text);
    CHECK(file.tensors()[0].name == "a");
    CHECK(file.tensors()[1].name == "empty");
    CHECK(file.read_as<std::int32_t>("a") == std::vector<std::int32_t>{1});
    CHECK(file.read_as<std::int32_t>("b") == std::vector<std::int32_t>{2});
}

TEST_CASE("floating dtypes convert to floating types", "[io][safetensors]") {
    const std::vector<double> doubles = {1.0 / 3, -2.5, std::numeric_limits<double>::infinity()};
    CHECK(read_back<double>("F64", doubles) == doubles);
    CHECK(read_back<float>("F64", doubles) == std::vector<float>{static_cast<float>(1.0 / 3), -2.5f, INFINITY});
    CHECK(read_back<double>("F32", std::vector<float>{0.1f}) == std::vector<double>{static_cast<double>(0.1f)});
    CHECK(read_back<float>("BF16", std::vector<std::uint16_t>{0x3F80, 0xC020, 0x7F80}) ==
          std::vector<float>{1.0f, -2.5f, INFINITY});
    CHECK(read_back<double>("F16", std::vector<std::uint16_t>{0x3C00, 0x0001, 0x7BFF, 0xFC00, 0x8000}) ==
          std::vector<double>{1.0, std::ldexp(1.0, -24), 65504.0, -INFINITY, 0.0});
    CHECK_THAT(read_error<float>("F64", std::vector<double>{1e300}),
               Catch::Matchers::ContainsSubstring("does not fit"));
    CHECK(read_error<std::int32_t>("F32", std::vector<float>{1}) ==
          "memory: tensor 't': holds floating-point numbers, expected integers");
}

TEST_CASE("all half-precision numbers convert exactly", "[io][safetensors]") {
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
        const int exponent = bits >> 10 & 31, fraction = bits & 1023;
        const double sign = bits >> 15 ? -1 : 1;
        const float value = half_to_float(static_cast<std::uint16_t>(bits));
        REQUIRE(std::signbit(value) == (sign < 0));
        if (exponent == 31)
            REQUIRE((fraction == 0 ? std::isinf(value) : std::isnan(value)));
        else if (exponent == 0)
            REQUIRE(value == sign * fraction * 0x1p-24);
        else
            REQUIRE(value == sign * (1 + fraction / 1024.0) * std::pow(2.0, exponent - 15));
    }
}

TEST_CASE("integers convert to what holds them", "[io][safetensors]") {
    using I64 = std::vector<std::int64_t>;
    CHECK(read_back<std::int32_t>("I64", I64{-1, 2147483647}) == std::vector<std::int32_t>{-1, 2147483647});
    CHECK(read_back<std::int64_t>("U8", std::vector<std::uint8_t>{0, 255}) == I64{0, 255});
    CHECK(read_back<std::int64_t>("I8", std::vector<std::int8_t>{-128, 127}) == I64{-128, 127});
    CHECK(read_back<std::int32_t>("I16", std::vector<std::int16_t>{-32768}) == std::vector<std::int32_t>{-32768});
    CHECK(read_back<std::int64_t>("U16", std::vector<std::uint16_t>{65535}) == I64{65535});
    CHECK(read_back<std::int64_t>("U32", std::vector<std::uint32_t>{4294967295u}) == I64{4294967295});
    CHECK(read_back<float>("BOOL", std::vector<std::uint8_t>{0, 1}) == std::vector<float>{0, 1});
    CHECK(read_back<double>("I64", I64{1LL << 53, -(1LL << 53)}) == std::vector<double>{0x1p53, -0x1p53});
    for (const std::int64_t outside : {2147483648LL, -2147483649LL})
        CHECK_THAT(read_error<std::int32_t>("I64", I64{outside}), Catch::Matchers::ContainsSubstring("does not fit"));
    for (const std::int64_t outside : {(1LL << 53) + 1, -(1LL << 53) - 1, std::numeric_limits<long long>::min()})
        CHECK_THAT(read_error<double>("I64", I64{outside}), Catch::Matchers::ContainsSubstring("does not fit"));
    CHECK_THAT(read_error<std::int64_t>("U64", std::vector<std::uint64_t>{1ULL << 63}),
               Catch::Matchers::ContainsSubstring("does not fit"));
    CHECK_THAT(read_error<std::int32_t>("U32", std::vector<std::uint32_t>{1U << 31}),
               Catch::Matchers::ContainsSubstring("does not fit"));
    CHECK_THAT(read_error<float>("I32", std::vector<std::int32_t>{16777217}),
               Catch::Matchers::ContainsSubstring("16777217"));
}

TEST_CASE("long tensors convert piece by piece", "[io][safetensors]") {
    std::vector<float> values(700000);  // 2.8 MB, more than two pieces
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    const std::vector<double> read = read_back<double>("F32", values);
    CHECK(std::equal(values.begin(), values.end(), read.begin(), read.end()));
}

TEST_CASE("data may begin at any address", "[io][safetensors]") {
    const std::vector<double> values = {1, 2, 3};
    for (std::size_t padding = 0; padding < 8; ++padding) {
        const std::string json =
            R"({"t":{"dtype":"F64","shape":[3],"data_offsets":[0,24]}})" + std::string(padding, ' ');
        const std::string text = file_text(json, bytes_of(values));
        CHECK(parse(text).read_as<double>("t") == values);
        CHECK(parse(text).read_as<float>("t") == std::vector<float>{1, 2, 3});
    }
}

TEST_CASE("wrong requests are answered with what there is", "[io][safetensors]") {
    const std::string text = one_tensor<float>("F32", {1, 2});
    const SafetensorsFile file = parse(text);
    CHECK(message_of<UserError>([&] { file.at("tt"); }) == "memory: no tensor 'tt'; did you mean 't'?");
    CHECK(message_of<UserError>([&] { file.read_as<float>("weights"); }) ==
          "memory: no tensor 'weights'; choose one of t");
    CHECK(message_of<UserError>([&] { file.metadata_at("config"); }) == "memory: no key 'config' in __metadata__");
    float out[3];
    CHECK(message_of<UserError>([&] { file.read_into<float>("t", out); }) ==
          "memory: tensor 't': has 2 elements, expected 3");
    CHECK_FALSE(file.contains("u"));
    std::byte byte[2];
    CHECK_THROWS_AS(file.read_bytes(file.at("t"), 7, byte), std::out_of_range);
}

TEST_CASE("files that cannot be opened", "[io][safetensors]") {
    const TemporaryFolder folder;
    CHECK(message_of<UserError>([&] { SafetensorsFile::open(folder / "none"); }) ==
          (folder / "none") + ": no such file");
    CHECK(message_of<UserError>([&] { SafetensorsFile::open(folder.path()); }) ==
          folder.path() + ": is a folder, expected a file");
    CHECK(message_of<UserError>([&] { SafetensorsFile::open("/dev/null"); }) == "/dev/null: is not a regular file");
}

TEST_CASE("a file that shrinks while it is read is a failure, not garbage", "[io][safetensors]") {
    const TemporaryFolder folder;
    spill(folder / "f", one_tensor<float>("F32", {1, 2}));
    const SafetensorsFile file = SafetensorsFile::open(folder / "f");
    std::filesystem::resize_file(folder / "f", std::filesystem::file_size(folder / "f") - 1);
    CHECK_THROWS_AS(file.read_as<float>("t"), RuntimeFailure);
}

TEST_CASE("what cannot be a safetensors file is not written", "[io][safetensors]") {
    const TemporaryFolder folder;
    const std::vector<float> v = {1, 2};
    const auto write = [&](std::vector<TensorView> tensors) { write_safetensors(folder / "f", tensors); };
    CHECK_THROWS_AS(write({tensor_view<float>("a", {2}, v), tensor_view<float>("a", {2}, v)}), std::invalid_argument);
    CHECK_THROWS_AS(write({tensor_view<float>("__metadata__", {2}, v)}), std::invalid_argument);
    CHECK_THROWS_AS(write({tensor_view<float>("a\xff", {2}, v)}), std::invalid_argument);
    CHECK_THROWS_AS(write({tensor_view<float>("a", {3}, v)}), std::invalid_argument);
    CHECK_THROWS_AS(write({tensor_view<float>("a", {-1, -2}, v)}), std::invalid_argument);
    CHECK_THROWS_AS(write_safetensors(folder / "f", {}, {{"k", "\xff"}}), std::invalid_argument);
    CHECK(folder.entries() == 0);
}
