// Adapters as an editor's session sees them.
#include <memory>

#include <gtest/gtest.h>

#include "tests/support/lsp/fake_adapters.h"
#include "tests/support/lsp/fake_backend.h"
#include "tests/support/lsp/lsp_client.h"

namespace weft::test {
namespace {

lsp::ModelLoader loading(std::shared_ptr<lsp::AdapterControl> adapters, std::vector<std::string> warnings = {}) {
  return [adapters = std::move(adapters), warnings = std::move(warnings)](const auto&) -> Expected<lsp::ReadyModel> {
    lsp::ReadyModel ready;
    ready.backend = std::make_shared<FakeBackend>();
    ready.info.name = "fake-model";
    ready.adapters = adapters;
    ready.warnings = warnings;
    return ready;
  };
}

TEST(Adapters, AnEditorAddsAndListsThem) {
  const auto adapters = std::make_shared<FakeAdapters>();
  LspClient client(loading(adapters));
  client.open_session();
  client.wait_for_model();
  const int added = client.request("weft/adapters/add", {{"directory", "/adapters/bugs"}});
  adapters->answer();
  EXPECT_EQ(client.wait_for(added)["result"]["task"], "bug-detection");
  EXPECT_EQ(client.ask("weft/adapters/list", nullptr)["result"]["adapters"].size(), 1U);
  EXPECT_EQ(client.answers_to(added), 1U);
}

TEST(Adapters, ThoseThatCannotBeUsedAreToldOnceTheClientIsThere) {
  LspClient client(loading(std::make_shared<FakeAdapters>(), {"the adapter is not used: /a: no such folder"}));
  client.wait_for_model();
  EXPECT_TRUE(client.notifications("window/showMessage").empty());
  client.open_session();
  client.loop().run_posted();
  const auto told = client.notifications("window/showMessage");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_NE(told[0]["params"]["message"].get<std::string>().find("/a: no such folder"), std::string::npos);
}

}  // namespace
}  // namespace weft::test
