#include "engine/cli/evaluation.h"

#include "engine/cli/process.h"
#include "engine/cli/progress.h"
#include "engine/image_file/image_file.h"
#include "engine/text/printable.h"

namespace lprnet::cli {
namespace {

using measure::Evaluation;

template <class Recognizers>
Status read_with_each(const LabelledImage& item, Recognizers recognizers,
                      std::span<Evaluation> evaluations, measure::LabelledLogits* logits,
                      report::Misreads* misreads) {
    const Result<DecodedImage> image = open_image(item.path);
    if (!image) return image.error();
    Reading reading;
    for (std::size_t i = 0; i < recognizers.size(); ++i) {
        if (Status status = recognizers[i].read(image->view(), reading); !status) {
            return Error{status.error().code, printable(item.path) + ": " + status.error().message};
        }
        evaluations[i].add(item.text, item.set, reading);
        if (logits != nullptr) logits->add(recognizers[i].logits(), item.text);
        if (misreads != nullptr) misreads->add(item.path, image->view(), item.text, reading);
    }
    return {};
}

template <class Recognizers>
ExitStatus evaluate_each(const std::vector<LabelledImage>& images, Recognizers recognizers,
                         std::span<Evaluation> evaluations, measure::LabelledLogits* logits,
                         report::Misreads* misreads) {
    ExitStatus status = kDone;
    Progress progress("reading", images.size());
    for (const LabelledImage& item : images) {
        progress.advance();
        if (const Status read = read_with_each(item, recognizers, evaluations, logits, misreads);
            !read) {
            progress.hide();
            print_error(read.error().message);
            status = kUnreadable;
        }
    }
    return status;
}

}  // namespace

ExitStatus evaluate(const std::vector<LabelledImage>& images, std::span<Recognizer> recognizers,
                    std::span<Evaluation> evaluations) {
    return evaluate_each(images, recognizers, evaluations, nullptr, nullptr);
}

ExitStatus evaluate(const std::vector<LabelledImage>& images, AnyRecognizer& recognizer,
                    Evaluation& evaluation, measure::LabelledLogits* logits,
                    report::Misreads* misreads) {
    return evaluate_each(images, std::span(&recognizer, 1), {&evaluation, 1}, logits, misreads);
}

}  // namespace lprnet::cli
