#include "engine/cli/decode_option.h"

namespace lprnet::cli {

Result<Patterns> load_patterns(const std::string& name) {
    return name.empty() || name == "cn" ? Patterns::builtin("cn") : Patterns::load(name);
}

void DecodeOption::add_to(CLI::App& app, int most_candidates) {
    app.add_option(
           "--decode", decoder,
           "Decoder: greedy, beam, or grammar, which reads nothing but texts that have one of "
           "the formats; default: greedy, with --pattern grammar")
        ->check(CLI::IsMember({"greedy", "beam", "grammar"}));
    app.add_option("-p,--pattern", patterns,
                   "File with formats of plates, or cn, the built-in Chinese ones (default)");
    if (most_candidates > 1) {
        app.add_option("-n,--topn,--nbest", candidates, "Candidates a plate, best first")
            ->check(CLI::Range(1, most_candidates))
            ->capture_default_str();
    }
}

std::string DecodeOption::name() const {
    if (!decoder.empty()) return decoder;
    return patterns.empty() ? "greedy" : "grammar";
}

Result<DecodeOptions> DecodeOption::load(bool needs_formats) const {
    DecodeOptions options;
    const std::string chosen = name();
    options.decoder = chosen == "greedy" ? Decoder::greedy
                      : chosen == "beam" ? Decoder::beam
                                         : Decoder::grammar;
    options.candidates = candidates;
    if (options.decoder != Decoder::grammar && patterns.empty() && !needs_formats) return options;
    Result<Patterns> loaded = load_patterns(patterns);
    if (!loaded) return loaded.error();
    options.patterns = *loaded;
    return options;
}

}  // namespace lprnet::cli
