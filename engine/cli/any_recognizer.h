// What reads plates, whoever computes: the CPU's recognizer or that of the BPU.
#pragma once

#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "lprnet/bpu.h"
#include "lprnet/recognizer.h"

namespace lprnet::cli {

class AnyRecognizer {
public:
    AnyRecognizer(Recognizer recognizer) : recognizer_(std::move(recognizer)) {}
    AnyRecognizer(bpu::Recognizer recognizer) : recognizer_(std::move(recognizer)) {}

    // Null if the other one computes.
    Recognizer* cpu() { return std::get_if<Recognizer>(&recognizer_); }
    bpu::Recognizer* bpu() { return std::get_if<bpu::Recognizer>(&recognizer_); }
    bool is_bpu() const { return std::holds_alternative<bpu::Recognizer>(recognizer_); }
    const char* backend() const { return is_bpu() ? "bpu" : "cpu"; }
    // The kernel table in use, or "bpu".
    const char* isa() const {
        const Recognizer* on_cpu = std::get_if<Recognizer>(&recognizer_);
        return on_cpu != nullptr ? on_cpu->isa() : "bpu";
    }
    // "fp32", "int8"; "bin" for the BPU, whose runtime does not tell.
    const char* precision(const Model& model) const { return is_bpu() ? "bin" : model.precision(); }

    template <class... Place>
    Status set_image(const ImageView& view, const Place&... place) {
        return std::visit([&](auto& r) { return r.set_image(view, place...); }, recognizer_);
    }
    Status infer() {
        if (bpu::Recognizer* on_bpu = bpu()) return on_bpu->infer();
        cpu()->infer();
        const std::span<const float> logits = cpu()->logits();
        if (!logits.empty() && std::isnan(logits.front())) {
            return Error{ErrorCode::unsupported,
                         "the network's numbers leave float32 on this picture"};
        }
        return {};
    }
    Status decode(Reading& reading) {
        return std::visit([&](auto& r) { return r.decode(reading); }, recognizer_);
    }
    Status read(const ImageView& view, Reading& reading) {
        return std::visit([&](auto& r) { return r.read(view, reading); }, recognizer_);
    }
    std::span<const float> logits() {
        return std::visit([](auto& r) { return r.logits(); }, recognizer_);
    }
    Result<AnyRecognizer> clone() {
        return std::visit(
            [](auto& r) -> Result<AnyRecognizer> {
                auto copy = r.clone();
                if (!copy) return copy.error();
                return AnyRecognizer(std::move(*copy));
            },
            recognizer_);
    }
    // Gives back what the BPU holds; nothing may be called afterwards.
    Status close() {
        if (bpu::Recognizer* on_bpu = bpu()) return on_bpu->close();
        return {};
    }

private:
    std::variant<Recognizer, bpu::Recognizer> recognizer_;
};

}  // namespace lprnet::cli
