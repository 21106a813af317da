#include "adapters/data/lessons.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "adapters/data/lesson_concepts.h"
#include "model/base/atomic_file.h"

namespace weft::adapters {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLessonsInFile = 2;
constexpr std::size_t kArithmeticShare = 3;  // of five lessons: counts of numbers are learnt from many examples
constexpr std::size_t kTriesForEach = 8;     // for a lesson that is not there yet

// What is reckoned from two to five numbers. `joined`: $, then the parameters with the sign between, then $.
struct Operation {
  std::string_view name;
  std::string_view english;  // # is the count and what is counted
  std::string_view chinese;
  std::string_view names;  // # is the count
  std::string_view before, sign, behind;
  std::string_view variable;
  std::string_view reference;  // of the tuple v of the arguments; what the check reckons the other way round
  std::size_t most = 5;
  std::string_view english_action = {}, chinese_action = {};  // what one does with #; empty: nobody says so
};
constexpr auto kOperations = std::to_array<Operation>({
    {"sum", "[the sum of|the sum of|the total of|the result of adding] #", "#[之和|之和|的和|的总和|相加的结果]",
     "[add_#numbers|sum_of_#numbers|sum_#numbers|add_#values]", "", " + ", "", "[total|result]", "sum(v)", 5, "add~ #",
     "[将|把|]#相加"},
    {"product", "[the product of|the product of|the result of multiplying] #", "#[之积|的积|的乘积|的乘积|相乘的结果]",
     "[multiply_#numbers|product_of_#numbers|multiply_#values]", "", " * ", "", "[product|result]",
     "__import__('math').prod(v)", 5, "multiply~ #", "[将|把|]#相乘"},
    {"difference", "the difference of #", "#[之差|之差|的差|相减的结果]",
     "[subtract_#numbers|difference_of_#numbers|subtract_#values]", "", " - ", "", "[difference|result]",
     "2 * v[0] - sum(v)", 5, "subtract~ #", "[将|把|]#相减"},
    {"average", "the [average|mean|arithmetic mean] of #", "#的[平均值|平均数|均值]",
     "[average_of_#numbers|mean_of_#numbers|average_#numbers]", "(", " + ", ") / %", "[average|mean|result]",
     "sum(v) / len(v)"},
    {"maximum", "the [maximum|largest|greatest] of #", "#[中|]的[最大值|最大数|最大值]",
     "[maximum_of_#numbers|max_of_#numbers|largest_of_#numbers]", "max(", ", ", ")", "[largest|maximum|result]",
     "sorted(v)[-1]"},
    {"minimum", "the [minimum|smallest|least] of #", "#[中|]的[最小值|最小数|最小值]",
     "[minimum_of_#numbers|min_of_#numbers|smallest_of_#numbers]", "min(", ", ", ")", "[smallest|minimum|result]",
     "sorted(v)[0]"},
    {"sum-of-squares", "the sum of [the squares|squares] of #", "#的平方和", "[sum_of_#squares|add_#squares]", "",
     " ** 2 + ", " ** 2", "[total|result]", "sum(x * x for x in v)"},
    {"quotient", "the [quotient|ratio] of #", "#[之商|的商|相除的结果]", "[divide_#numbers|quotient_of_#numbers]", "",
     " / ", "", "[quotient|result]", "v[0] / v[1]", 2, "divide~ #", "[将|把|]#相除"},
});

struct Count {
  std::size_t count;
  std::string_view english, chinese;
};
constexpr auto kCounts =
    std::to_array<Count>({{2, "two", "两个"}, {3, "three", "三个"}, {4, "four", "四个"}, {5, "five", "五个"}});

// Names that go together, by what the parameters are.
struct ParameterNames {
  std::string_view kind, names;  // alternatives, each with commas
};
constexpr auto kParameterNames = std::to_array<ParameterNames>({
    {"number", "[n|x|number|num|value]"},
    {"numbers2", "[a, b|x, y|first, second|num1, num2|a, b|m, n]"},
    {"numbers3", "[a, b, c|x, y, z|first, second, third|num1, num2, num3|a, b, c]"},
    {"numbers4", "[a, b, c, d|w, x, y, z|first, second, third, fourth|num1, num2, num3, num4|a, b, c, d]"},
    {"numbers5", "[a, b, c, d, e|v, w, x, y, z|num1, num2, num3, num4, num5|a, b, c, d, e]"},
    {"power", "[base, exponent|x, n|number, power]"},
    {"limits", "[number, low, high|value, minimum, maximum|x, lower, upper]"},
    {"share", "[part, whole|value, total|a, b]"},
    {"sides", "[width, height|length, width|a, b]"},
    {"side", "[side|a|length]"},
    {"triangle", "[base, height|b, h]"},
    {"radius", "[radius|r]"},
    {"celsius", "[celsius|c|degrees|temperature]"},
    {"fahrenheit", "[fahrenheit|f|degrees|temperature]"},
    {"minutes", "[minutes|m]"},
    {"hours", "[hours|h]"},
    {"kilometres", "[kilometres|km|distance]"},
    {"year", "[year|y]"},
    {"list", "[numbers|values|nums|data]"},
    {"items", "[items|values|elements|data|lst]"},
    {"items_item", "[items, item|values, value|elements, target|lst, x]"},
    {"items_size", "[items, n|values, size|data, count]"},
    {"lists2", "[first, second|list1, list2|left, right|xs, ys]"},
    {"nested", "[lists|nested|groups]"},
    {"words", "[words|strings|texts|names]"},
    {"text", "[text|s|string|value]"},
    {"texts2", "[first, second|text, part|s, t]"},
    {"text_char", "[text, char|s, c|string, character]"},
    {"text_old_new", "[text, old, new|s, old, new]"},
    {"text_times", "[text, n|s, times|text, count]"},
    {"text_prefix", "[text, prefix|s, prefix]"},
    {"text_suffix", "[text, suffix|s, suffix]"},
    {"name", "[name|person]"},
    {"dict", "[mapping|d|data|table]"},
    {"dicts2", "[first, second|a, b|left, right]"},
    {"dict_key", "[mapping, key|d, key|data, name]"},
    {"keys_values", "[keys, values|names, numbers]"},
});

// How a wish and a docstring are put, around what the concept says: {} as it is, {s} in the third person.
struct Frames {
  Saying saying;
  std::array<std::string_view, 6> english, chinese;
  std::string_view english_doc, chinese_doc;
};
constexpr auto kFrames = std::to_array<Frames>({
    {Saying::kValue,
     {"[a |A |][Python |Python ||]function that [computes|calculates|returns|computes|gives|finds] {}",
      "[Write|Define|Implement|Create] a [Python |]function that [computes|calculates|returns] {}[.|]",
      "[Write|Define|Implement|Create] a [Python |]function to [compute|calculate|return|find] {}[.|]",
      "[Compute|Calculate|Return|Find|Get] {}[.|]", "[Computes|Calculates|Returns] {}[.|]",
      "[Python function|Function|function] [to compute|to calculate|returning|for] {}"},
     {"一个[计算|计算|返回|求]{}的[Python|Python|]函数", "[计算|返回|求]{}的[Python|]函数",
      "[写|编写|定义|实现]一个[计算|返回|求]{}的[Python|]函数",
      "[写|编写|定义|实现]一个[Python|]函数,[用来|用于|]计算{}", "[计算|返回|求]{}[。|]", "用Python[计算|求]{}"},
     "[Return|Return|Compute|Calculate] {}.",
     "[返回|返回|计算|计算并返回]{}。"},
    {Saying::kTest,
     {"[a |A |][Python |Python ||]function that [checks|tests|determines|checks] [whether|if] {}",
      "[Write|Define|Implement|Create] a [Python |]function that [checks|tests] [whether|if] {}[.|]",
      "[Write|Define|Implement|Create] a [Python |]function to [check|test] [whether|if] {}[.|]",
      "[Check|Test|Determine] [whether|if] {}[.|]", "[Checks|Tests] [whether|if] {}[.|]", "Return True if {}[.|]"},
     {"一个[判断|判断|检查]{}的[Python|Python|]函数", "[判断|检查]{}的[Python|]函数",
      "[写|编写|定义|实现]一个[判断|检查]{}的[Python|]函数", "[写|编写|定义|实现]一个[Python|]函数,[用来|用于|]判断{}",
      "[判断|检查]{}[。|]", "用Python判断{}"},
     "[Return True if|Check whether|Return whether] {}.",
     "[判断|检查]{}。"},
    {Saying::kAction,
     {"[a |A |][Python |Python ||]function that {s}",
      "[Write|Define|Implement|Create] a [Python |]function that {s}[.|]",
      "[Write|Define|Implement|Create] a [Python |]function to {}[.|]", "{^}[.|]", "{^s}[.|]",
      "[Python function|Function|function] to {}"},
     {"一个{}的[Python|Python|]函数", "{}的[Python|]函数", "[写|编写|定义|实现]一个{}的[Python|]函数",
      "[写|编写|定义|实现]一个[Python|]函数,[用来|用于|]{}", "{}[。|]", "用Python{}"},
     "{^}.",
     "{}。"},
});

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

// One alternative of each bracket. Brackets do not nest.
std::string chosen(std::string_view text, Random& random) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = std::min(text.find('[', at), text.size());
    out += text.substr(at, open - at);
    if (open == text.size()) break;
    const std::size_t close = text.find(']', open);
    const std::string_view inside = text.substr(open + 1, close - open - 1);
    auto skip = random.below(static_cast<std::uint64_t>(std::ranges::count(inside, '|')) + 1);
    std::size_t begin = 0;
    for (; skip > 0; --skip) begin = inside.find('|', begin) + 1;
    out += inside.substr(begin, std::min(inside.find('|', begin), inside.size()) - begin);
    at = close + 1;
  }
  return out;
}

