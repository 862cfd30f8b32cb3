// What the subcommands share: reading their arguments, and the options that several of them have.
#pragma once

#include <boost/program_options.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/command.hpp"
#include "core/backend/devices.hpp"
#include "core/training/grouping.hpp"

namespace whorl::cli {

namespace po = boost::program_options;

/// An argument without a flag, such as RECIPE. Its value is found under `name`, always as a vector of strings.
struct Positional {
    const char* name;
    int least = 1;
    int most = 1;  // -1: any number
};

/// How a subcommand is called; `whorl COMMAND --help` prints all of it.
struct Syntax {
    const char* command;                // "train"
    const char* synopsis;               // "RECIPE.toml [--set key=value]… [options]"
    const char* description;            // a paragraph
    std::vector<const char*> examples;  // whole command lines
    po::options_description options{"Options"};
    std::vector<Positional> positionals;

    /// --help is always there.
    Syntax(const char* name, const char* usage, const char* what, std::vector<const char*> lines);
};

class Parsed {
public:
    explicit Parsed(po::variables_map values) : values_(std::move(values)) {}

    bool has(const std::string& name) const { return values_.count(name) > 0 && !values_[name].defaulted(); }
    bool flag(const std::string& name) const { return values_[name].as<bool>(); }
    std::string text(const std::string& name) const { return values_[name].as<std::string>(); }
    std::int64_t number(const std::string& name) const { return values_[name].as<std::int64_t>(); }
    double real(const std::string& name) const { return values_[name].as<double>(); }
    /// All values of a repeated option or of a positional; empty when there are none.
    std::vector<std::string> all(const std::string& name) const;
    /// The first positional of that name, or an empty string.
    std::string first(const std::string& name) const;

private:
    po::variables_map values_;
};

/// Empty after --help, which has then been printed. Throws UserError, one line: unknown flag (with the nearest one),
/// missing or surplus argument, ill-typed value.
std::optional<Parsed> parse(const Syntax& syntax, const Arguments& arguments);

/// --device auto|cpu|cuda, --threads N.
void add_device_options(po::options_description& options);
/// --threads. Throws UserError for a number that no machine has.
int thread_count(const Parsed& parsed);
/// The backend those options ask for. Throws UserError for a device that this build or machine does not have.
std::unique_ptr<Backend> make_backend(const Parsed& parsed);

/// Backends and what points to them.
class OwnedDevices {
public:
    explicit OwnedDevices(std::vector<std::unique_ptr<Backend>> backends) : backends_(std::move(backends)) {}
    Devices all() const;

private:
    std::vector<std::unique_ptr<Backend>> backends_;
};

/// --device and --threads, and --devices 0,1|all for commands that train.
void add_training_devices(po::options_description& options);
/// The devices those options ask for. Throws UserError, one line, for a device that is not there (names those that
/// are), one named twice, and --devices beside --device cpu.
OwnedDevices make_devices(const Parsed& parsed);

/// --piece N: how long sequences are read.
void add_piece_option(po::options_description& options);
/// What it asks for; 0 where it is not given. Throws UserError for a number that means nothing.
std::int64_t piece_from(const Parsed& parsed);

/// --group N, --memory GIB: how a population is packed.
void add_group_options(po::options_description& options);
/// What those ask for. Throws UserError for numbers that mean nothing.
GroupRequest group_request(const Parsed& parsed);

/// Says on stderr why there is no result; returns the exit status of that, 1.
int no_result(const std::string& why);

/// --set key=value, repeatable.
void add_set_option(po::options_description& options);

/// A number with a default, which --help shows as people write it: Boost prints 17 digits.
po::typed_value<double>* real_value(double otherwise);

/// "8,16,32" → numbers; `flag` names the option in errors. Throws UserError unless each is in least..most and there
/// once.
std::vector<std::int64_t> number_list(const std::string& text, const std::string& flag, std::int64_t least,
                                      std::int64_t most);

}  // namespace whorl::cli
