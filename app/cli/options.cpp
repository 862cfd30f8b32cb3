#include "app/cli/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <sstream>

#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl::cli {
namespace {

constexpr std::int64_t kMostThreads = 1024, kMostGpuNumber = 1023;

void print_help(const Syntax& syntax) {
    std::ostringstream out;
    out << "Usage: whorl " << syntax.command << " " << syntax.synopsis << "\n\n"
        << syntax.description << "\n\n"
        << syntax.options;
    out << "\nExamples:\n";
    for (const char* line : syntax.examples) out << "  " << line << "\n";
    std::fputs(out.str().c_str(), stdout);
}

std::vector<std::string> flags_of(const po::options_description& options) {
    std::vector<std::string> names;
    for (const auto& option : options.options()) names.push_back("--" + option->long_name());
    return names;
}

[[noreturn]] void fail(const Syntax& syntax, const std::string& what) {
    throw UserError(one_line(std::string(syntax.command) + ": " + what));
}

// Positionals are hidden options of their own for Boost; the help shows them in the synopsis instead.
po::variables_map parse_all(const Syntax& syntax, const Arguments& arguments) {
    po::options_description everything, hidden;
    po::positional_options_description places;
    for (const Positional& positional : syntax.positionals) {
        hidden.add_options()(positional.name, po::value<std::vector<std::string>>());
        places.add(positional.name, positional.most);
    }
    everything.add(syntax.options).add(hidden);
    using namespace po::command_line_style;
    const int style = unix_style & ~allow_guessing;  // a prefix that works today may be ambiguous tomorrow
    po::variables_map values;
    po::store(po::command_line_parser(arguments).options(everything).positional(places).style(style).run(), values);
    return values;
}

void check_counts(const Syntax& syntax, const Parsed& parsed) {
    for (const Positional& positional : syntax.positionals)
        if (static_cast<int>(parsed.all(positional.name).size()) < positional.least)
            fail(syntax,
                 std::string(positional.name) + " is missing; usage: whorl " + syntax.command + " " + syntax.synopsis);
}

}  // namespace

Syntax::Syntax(const char* name, const char* usage, const char* what, std::vector<const char*> lines)
    : command(name), synopsis(usage), description(what), examples(std::move(lines)) {
    options.add_options()("help,h", po::bool_switch(), "show this help");
}

std::vector<std::string> Parsed::all(const std::string& name) const {
    return values_.count(name) > 0 ? values_[name].as<std::vector<std::string>>() : std::vector<std::string>{};
}

std::string Parsed::first(const std::string& name) const {
    const std::vector<std::string> values = all(name);
    return values.empty() ? std::string() : values.front();
}

std::optional<Parsed> parse(const Syntax& syntax, const Arguments& arguments) {
    try {
        const Parsed parsed(parse_all(syntax, arguments));
        if (parsed.flag("help")) {
            print_help(syntax);
            return std::nullopt;
        }
        check_counts(syntax, parsed);
        return parsed;
    } catch (const po::unknown_option& error) {
        const std::string flag = error.get_option_name();
        fail(syntax, "unknown option " + in_quotes(flag) + suggestion(flag, flags_of(syntax.options)));
    } catch (const po::too_many_positional_options_error&) {
        fail(syntax, std::string("too many arguments; usage: whorl ") + syntax.command + " " + syntax.synopsis);
    } catch (const po::error& error) {
        fail(syntax, error.what());
    }
}

namespace {

// "0, 1 and 2"
std::string counted(int count) {
    std::string text = "0";
    for (int i = 1; i < count; ++i) text += (i + 1 < count ? ", " : " and ") + std::to_string(i);
    return text;
}

// What --devices means, checked.
std::vector<int> device_numbers(const std::string& text) {
    std::vector<int> numbers;
    if (text != "all")
        for (const std::int64_t number : number_list(text, "--devices", 0, kMostGpuNumber))
            numbers.push_back(static_cast<int>(number));
    const int count = cuda_device_count();
    if (count == 0) throw UserError("--devices: " + why_no_cuda() + "; leave it out to use the processor");
    for (int i = 0; text == "all" && i < count; ++i) numbers.push_back(i);
    for (const int number : numbers)
        if (number >= count)
            throw UserError("--devices: there is no GPU " + std::to_string(number) + "; this machine has " +
                            counted(count));
    return numbers;
}

}  // namespace

void add_device_options(po::options_description& options) {
    options.add_options()("device", po::value<std::string>()->default_value("auto"), "auto, cpu or cuda")(
        "threads", po::value<std::int64_t>()->default_value(0),
        "processor threads, 0 = all; results do not depend on it");
}

void add_piece_option(po::options_description& options) {
    options.add_options()("piece", po::value<std::int64_t>(),
                          "positions of longer sequences at a time, the state carried from piece to piece (default: "
                          "1024 on a processor, 65536 on a GPU)");
}

