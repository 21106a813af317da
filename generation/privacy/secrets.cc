#include "generation/privacy/secrets.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>

#include "generation/privacy/keys.h"

namespace weft::generation {
namespace {

// Shell patterns on a file's lower-case name.
constexpr std::array kSecretNames = {
    ".env",
    ".env.*",
    "*.env",
    ".envrc",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "*.ppk",
    "*.gpg",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    "authorized_keys",
    ".netrc",
    "_netrc",
    ".npmrc",
    ".yarnrc",
    ".pypirc",
    ".pgpass",
    ".my.cnf",
    ".htpasswd",
    ".git-credentials",
    ".dockercfg",
    ".vault_pass*",
    ".vault-token",
    "kubeconfig",
    "*.kubeconfig",
    "credentials",
    "credentials.json",
    "credentials.ini",
    "credentials.toml",
    "credentials.y*ml",
    "credentials.csv",
    "secrets",
    "secrets.json",
    "secrets.ini",
    "secrets.toml",
    "secrets.y*ml",
    "client_secret*.json",
    "service-account*.json",
    "service_account*.json",
    "*.tfvars",
    "*.tfstate",
    "*.tfstate.backup",
    "shadow",
};

// Exceptions: what is meant to be shared.
constexpr std::array kPublicNames = {".env.example", ".env.sample", ".env.template", ".env.dist", "*.pub"};

constexpr std::array kSecretFolders = {".ssh",    ".gnupg", ".aws",    ".azure",
                                       ".gcloud", ".kube",  ".docker", ".password-store"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

template <class Patterns>
bool any_matches(const Patterns& patterns, const std::string& name) {
  return std::ranges::any_of(patterns,
                             [&name](const char* pattern) { return ::fnmatch(pattern, name.c_str(), 0) == 0; });
}

bool is_separator(char c) { return c == '/' || c == '\\'; }

}  // namespace

bool is_secret_file(std::string_view path) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (!is_separator(path[i])) continue;
    const std::string folder = lower(path.substr(begin, i - begin));
    if (std::ranges::find(kSecretFolders, std::string_view(folder)) != kSecretFolders.end()) return true;
    begin = i + 1;
  }
  const std::string name = lower(path.substr(begin));
  return any_matches(kSecretNames, name) && !any_matches(kPublicNames, name);
}

MaskedText mask_secrets(std::string_view text) {
  MaskedText out{std::string(text), 0};
  for (const KeySpan span : find_keys(text)) {
    for (std::size_t i = span.begin; i < span.end; ++i) {
      if (text[i] != '\n' && text[i] != '\r') out.text[i] = '*';
    }
    ++out.masked;
  }
  return out;
}

Expected<std::string> screen(std::string_view path, std::string_view text) {
  if (is_secret_file(path)) return make_error("{} is a secret file by its name and is not read", path);
  return mask_secrets(text).text;
}

}  // namespace weft::generation
