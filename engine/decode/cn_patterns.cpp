#include "engine/decode/cn_patterns.h"

namespace lprnet {

namespace {

// The network weighs the formats itself that it has been trained on, and saw rare ones more often
// there than they are on the road. So these have a prior below 1, found with
// scripts/compare_priors.py; README.md has its table. Formats that were never trained have a low
// one, which is a guess. Formats with 学 挂 警 使 领 港 澳, 民航, 应急 or an army are used by
// models whose charset has those characters.
constexpr std::string_view kPatterns = R"(// Chinese plates (GA 36-2018).
<province> = [京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]
<L> = [A-HJ-NP-Z]          // never I or O in a serial
<c> = [#A-HJ-NP-Z]
<office> = <province><L>

// Serials of five with at most two letters: <oneN> holds up to one, <twoN> up to two.
<one2> = #<c> | <L>#
<one3> = #<one2> | <L>##
<one4> = #<one3> | <L>###
<two3> = #<c><c> | <L><one2>
<two4> = #<two3> | <L><one3>
<two5> = #<two4> | <L><one4>

// Blue, yellow and black: the text does not tell the colors apart.
standard       1     : <office><two5>
// More letters exist, rarely.
standard-rare  0.001 : <office><c>{5}
// The O of old official plates, always in the second place, where no 0 is.
official       0.3   : <province>O<two5>
// New energy: D A B C E for electric, F G H J K for other small cars; D or F last on large ones.
energy-small   1     : <office>[A-HJK]<c>####
energy-large   1     : <office>#{5}[DF]
trainer        0.3   : <office><two4>学
trailer        0.3   : <office><two4>挂
police         0.3   : <office><two4>警
consulate      0.3   : <office>#### 领
embassy        0.3   : 使#{6} | #{6}使
hong-kong      0.3   : 粤Z<c>{4}港
macau          0.3   : 粤Z<c>{4}澳
emergency      0.3   : <province>X<c>###应急
aviation       0.3   : 民航<L>####
// White, with two letters; before 2012 with an army and a letter, O among them.
military       0.3   : <L>{2}#{5}
military-older 0.3   : [军空海北沈兰济南广成][A-HJ-Z]#{5}
// Without a province or with it in the third place; before 2012 with its number.
armed-police   0.3   : WJ<province>#{4}<c> | WJ#{4}<c>
armed-older    0.3   : WJ##<c>#{4}
// Two rows, green, of farm vehicles.
tractor        0.3   : <province>#{7}
)";

constexpr std::string_view kProvinces = [] {
    constexpr std::string_view kBefore = "<province> = [";
    constexpr std::size_t kBegin = kPatterns.find(kBefore) + kBefore.size();
    return kPatterns.substr(kBegin, kPatterns.find(']', kBegin) - kBegin);
}();

}  // namespace

std::string_view cn_patterns() noexcept {
    return kPatterns;
}

std::string_view cn_provinces() noexcept {
    return kProvinces;
}

}  // namespace lprnet
