#include "lsp/completion_backend.h"

#include <utility>

namespace weft::lsp {
namespace {

class ServiceBackend final : public CompletionBackend {
 public:
  explicit ServiceBackend(std::unique_ptr<generation::CompletionService> service) : service_(std::move(service)) {}

  RequestId complete(generation::CompletionRequest request, Done done) override {
    return service_->complete(std::move(request), std::move(done));
  }
  void cancel(RequestId id) override { service_->cancel(id); }

 private:
  std::unique_ptr<generation::CompletionService> service_;
};

}  // namespace

std::shared_ptr<CompletionBackend> make_backend(std::unique_ptr<generation::CompletionService> service) {
  return std::make_shared<ServiceBackend>(std::move(service));
}

}  // namespace weft::lsp