// `saying`: one alternative of each bracket.
std::string framed(std::string_view frame, const std::string& saying, Random& random) {
  std::string bare = saying, third = saying;
  replace_all(bare, "~", "");
  replace_all(third, "~", "s");
  const auto capital = [](std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
    return text;
  };
  std::string out = chosen(frame, random);
  replace_all(out, "{^s}", capital(third));
  replace_all(out, "{^}", capital(bare));
  replace_all(out, "{s}", third);
  replace_all(out, "{}", bare);
  return out;
}

// A concept with the choices made that a lesson of it has in common.
struct Topic {
  std::string name;
  Saying saying = Saying::kValue;
  std::string english, chinese, names, parameters, body, check;
};

Topic topic_of(const LessonConcept& row, Random& random) {
  const auto last = std::ranges::find(row.bodies, std::string_view());
  const auto ways = static_cast<std::uint64_t>(last - row.bodies.begin());
  return {std::string(row.name),
          row.saying,
          std::string(row.english),
          std::string(row.chinese),
          std::string(row.names),
          std::string(row.parameters),
          std::string(row.bodies[random.below(ways)]),
          std::string(row.check)};
}

std::string joined(const Operation& operation, std::size_t count) {
  std::string expression(operation.before);
  for (std::size_t i = 1; i <= count; ++i) {
    expression += fmt::format("{}${}", i == 1 ? "" : operation.sign, i);
  }
  expression += operation.behind;
  replace_all(expression, "%", std::to_string(count));
  return expression;
}

