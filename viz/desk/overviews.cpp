#include "viz/desk/overviews.hpp"

#include <map>
#include <mutex>

#include "viz/views/overview_shipped.hpp"
#include "viz/views/overview_view.hpp"

namespace whorl::viz {
namespace {

constexpr std::size_t kMostOverviews = 16;

struct Shelf {
    std::mutex mutex;
    std::map<std::vector<std::string>, std::shared_ptr<const OverviewData>> overviews;
};

Shelf& shelf() {
    static Shelf one;
    return one;
}

}  // namespace

std::shared_ptr<const OverviewData> known_overview(const std::vector<std::string>& paths) {
    const std::lock_guard lock(shelf().mutex);
    const auto found = shelf().overviews.find(paths);
    return found == shelf().overviews.end() ? nullptr : found->second;
}

std::shared_ptr<const OverviewData> overview_at(const std::vector<std::string>& paths) {
    if (auto known = known_overview(paths)) return known;
    auto read = std::make_shared<const OverviewData>(paths.empty() ? shipped_overview() : load_overview(paths));
    const std::lock_guard lock(shelf().mutex);
    if (shelf().overviews.size() >= kMostOverviews) shelf().overviews.clear();
    return shelf().overviews.emplace(paths, std::move(read)).first->second;
}

}  // namespace whorl::viz
