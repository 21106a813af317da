// Where the daemons of one user are reached: sockets weftd-PID.sock in a folder that nobody else can enter,
// $XDG_RUNTIME_DIR/weft or, without that, weft-UID in the folder for temporary files. Any thread; files are touched,
// but nothing here waits for another process.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/base/expected.h"

namespace weft::lsp {

struct FolderPlaces {
  std::string runtime_dir;  // empty: none
  std::string temp_dir;
};
[[nodiscard]] FolderPlaces places_from_environment();

// Made with mode 0700 where it is not there. Error: it cannot be made; it is a link, another user's, or open to others.
Expected<std::string> open_socket_folder(const FolderPlaces& places);

struct DaemonSocket {
  pid_t pid = 0;
  std::string path;
};
[[nodiscard]] std::string socket_path(std::string_view folder, pid_t pid);
// Nothing: not the name of a daemon's socket.
[[nodiscard]] std::optional<pid_t> pid_of_socket(std::string_view file_name);
// By rising process id, whether somebody listens there or not.
[[nodiscard]] std::vector<DaemonSocket> daemon_sockets(const std::string& folder);
// Removes sockets whose process is gone and which refuse connections: the one alone may err, where another container
// shares the folder, or between a daemon's bind and its listen.
void remove_stale_sockets(const std::string& folder);

// A non-blocking socket that is connected or has been refused at once; the caller closes it. Error: nobody listens.
Expected<int> connect_to_socket(const std::string& path);
// The user at the other end of a connected socket.
Expected<uid_t> peer_of(int socket);

}  // namespace weft::lsp
