#include "adapters/data/benchmarks.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "adapters/data/sha256.h"

namespace weft::adapters {
namespace {

// Parts of names, in lower case without '-' and '_'.
constexpr std::array<std::string_view, 14> kNames = {
    "humaneval",    "mbpp",      "quixbugs", "exercism", "evalplus",  "codecontests", "livecodebench",
    "bigcodebench", "classeval", "ds1000",   "swebench", "codexglue", "bugsinpy",     "appsbenchmark"};

// Of distinctive exercises in Python of HumanEval, MBPP and QuixBugs.
constexpr std::array<std::string_view, 113> kSignatures = {
    "006cdd065749790f", "0386507459f4ba6d", "06e2589532d5bcb5", "06f2e1b516d7f2ba", "0877d5d0eb76d58f",
    "0b626634eb2230b3", "13a042f59ea4611e", "146970df87c1be26", "17374365cb5fc1a6", "17fb91297b10a7ef",
    "1abb05f52c36c4dd", "1c253b7f0e4c1867", "1cd524c47e123da2", "1eaea7770e8ec1b4", "1ed459e2d025b6c9",
    "1f5fafdced7514c8", "207dadd654c21f6b", "22432dcc40d55610", "26523df421a22f09", "27d78f9c7b2d6fbe",
    "293cbdf11d9de777", "2ade6be6690463d5", "2e32b05607c4e4c0", "2f2e19340b0dc1be", "30c395982ec87ad1",
    "33c06f165553664a", "37cb29d350660135", "3838ebbd7caefc6c", "3c4c1f3ef428462f", "3df4e22160c0317f",
    "3e607e5d3c3dd4fd", "3eff307c035fcbfc", "426bd0d919193807", "44dbf56637b88622", "451a75a2fb1ca204",
    "4cfb27d125b6efe3", "4fb5773aabdf60d0", "50fcb9c3f0d3d355", "57b575b3a17343ad", "57cf48fae1ab4422",
    "58f3a4b1685997fe", "59417dd2fd87ee6b", "5a972c11b4ad2c36", "5abe97fc835b2002", "5c1e612cee2bf2c7",
    "5cd7067c0d3d664b", "61e6b4ae9a44a346", "64183988829191a8", "6470113d811b9e9f", "65831d3cdeb13f59",
    "65ce9b44a1c9db79", "66d767730e616aa5", "69be55e39c59bc3d", "6a59f48f96f6ab73", "6b02eea2cde57bc3",
    "6ea03d903738a534", "7470cb47107337da", "753e8a2b31c9beff", "771b79a86c9abbde", "7d84a817823e8879",
    "8516f7a8afc8129c", "866664044ebb71b5", "880319af560235fc", "899d004fd54e2b19", "8cb4c221be6a5838",
    "8cd781ecf33fb4ae", "8d54e52f10af628a", "8e9d177df885e3ab", "9193a18f97617907", "91dc5955db6e961b",
    "962b93fbf5041a3d", "96325bcbcad91571", "9a6ec8313adf8fe4", "9aab8aef4c3b6299", "9dcb8b1db301cb13",
    "a3a75fe56226804b", "a574145f7a4c2d5e", "aaa81b417d4e43f1", "aabb487f4e030845", "aaf5a38b54f4c78b",
    "ab11567d7d420194", "ad6eb0729544abee", "b1b55bbee6e5811d", "b3d92113418adbe0", "b41570b5d200a4dd",
    "b6ee9772ccd9f524", "b848c7ec253ce83d", "bbf2642b3cac5a23", "bd58b6b271763cb6", "be6a432cdcd52231",
    "bf7d75cef2b309ed", "c188332dfdb18e76", "cce73a2839463260", "cef8cb08fc707aee", "cff933d978222852",
    "d12400d1ae23c255", "d544cebebc762fa9", "d587aabac7462914", "d58cba92566625db", "dbfc0e442eccfe2d",
    "dc683a5f9727868c", "e2e5e0e7773f64ef", "e39dbd37a6872ced", "e68097131685a774", "e6948ed505a9d1a1",
    "e83a24c76a4bb32d", "ec0da35db5267dec", "edce6c7f377e82c4", "f345f22e3a79d3ea", "f6e24a4c6feccf72",
    "f926be21659b87be", "fad77298de102635", "fb8c632e3b22b9df",
};
constexpr std::string_view kDefinition = "def ";
constexpr std::size_t kMostSignatureBytes = 400;

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

// "name(first,second)" of what follows "def "; "" when it does not look like that. A parameter ends at the first ','
// that is in no bracket; its name at the first character that cannot be in one.
std::string normalised(std::string_view rest) {
  rest = rest.substr(0, kMostSignatureBytes);
  std::string out;
  int depth = 0;
  bool in_name = true;  // of the function or of a parameter
  for (const char c : rest) {
    const bool opens = c == '(' || c == '[' || c == '{', closes = c == ')' || c == ']' || c == '}';
    if (closes) --depth;
    if (closes && depth == 0) {
      if (out.back() == ',') out.pop_back();  // a last comma
      return c == ')' ? out + ')' : "";
    }
    if (opens && ++depth == 1) {
      out += '(';
      in_name = true;
    } else if (depth == 1 && c == ',') {
      out += ',';
      in_name = true;
    } else if (depth <= 1 && (c == ':' || c == '=')) {
      if (depth == 0) return "";
      in_name = false;
    } else if (in_name && depth <= 1 && !is_space(c)) {
      out += c;
    }
  }
  return "";
}

}  // namespace

bool is_named_after_benchmark(std::string_view path) {
  std::string plain;
  for (const char c : path) {
    if (c != '-' && c != '_') plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return std::ranges::any_of(kNames, [&](std::string_view name) { return plain.find(name) != std::string::npos; });
}

std::string signature_hash(std::string_view name_and_parameters) {
  return sha256_hex(name_and_parameters).substr(0, kSignatures.front().size());
}

std::span<const std::string_view> benchmark_signatures() { return kSignatures; }

bool defines_any(std::string_view text, std::span<const std::string_view> signatures) {
  for (std::size_t line = 0; line < text.size();) {
    const std::string_view rest = text.substr(line);
    if (rest.starts_with(kDefinition)) {
      const std::string signature = normalised(rest.substr(kDefinition.size()));
      if (!signature.empty() && std::ranges::binary_search(signatures, std::string_view(signature_hash(signature)))) {
        return true;
      }
    }
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return false;
    line += end + 1;
  }
  return false;
}

}  // namespace weft::adapters
