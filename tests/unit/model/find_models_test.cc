// Finding models where other programs keep them, and nothing else.
#include "model/find_models.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace weft::model {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class FindModels : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              (std::string("weft_find_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  void put(const std::string& path, const std::string& text = "") const {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << text;
  }
  [[nodiscard]] std::vector<std::string> names(PlaceKind kind, const std::string& place = "") const {
    std::vector<std::string> out;
    for (const FoundModel& found : find_models({{kind, (folder_ / place).string()}})) out.push_back(found.name);
    return out;
  }
  fs::path folder_;
};

TEST_F(FindModels, FindsFoldersAndGgufFilesAtAnyDepth) {
  put("a/config.json");
  put("a/model-00001-of-00002.safetensors");
  put("only-config/config.json");
  put("only-weights/model.safetensors");
  put("old/config.json");
  put("old/pytorch_model.bin");
  put("b/c/q4.gguf");
  put("b/c/big-00001-of-00002.gguf");
  put("b/c/big-00002-of-00002.gguf");
  put("b/notes.txt");
  EXPECT_THAT(names(PlaceKind::kFolder), ElementsAre("a", "big-00001-of-00002.gguf", "q4.gguf", "old"));
}

TEST_F(FindModels, FollowsNoLinkToAFolderAndGoesOnlySoDeep) {
  put("a/q4.gguf");
  fs::create_directory_symlink("..", folder_ / "a" / "loop");
  put("1/2/3/4/5/6/deep.gguf");
  EXPECT_THAT(names(PlaceKind::kFolder), ElementsAre("q4.gguf"));
}

TEST_F(FindModels, ReadsHuggingFacesCache) {
  put("hub/models--Qwen--Qwen2.5-Coder-0.5B/blobs/abc", "weights");
  put("hub/models--Qwen--Qwen2.5-Coder-0.5B/snapshots/1/config.json");
  fs::create_symlink("../../blobs/abc", folder_ / "hub/models--Qwen--Qwen2.5-Coder-0.5B/snapshots/1/model.safetensors");
  put("hub/models--x--y-GGUF/snapshots/2/y.gguf");
  put("hub/datasets--x--z/snapshots/3/z.gguf");
  put("hub/token", "secret");
  EXPECT_THAT(names(PlaceKind::kHuggingFace, "hub"), ElementsAre("Qwen/Qwen2.5-Coder-0.5B", "x/y-GGUF/y.gguf"));
}

TEST_F(FindModels, ReadsOllamasManifests) {
  const std::string manifests = "o/manifests/registry/library/";
  const auto manifest = [](const std::string& type, const std::string& digest) {
    return R"({"layers":[{"mediaType":"application/vnd.ollama.image.)" + type + R"(","digest":")" + digest + R"("}]})";
  };
  put(manifests + "coder/1.5b", manifest("model", "sha256:aa"));
  put(manifests + "coder/again", manifest("model", "sha256:aa"));  // one blob, listed once
  put(manifests + "gone/1", manifest("model", "sha256:bb"));
  put(manifests + "text/1", manifest("license", "sha256:aa"));
  put(manifests + "evil/1", manifest("model", "sha256:../../x"));
  put(manifests + "odd/1", "not JSON");
  put(manifests + "odd/2", R"({"layers":[3,{"digest":4}]})");
  put("o/blobs/sha256-aa");
  EXPECT_THAT(names(PlaceKind::kOllama, "o"), ElementsAre("coder:1.5b"));
}

TEST_F(FindModels, PassesOverPlacesThatAreNotThere) {
  EXPECT_THAT(names(PlaceKind::kFolder, "no"), IsEmpty());
  EXPECT_THAT(names(PlaceKind::kOllama, "no"), IsEmpty());
  EXPECT_THAT(names(PlaceKind::kHuggingFace, "no"), IsEmpty());
}

TEST(ModelPlaces, FollowWhatOthersSet) {
  std::map<std::string, std::string> set{{"HOME", "/h"}, {"WEFT_MODELS", "/a::/b"}, {"HF_HOME", "/hf"}};
  const auto paths = [&] {
    std::vector<std::string> out;
    for (const ModelPlace& place : model_places([&](const char* name) { return set[name]; })) out.push_back(place.path);
    return out;
  };
  EXPECT_THAT(paths(), ElementsAre("/a", "/b", "/hf/hub", "/h/.cache/llama.cpp", "/h/.lmstudio/models",
                                   "/h/.cache/lm-studio/models", "/h/models", "/h/.ollama/models"));
  set = {{"HF_HUB_CACHE", "/hub"}};
  EXPECT_THAT(paths(), ElementsAre("/hub"));
}

}  // namespace
}  // namespace weft::model
