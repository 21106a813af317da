// Jobs of the worker: in order, cancelled wherever they are, and each either run or dropped.
#include "lsp/worker.h"

#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/gate.h"

namespace weft::lsp {
namespace {

using test::Gate;

// A job that passes the gate and tells what became of it: "ran", "dropped" or the error.
struct Told {
  std::shared_ptr<std::promise<std::string>> promise = std::make_shared<std::promise<std::string>>();
  std::future<std::string> what = promise->get_future();

  Worker::Job job(std::shared_ptr<Gate> gate, Worker::Stop stop = {}) {
    return {.run =
                [gate, told = promise, stop](std::function<void()>) {
                  gate->pass();
                  told->set_value("ran");
                  return stop;
                },
            .drop = [told = promise] { told->set_value("dropped"); },
            .failed = [told = promise](const Error& error) { told->set_value(error.message); }};
  }
};

class Working : public ::testing::Test {
 protected:
  void TearDown() override { gate->open(); }
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
  std::unique_ptr<Worker> worker = std::make_unique<Worker>();
};

TEST_F(Working, JobsRunInTheOrderInWhichTheyCome) {
  auto order = std::make_shared<std::vector<int>>();
  for (int i = 0; i < 20; ++i) {
    worker->submit({.run =
                        [order, i](std::function<void()>) {
                          order->push_back(i);
                          return Worker::Stop{};
                        },
                    .drop = {},
                    .failed = {}});
  }
  Told last;
  worker->submit(last.job(gate));
  EXPECT_EQ(last.what.get(), "ran");
  ASSERT_EQ(order->size(), 20U);
  for (int i = 0; i < 20; ++i) EXPECT_EQ((*order)[static_cast<std::size_t>(i)], i);
}

TEST_F(Working, WhatWaitsIsDroppedAtOnce) {
  gate->close();
  Told first, second;
  worker->submit(first.job(gate));
  gate->wait_until_held();
  const RequestId id = worker->submit(second.job(gate));
  worker->cancel(id);
  EXPECT_EQ(second.what.get(), "dropped");
  gate->open();
  EXPECT_EQ(first.what.get(), "ran");
}

TEST_F(Working, WhatRunsIsStoppedOnceItHasRun) {
  gate->close();
  Told job;
  std::promise<void> stopped;
  const RequestId id = worker->submit(job.job(gate, [&] { stopped.set_value(); }));
  gate->wait_until_held();
  worker->cancel(id);
  gate->open();
  stopped.get_future().get();
  EXPECT_EQ(job.what.get(), "ran");
}

TEST_F(Working, WhatIsUnderWayElsewhereIsStopped) {
  Told job, next;
  int stops = 0;
  const RequestId id = worker->submit(job.job(gate, [&] { ++stops; }));
  worker->submit(next.job(gate));
  next.what.get();  // so the first is over and done with
  worker->cancel(id);
  EXPECT_EQ(stops, 1);
}

TEST_F(Working, WhatIsOverIsNotStopped) {
  Told next;
  int stops = 0;
  const auto submit = [&](bool at_once) {
    auto over = std::make_shared<std::function<void()>>();
    const RequestId id = worker->submit({.run =
                                             [&stops, over, at_once](std::function<void()> end) {
                                               if (at_once) end();
                                               *over = std::move(end);
                                               return [&stops] { ++stops; };
                                             },
                                         .drop = {},
                                         .failed = {}});
    Told after;
    worker->submit(after.job(gate));
    after.what.get();
    if (!at_once) (*over)();
    worker->cancel(id);
  };
  submit(true);
  submit(false);
  EXPECT_EQ(stops, 0);
}

TEST_F(Working, AFaultIsToldAndTheNextJobRuns) {
  Told bad, good;
  Worker::Job job = bad.job(gate);
  job.run = [](std::function<void()>) -> Worker::Stop { throw std::runtime_error("a bug"); };
  worker->submit(std::move(job));
  worker->submit(good.job(gate));
  EXPECT_EQ(bad.what.get(), "a bug");
  EXPECT_EQ(good.what.get(), "ran");
}

TEST_F(Working, AtTheEndWhatWaitsIsDropped) {
  gate->close();
  Told first, second;
  worker->submit(first.job(gate));
  gate->wait_until_held();
  worker->submit(second.job(gate));
  auto closing = std::async(std::launch::async, [this] { worker.reset(); });
  gate->open();
  closing.get();
  EXPECT_EQ(first.what.get(), "ran");
  const std::string what = second.what.get();  // as the end came before the gate opened or after
  EXPECT_TRUE(what == "ran" || what == "dropped") << what;
}

}  // namespace
}  // namespace weft::lsp
