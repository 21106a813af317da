#include "adapters/eval/eval_subject.h"

#include <memory>
#include <optional>
#include <utility>

namespace weft::adapters {

Expected<EvalSubject> open_eval_subject(const EvalBase& base, const std::string& adapter_directory) {
  const auto hash = base_hash(base.directory);
  if (!hash) return hash.error();
  auto files = read_adapter(adapter_directory, base.config, *hash);
  if (!files) return files.error();
  std::optional<Expected<AdapterId>> installed;
  base.engine->install_adapter(std::make_shared<const model::LoraAdapter>(std::move(files->adapter)),
                               [&](Expected<AdapterId> done) { installed = std::move(done); });
  while (!installed && base.engine->poll()) {
  }
  if (!installed) return make_error("{}: the engine stopped before the adapter was installed", adapter_directory);
  if (!*installed) return make_error("{}: {}", adapter_directory, installed->error().message);
  return EvalSubject{base.engine, **installed, std::move(files->info)};
}

}  // namespace weft::adapters
