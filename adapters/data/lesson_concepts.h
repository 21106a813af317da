// The rows that lessons are written from: what can be taught, in English and in Chinese. Pure.
//
// In all texts `[a|b]` stands for one of its alternatives. In bodies and checks $f is the function's name and $1, $2 …
// are its parameters.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace weft::adapters {

// How the row says what the function does.
enum class Saying {
  kValue,   // what it returns: "the square of a number"
  kTest,    // what is true where it returns True: "a number is even"
  kAction,  // what it does; `~` is where English has an s in the third person: "reverse~ a string"
};

struct LessonConcept {
  std::string_view name;
  Saying saying;
  std::string_view english, chinese;
  std::string_view names;                  // of the function
  std::string_view parameters;             // of a row of parameter_names()
  std::array<std::string_view, 3> bodies;  // other ways to write the same; those that are not needed are empty
  std::string_view check;                  // a Python expression that is true
};

[[nodiscard]] std::span<const LessonConcept> number_concepts();   // lesson_numbers.cc
[[nodiscard]] std::span<const LessonConcept> measure_concepts();  // lesson_measures.cc: shapes, units, notations
[[nodiscard]] std::span<const LessonConcept> list_concepts();     // lesson_lists.cc
[[nodiscard]] std::span<const LessonConcept> text_concepts();     // lesson_texts.cc: strings and dictionaries

}  // namespace weft::adapters
