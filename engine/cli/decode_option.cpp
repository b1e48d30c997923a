#include "engine/cli/decode_option.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "engine/cli/model_option.h"
#include "engine/cli/process.h"
#include "engine/text/listed_names.h"
#include "engine/text/printable.h"

namespace lprnet::cli {

Result<Patterns> load_patterns(const std::string& name) {
    return name.empty() || name == "cn" ? Patterns::builtin("cn") : Patterns::load(name);
}

void DecodeOption::add_to(CLI::App& app, int most_candidates) {
    std::vector<std::string> names;
    for (const DecoderTraits& traits : kDecoders) names.emplace_back(traits.name);
    app.add_option(
           "--decode", decoder,
           "Decoder: greedy, beam, or grammar, which reads nothing but texts that have one of "
           "the formats; default: greedy, with --pattern or --region grammar" +
               std::string(most_candidates > 1 ? ", with --topn beam" : ""))
        ->check(CLI::IsMember(names));
    app.add_option("-p,--pattern", patterns,
                   "File with formats of plates, or cn, the built-in Chinese ones (default)");
    app.add_option(
        "--region", region,
        "Provinces that most plates here are of, such as 粤 or 京津冀: decides where the "
        "first character is in doubt");
    if (most_candidates > 1) {
        app.add_option("-n,--topn,--nbest", candidates,
                       "Candidates a plate, best first; greedy has one")
            ->check(CLI::Range(1, most_candidates))
            ->capture_default_str();
    }
}

DecoderTraits DecodeOption::traits() const {
    for (const DecoderTraits& traits : kDecoders)
        if (traits.name == decoder) return traits;
    if (!patterns.empty() || !region.empty()) return traits_of(Decoder::grammar);
    return traits_of(candidates > 1 ? Decoder::beam : Decoder::greedy);
}

std::string DecodeOption::name() const {
    return std::string(traits().name);
}

Result<DecodeOptions> DecodeOption::load(bool needs_formats) const {
    DecodeOptions options;
    const DecoderTraits chosen = traits();
    options.decoder = chosen.decoder;
    if (chosen.one_candidate && candidates > 1) {
        std::vector<DecoderTraits> others;
        std::copy_if(std::begin(kDecoders), std::end(kDecoders), std::back_inserter(others),
                     [](const DecoderTraits& traits) { return !traits.one_candidate; });
        return Error{ErrorCode::invalid_argument,
                     "--decode " + std::string(chosen.name) + " has one candidate, found --topn " +
                         std::to_string(candidates) + ": use --decode " +
                         listed_names(others, " or ")};
    }
    options.candidates = candidates;
    options.provinces = region;
    if (!chosen.needs_formats && patterns.empty() && !needs_formats) return options;
    Result<Patterns> loaded = load_patterns(patterns);
    if (!loaded) return loaded.error();
    options.patterns = *loaded;
    return options;
}

void DecodeOption::warn(const DecodeOptions& options, const Model& model) const {
    if (!traits_of(options.decoder).needs_formats || !options.patterns) return;
    const Result<std::vector<bool>> writable = options.patterns->writable(model);
    if (!writable) return;  // a warning less
    const std::vector<Patterns::Format>& formats = options.patterns->formats();
    std::size_t used = 0;
    double prior = 0.0, used_prior = 0.0;
    for (std::size_t i = 0; i < formats.size(); ++i) {
        prior += formats[i].prior;
        if (!(*writable)[i]) continue;
        ++used;
        used_prior += formats[i].prior;
    }
    // Rare formats may be beyond an alphabet; those that most plates have may not. None at all is
    // an error of the decoder.
    if (used_prior >= 0.5 * prior) return;
    const bool builtin = patterns.empty() || patterns == "cn";
    print_error(printable(model.name()) + ": warning: has the characters for " +
                std::to_string(used) + " of the " + std::to_string(formats.size()) +
                (builtin ? " formats of Chinese plates: for other plates use --pattern FILE"
                         : " formats of " + printable(patterns) + ", and for rare ones") +
                (builtin ? " or --decode beam" : ""));
}

}  // namespace lprnet::cli
