// Two small tasks over lines that begin with "def ", for tests of what trains and measures: one detects a semicolon in
// the place of a colon, the other answers with the function's name in capitals. Pure.
#pragma once

#include "adapters/tasks/task.h"

namespace weft::test {

[[nodiscard]] const adapters::Task& fake_detection();  // "fake-detection"; twins share a pair
[[nodiscard]] const adapters::Task& fake_rewriting();  // "fake-rewriting"

}  // namespace weft::test
