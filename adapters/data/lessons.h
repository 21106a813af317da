// Lessons: little functions with what people would ask for them by, written by a grammar of weft's own. They are
// training text for function-from-comment beside real code, which seldom says plainly what it does; nothing looks
// anything up in them when serving. A lesson is a comment, a `def` with a docstring in the comment's language, and a
// body that is right. The same seed, the same lessons. Pure but for write_lessons.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/data/random.h"
#include "model/base/cancel.h"
#include "model/base/expected.h"

namespace weft::adapters {

struct Lesson {
  std::string concept_name;  // what is taught: "factorial"; of arithmetic with the count of its numbers: "sum:2"
  std::string language;      // of comment and docstring: "en", "zh"
  std::string code;          // the comment and the function, without a last line end
  std::string check;         // a Python expression that is true where the function is right
};

struct LessonOptions {
  std::uint64_t seed = 1;
  std::size_t count = 6000;
  std::vector<std::string> held_out{};  // concepts that no lesson is about
};

// Everything there is to teach, in the table's order.
[[nodiscard]] std::vector<std::string> lesson_concepts();
// "product:3,difference:2". Error: a concept that is not taught.
[[nodiscard]] Expected<std::vector<std::string>> parse_held_out(std::string_view text);
// No two have the same code. Fewer than asked for where the grammar has no more.
[[nodiscard]] std::vector<Lesson> make_lessons(const LessonOptions& options);

struct LessonReport {
  std::size_t files = 0, lessons = 0;
  std::map<std::string, std::size_t> by_language;
};
// lessons_0001.py and so on, a few lessons each, and licences.json, which says that they are weft's own; lessons of an
// earlier run are replaced. Errors: the folder cannot be written, "cancelled"; then none of this run's files is left.
Expected<LessonReport> write_lessons(const LessonOptions& options, const std::string& folder, const CancelFlag& cancel);

}  // namespace weft::adapters
