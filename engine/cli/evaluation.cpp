#include "engine/cli/evaluation.h"

#include <algorithm>

#include "engine/cli/model_option.h"
#include "engine/cli/progress.h"
#include "engine/cli/text_distance.h"
#include "engine/image_file/image_file.h"
#include "engine/text/printable.h"
#include "engine/text/utf8.h"

namespace lprnet::cli {
namespace {

double share(std::size_t part, std::size_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

void add_to(Score& score, const std::vector<std::string>& expected,
            const std::vector<std::string>& found, const Alignment& alignment) {
    ++score.plates;
    score.correct += expected == found ? 1 : 0;
    score.first_correct += !found.empty() && expected.front() == found.front() ? 1 : 0;
    score.characters += expected.size();
    score.edits += alignment.distance;
}

template <class Recognizers>
Status read_with_each(const LabelledImage& item, Recognizers recognizers,
                      std::span<Evaluation> evaluations) {
    const Result<DecodedImage> image = open_image(item.path);
    if (!image) return image.error();
    Reading reading;
    for (std::size_t i = 0; i < recognizers.size(); ++i) {
        if (Status status = recognizers[i].read(image->view(), reading); !status) {
            return Error{status.error().code, printable(item.path) + ": " + status.error().message};
        }
        Evaluation& evaluation = evaluations[i];
        evaluation.add(item, reading);
        if (evaluation.keep_logits) {
            const std::span<const float> logits = recognizers[i].logits();
            evaluation.logits.values.insert(evaluation.logits.values.end(), logits.begin(),
                                            logits.end());
            evaluation.logits.texts.push_back(item.text);
        }
    }
    return {};
}

template <class Recognizers>
ExitStatus evaluate_each(const std::vector<LabelledImage>& images, Recognizers recognizers,
                         std::span<Evaluation> evaluations) {
    ExitStatus status = kDone;
    Progress progress(images.size());
    for (const LabelledImage& item : images) {
        progress.advance();
        if (const Status read = read_with_each(item, recognizers, evaluations); !read) {
            progress.hide();
            print_error(read.error().message);
            status = kUnreadable;
        }
    }
    return status;
}

}  // namespace

double Score::accuracy() const {
    return share(correct, plates);
}
double Score::first_accuracy() const {
    return share(first_correct, plates);
}
double Score::char_accuracy() const {
    return 1.0 - std::min(1.0, share(edits, characters));
}

void Evaluation::add(const LabelledImage& image, const Reading& reading) {
    const std::vector<std::string> expected = split_characters(image.text);
    std::vector<std::string> found;
    for (const Character& c : reading.characters) found.push_back(c.text);
    const Alignment alignment = align(expected, found);
    for (const auto& replaced : alignment.differences) ++confusions[replaced];
    reliability.add(static_cast<double>(reading.confidence), reading.text == image.text);
    rejected += reading.reject_score > reject_above(decoder) ? 1 : 0;
    add_to(all, expected, found, alignment);
    add_to(by_set[image.set], expected, found, alignment);
    add_to(by_length[expected.size()], expected, found, alignment);
}

ExitStatus evaluate(const std::vector<LabelledImage>& images, std::span<Recognizer> recognizers,
                    std::span<Evaluation> evaluations) {
    return evaluate_each(images, recognizers, evaluations);
}

ExitStatus evaluate(const std::vector<LabelledImage>& images, AnyRecognizer& recognizer,
                    Evaluation& evaluation) {
    return evaluate_each(images, std::span(&recognizer, 1), {&evaluation, 1});
}

}  // namespace lprnet::cli
