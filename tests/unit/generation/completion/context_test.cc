// Which pieces of other files a prompt begins with, and that they stay as they are while somebody types.
#include "generation/completion/context.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generation/privacy/secrets.h"
#include "tests/unit/generation/completion/rig.h"

namespace weft::generation {
namespace {

using testing::HasSubstr;
using testing::Not;

std::shared_ptr<const std::string> shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

const std::string kShapes =
    "import math\n\n\ndef circle_area(radius):\n    return math.pi * radius ** 2\n\n\n"
    "def unrelated(first, second):\n    raise ValueError(first, second)\n";
const std::string kWords = "def capitals(sentence):\n    return sentence.upper()\n";

class Context : public ::testing::Test {
 protected:
  std::string at(std::string_view annotated) {
    CompletionRequest request = test::request_at(annotated, "/code/main.py");
    request.others = others_;
    request.root = "/code";
    const CursorPlace place =
        make_place(*request.document.text, request.cursor, language_for("", request.document.path));
    std::string out;
    for (const FimFile& file : keeper_.context_at(request, place, budget_, tokenizer_, screen_)) {
      out += fmt::format("<{}>{}", file.path, file.text);
    }
    return out;
  }
  void open(std::string path, std::string text) { others_.push_back({std::move(path), "", shared(std::move(text))}); }

