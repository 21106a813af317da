#include "adapters/train/train_adapter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include <nlohmann/json.hpp>

#include "tests/support/fake_task.h"
#include "tests/unit/adapters/train/tiny_base.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class TrainAdapter : public TinyBase {
 protected:
  [[nodiscard]] TrainOptions options(const std::string& out) const {
    TrainOptions o;
    o.data = {path("code")};
    o.out = path(out);
    o.model = path("base");
    o.preset = *find_train_preset("smallest");
    o.preset.rank = 4;
    o.preset.alpha = 8;
    o.preset.learning_rate = 2e-2;
    o.preset.max_steps = 8;
    o.preset.max_epochs = 100;
    o.preset.batch_tokens = 512;
    o.preset.evaluate_every_steps = 2;
    o.checkpoint_every_steps = 2;
    o.collect.any_licence = true;
    o.threads = 1;
    return o;
  }
  static TrainReport run(const Task& task, const TrainOptions& options, CancelFlag cancel = {},
                         const std::function<void(const TrainProgress&)>& progress = {}) {
    auto report = train_adapter(task, options, progress, std::move(cancel));
    EXPECT_TRUE(report) << (report ? "" : report.error().message);
    return report ? *std::move(report) : TrainReport{};
  }
};

TEST_F(TrainAdapter, LearnsAndWritesAnAdapterOfItsBase) {
  TrainOptions o = options("learned");
  o.preset.max_steps = 60;
  o.preset.evaluate_every_steps = 10;
  std::vector<double> losses;
  const TrainReport report = run(test::fake_detection(), o, {}, [&](const TrainProgress& now) {
    if (now.stage == "training") losses.push_back(now.loss);
  });
  EXPECT_LT(report.best_loss, report.base_loss * 0.5);
  EXPECT_LT(losses.back(), losses.front() * 0.5);
  EXPECT_GT(report.data.held_out.size(), 0U);
  EXPECT_GT(report.data.train.size(), report.data.held_out.size());

  const auto hash = base_hash(o.model);
  ASSERT_TRUE(hash);
  const auto adapter = read_adapter(o.out, config_, *hash);
  ASSERT_TRUE(adapter) << adapter.error().message;
  EXPECT_EQ(adapter->info.task, "fake-detection");
  EXPECT_EQ(adapter->info.rank, 4);
  EXPECT_EQ(adapter->adapter.deltas.size(), 14U);
  EXPECT_GT(adapter->info.threshold, 0.0);
  EXPECT_LE(adapter->info.threshold, 1.0);
  EXPECT_NE(adapter->adapter.deltas[0].b, std::vector<float>(adapter->adapter.deltas[0].b.size(), 0.0F));
}

TEST_F(TrainAdapter, AResumedRunWritesTheSameBytesAsOneThatNeverStopped) {
  run(test::fake_rewriting(), options("whole"));
  CancelFlag cancel;
  const TrainReport stopped = run(test::fake_rewriting(), options("parts"), cancel, [&](const TrainProgress& now) {
    if (now.stage == "training" && now.step == 5) cancel.cancel();
  });
  EXPECT_TRUE(stopped.interrupted);
  EXPECT_EQ(stopped.steps, 5U);
  EXPECT_FALSE(fs::exists(folder_ / "parts/adapter_model.safetensors"));
  const TrainReport resumed = run(test::fake_rewriting(), options("parts"));
  EXPECT_FALSE(resumed.interrupted);
  for (const std::string file : {"adapter_model.safetensors", "adapter_config.json"}) {
    EXPECT_FALSE(read_file(folder_ / "whole" / file).empty());
    EXPECT_TRUE(read_file(folder_ / "whole" / file) == read_file(folder_ / "parts" / file)) << file;
  }
}

