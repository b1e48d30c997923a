// What the library of the small edition leaves out is refused in one line. Built and called by
// small_edition.sh; exit status 1 after a refusal that is missing or says something else.
#include <cstdio>
#include <string>
#include <string_view>

#include "lprnet/model.h"
#include "lprnet/patterns.h"
#include "lprnet/recognizer.h"

namespace {

bool is_refused(std::string_view what, const lprnet::RecognizerOptions& options) {
    const lprnet::Result<lprnet::Model> model = lprnet::Model::builtin("int8");
    if (!model) {
        std::fprintf(stderr, "no model: %s\n", model.error().message.c_str());
        return false;
    }
    const lprnet::Result<lprnet::Recognizer> recognizer =
        lprnet::Recognizer::create(*model, options);
    const bool refused = !recognizer && recognizer.error().code == lprnet::ErrorCode::unsupported &&
                         recognizer.error().message.find("this build") != std::string::npos;
    if (!refused) {
        std::fprintf(stderr, "%s: expected a refusal, found %s\n", std::string(what).c_str(),
                     recognizer ? "a recognizer" : recognizer.error().message.c_str());
    }
    return refused;
}

}  // namespace

int main() {
    const lprnet::Result<lprnet::Patterns> patterns = lprnet::Patterns::builtin("cn");
    if (!patterns) return 1;
    lprnet::RecognizerOptions beam, grammar, formats, tuning, none;
    beam.decoding.decoder = lprnet::Decoder::beam;
    grammar.decoding.decoder = lprnet::Decoder::grammar;
    formats.decoding.patterns = *patterns;
    tuning.tuning = "lprnet tuning 1\n";
    bool good = is_refused("beam search", beam);
    good &= is_refused("the grammar", grammar);
    good &= is_refused("formats", formats);
    good &= is_refused("a tuning", tuning);

    // A recognizer goes on with the decoder that it has.
    const lprnet::Result<lprnet::Model> model = lprnet::Model::builtin("int8");
    if (!model) return 1;
    lprnet::Result<lprnet::Recognizer> recognizer = lprnet::Recognizer::create(*model, none);
    if (!recognizer) return 1;
    const lprnet::Status changed = recognizer->set_decoding(beam.decoding);
    if (changed || changed.error().code != lprnet::ErrorCode::unsupported) {
        std::fputs("set_decoding: expected a refusal\n", stderr);
        good = false;
    }
    return good ? 0 : 1;
}