  std::vector<OpenDocument> others_;
  std::size_t budget_ = 1000;
  ContextKeeper keeper_;
  test::ByteTokenizer tokenizer_;
  Screen screen_ = [](std::string_view, std::string_view text) -> Expected<std::string> { return std::string(text); };
};

TEST(Pieces, AreDefinitionsAndWhatStandsBetween) {
  const auto pieces = pieces_of("a.py", "", kShapes);
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(pieces[0].text, "import math\n");
  EXPECT_EQ(pieces[1].defined, std::vector<std::string>{"circle_area"});
  EXPECT_TRUE(pieces[1].text.starts_with("def circle_area(radius):\n"));
  EXPECT_EQ(kShapes.substr(pieces[1].begin, pieces[1].text.size()), pieces[1].text);
}

TEST(Pieces, OfALongClassAreItsMethodsToo) {
  std::string text = "class Big:\n    x = 1\n\n";
  for (int i = 0; i < 12; ++i)
    text += fmt::format("    @property\n    def method{}(self):\n        return {}\n\n", i, i);
  bool found = false;
  for (const ContextPiece& piece : pieces_of("a.py", "", text)) {
    found = found || (piece.defined == std::vector<std::string>{"method11"} && piece.text.starts_with("    @property"));
  }
  EXPECT_TRUE(found);
}

TEST(Pieces, AreGroupsOfLinesWithoutAGrammar) {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "int x;\n";
  EXPECT_EQ(pieces_of("a.zzz", "", text).size(), 3U);
}

TEST_F(Context, IsWhatTheCodeAtTheCursorUses) {
  open("/code/lib/shapes.py", kShapes);
  open("/code/words.py", kWords);
  const std::string context = at("from lib import shapes\n\n\nprint(shapes.circle_area(^\n");
  EXPECT_THAT(context, HasSubstr("<lib/shapes.py>def circle_area"));
  EXPECT_THAT(context, Not(HasSubstr("capitals")));
}

TEST_F(Context, StaysTheSameWhileSomebodyTypesNearby) {
  open("/code/shapes.py", kShapes);
  open("/code/words.py", kWords);
  const std::string first = at("import shapes\n\n\ncircle_area(^\n");
  ASSERT_FALSE(first.empty());
  // Another piece would be the better one by now.
  EXPECT_EQ(at("import shapes\n\n\ncircle_area(1)\ncapitals(sentence.upper())\ncapitals(^\n"), first);
  EXPECT_EQ(at("import shapes\n\n\ncircle_^\n"), first);
}

TEST_F(Context, IsChosenAgainFarAwayAndWhenItsFileChanges) {
  open("/code/shapes.py", kShapes);
  open("/code/words.py", kWords);
  const std::string far(40, '\n');
  const std::string shapes = at("circle_area(^\n");
  EXPECT_THAT(shapes, HasSubstr("circle_area"));
  EXPECT_THAT(at("x = 1\n" + far + "capitals(^\n"), HasSubstr("capitals"));
  const std::string words = at("x = 1\n" + far + "capitals(s^\n");
  others_[0].text = shared(kShapes + "\nx = 1\n");  // nothing of it was chosen
  EXPECT_EQ(at("x = 1\n" + far + "capitals(s^\n"), words);
  others_[1].text = shared("def capitals(sentence, locale):\n    return 1\n");
  EXPECT_THAT(at("x = 1\n" + far + "capitals(s^\n"), HasSubstr("locale"));
}

TEST_F(Context, LeavesOutWhatStandsAtTheCursorAlreadyAndTheSameTwice) {
  open("/code/copy.py", kWords);
  EXPECT_EQ(at(kWords + "^\n"), "");
  others_.clear();
  open("/code/one.py", kShapes);
  open("/code/two.py", kShapes);
  const std::string context = at("x = 1\n" + std::string(50, '\n') + "circle_area(^\n");
  EXPECT_EQ(context.find("def circle_area"), context.rfind("def circle_area"));
}

TEST_F(Context, PrefersWhereSomebodyHasJustEdited) {
  open("/code/a.py", "def save(record, target):\n    pass\n\n\ndef load(record, target):\n    pass\n");
  others_[0].last_edit = 5;
  others_[0].edited_at = 45;
  const std::string context = at("record = target(^\n");
  EXPECT_LT(context.find("def save"), context.find("def load")) << "the more relevant is nearer to the cursor";
  others_[0].edited_at = 3;
  ContextKeeper fresh;
  CompletionRequest request = test::request_at("record = target(^\n", "/code/main.py");
  request.others = others_;
  const auto files =
      fresh.context_at(request, make_place(*request.document.text, request.cursor, language_for("", "a.py")), budget_,
                       tokenizer_, screen_);
  ASSERT_EQ(files.size(), 2U);
  EXPECT_THAT(files[1].text, HasSubstr("def save"));
}

TEST_F(Context, KeepsWithinItsBudget) {
  open("/code/shapes.py", kShapes);
  budget_ = 30;
  EXPECT_EQ(at("circle_area(unrelated(^\n"), "");
}

TEST_F(Context, NeverHoldsWhatTheScreenKeepsBack) {
  open("/code/.env", "circle_area = 'hunter2'\n");
  open("/code/shapes.py",
       "def circle_area(radius):\n    key = 'AKIA"
       "QWERTZUIOPASDFGH'\n");
  screen_ = screen;
  const std::string context = at("circle_area(^\n");
  EXPECT_THAT(context, HasSubstr("circle_area"));
  EXPECT_THAT(context, Not(HasSubstr("hunter2")));
  EXPECT_THAT(context, Not(HasSubstr("QWERTZ")));
}

TEST(ContextInPrompts, ReachesFamiliesThatCanBeToldOfFiles) {
  const auto seen_by = [](model::FileHeader header) {
    const auto clock = std::make_shared<test::FakeClock>();
    const auto runner = std::make_shared<test::FakeRunner>(test::reply_script("1\n"));
    const auto engine =
        std::make_shared<Engine>(runner, std::make_shared<test::ByteTokenizer>(), clock, EngineOptions{.threads = 0});
    model::ModelConfig config = test::fim_config(model::FimLayout::kPsm);
    config.fim.header = header;
    CompletionService service(engine, config, clock, {});
    CompletionRequest request = test::request_at("circle_area(^\n", "/code/main.py");
    request.others = {{"/code/shapes.py", "", shared(kShapes)}};
    request.root = "/code";
    EXPECT_TRUE(service.complete_now(request).has_value());
    std::string text;
    for (const model::StepPlan& plan : runner->plans()) {
      for (const model::StepSequence& part : plan.sequences) text += test::ByteTokenizer().decode(part.tokens);
    }
    return text;
  };
  EXPECT_THAT(seen_by(model::FileHeader::kComment), HasSubstr("#shapes.py\ndef circle_area"));
  EXPECT_THAT(seen_by(model::FileHeader::kComment), HasSubstr("#main.py\ncircle_area("));
  EXPECT_THAT(seen_by(model::FileHeader::kNone), Not(HasSubstr("def circle_area")));
}

}  // namespace
}  // namespace weft::generation
