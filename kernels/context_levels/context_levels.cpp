#include "kernels/context_levels/context_levels.h"

#include "kernels/kernel_table.h"
#include "kernels/narrow.h"

namespace lprnet::kernels {

namespace {

int groups_of(int channels) noexcept {
    return (channels + kContextLevelsChannels - 1) / kContextLevelsChannels;
}

}  // namespace

bool narrow(ContextTapLevels& a, const Part& part, const KernelTable& table) noexcept {
    const int groups = groups_of(a.channels_used);
    const Range channels = range_of_units(part, a.channels_used, kContextLevelsChannels);
    advance(a.input, channels.begin, static_cast<std::size_t>(table.levels.bytes));
    a.sums += channels.begin;
    if (a.square_factors != nullptr) a.square_factors += channels.begin;
    // With fewer groups than parts, those that exist have one group each.
    a.squares += groups < part.count ? range_of(part, groups).begin : part.index;
    a.channels_used = channels.size();
    return a.channels_used > 0;
}

int context_tap_levels_parts(int channels, int count) noexcept {
    const int groups = groups_of(channels);
    return groups < count ? groups : count;
}

bool narrow(ContextScaleLevels& a, const Part& part, const KernelTable&) noexcept {
    const Range x = range_of(part, a.ow);
    advance(a.data, x.begin * a.column, sizeof(float));
    a.ow = x.size();
    return a.ow > 0;
}

}  // namespace lprnet::kernels
