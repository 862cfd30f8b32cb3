#include "viz/panels/taps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/error.hpp"
#include "viz/panels/wording.hpp"

namespace whorl::viz {
namespace {

using plot::Point;
using plot::Role;
using plot::Weight;

void check(const TapsState& state) {
    if (state.tokens.empty()) throw UserError("taps: there is no token; give one at least");
    if (state.weights.own.size() != state.tokens.size() || state.weights.next.size() != state.tokens.size())
        throw UserError(
            fmt::format("taps: {} tokens, {} weights by their own step and {} by the next; one of each belongs "
                        "to a token",
                        state.tokens.size(), state.weights.own.size(), state.weights.next.size()));
    for (std::size_t t = 0; t < state.tokens.size(); ++t)
        if (!std::isfinite(state.weights.own[t]) || !std::isfinite(state.weights.next[t]))
            throw UserError(fmt::format("taps: the weights of step {} are not finite", t));
    for (const auto& channel : state.convolution.channels)
        if (channel.empty() || channel.size() != state.convolution.channels.front().size() ||
            !std::all_of(channel.begin(), channel.end(), [](double w) { return std::isfinite(w); }))
            throw UserError("taps: a convolution's channels need the same number of finite taps, one at least");
}

/// How often each token got most of its weight from the next step, of those that have one.
struct Votes {
    std::size_t next = 0, all = 0;
};

std::map<std::string, Votes> votes(const TapsState& state) {
    std::map<std::string, Votes> by_token;
    for (std::size_t t = 0; t + 1 < state.tokens.size(); ++t) {
        Votes& vote = by_token[state.tokens[t]];
        vote.next += state.weights.next[t] > state.weights.own[t] ? 1 : 0;
        vote.all += 1;
    }
    return by_token;
}

/// About tokens where each kind always goes one way, and about their number where it does not.
std::string claim(const TapsState& state) {
    const auto by_token = votes(state);
    std::size_t next = 0, all = 0;
    std::vector<std::string> always;
    bool of_kinds = true;
    for (const auto& [token, vote] : by_token) {
        next += vote.next;
        all += vote.all;
        if (vote.next == vote.all) always.push_back(token);
        of_kinds = of_kinds && (vote.next == 0 || vote.next == vote.all);
    }
    if (all == 0) return "A last input waits for its second weight";
    if (next == 0) return "Every input gets most of its weight at its own step";
    if (next == all) return "Every input gets most of its weight from the next step";
    if (of_kinds && always.size() <= 3)
        return (always.size() == 1 ? "A " + always[0] + " gets" : list(always) + " get") +
               " most weight from the next step";
    return fmt::format("{} of {} inputs {} weight from the next step", capital(count(next)), count(all),
                       next == 1 ? "gets most of its" : "get most of their");
}

std::vector<plot::Tick> token_ticks(const std::vector<std::string>& tokens) {
    std::vector<plot::Tick> ticks;
    for (std::size_t t = 0; t < tokens.size(); ++t) ticks.push_back({double(t), tokens[t]});
    return ticks;
}

/// Stems beside the whole numbers, so that two stand at one token.
std::vector<Point> beside(const std::vector<double>& heights, double shift) {
    std::vector<Point> points;
    for (std::size_t t = 0; t < heights.size(); ++t) points.push_back({double(t) + shift, heights[t]});
    return points;
}

plot::Panel two_taps(const TapsState& state) {
    plot::Panel panel;
    panel.id = "taps";
    panel.title = "Mamba-3: two taps" + (state.head.empty() ? "" : ", " + state.head);
    panel.x.label = "token";
    panel.x.low = -0.5;
    panel.x.high = double(state.tokens.size()) - 0.5;
    panel.x.ticks = token_ticks(state.tokens);
    panel.y.label = "weight of the input";
    panel.y.low = 0;
    auto next = beside(state.weights.next, 0.13);
    next.pop_back();  // the last input has no next step yet
    panel.marks.push_back(plot::Stems{.id = "own",
                                      .points = beside(state.weights.own, -0.13),
                                      .style = {Role::mamba3, Weight::chosen},
                                      .label = "own step, λ_{t}Δ_{t}"});
    panel.marks.push_back(plot::Stems{.id = "next",
                                      .points = std::move(next),
                                      .style = {Role::mamba3, Weight::context},
                                      .hollow = true,
                                      .label = "the next step, (1 − λ_{t+1})Δ_{t+1}"});
    return panel;
}

/// Root mean square of each tap over the channels, the newest input's first.
std::vector<double> tap_sizes(const ConvolutionTaps& convolution) {
    const std::size_t width = convolution.channels.front().size();
    std::vector<double> sizes(width, 0);
    for (const auto& channel : convolution.channels)
        for (std::size_t k = 0; k < width; ++k) sizes[width - 1 - k] += channel[k] * channel[k];
    for (double& size : sizes) size = std::sqrt(size / double(convolution.channels.size()));
    return sizes;
}

plot::Panel convolution_taps(const ConvolutionTaps& convolution) {
    const std::vector<double> sizes = tap_sizes(convolution);
    plot::Panel panel;
    panel.id = "convolution";
    panel.title = fmt::format("{}: {} convolution taps", convolution.label, count(sizes.size()));
    panel.column = 1;
    panel.x.label = "tokens back";
    panel.x.low = -0.5;
    panel.x.high = double(sizes.size()) - 0.5;
    for (std::size_t lag = 0; lag < sizes.size(); ++lag) panel.x.ticks.push_back({double(lag), fmt::format("{}", lag)});
    panel.y.label = "|tap|";
    panel.y.low = 0;
    plot::Points channels{
        .id = "channels", .points = {}, .style = {Role::muted, Weight::data, 0.5}, .label = "a channel"};
    for (const auto& channel : convolution.channels)
        for (std::size_t k = 0; k < channel.size(); ++k)
            channels.points.push_back({double(channel.size() - 1 - k) + 0.13, std::fabs(channel[k])});
    channels.sizes.assign(channels.points.size(), 0.3);
    panel.marks.push_back(std::move(channels));
    panel.marks.push_back(plot::Stems{.id = "sizes",
                                      .points = beside(sizes, 0),
                                      .style = {Role::mamba2, Weight::chosen},
                                      .label = "root mean square"});
    return panel;
}

/// Mean weights of each kind of token, a dozen kinds at most.
std::vector<std::string> words(const TapsState& state) {
    struct Sum {
        double own = 0, next = 0, count = 0;
    };
    std::map<std::string, Sum> by_token;
    for (std::size_t t = 0; t + 1 < state.tokens.size(); ++t) {
        Sum& sum = by_token[state.tokens[t]];
        sum.own += state.weights.own[t];
        sum.next += state.weights.next[t];
        sum.count += 1;
    }
    std::vector<std::string> sentences{"What each of " + count(state.tokens.size()) + " inputs weighs in the state" +
                                       (state.head.empty() ? "." : " of " + state.head + ".")};
    for (const auto& [token, sum] : by_token) {
        if (sentences.size() == 13) break;
        sentences.push_back("A " + token + " weighs " + number(sum.own / sum.count) + " by its own step and " +
                            number(sum.next / sum.count) + " more by the next, in the mean.");
    }
    if (state.convolution.channels.empty()) return sentences;
    std::vector<std::string> sizes;
    for (const double size : tap_sizes(state.convolution)) sizes.push_back(number(size));
    sentences.push_back("The taps of " + state.convolution.label + "'s convolution have root mean squares " +
                        list(sizes) + ", from the newest token back.");
    return sentences;
}

}  // namespace

plot::Figure taps_figure(const TapsState& state) {
    check(state);
    plot::Figure figure;
    figure.id = "taps";
    figure.claim = claim(state);
    figure.subtitle = "what each input finally weighs in the state";
    figure.panels.push_back(two_taps(state));
    if (!state.convolution.channels.empty()) {
        figure.panels.push_back(convolution_taps(state.convolution));
        figure.column_shares = {0.64, 0.36};
    }
    figure.words = words(state);
    return figure;
}

}  // namespace whorl::viz
