// AdapterMethods: `weft/adapters/list`, `inspect`, `add` and `remove` of one client. I/O thread only. The files are
// read elsewhere; a client has few such requests under way at a time.
//
//   list                    -> {"adapters": [{"name", "task", "base", "rank", "alpha", "threshold", "directory"}]}
//   inspect {"directory"}   -> the same of one, and "modules" and "parameters"; installs nothing
//   add {"directory"}       -> the installed one
//   remove {"name"}         -> {"removed": name}
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "lsp/dispatcher.h"
#include "lsp/loop.h"
#include "lsp/model_host.h"
#include "lsp/reply.h"

namespace weft::lsp {

class AdapterMethods {
 public:
  static constexpr std::size_t kMostOpenRequests = 8;

  // Registers the methods with `client`. All three outlive this.
  AdapterMethods(Loop& loop, const ModelHost& model, Dispatcher& client);

  [[nodiscard]] std::size_t open_requests() const { return open_.size(); }

 private:
  using Done = std::function<void(Expected<Json>)>;

  // Null after answering why there is none.
  AdapterControl* adapters_or_refuse(Reply& reply) const;
  // `ask` gets the folder of the params and what ends the request.
  void start(const Json& params, Reply reply,
             const std::function<void(AdapterControl&, std::string directory, Done)>& ask);
  void remove(const Json& params, Reply reply);

  Loop& loop_;
  const ModelHost& model_;
  std::uint64_t last_key_ = 0;
  std::map<std::uint64_t, Reply> open_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  // tasks in the loop may outlive this
};

}  // namespace weft::lsp
