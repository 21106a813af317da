// GgufBytes: builds small GGUF files in memory, right ones and wrong ones.
#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace weft::model {

class GgufBytes {
 public:
  enum Type : std::uint32_t { kUint32 = 4, kFloat = 6, kBool = 7, kString = 8, kArray = 9, kUint64 = 10 };
  enum Dtype : std::uint32_t { kF32 = 0, kQ4_0 = 2, kQ8_0 = 8, kQ2_K = 10 };

  std::uint32_t version = 3;

  GgufBytes& text(std::string_view key, std::string_view value) {
    begin(key, kString);
    put_text(pairs_, value);
    return *this;
  }
  GgufBytes& number(std::string_view key, std::uint32_t value) {
    begin(key, kUint32);
    put(pairs_, value);
    return *this;
  }
  GgufBytes& real(std::string_view key, float value) {
    begin(key, kFloat);
    put(pairs_, value);
    return *this;
  }
  GgufBytes& flag(std::string_view key, bool value) {
    begin(key, kBool);
    put(pairs_, static_cast<std::uint8_t>(value));
    return *this;
  }
  GgufBytes& texts(std::string_view key, const std::vector<std::string>& values) {
    begin(key, kArray);
    put(pairs_, std::uint32_t{kString});
    put(pairs_, static_cast<std::uint64_t>(values.size()));
    for (const std::string& value : values) put_text(pairs_, value);
    return *this;
  }
  // A value of any type, by its bytes.
  GgufBytes& raw(std::string_view key, std::uint32_t type, std::string_view bytes) {
    begin(key, type);
    pairs_ += bytes;
    return *this;
  }
  // `shape` as Hugging Face has it; the data goes behind what was given before.
  GgufBytes& tensor(std::string_view name, const std::vector<std::uint64_t>& shape, std::uint32_t dtype,
                    std::string_view data) {
    describe(name, shape, dtype, data_.size());
    data_ += data;
    data_.resize((data_.size() + 31) / 32 * 32);
    return *this;
  }
  GgufBytes& describe(std::string_view name, const std::vector<std::uint64_t>& shape, std::uint32_t dtype,
                      std::uint64_t offset) {
    ++tensor_count;
    put_text(infos_, name);
    put(infos_, static_cast<std::uint32_t>(shape.size()));
    for (auto side = shape.rbegin(); side != shape.rend(); ++side) put(infos_, *side);
    put(infos_, dtype);
    put(infos_, offset);
    return *this;
  }

  [[nodiscard]] std::string bytes() const {
    std::string out = "GGUF";
    put(out, version);
    put(out, tensor_count);
    put(out, pair_count);
    out += pairs_ + infos_;
    out.resize((out.size() + 31) / 32 * 32);
    return out + data_;
  }
  void write(const std::string& path) const { std::ofstream(path, std::ios::binary) << bytes(); }

  std::uint64_t tensor_count = 0, pair_count = 0;

 private:
  template <class T>
  static void put(std::string& out, T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  static void put_text(std::string& out, std::string_view text) {
    put(out, static_cast<std::uint64_t>(text.size()));
    out += text;
  }
  void begin(std::string_view key, std::uint32_t type) {
    ++pair_count;
    put_text(pairs_, key);
    put(pairs_, type);
  }
  std::string pairs_, infos_, data_;
};

}  // namespace weft::model
