#include "engine/cli/number_range.h"

#include <cstdlib>

#include "engine/text/number_text.h"
#include "engine/text/printable.h"

namespace lprnet::cli {

CLI::Validator number_range(double low, double high) {
    const std::string range = short_number(low) + " to " + short_number(high);
    return CLI::Validator(
        [low, high, range](std::string& text) {
            char* end = nullptr;
            const double value = std::strtod(text.c_str(), &end);
            const bool number = !text.empty() && *end == '\0';
            if (number && value >= low && value <= high) return std::string();
            return "expected a number from " + range + ", found " + in_quotes(text);
        },
        "FLOAT in [" + short_number(low) + " - " + short_number(high) + "]");
}

}  // namespace lprnet::cli