Topic topic_of(const Operation& operation, const Count& count, Random& random) {
  constexpr std::string_view kArguments[] = {"12, 5", "12, 5, 3", "12, 5, 3, 2", "12, 5, 3, 2, 7"};
  Topic topic;
  topic.name = fmt::format("{}:{}", operation.name, count.count);
  const bool action = !operation.english_action.empty() && random.below(3) == 0;
  topic.saying = action ? Saying::kAction : Saying::kValue;
  topic.english = action ? operation.english_action : operation.english;
  replace_all(topic.english, "#", fmt::format("{} [numbers|numbers|numbers|values|integers]", count.english));
  topic.chinese = action ? operation.chinese_action : operation.chinese;
  replace_all(topic.chinese, "#", fmt::format("{}[数|数|数字|整数]", count.chinese));
  topic.names = operation.names;
  const std::string counted = fmt::format("{}_", count.english);
  replace_all(topic.names, "#", count.count == 2 && random.below(2) == 0 ? "" : counted);
  topic.parameters = fmt::format("numbers{}", count.count);
  const std::string expression = joined(operation, count.count);
  topic.body = random.below(4) != 0
                   ? "return " + expression
                   : fmt::format("{0} = {1}\nreturn {0}", chosen(operation.variable, random), expression);
  const std::string_view arguments = kArguments[count.count - 2];
  topic.check = fmt::format("(lambda *v: abs($f(*v) - ({})) < 1e-9)({})", operation.reference, arguments);
  return topic;
}

std::string with_indentation(std::string_view body) {
  std::string out = "    " + std::string(body);
  replace_all(out, "\n", "\n    ");
  return out;
}

std::vector<std::string_view> split(std::string_view text, std::string_view by) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(by);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + by.size());
  }
}

Lesson lesson_of(const Topic& topic, Random& random) {
  const bool chinese = random.below(2) == 0;
  const Frames& frames = *std::ranges::find(kFrames, topic.saying, &Frames::saying);
  const auto& wishes = chinese ? frames.chinese : frames.english;
  // Said the same way in both: that the docstring repeats the wish can be learnt, which of many ways it takes cannot.
  const std::string saying = chosen(chinese ? topic.chinese : topic.english, random);
  const std::string wish = framed(wishes[random.below(wishes.size())], saying, random);
  const std::string doc = framed(chinese ? frames.chinese_doc : frames.english_doc, saying, random);
  const std::string name = chosen(topic.names, random);
  const std::string parameters =
      chosen(std::ranges::find(kParameterNames, topic.parameters, &ParameterNames::kind)->names, random);
  std::string body = with_indentation(topic.body), check = topic.check;
  const auto names = split(parameters, ", ");
  for (std::size_t i = names.size(); i > 0; --i) replace_all(body, fmt::format("${}", i), names[i - 1]);
  replace_all(body, "$f", name);
  replace_all(check, "$f", name);
  return {topic.name, chinese ? "zh" : "en",
          fmt::format("# {}\ndef {}({}):\n    \"\"\"{}\"\"\"\n{}", wish, name, parameters, doc, body), check};
}

