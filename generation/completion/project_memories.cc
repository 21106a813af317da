#include "generation/completion/project_memories.h"

#include <algorithm>

namespace weft::generation {
namespace {

constexpr std::size_t kMostProjects = 4;

}  // namespace

ProjectMemories::Project ProjectMemories::make(const std::string& root) const {
  Project made{root, std::make_shared<ProjectMemory>(tokenizer_, ProjectMemoryOptions{.root = root}), nullptr};
  if (!environment_.folder.empty()) {
    made.environment = std::make_shared<EnvironmentMemory>(tokenizer_, root, environment_);
  }
  return made;
}

ProjectMemories::Project& ProjectMemories::in_front(const std::string& root, std::list<Project>& too_many) {
  const auto found = std::ranges::find(projects_, root, &Project::root);
  if (found != projects_.end()) {
    projects_.splice(projects_.begin(), projects_, found);
  } else {
    projects_.push_front(make(root));
    if (projects_.size() > kMostProjects) too_many.splice(too_many.begin(), projects_, std::prev(projects_.end()));
  }
  return projects_.front();
}

void ProjectMemories::read(const std::string& root) {
  std::list<Project> too_many;
  std::shared_ptr<ProjectMemory> files;
  std::shared_ptr<EnvironmentMemory> environment;
  {
    const std::lock_guard lock(mutex_);
    const Project& project = in_front(root, too_many);
    files = project.files;
    environment = project.environment;
  }
  files->wait();
  if (environment) environment->wait();
}

ProjectMemories::Texts ProjectMemories::for_request(const CompletionRequest& request) {
  std::list<Project> too_many;  // goes after the lock: it waits for threads
  const std::lock_guard lock(mutex_);
  Project& project = in_front(request.root, too_many);
  for (const OpenDocument& open : request.others) {
    std::shared_ptr<const std::string>& told = project.told[open.path];
    if (told == open.text || open.last_edit == 0) continue;
    told = open.text;
    project.files->changed(open.path, open.text);
  }
  const std::string& path = request.document.path;
  return {project.files->text_for(path), project.environment ? project.environment->text_for(path) : nullptr};
}

// Each memory knows which paths are its project's.
void ProjectMemories::file_changed(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  for (const Project& project : projects_) project.files->saved(path);
}

std::vector<MemoryState> ProjectMemories::state() const {
  const std::lock_guard lock(mutex_);
  std::vector<MemoryState> out;
  for (const Project& project : projects_) {
    out.push_back({project.root, project.files->state(), std::nullopt});
    if (project.environment) out.back().environment = project.environment->state();
  }
  return out;
}

}  // namespace weft::generation
