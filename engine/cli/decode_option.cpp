#include "engine/cli/decode_option.h"

#include <vector>

#include "engine/cli/model_option.h"
#include "engine/text/printable.h"

namespace lprnet::cli {

Result<Patterns> load_patterns(const std::string& name) {
    return name.empty() || name == "cn" ? Patterns::builtin("cn") : Patterns::load(name);
}

void DecodeOption::add_to(CLI::App& app, int most_candidates) {
    app.add_option(
           "--decode", decoder,
           "Decoder: greedy, beam, or grammar, which reads nothing but texts that have one of "
           "the formats; default: greedy, with --pattern grammar" +
               std::string(most_candidates > 1 ? ", with --topn beam" : ""))
        ->check(CLI::IsMember({"greedy", "beam", "grammar"}));
    app.add_option("-p,--pattern", patterns,
                   "File with formats of plates, or cn, the built-in Chinese ones (default)");
    if (most_candidates > 1) {
        app.add_option("-n,--topn,--nbest", candidates,
                       "Candidates a plate, best first; greedy has one")
            ->check(CLI::Range(1, most_candidates))
            ->capture_default_str();
    }
}

std::string DecodeOption::name() const {
    if (!decoder.empty()) return decoder;
    if (!patterns.empty()) return "grammar";
    return candidates > 1 ? "beam" : "greedy";
}

Result<DecodeOptions> DecodeOption::load(bool needs_formats) const {
    DecodeOptions options;
    const std::string chosen = name();
    options.decoder = chosen == "greedy" ? Decoder::greedy
                      : chosen == "beam" ? Decoder::beam
                                         : Decoder::grammar;
    if (options.decoder == Decoder::greedy && candidates > 1) {
        return Error{ErrorCode::invalid_argument,
                     "--decode greedy has one candidate, found --topn " +
                         std::to_string(candidates) + ": use --decode beam or grammar"};
    }
    options.candidates = candidates;
    if (options.decoder != Decoder::grammar && patterns.empty() && !needs_formats) return options;
    Result<Patterns> loaded = load_patterns(patterns);
    if (!loaded) return loaded.error();
    options.patterns = *loaded;
    return options;
}

void DecodeOption::warn(const DecodeOptions& options, const Model& model) const {
    if (options.decoder != Decoder::grammar || !options.patterns) return;
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
