#include "generation/privacy/secrets.h"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::generation {
namespace {

using testing::HasSubstr;
using testing::Not;

// Built from parts, so that no scanner takes this file for a leak.
const std::string kAws = std::string("AKIA") + "IOSFODNN7EXAMPLQ";
const std::string kGitHub = std::string("ghp_") + "16C7e42F292c6912E7710c838347Ae178B4a";
const std::string kSlack = std::string("xoxb-") + "123456789012-abcdefGHIJKL";
const std::string kGoogle = std::string("AIza") + "SyA-1234567890abcdefghijklmnopqrstu";
const std::string kJwt = std::string("eyJ") + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r";
const std::string kKeyLine = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";

std::string stars(std::size_t count) { return std::string(count, '*'); }

class IssuedKeys : public testing::TestWithParam<std::string> {};

TEST_P(IssuedKeys, AreMaskedWhereverTheyStand) {
  const std::string& key = GetParam();
  for (const auto& [before, after] : {std::pair{"x = \"", "\"\n"}, {"# see ", " for it"}, {"", ""}, {"f(", ")"}}) {
    const MaskedText out = mask_secrets(before + key + after);
    EXPECT_EQ(out.text, before + stars(key.size()) + after);
    EXPECT_EQ(out.masked, 1u);
  }
}
INSTANTIATE_TEST_SUITE_P(Secrets, IssuedKeys, testing::Values(kAws, kGitHub, kSlack, kGoogle, kJwt));

TEST(MaskSecrets, LeavesOrdinaryCodeAlone) {
  const std::string code =
      "token = tokenizer.next_token(stream)\n"
      "password = getpass.getpass('Password: ')\n"
      "secret_name = 'django.contrib.auth.tokens'\n"
      "API_KEY = os.environ['API_KEY']\n"
      "headers = {'Authorization': 'Bearer ' + token}\n"
      "url = 'https://example.com:8080/path@2'\n"
      "AKIA = 1; sk = 'sk-learn'; eyJ = eyJhbc.eyJ\n"
      "token_type = TokenType.STRING\n"
      "access_token: Optional[str] = None\n"
      "private_key: PKCS7PrivateKeyTypes,\n"
      "url = 'postgresql://user:password@host/name'\n"
      "def check_password(self, password): return self.secret1 == password\n";
  const MaskedText out = mask_secrets(code);
  EXPECT_EQ(out.text, code);
  EXPECT_EQ(out.masked, 0u);
}

TEST(MaskSecrets, MasksRandomValuesOfTellingNames) {
  EXPECT_EQ(mask_secrets("DB_PASSWORD = 'p4ssw0rdQz81'").text, "DB_PASSWORD = '" + stars(12) + "'");
  EXPECT_EQ(mask_secrets("config[\"apiKey\"] = \"9f8a7b6c5d4e3f2a1b0c\"").text,
            "config[\"apiKey\"] = \"" + stars(20) + "\"");
  EXPECT_EQ(mask_secrets("client_secret: Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5\nnext: 1").text,
            "client_secret: " + stars(28) + "\nnext: 1");
  EXPECT_EQ(mask_secrets("{'token': '8d7f6e5c4b3a29180716'}").text, "{'token': '" + stars(20) + "'}");
}

TEST(MaskSecrets, KeepsTemplatesAndPlainWords) {
  for (const std::string text : {"password = 'changeme'", "token = '{token_0123456789}'",
                                 "secret = \"<your-secret-1234>\"", "password='${DB_PASSWORD_1234567}'"}) {
    EXPECT_EQ(mask_secrets(text).text, text);
  }
}

TEST(MaskSecrets, MasksPasswordsInAddresses) {
  EXPECT_EQ(mask_secrets("postgresql://app:hunter22@db/x").text, "postgresql://app:********@db/x");
  EXPECT_EQ(mask_secrets("http://host:8080/a@b").text, "http://host:8080/a@b");
}

TEST(MaskSecrets, MasksPrivateKeysLineByLine) {
  const std::string head = "-----BEGIN RSA PRIVATE KEY-----\n", tail = "-----END RSA PRIVATE KEY-----\nprint(1)\n";
  EXPECT_EQ(mask_secrets(head + kKeyLine + "\n" + kKeyLine + "\n" + tail).text,
            head + stars(kKeyLine.size()) + "\n" + stars(kKeyLine.size()) + "\n" + tail);
}

TEST(MaskSecrets, MasksAPrivateKeyWithoutItsFooter) {
  const std::string head = "-----BEGIN PRIVATE KEY-----\n";
  EXPECT_EQ(mask_secrets(head + kKeyLine).text, head + stars(kKeyLine.size()));
}

TEST(MaskSecrets, AHeaderInCodeIsNoKey) {
  const std::string code = "MARK = b'-----BEGIN PRIVATE KEY-----'\nif line.startswith(MARK):\n    return parse(line)\n";
  EXPECT_EQ(mask_secrets(code).text, code);
}

TEST(MaskSecrets, KeepsLengthAndLineEnds) {
  const std::string text = "a\r\n" + kAws + "\r\n-----BEGIN PRIVATE KEY-----\r\n" + kKeyLine + "\r\n";
  const MaskedText out = mask_secrets(text);
  ASSERT_EQ(out.text.size(), text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    EXPECT_EQ(out.text[i] == '\n', text[i] == '\n') << i;
  }
  EXPECT_THAT(out.text, Not(HasSubstr(kKeyLine.substr(0, 8))));
}

// Quadratic work on a megabyte would run into the test's time limit.
TEST(MaskSecrets, RepeatedBeginningsStayLinear) {
  for (const std::string piece :
       {"eyJ-", "eyJaaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "token=", "a://b:c", "Bearer ", "xox", "AKIA",
        "password:\"", "eyJ", "sk-", "://", "-----BEGIN PRIVATE KEY-----\n"}) {
    std::string text;
    while (text.size() < (4u << 20)) text += piece;
    EXPECT_EQ(mask_secrets(text).text.size(), text.size());
  }
}

TEST(IsSecretFile, KnowsKeysAndCredentialStores) {
  for (const char* path :
       {".env", "app/.env.local", "prod.env", "certs/server.pem", "/home/me/.ssh/config", "id_rsa", "id_ed25519",
        ".netrc", "web/.npmrc", "Credentials.json", "a\\.aws\\config", "secrets.yaml", "TLS.KEY"}) {
    EXPECT_TRUE(is_secret_file(path)) << path;
  }
}

TEST(IsSecretFile, LeavesSourcesAlone) {
  for (const char* path : {"secrets.py", "botocore/credentials.py", "env.py", "environment.py", ".env.example",
                           "id_rsa.pub", "token.py", "keys.cc", "ssh/client.py", "", "dotenv/main.py"}) {
    EXPECT_FALSE(is_secret_file(path)) << path;
  }
}

TEST(Screen, RefusesSecretFilesAndMasksOthers) {
  const auto refused = screen("app/.env", "A=1");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("app/.env"));
  const auto masked = screen("app/main.py", "key = '" + kAws + "'");
  ASSERT_TRUE(masked);
  EXPECT_EQ(*masked, "key = '" + stars(kAws.size()) + "'");
}

}  // namespace
}  // namespace weft::generation