std::int64_t piece_from(const Parsed& parsed) {
    constexpr std::int64_t kMost = std::int64_t{1} << 28;  // of tokens, too
    if (!parsed.has("piece")) return 0;
    const std::int64_t piece = parsed.number("piece");
    if (piece < 1 || piece > kMost)
        throw UserError("--piece: " + std::to_string(piece) + " is not in 1.." + std::to_string(kMost));
    return piece;
}

int thread_count(const Parsed& parsed) {
    const std::int64_t threads = parsed.number("threads");
    if (threads < 0 || threads > kMostThreads)
        throw UserError("--threads: " + std::to_string(threads) + " is not in 0.." + std::to_string(kMostThreads));
    return static_cast<int>(threads);
}

std::unique_ptr<Backend> make_backend(const Parsed& parsed) {
    const std::string device = parsed.text("device");
    const int threads = thread_count(parsed);
    if (device == "cuda" || (device == "auto" && why_no_cuda().empty() && !cuda_is_emulated()))
        return make_cuda_backend();
    if (device != "auto" && device != "cpu")
        throw UserError("--device: unknown device " + in_quotes(device) + suggestion(device, {"auto", "cpu", "cuda"}));
    return make_cpu_backend(threads);
}

Devices OwnedDevices::all() const {
    std::vector<Backend*> all;
    for (const auto& backend : backends_) all.push_back(backend.get());
    return Devices(std::move(all));
}

void add_training_devices(po::options_description& options) {
    add_device_options(options);
    options.add_options()(
        "devices", po::value<std::string>(),
        "GPUs by number, such as 0,1, or all: replicas are spread over them; results do not depend on "
        "how many. (data_parallel = N in the recipe splits each batch over N instead)");
}

OwnedDevices make_devices(const Parsed& parsed) {
    std::vector<std::unique_ptr<Backend>> backends;
    if (!parsed.has("devices")) {
        backends.push_back(make_backend(parsed));
        return OwnedDevices(std::move(backends));
    }
    if (parsed.text("device") == "cpu") throw UserError("--devices names GPUs; leave it out with --device cpu");
    for (const int index : device_numbers(parsed.text("devices"))) {
        const std::string reason = why_no_cuda(index);
        if (!reason.empty()) throw UserError("--devices: GPU " + std::to_string(index) + ": " + reason);
        backends.push_back(make_cuda_backend(index));
    }
    return OwnedDevices(std::move(backends));
}

void add_group_options(po::options_description& options) {
    options.add_options()("group", po::value<std::int64_t>(),
                          "replicas computed at once (default: as many as the memory holds); results do not depend on "
                          "it")("memory", po::value<double>(),
                                "GiB that may be used (default: nine tenths of what is free)");
}

GroupRequest group_request(const Parsed& parsed) {
    GroupRequest request;
    if (parsed.has("group")) request.replicas = parsed.number("group");
    if (parsed.has("group") && request.replicas < 1) throw UserError("--group: expected a number of at least 1");
    if (!parsed.has("memory")) return request;
    constexpr double kMostGib = 1 << 20;
    const double gib = parsed.real("memory");
    if (!(gib > 0 && gib <= kMostGib)) throw UserError("--memory: expected a number of GiB above 0, such as 1.5");
    request.memory = static_cast<std::int64_t>(gib * (1 << 30));
    return request;
}

int no_result(const std::string& why) {
    fmt::print(stderr, "whorl: {}\n", one_line(why));
    return 1;
}

void add_set_option(po::options_description& options) {
    options.add_options()("set", po::value<std::vector<std::string>>()->composing(),
                          "key.path=value: replaces one value of the recipe; may be given several times");
}

std::vector<std::int64_t> number_list(const std::string& text, const std::string& flag, std::int64_t least,
                                      std::int64_t most) {
    std::vector<std::int64_t> numbers;
    std::istringstream items(text + ",");
    for (std::string item; std::getline(items, item, ',');) {
        std::int64_t number = 0;
        const auto [stop, error] = std::from_chars(item.data(), item.data() + item.size(), number);
        if (item.empty() || error != std::errc{} || stop != item.data() + item.size() || number < least ||
            number > most)
            throw UserError(flag + ": " + in_quotes(item) + " is not a whole number in " + std::to_string(least) +
                            ".." + std::to_string(most) + "; expected numbers with commas, such as 8,16,32");
        if (std::find(numbers.begin(), numbers.end(), number) != numbers.end())
            throw UserError(flag + ": " + std::to_string(number) + " is named twice");
        numbers.push_back(number);
    }
    return numbers;
}

po::typed_value<double>* real_value(double otherwise) {
    return po::value<double>()->default_value(otherwise, fmt::format("{:g}", otherwise));
}

}  // namespace whorl::cli