TEST_F(TrainAdapter, GoesOnFromAnotherAdapter) {
  const TrainReport first = run(test::fake_rewriting(), options("first"));
  TrainOptions o = options("second");
  o.from = path("first");
  o.preset.rank = 2;  // what it begins with says it
  const TrainReport second = run(test::fake_rewriting(), o);
  EXPECT_NEAR(second.base_loss, first.best_loss, 1e-3);
  EXPECT_LE(second.best_loss, second.base_loss);
  EXPECT_EQ(second.info.rank, 4);
  EXPECT_EQ(second.info.alpha, 8);

  const auto of_another_task = train_adapter(test::fake_detection(), o, {}, {});
  ASSERT_FALSE(of_another_task);
  EXPECT_THAT(of_another_task.error().message, HasSubstr("is an adapter for 'fake-rewriting', not for fake-detection"));
}

TEST_F(TrainAdapter, StopsWhenTheHeldOutLossNoLongerFallsAndKeepsTheBest) {
  TrainOptions o = options("overfit");
  o.preset.learning_rate = 0.3;  // far too high, so that it soon only gets worse
  o.preset.max_steps = 200;
  o.preset.patience = 2;
  double last = -1, best = 1e9;
  const TrainReport report = run(test::fake_rewriting(), o, {}, [&](const TrainProgress& now) {
    if (now.held_out_loss < 0) return;
    last = now.held_out_loss;
    best = std::min(best, last);
  });
  EXPECT_TRUE(report.stopped_early);
  EXPECT_LT(report.steps, 200U);
  EXPECT_GT(last, report.best_loss);
  EXPECT_DOUBLE_EQ(report.best_loss, std::min(best, report.base_loss));
}

TEST_F(TrainAdapter, TooLittleDataIsRefusedWithWhatThereIsAndWhyTheRestIsNot) {
  fs::create_directories(folder_ / "little");
  fs::copy_file(folder_ / "code/width.py", folder_ / "little/width.py");
  std::ofstream(folder_ / "little/empty.py") << "x = 1\n";
  std::ofstream(folder_ / "little/.env.py") << "SECRET = 1\n";
  std::ofstream(folder_ / "little/other.py")
      << "# Nothing here that a function could be learned from, but text enough to count.\nvalue = {'a': [1]}\n";
  TrainOptions o = options("none");
  o.data = {path("little")};
  const auto report = train_adapter(test::fake_detection(), o, {}, {});
  ASSERT_FALSE(report);
  for (const std::string word : {"too little", "at least 32", "of 4 files", "empty.py: too small",
                                 "other.py: nothing in it", ".env.py: secret file"}) {
    EXPECT_THAT(report.error().message, HasSubstr(word));
  }
}

TEST_F(TrainAdapter, ForeignCheckpointsAndAbsentFoldersAreRefused) {
  run(test::fake_rewriting(), options("run"));
  TrainOptions other = options("run");
  other.preset.rank = 8;
  const auto foreign = train_adapter(test::fake_rewriting(), other, {}, {});
  ASSERT_FALSE(foreign);
  EXPECT_THAT(foreign.error().message, HasSubstr("other data or options"));
  TrainOptions nowhere = options("nowhere");
  nowhere.data = {path("absent")};
  const auto absent = train_adapter(test::fake_rewriting(), nowhere, {}, {});
  ASSERT_FALSE(absent);
  EXPECT_THAT(absent.error().message, HasSubstr("absent"));
  nowhere = options("nowhere");
  nowhere.model = path("absent");
  EXPECT_FALSE(train_adapter(test::fake_rewriting(), nowhere, {}, {}));
}

TEST_F(TrainAdapter, TheLogHasEveryStep) {
  run(test::fake_rewriting(), options("logged"));
  std::istringstream log(read_file(folder_ / "logged/log.jsonl"));
  std::string line;
  std::size_t steps = 0, measured = 0;
  while (std::getline(log, line)) {
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json.at("step"), ++steps);
    measured += json.contains("held_out_loss") ? 1 : 0;
  }
  EXPECT_EQ(steps, 8U);
  EXPECT_EQ(measured, 4U);
}

}  // namespace
}  // namespace weft::adapters