std::vector<const LessonConcept*> plain_concepts() {
  std::vector<const LessonConcept*> rows;
  for (const auto part : {number_concepts(), measure_concepts(), list_concepts(), text_concepts()}) {
    for (const LessonConcept& row : part) rows.push_back(&row);
  }
  return rows;
}

struct Reckoning {
  const Operation* operation;
  const Count* count;
};
std::vector<Reckoning> reckonings() {
  std::vector<Reckoning> all;
  for (const Operation& operation : kOperations) {
    for (const Count& count : kCounts) {
      if (count.count <= operation.most) all.push_back({&operation, &count});
    }
  }
  return all;
}
std::string name_of(const Reckoning& reckoning) {
  return fmt::format("{}:{}", reckoning.operation->name, reckoning.count->count);
}

// The one about fewer numbers of two, since people ask about few more often than about many.
const Reckoning& choose(const std::vector<Reckoning>& all, Random& random) {
  const Reckoning& one = all[random.below(all.size())];
  const Reckoning& other = all[random.below(all.size())];
  return one.count->count < other.count->count ? one : other;
}

void remove_lessons(const fs::path& folder) {
  std::error_code ignored;
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("lessons_") && name.ends_with(".py")) old.push_back(entry.path());
  }
  for (const fs::path& path : old) fs::remove(path, ignored);
  fs::remove(folder / "licences.json", ignored);
}

}  // namespace

std::vector<std::string> lesson_concepts() {
  std::vector<std::string> names;
  for (const Reckoning& reckoning : reckonings()) names.push_back(name_of(reckoning));
  for (const LessonConcept* row : plain_concepts()) names.emplace_back(row->name);
  return names;
}

Expected<std::vector<std::string>> parse_held_out(std::string_view text) {
  std::vector<std::string> names;
  const auto known = lesson_concepts();
  for (const std::string_view name : split(text, ",")) {
    if (name.empty() && text.empty()) break;
    if (std::ranges::count(known, name) == 0) {
      return make_error("no lessons about {}: there are {}", name, fmt::join(known, ", "));
    }
    names.emplace_back(name);
  }
  return names;
}

std::vector<Lesson> make_lessons(const LessonOptions& options) {
  const auto held_out = [&options](const std::string& name) { return std::ranges::count(options.held_out, name) > 0; };
  auto plain = plain_concepts();
  std::erase_if(plain, [&](const LessonConcept* row) { return held_out(std::string(row->name)); });
  auto arithmetic = reckonings();
  std::erase_if(arithmetic, [&](const Reckoning& reckoning) { return held_out(name_of(reckoning)); });
  std::vector<Lesson> lessons;
  std::set<std::string> seen;
  Random random(options.seed);
  for (std::size_t tries = 0; lessons.size() < options.count && tries < options.count * kTriesForEach; ++tries) {
    const bool reckoned = plain.empty() || (!arithmetic.empty() && random.below(5) < kArithmeticShare);
    if (reckoned && arithmetic.empty()) break;
    const Reckoning* pick = reckoned ? &choose(arithmetic, random) : nullptr;
    const Topic topic = reckoned ? topic_of(*pick->operation, *pick->count, random)
                                 : topic_of(*plain[random.below(plain.size())], random);
    Lesson lesson = lesson_of(topic, random);
    if (seen.insert(lesson.code).second) lessons.push_back(std::move(lesson));
  }
  return lessons;
}

Expected<LessonReport> write_lessons(const LessonOptions& options, const std::string& folder,
                                     const CancelFlag& cancel) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return make_error("cannot make the folder {}: {}", folder, error.message());
  remove_lessons(folder);
  const auto lessons = make_lessons(options);
  LessonReport report;
  const auto undone = [&folder](Error why) {
    remove_lessons(folder);
    return why;
  };
  for (std::size_t first = 0; first < lessons.size(); first += kLessonsInFile) {
    if (cancel.cancelled()) return undone(Error{"cancelled"});
    std::string text;
    for (std::size_t i = first; i < std::min(first + kLessonsInFile, lessons.size()); ++i) {
      if (!text.empty()) text += "\n\n\n";
      text += lessons[i].code;
      ++report.by_language[lessons[i].language];
      ++report.lessons;
    }
    const fs::path path = fs::path(folder) / fmt::format("lessons_{:04}.py", ++report.files);
    const auto written = write_file_atomically(path.string(), text + "\n");
    if (!written) return undone(written.error());
  }
  // Weft's own licence, for whoever reads the folder as training data.
  const auto licences =
      write_file_atomically((fs::path(folder) / "licences.json").string(), "{\"\": \"Apache-2.0\"}\n");
  if (!licences) return undone(licences.error());
  return report;
}

}  // namespace weft::adapters
