// A certificate authority of the simulator's own, made at every start, and the leaf it signs for
// `localhost` and 127.0.0.1 (P-256, valid one week). Cold; uses OpenSSL.
#pragma once

#include <filesystem>
#include <string>

namespace gimbal::sim {

struct TlsFiles {
  std::filesystem::path ca;    // ca.pem: what a client must trust
  std::filesystem::path leaf;  // server.pem: leaf followed by the authority
  std::filesystem::path key;   // server.key, readable by the owner only
};

// Writes the three files into `directory` (made when missing), replacing older ones. False with
// `error` naming the step that failed; the directory may then hold some of the files.
[[nodiscard]] bool make_tls_files(const std::filesystem::path& directory, TlsFiles& files,
                                  std::string& error);

}  // namespace gimbal::sim
