#include "generation/files/licence.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include <nlohmann/json.hpp>

#include "generation/files/text.h"

namespace weft::generation {
namespace {

constexpr std::array<std::string_view, 15> kPermissive = {
    "MIT",        "MIT-0", "MIT-CMU", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "PSF-2.0",
    "Python-2.0", "0BSD",  "Zlib",    "BSL-1.0",      "Unlicense",    "CC0-1.0",    "HPND"};

// Telling phrases of licence texts in lower case with single spaces; the first row that fits decides. Python's own
// licence comes first, since it tells of the GPL; then what must not be overlooked beside a permissive text.
struct Phrase {
  std::string_view text, also, spdx;
};
constexpr std::array kPhrases = {
    Phrase{"python software foundation license", "psf", "PSF-2.0"},
    Phrase{"gnu affero general public license", "", "AGPL"},
    Phrase{"gnu lesser general public license", "", "LGPL"},
    Phrase{"gnu library general public license", "", "LGPL"},
    Phrase{"gnu general public license", "", "GPL"},
    Phrase{"mozilla public license", "", "MPL"},
    Phrase{"eclipse public license", "", "EPL"},
    Phrase{"server side public license", "", "SSPL"},
    Phrase{"business source license", "", "BUSL"},
    Phrase{"creative commons", "noncommercial", "CC-NC"},
    Phrase{"all rights reserved", "proprietary", "proprietary"},
    Phrase{"apache license", "version 2.0", "Apache-2.0"},
    Phrase{"redistribution and use in source and binary forms", "neither the name", "BSD-3-Clause"},
    Phrase{"redistribution and use in source and binary forms", "may not be used to endorse", "BSD-3-Clause"},
    Phrase{"redistribution and use in source and binary forms", "", "BSD-2-Clause"},
    Phrase{"permission is hereby granted, free of charge", "", "MIT"},
    Phrase{"permission to use, copy, modify, and/or distribute this software for any purpose", "copyright notice",
           "ISC"},
    Phrase{"permission to use, copy, modify, and distribute this software for any purpose", "copyright notice", "ISC"},
    Phrase{"permission to use, copy, modify, and/or distribute this software for any purpose", "", "0BSD"},
    Phrase{"this software is provided 'as-is', without any express or implied", "altered source", "Zlib"},
    Phrase{"this is free and unencumbered software", "public domain", "Unlicense"},
    Phrase{"boost software license", "", "BSL-1.0"},
};

constexpr std::size_t kTopBytes = 4096;  // of a source, where its licence may be told

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + separator.size());
  }
}

// An exception ("WITH") only ever allows more.
bool is_permissive_name(std::string_view name) {
  name = name.substr(0, name.find(" WITH "));
  while (!name.empty() && (name.front() == ' ' || name.front() == '(')) name.remove_prefix(1);
  while (!name.empty() && (name.back() == ' ' || name.back() == ')')) name.remove_suffix(1);
  return std::ranges::find(kPermissive, name) != kPermissive.end();
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string with_single_spaces(std::string_view text) {
  std::string out;
  for (const char c : lower(text)) {
    const bool space = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (!space) out += c;
    if (space && !out.empty() && out.back() != ' ') out += ' ';
  }
  return out;
}

bool is_licence_file(const std::string& name) {
  const std::string small = lower(name);
  const bool source = small.ends_with(".py") || small.ends_with(".json");
  return !source && (small.starts_with("license") || small.starts_with("licence") || small.starts_with("copying") ||
                     small.starts_with("unlicense"));
}

// The comments above the first line of code, without the marks of comments.
std::string top_comments(std::string_view source) {
  std::string out;
  bool in_block = false;
  for (std::string_view line : split(source.substr(0, kTopBytes), "\n")) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
    in_block = in_block || line.starts_with("/*");
    if (!in_block && !line.empty() && !line.starts_with("#") && !line.starts_with("//")) break;
    if (line.find("*/") != std::string_view::npos) in_block = false;
    line.remove_prefix(std::min(line.find_first_not_of("#/* \t"), line.size()));
    out += std::string(line) + "\n";
  }
  return out;
}

// Trove classifiers behind "License :: " that name a licence.
struct Classifier {
  std::string_view name, spdx;
};
constexpr std::array kClassifiers = {
    Classifier{"OSI Approved :: MIT License", "MIT"},
    Classifier{"OSI Approved :: MIT No Attribution License (MIT-0)", "MIT-0"},
    Classifier{"OSI Approved :: BSD License", "BSD-3-Clause"},
    Classifier{"OSI Approved :: Apache Software License", "Apache-2.0"},
    Classifier{"OSI Approved :: ISC License (ISCL)", "ISC"},
    Classifier{"OSI Approved :: Python Software Foundation License", "PSF-2.0"},
    Classifier{"OSI Approved :: zlib/libpng License", "Zlib"},
    Classifier{"OSI Approved :: Boost Software License 1.0 (BSL-1.0)", "BSL-1.0"},
    Classifier{"OSI Approved :: The Unlicense (Unlicense)", "Unlicense"},
    Classifier{"OSI Approved :: Historical Permission Notice and Disclaimer (HPND)", "HPND"},
    Classifier{"CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "CC0-1.0"},
    Classifier{"OSI Approved", ""},  // says which of them elsewhere
};

// What old `License` fields say besides SPDX names, in lower case.
struct FreeText {
  std::string_view text, spdx;
};
constexpr std::array kFreeTexts = {
    FreeText{"mit license", "MIT"},
    FreeText{"the mit license", "MIT"},
    FreeText{"bsd", "BSD-3-Clause"},
    FreeText{"bsd license", "BSD-3-Clause"},
    FreeText{"new bsd", "BSD-3-Clause"},
    FreeText{"bsd 3-clause", "BSD-3-Clause"},
    FreeText{"3-clause bsd", "BSD-3-Clause"},
    FreeText{"bsd-3", "BSD-3-Clause"},
    FreeText{"bsd 2-clause", "BSD-2-Clause"},
    FreeText{"apache 2", "Apache-2.0"},
    FreeText{"apache 2.0", "Apache-2.0"},
    FreeText{"apache-2", "Apache-2.0"},
    FreeText{"apache license 2.0", "Apache-2.0"},
    FreeText{"apache license, version 2.0", "Apache-2.0"},
    FreeText{"apache software license", "Apache-2.0"},
    FreeText{"psf", "PSF-2.0"},
    FreeText{"psfl", "PSF-2.0"},
    FreeText{"python software foundation license", "PSF-2.0"},
    FreeText{"isc license", "ISC"},
    FreeText{"unlicense", "Unlicense"},
};

}  // namespace

