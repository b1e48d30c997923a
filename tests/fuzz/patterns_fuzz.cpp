// libFuzzer target for the language of plate formats: whatever is accepted must also survive being
// made an automaton, and keep the promises of automaton.h. Built with clang and
// -fsanitize=fuzzer,address,undefined.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/decode/automaton.h"

namespace {

const std::vector<std::string> kCharset = {"京", "沪", "警", "A", "B", "C",  "D", "Z", "0",
                                           "1",  "2",  "9",  "#", "[", "\\", "a", "é", "-"};
constexpr int kBlank = 17;

void check(bool holds) {
    if (!holds) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto patterns = lprnet::Patterns::parse(text, "p");
    if (!patterns) {
        check(patterns.error().message.find('\n') == std::string::npos);
        return 0;
    }
    const auto automaton = lprnet::build_automaton(patterns->file(), kCharset, kBlank);
    if (!automaton) return 0;
    check(automaton->states() > 0 && automaton->least_before[0] == 0);
    for (std::size_t s = 0; s < automaton->states(); ++s) {
        const auto state = static_cast<std::int32_t>(s);
        const auto at = [&](const std::vector<std::int32_t>& of, std::int32_t i) {
            return of[static_cast<std::size_t>(i)];
        };
        check((automaton->prior[s] > 0.0) == (at(automaton->least_after, state) == 0));
        for (const auto& arc : automaton->arcs_of(state)) {
            check(arc.label != kBlank && arc.target > state);
            check(automaton->next(state, arc.label) == arc.target);
            check(at(automaton->least_after, state) <= at(automaton->least_after, arc.target) + 1);
            check(at(automaton->least_before, arc.target) <=
                  at(automaton->least_before, state) + 1);
        }
    }
    return 0;
}
