#include "lsp/frame.h"

#include <algorithm>
#include <charconv>

namespace weft::lsp {
namespace {

constexpr std::string_view kLengthName = "content-length:";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_header_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

std::optional<std::size_t> parse_length(std::string_view digits) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// For messages: short, and nothing that could disturb a terminal.
std::string printable(std::string_view text) {
  constexpr std::size_t kShown = 40;
  std::string out;
  for (char c : text.substr(0, kShown)) out += c >= 0x20 && c < 0x7F ? c : '?';
  return text.size() > kShown ? out + "…" : out;
}

}  // namespace

std::optional<Error> FrameDecoder::fail(Error error, State next) {
  state_ = next;
  header_bytes_ = 0;
  scanned_ = 0;
  length_.reset();
  return error;
}

// The refused line itself may begin like a header that is worth reading: look for one behind its first byte.
std::optional<Error> FrameDecoder::refuse_line(Error error) {
  buffer_.erase(0, 1);
  return fail(std::move(error), State::kResync);
}

std::optional<Error> FrameDecoder::read_header_line() {
  const std::size_t end = buffer_.find('\n', scanned_);
  const std::size_t line_bytes = end == std::string::npos ? buffer_.size() : end + 1;
  if (header_bytes_ + line_bytes > limits_.header_bytes) {
    return refuse_line(make_error("frame header is longer than {} bytes", limits_.header_bytes));
  }
  if (end == std::string::npos) {
    scanned_ = buffer_.size();
    return std::nullopt;
  }
  progressed_ = true;
  std::string_view line(buffer_.data(), end);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.empty()) {
    buffer_.erase(0, line_bytes);
    scanned_ = 0;
    if (header_bytes_ == 0) return std::nullopt;  // blank lines between frames do no harm
    return finish_header();
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_header_name(trim(line.substr(0, colon)))) {
    return refuse_line(make_error("malformed frame header line '{}'", printable(line)));
  }
  if (equals_ignoring_case(trim(line.substr(0, colon)), kLengthName.substr(0, kLengthName.size() - 1))) {
    const std::string_view digits = trim(line.substr(colon + 1));
    const auto length = parse_length(digits);
    if (!length) {
      return refuse_line(make_error("Content-Length '{}' is not a number of bytes", printable(digits)));
    }
    if (length_ && *length_ != *length) {
      return refuse_line(make_error("two Content-Lengths in one header: {} and {}", *length_, *length));
    }
    length_ = length;
  }
  header_bytes_ += line_bytes;
  buffer_.erase(0, line_bytes);
  scanned_ = 0;
  return std::nullopt;
}

std::optional<Error> FrameDecoder::finish_header() {
  if (!length_) return fail(make_error("frame header has no Content-Length"), State::kResync);
  const std::size_t length = *length_;
  if (length > limits_.body_bytes) {
    // A length that no sender can mean is garbage; after any other the next frame begins where it says.
    const bool believable = length / 16 <= limits_.body_bytes;
    remaining_ = length;
    return fail(make_error("frame of {} bytes is larger than the {} allowed", length, limits_.body_bytes),
                believable ? State::kSkip : State::kResync);
  }
  header_bytes_ = 0;
  state_ = State::kBody;
  return std::nullopt;
}

void FrameDecoder::resync() {
  const auto found = std::search(buffer_.begin(), buffer_.end(), kLengthName.begin(), kLengthName.end(),
                                 [](char a, char b) { return lower(a) == b; });
  if (found != buffer_.end()) {
    buffer_.erase(buffer_.begin(), found);
    state_ = State::kHeader;
    progressed_ = true;
  } else if (buffer_.size() >= kLengthName.size()) {
    buffer_.erase(0, buffer_.size() - (kLengthName.size() - 1));  // the name may be cut by the end of what came
  }
}

void FrameDecoder::skip() {
  const std::size_t count = std::min(remaining_, buffer_.size());
  buffer_.erase(0, count);
  remaining_ -= count;
  if (remaining_ == 0) {
    state_ = State::kHeader;
    progressed_ = true;
  }
}

std::optional<Expected<std::string>> FrameDecoder::next() {
  do {
    progressed_ = false;
    switch (state_) {
      case State::kHeader:
        if (auto error = read_header_line()) return Expected<std::string>(std::move(*error));
        break;
      case State::kBody: {
        if (buffer_.size() < *length_) return std::nullopt;
        std::string body = buffer_.substr(0, *length_);
        buffer_.erase(0, *length_);
        length_.reset();
        state_ = State::kHeader;
        return Expected<std::string>(std::move(body));
      }
      case State::kSkip:
        skip();
        break;
      case State::kResync:
        resync();
        break;
    }
  } while (progressed_);
  return std::nullopt;
}

std::string encode_frame(std::string_view body) {
  return fmt::format("Content-Length: {}\r\n\r\n{}", body.size(), body);
}

}  // namespace weft::lsp