bool is_permissive(std::string_view expression) {
  return std::ranges::any_of(split(expression, " OR "), [](std::string_view choice) {
    return std::ranges::all_of(split(choice, " AND "), is_permissive_name);
  });
}

std::string classify_licence(std::string_view text) {
  const std::string plain = with_single_spaces(text);
  for (const Phrase& phrase : kPhrases) {
    if (plain.find(phrase.text) != std::string::npos && plain.find(phrase.also) != std::string::npos) {
      return std::string(phrase.spdx);
    }
  }
  return "";
}

std::string declared_licence(std::string_view source) {
  constexpr std::string_view kMark = "SPDX-License-Identifier:";
  const std::string_view top = source.substr(0, 2048);
  const std::size_t at = top.find(kMark);
  if (at == std::string_view::npos) return "";
  std::string_view line = top.substr(at + kMark.size());
  line = line.substr(0, line.find_first_of("\r\n"));
  const std::size_t first = line.find_first_not_of(" \t"), last = line.find_last_not_of(" \t*/");
  return first == std::string_view::npos || last == std::string_view::npos || last < first
             ? ""
             : std::string(line.substr(first, last - first + 1));
}

std::string licence_against(std::string_view source) {
  const std::string found = classify_licence(top_comments(source));
  return is_permissive(found) ? "" : found;
}

std::string metadata_licence(std::string_view metadata) {
  std::string classified, free_text;
  for (std::string_view line : split(metadata.substr(0, metadata.find("\n\n")), "\n")) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto value_of = [line](std::string_view field) {
      return line.starts_with(field) ? line.substr(field.size()) : std::string_view();
    };
    if (const auto expression = value_of("License-Expression: "); !expression.empty()) return std::string(expression);
    if (const auto text = value_of("License: "); !text.empty()) free_text = text;
    const std::string_view named = value_of("Classifier: License :: ");
    if (named.empty()) continue;
    const auto known = std::ranges::find(kClassifiers, named, &Classifier::name);
    const std::string_view spdx = known == kClassifiers.end() ? named : known->spdx;
    if (!spdx.empty()) classified += (classified.empty() ? "" : " AND ") + std::string(spdx);
  }
  if (!classified.empty()) return classified;
  const std::string plain = lower(free_text);
  const auto known = std::ranges::find(kFreeTexts, std::string_view(plain), &FreeText::text);
  if (known != kFreeTexts.end()) return std::string(known->spdx);
  const auto exact = std::ranges::find_if(kPermissive, [&](std::string_view name) { return lower(name) == plain; });
  return exact == kPermissive.end() ? free_text : std::string(*exact);
}

std::string licence_files_of(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (!entry.is_regular_file(ignored) || !is_licence_file(entry.path().filename().string())) continue;
    const std::string name = classify_licence(read_all(entry.path()));
    found.push_back(name.empty() ? "unknown" : name);
  }
  std::ranges::sort(found);
  found.erase(std::ranges::unique(found).begin(), found.end());
  std::string out;
  for (const std::string& name : found) out += (out.empty() ? "" : " AND ") + name;
  return out;
}

Expected<LicenceFinder> LicenceFinder::open(const std::string& root, std::string assumed) {
  std::map<std::string, std::string> by_folder;
  const auto path = std::filesystem::path(root) / "licences.json";
  if (std::filesystem::is_regular_file(path)) {
    const auto json = nlohmann::json::parse(read_all(path), nullptr, false);
    if (!json.is_object()) return make_error("{} is not a JSON object of folders and licences", path.string());
    for (const auto& [folder, licence] : json.items()) {
      if (!licence.is_string()) return make_error("{}: the licence of {} is not a string", path.string(), folder);
      by_folder[folder] = licence.get<std::string>();
    }
  }
  return LicenceFinder(root, std::move(assumed), std::move(by_folder));
}

std::string LicenceFinder::licence_of(const std::string& path, std::string_view source) {
  std::string declared = declared_licence(source);
  if (declared.empty()) declared = licence_against(source);
  if (!declared.empty()) return declared;
  const std::string& found = licence_of_folder(std::filesystem::path(path).parent_path().generic_string());
  return found.empty() ? assumed_ : found;
}

const std::string& LicenceFinder::licence_of_folder(const std::string& folder) {
  const auto known = by_folder_.find(folder);
  if (known != by_folder_.end()) return known->second;
  std::string found = licence_files_of((std::filesystem::path(root_) / folder).string());
  if (found.empty() && !folder.empty()) {
    found = licence_of_folder(std::filesystem::path(folder).parent_path().generic_string());
  }
  return by_folder_[folder] = std::move(found);
}

}  // namespace weft::generation
