#include "engine/cli/before_after.h"

#include <array>
#include <cstddef>

#include "engine/cli/table.h"

namespace lprnet::cli {
namespace {

constexpr std::array<const char*, 2> kNames = {"before", "after"};

}  // namespace

void print_before_after(const std::string& title,
                        const std::vector<measure::Evaluation>& evaluations) {
    std::vector<std::vector<std::string>> rows = {
        {title, "plates", "correct", "plate %", "character %"}};
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        const measure::Score& score = evaluations[i].all;
        rows.push_back({kNames[i], std::to_string(score.plates), std::to_string(score.correct),
                        fixed(100.0 * score.accuracy(), 2),
                        fixed(100.0 * score.char_accuracy(), 2)});
    }
    print_table(rows, {true, false, false, false, false});
}

void add_before_after(nlohmann::ordered_json& json,
                      const std::vector<measure::Evaluation>& evaluations) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        const measure::Score& score = evaluations[i].all;
        json[kNames[i]] = {{"plates", score.plates},
                           {"correct", score.correct},
                           {"accuracy", score.accuracy()},
                           {"char_accuracy", score.char_accuracy()}};
    }
}

}  // namespace lprnet::cli
